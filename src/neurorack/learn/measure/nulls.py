"""Answers that need no model: the source as it is, with its gain moved to the asked loudness, or as noise.

What they score is what the request itself gives away. A figure without these rows beside it means nothing.
"""

import librosa
import numpy as np

from neurorack.core.level import FLOOR_POWER, TAPS, level_weights
from neurorack.core.timebase import HOP

MELS, N_FFT, SPECTRUM_HOP = 80, 2048, 512


def noise_in_bands(audio: np.ndarray, sample_rate: int, seed: int) -> np.ndarray:
    """White noise whose powers in 80 mel bands follow those of `audio` [N], frame by frame (2048 samples, hop
    512): right in spectrum and time, without a clean tone, and with no attack sharper than its window.
    """
    hiss = np.random.default_rng([seed, 2]).standard_normal(len(audio)).astype(np.float32)
    bands = librosa.filters.mel(sr=sample_rate, n_fft=N_FFT, n_mels=MELS, norm=None)
    wanted, given = (librosa.stft(x, n_fft=N_FFT, hop_length=SPECTRUM_HOP) for x in (audio, hiss))
    gain = np.sqrt((bands @ np.abs(wanted) ** 2) / (bands @ np.abs(given) ** 2 + 1e-9))
    weights = bands.T / (bands.sum(axis=0)[:, None] + 1e-9)  # each bin takes the gains of its bands
    return librosa.istft(given * (weights @ gain), hop_length=SPECTRUM_HOP, length=len(audio))


def follow_level(audio: np.ndarray, level_db: np.ndarray, sample_rate: int) -> np.ndarray:
    """`audio` [128 T] with its gain, and nothing else, moved so that its level follows `level_db` [T].

    The squared gain of a frame is the ratio of the asked to the own level, corrected once for its own motion;
    it glides linearly from frame to frame and is held at most 40 dB.
    """
    weights = level_weights(sample_rate).astype(np.float64)

    def windowed(power: np.ndarray) -> np.ndarray:
        return np.convolve(np.pad(power, (TAPS - 1, 0)), weights, mode="valid")

    power = np.mean(audio.reshape(-1, HOP).astype(np.float64) ** 2, axis=1)
    asked = np.maximum(10 ** (np.asarray(level_db, dtype=np.float64) / 10) - FLOOR_POWER, 0.0)
    first = asked / (windowed(power) + FLOOR_POWER)
    second = first * asked / (windowed(first * power) + 1e-3 * asked + 1e-12)
    gain = np.sqrt(np.minimum(np.minimum(second, 16 * first), 1e4))
    times = np.arange(len(audio))
    return (audio * np.interp(times, np.arange(len(gain)) * HOP + HOP / 2, gain)).astype(np.float32)
