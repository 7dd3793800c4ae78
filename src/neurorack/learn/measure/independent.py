"""Descriptors for scoring, in numpy, scipy and librosa: nothing here comes from learn.descriptors.

Every curve has one value per 128 samples: value k describes the 2048 samples centred on sample 128 k (zeros
beyond the ends), so a sound of N samples gives N // 128 + 1 values. Names and units are those of the
instruments' controls, the implementations are not; docs/scoring.md gives the formulas.
"""

import warnings
from collections.abc import Iterable

import librosa
import numpy as np

from neurorack.core.timebase import HOP
from neurorack.learn.measure import booming

N_FFT = 2048
"""Samples of the analysis window, centred."""

PITCH_WINDOW = 4096
"""Samples of the window in which the pitch is searched."""

PITCH_EVERY = 4
"""The pitch is estimated at every fourth k and held between."""

PITCH_RANGE_HZ = (40.0, 2000.0)
SILENCE_DB = -120.0
_TINY = 1e-12

BARK_EDGES_HZ = np.array(
    [0, 100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400, 5300,
     6400, 7700, 9500, 12000, 15500.0]
)  # fmt: skip
"""Zwicker's critical bands."""


def loudness_db(audio: np.ndarray) -> np.ndarray:
    """Root mean square of the centred window in dB re full scale (librosa.feature.rms), [K]."""
    rms = librosa.feature.rms(y=audio, frame_length=N_FFT, hop_length=HOP, center=True)[0]
    return 20 * np.log10(np.maximum(rms.astype(np.float64), 10 ** (SILENCE_DB / 20)))


def brightness_hz(magnitude: np.ndarray, sample_rate: int) -> np.ndarray:
    """Centroid of the magnitude spectrum in Hz (librosa.feature.spectral_centroid), [K]."""
    return librosa.feature.spectral_centroid(S=magnitude, sr=sample_rate)[0]


def bandwidth_hz(magnitude: np.ndarray, sample_rate: int) -> np.ndarray:
    """Spread of the magnitude spectrum about its centroid in Hz (librosa.feature.spectral_bandwidth), [K]."""
    return librosa.feature.spectral_bandwidth(S=magnitude, sr=sample_rate)[0]


def rolloff_hz(magnitude: np.ndarray, sample_rate: int) -> np.ndarray:
    """Frequency below which 85 % of the magnitude lies, in Hz (librosa.feature.spectral_rolloff), [K]."""
    return librosa.feature.spectral_rolloff(S=magnitude, sr=sample_rate, roll_percent=0.85)[0]


def noisiness(power: np.ndarray, sample_rate: int) -> np.ndarray:
    """Spectral flatness in each critical band, averaged with the bands' energies as weights, 0..1, [K].

    Flatness is the geometric over the arithmetic mean of the power of a band's bins. A floor 50 dB under the
    strongest bin of the frame is added first, so that faint hiss under a tone does not count as noise.
    """
    freqs_hz = np.fft.rfftfreq(N_FFT, 1 / sample_rate)
    bounds = np.unique(np.searchsorted(freqs_hz, BARK_EDGES_HZ))
    edges, stop = bounds[:-1], bounds[-1]
    floored = power[:stop] + 1e-5 * power[:stop].max(axis=0) + _TINY
    counts = np.diff(np.append(edges, stop))[:, None]
    geometric = np.exp(np.add.reduceat(np.log(floored), edges, axis=0) / counts)
    energy = np.add.reduceat(floored, edges, axis=0)
    return np.sum(geometric * counts, axis=0) / energy.sum(axis=0)


def boominess(power: np.ndarray, sample_rate: int) -> np.ndarray:
    """Booming index of each frame from Zwicker's specific loudness, [K]; see learn.measure.booming."""
    matrix = booming.band_matrix(np.fft.rfftfreq(N_FFT, 1 / sample_rate)).astype(np.float32)
    bands = (matrix @ power).astype(np.float64)
    bands_db = 10 * np.log10(bands + _TINY) + booming.FULL_SCALE_DB_SPL
    return booming.booming_index(booming.specific_loudness(booming.core_loudness(bands_db)))


def pitch_hz(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Fundamental in Hz by YIN (librosa.yin) over 4096 centred samples, every fourth k and held, [K]."""
    low, high = PITCH_RANGE_HZ
    coarse = librosa.yin(
        audio, fmin=low, fmax=high, sr=sample_rate, frame_length=PITCH_WINDOW, hop_length=HOP * PITCH_EVERY
    )
    return np.repeat(coarse, PITCH_EVERY)[: len(audio) // HOP + 1]


SPECTRAL = {"brightness": brightness_hz, "bandwidth": bandwidth_hz, "rolloff": rolloff_hz}
POWER = {"noisiness": noisiness, "boominess": boominess}
KNOWN = ("loudness", *SPECTRAL, *POWER, "pitch")
"""Descriptors that can be scored."""


def measure(audio: np.ndarray, sample_rate: int, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Curves of a mono sound [N] by descriptor name, each float64 [N // 128 + 1]; unknown names are a KeyError."""
    names = tuple(names)
    if unknown := set(names) - set(KNOWN):
        raise KeyError(f"no independent measure of {', '.join(sorted(unknown))}")
    audio = np.nan_to_num(np.asarray(audio, dtype=np.float32))
    curves: dict[str, np.ndarray] = {}
    if "loudness" in names:
        curves["loudness"] = loudness_db(audio)
    if any(n in SPECTRAL or n in POWER for n in names):
        magnitude = np.abs(librosa.stft(audio, n_fft=N_FFT, hop_length=HOP, window="hann", center=True))
        # Full scale: the bins of a Hann-windowed frame sum to its mean square (one-sided spectrum).
        scale = np.float32(2.0 / (N_FFT * np.sum(np.hanning(N_FFT + 1)[:-1] ** 2)))
        power = magnitude**2 * scale
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            curves |= {n: SPECTRAL[n](magnitude, sample_rate) for n in names if n in SPECTRAL}
        curves |= {n: POWER[n](power, sample_rate) for n in names if n in POWER}
    if "pitch" in names:
        curves["pitch"] = pitch_hz(audio, sample_rate)
    return {name: np.asarray(curves[name], dtype=np.float64) for name in names}
