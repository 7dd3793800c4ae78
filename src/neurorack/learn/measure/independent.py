"""Descriptors for scoring, in numpy, scipy and librosa: nothing here comes from learn.descriptors.

Every curve has one value per 128 samples: value k describes the 2048 samples (noisiness, pitch: 4096) centred
on sample 128 k (zeros beyond the ends), so a sound of N samples gives N // 128 + 1 values. Names and units
are those of the instruments' controls, the implementations are not; docs/scoring.md gives the formulas.
"""

import warnings
from collections.abc import Iterable
from itertools import pairwise

import librosa
import numpy as np
from scipy.stats import gmean

from neurorack.core.timebase import HOP
from neurorack.learn.measure import booming, second_ears

N_FFT = 2048
"""Samples of the analysis window, centred."""

NOISE_WINDOW = 4096
"""Samples of the centred window in which noise is told from partials."""

PITCH_WINDOW = 4096
"""Samples of the window in which the pitch is searched."""

PITCH_EVERY = 4
"""The pitch is estimated at every fourth k and held between."""

PITCH_RANGE_HZ = (40.0, 2000.0)
SILENCE_DB = -120.0
_TINY = 1e-12

BARK_EDGES_HZ = np.array(
    [0, 100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400,
     5300, 6400, 7700, 9500, 12000, 15500.0]
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


def noisiness(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Spectral flatness inside critical bands, averaged with the roots of the bands' energies as weights.

    Flatness is the geometric over the arithmetic mean of the power of a band's bins, each raised by 40 dB
    under that mean. Over 4096 centred samples, every other k, straight lines between; in less, the partials
    of a low note flow into each other. Neighbouring bands are joined until they span 9 bins: a lone partial
    fills 4.
    """
    spectrum = librosa.stft(audio, n_fft=NOISE_WINDOW, hop_length=2 * HOP, window="hann", center=True)
    power = (spectrum.real**2 + spectrum.imag**2) * np.float32(2 / NOISE_WINDOW**2)
    freqs_hz = np.fft.rfftfreq(NOISE_WINDOW, 1 / sample_rate)
    edges = [int(np.searchsorted(freqs_hz, 20.0))]
    for hz in BARK_EDGES_HZ[1:]:
        edge = int(np.searchsorted(freqs_hz, min(hz, sample_rate / 2)))
        if edge - edges[-1] >= 9:
            edges.append(edge)
    weights, flatness = [], []
    for low, high in pairwise(edges):
        band = power[low:high] + _TINY**1.5
        mean = band.mean(axis=0)
        flatness.append(gmean(band + 1e-4 * mean, axis=0) / (1.0001 * mean))
        weights.append(np.sqrt(band.sum(axis=0)))
    values = np.average(flatness, axis=0, weights=np.array(weights) + 1e-9)
    return np.interp(np.arange(len(audio) // HOP + 1), np.arange(len(values)) * 2, values)


def loudness_pattern(power: np.ndarray, sample_rate: int) -> np.ndarray:
    """Specific loudness [240, K] of each frame brought to -24 LUFS (ITU-R BS.1770 K-weighting) by itself, as
    the published boominess model does with a whole file, so that nothing read from it follows the level."""
    freqs_hz = np.fft.rfftfreq(N_FFT, 1 / sample_rate)
    loudness = booming.k_weighting(freqs_hz, sample_rate).astype(np.float32) @ power
    gain = 10 ** ((-24.0 + 0.691) / 10) / (loudness.astype(np.float64) + 1e-9)
    bands = (booming.band_matrix(N_FFT, sample_rate) @ power).astype(np.float64) * gain
    return booming.specific_loudness(
        booming.core_loudness(10 * np.log10(bands + _TINY) + booming.FULL_SCALE_DB_SPL)
    )


def pitch_hz(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Fundamental in Hz by YIN (librosa.yin) over 4096 centred samples, every fourth k and held, [K]."""
    low, high = PITCH_RANGE_HZ
    coarse = librosa.yin(
        audio, fmin=low, fmax=high, sr=sample_rate, frame_length=PITCH_WINDOW, hop_length=HOP * PITCH_EVERY
    )
    return np.repeat(coarse, PITCH_EVERY)[: len(audio) // HOP + 1]


SPECTRAL = {"brightness": brightness_hz, "bandwidth": bandwidth_hz, "rolloff": rolloff_hz}
PATTERN = {
    "boominess": booming.boominess,
    "bark_centroid": second_ears.bark_centroid,
    "low_share": second_ears.low_share,
}
"""Read from specific loudness. boominess: the AudioCommons boominess of each frame taken by itself, on its
scale (about 0 to 70); see learn.measure.booming."""

AUDIO = {"noisiness": noisiness, "pitch": pitch_hz, "aperiodicity": second_ears.aperiodicity}
KNOWN = ("loudness", *SPECTRAL, *PATTERN, *AUDIO)
"""Descriptors that can be scored."""


def measure(audio: np.ndarray, sample_rate: int, names: Iterable[str]) -> dict[str, np.ndarray]:
    """Curves of a mono sound [N] by descriptor name, each float64 [N // 128 + 1]; KeyError where unknown."""
    names = tuple(names)
    if unknown := set(names) - set(KNOWN):
        raise KeyError(f"no independent measure of {', '.join(sorted(unknown))}")
    audio = np.nan_to_num(np.asarray(audio, dtype=np.float32))
    curves: dict[str, np.ndarray] = {}
    if "loudness" in names:
        curves["loudness"] = loudness_db(audio)
    if any(n in SPECTRAL or n in PATTERN for n in names):
        magnitude = np.abs(librosa.stft(audio, n_fft=N_FFT, hop_length=HOP, window="hann", center=True))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            curves |= {n: SPECTRAL[n](magnitude, sample_rate) for n in names if n in SPECTRAL}
        if any(n in PATTERN for n in names):
            # Full scale: the bins of a Hann-windowed frame sum to its mean square (one-sided spectrum).
            power = magnitude**2 * np.float32(2.0 / (N_FFT * np.sum(np.hanning(N_FFT + 1)[:-1] ** 2)))
            pattern = loudness_pattern(power, sample_rate)
            curves |= {n: PATTERN[n](pattern) for n in names if n in PATTERN}
    curves |= {n: AUDIO[n](audio, sample_rate) for n in names if n in AUDIO}
    return {name: np.asarray(curves[name], dtype=np.float64) for name in names}
