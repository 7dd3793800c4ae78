"""The booming index per frame, in numpy: Zwicker's loudness patterns, then Hatano and Hashimoto's weighting.

Sources: ISO 532-1:2017 (the method for stationary sounds, tables A.3 to A.9); S. Hatano and T. Hashimoto,
"Booming index as a measure for evaluating booming sensation", Inter-Noise 2000; the constants of the
AudioCommons timbral models 0.4 (A. Pearce, deliverable D5.6), against which the tests compare.
This shares nothing with learn.descriptors: scores must not be measured with what they are to judge.
"""

from functools import lru_cache

import numpy as np
from scipy.signal import butter, freqz, sosfreqz

FULL_SCALE_DB_SPL = 100.0
"""Sound pressure level that a mean square of 1 stands for, as in the AudioCommons models."""

BAND_HZ = 1000.0 * 2.0 ** (np.arange(-16, 12) / 3.0)
"""Centres of the 28 one-third-octave bands, nominally 25 Hz to 12.5 kHz."""

_LOW_LEVELS_DB = np.array([45, 55, 65, 71, 80, 90, 100, 120.0])
_LOW_CORRECTION_DB = -np.array(
    [
        [32, 24, 16, 10, 5, 0, 7, 3, 0, 2, 0],
        [29, 22, 15, 10, 4, 0, 7, 2, 0, 2, 0],
        [27, 19, 14, 9, 4, 0, 6, 2, 0, 2, 0],
        [25, 17, 12, 9, 3, 0, 5, 2, 0, 2, 0],
        [23, 16, 11, 7, 3, 0, 4, 1, 0, 1, 0],
        [20, 14, 10, 6, 3, 0, 4, 1, 0, 1, 0],
        [18, 12, 9, 6, 2, 0, 3, 1, 0, 1, 0],
        [15, 10, 8, 4, 2, 0, 3, 1, 0, 1, 0.0],
    ]
)
_THRESHOLD_DB = np.array([30, 18, 12, 8, 7, 6, 5, 4] + [3] * 12, dtype=np.float64)
_EAR_DB = np.array([0] * 10 + [-0.5, -1.6, -3.2, -5.4, -5.6, -4, -1.5, 2, 5, 12])
_BAND_TO_CRITICAL_DB = np.array(
    [-0.25, -0.6, -0.8, -0.8, -0.5, 0, 0.5, 1.1, 1.5, 1.7, 1.8, 1.8, 1.7, 1.6, 1.4, 1.2, 0.8, 0.5, 0, -0.5]
)
_UPPER_BARK = np.array(
    [
        0.9,
        1.8,
        2.8,
        3.5,
        4.4,
        5.4,
        6.6,
        7.9,
        9.2,
        10.6,
        12.3,
        13.8,
        15.2,
        16.7,
        18.1,
        19.3,
        20.6,
        21.8,
        22.7,
        23.6,
        24,
    ]
)
_SLOPE_LEVELS = np.array(
    [21.5, 18, 15.1, 11.5, 9, 6.1, 4.4, 3.1, 2.13, 1.36, 0.82, 0.42, 0.30, 0.22, 0.15, 0.10, 0.035, 0]
)
_SLOPES = np.array(
    [
        [13, 8.2, 6.3, 5.5, 5.5, 5.5, 5.5, 5.5],
        [9, 7.5, 6, 5.1, 4.5, 4.5, 4.5, 4.5],
        [7.8, 6.7, 5.6, 4.9, 4.4, 3.9, 3.9, 3.9],
        [6.2, 5.4, 4.6, 4.0, 3.5, 3.2, 3.2, 3.2],
        [4.5, 3.8, 3.6, 3.2, 2.9, 2.7, 2.7, 2.7],
        [3.7, 3.0, 2.8, 2.35, 2.2, 2.2, 2.2, 2.2],
        [2.9, 2.3, 2.1, 1.9, 1.8, 1.7, 1.7, 1.7],
        [2.4, 1.7, 1.5, 1.35, 1.3, 1.3, 1.3, 1.3],
        [1.95, 1.45, 1.3, 1.15, 1.1, 1.1, 1.1, 1.1],
        [1.5, 1.2, 0.94, 0.86, 0.82, 0.82, 0.82, 0.82],
        [0.72, 0.67, 0.64, 0.63, 0.62, 0.62, 0.62, 0.62],
        [0.59, 0.53, 0.51, 0.50, 0.42, 0.42, 0.42, 0.42],
        [0.40, 0.33, 0.26, 0.24, 0.24, 0.22, 0.22, 0.22],
        [0.27, 0.21, 0.20, 0.18, 0.17, 0.17, 0.17, 0.17],
        [0.16, 0.15, 0.14, 0.12, 0.11, 0.11, 0.11, 0.11],
        [0.12, 0.11, 0.10, 0.08, 0.08, 0.08, 0.08, 0.08],
        [0.09, 0.08, 0.07, 0.06, 0.06, 0.06, 0.06, 0.05],
        [0.06, 0.05, 0.03, 0.02, 0.02, 0.02, 0.02, 0.02],
    ]
)
_BARK = np.arange(1, 241) * 0.1
_BARK_HZ = 600.0 * np.sinh(_BARK / 6.0)


@lru_cache(maxsize=8)
def band_matrix(n_fft: int, sample_rate: int) -> np.ndarray:
    """[28, F]: what each spectrum bin gives to each third-octave band, by Butterworth filters of order 4.

    A bin stands for the power spread over its width, so each filter's response is averaged over it.
    """
    width = sample_rate / n_fft
    fine = (np.arange(n_fft // 2 + 1)[:, None] + (np.arange(32) + 0.5) / 32 - 0.5) * width
    rows = []
    for centre in BAND_HZ:
        edges = [centre * 2 ** (-1 / 6), centre * 2 ** (1 / 6)]
        sos = butter(4, edges, btype="bandpass", fs=sample_rate, output="sos")
        response = sosfreqz(sos, worN=np.abs(fine).ravel(), fs=sample_rate)[1]
        rows.append((np.abs(response) ** 2).reshape(fine.shape).mean(axis=1))
    return np.array(rows, dtype=np.float32)


def core_loudness(bands_db: np.ndarray) -> np.ndarray:
    """Third-octave levels [28, T] in dB SPL -> core loudness [20, T] in sone per Bark (ISO 532-1)."""
    low = bands_db[:11]
    corrected = low + _LOW_CORRECTION_DB[-1][:, None]
    for limit, correction in zip(_LOW_LEVELS_DB[-2::-1], _LOW_CORRECTION_DB[-2::-1], strict=True):
        correction = correction[:, None]
        corrected = np.where(low <= limit - correction, low + correction, corrected)
    power = 10.0 ** (corrected / 10)
    merged = np.stack([power[:6].sum(axis=0), power[6:9].sum(axis=0), power[9:11].sum(axis=0)])
    level = np.concatenate([10 * np.log10(merged + 1e-12), bands_db[11:]]) - _EAR_DB[:, None]
    threshold = _THRESHOLD_DB[:, None]
    excess = level - _BAND_TO_CRITICAL_DB[:, None] - threshold
    loudness = 0.0635 * 10 ** (0.025 * threshold) * ((0.75 + 0.25 * 10 ** (0.1 * excess)) ** 0.25 - 1)
    loudness = np.where(level > threshold, np.maximum(loudness, 0.0), 0.0)
    loudness[0] *= np.minimum(0.4 + 0.32 * loudness[0] ** 0.2, 1.0)
    return loudness


def specific_loudness(core: np.ndarray) -> np.ndarray:
    """Core loudness [20, T] -> specific loudness [240, T] at 0.1, 0.2 … 24 Bark, with upward masking slopes.

    The standard walks each falling flank in closed form; stepping it by 0.1 Bark gives the same flank to
    within one step and runs over all frames at once.
    """
    band = np.searchsorted(_UPPER_BARK, _BARK - 1e-9)
    padded = np.concatenate([core, np.zeros((1, core.shape[1]))])
    pattern = np.empty((240, core.shape[1]))
    previous = np.zeros(core.shape[1])
    falling = -_SLOPE_LEVELS
    for i, b in enumerate(band):
        column = _SLOPES[:, min(max(b - 1, 0), 7)]
        row = np.minimum(np.searchsorted(falling, -previous), len(_SLOPE_LEVELS) - 1)
        previous = np.maximum(padded[b], previous - 0.1 * column[row])
        pattern[i] = previous
    return pattern


def _booming_weights() -> np.ndarray:
    index = np.log(_BARK_HZ / 25.0) / np.log(31.5 / 25.0) + 1
    weights = 2.13 * np.exp(-0.151 * index)
    weights[:4] = [0.8, 1.05, 1.10, 1.18]
    return weights


_WEIGHTS = _booming_weights()
_BELOW_280 = int(np.argmax(_BARK_HZ >= 280.0))


def booming_index(pattern: np.ndarray) -> np.ndarray:
    """Specific loudness [240, T] -> booming index [T]: 10 log10(sum 10^(W N' / 10)) N(<280) / N."""
    total = pattern.sum(axis=0)
    weighted = 10 * np.log10(np.sum(10 ** (pattern * _WEIGHTS[:, None] / 10), axis=0))
    return weighted * pattern[:_BELOW_280].sum(axis=0) / np.maximum(total, 1e-9)


def low_bark_level(pattern: np.ndarray) -> np.ndarray:
    """Specific loudness [240, T] -> level [T] of the lowest 7 Bark under AudioCommons' arched weight."""
    index = np.arange(70)
    # The published weight is so wide that, brought to 0..1, it is an arch over the 70 steps.
    bell = np.exp(-0.5 * ((index - 35.0) * 0.01) ** 2)
    bell = (bell - bell.min()) / (bell.max() - bell.min())
    return bell @ pattern[:70]


def boominess(pattern: np.ndarray) -> np.ndarray:
    """Specific loudness [240, T] -> boominess [T] by the AudioCommons regression; low where nothing is
    low."""
    index = np.log10(booming_index(pattern) + 0.15)
    low = np.log10(low_bark_level(pattern) + 0.15)
    return 43.67402696195865 * index - 10.90054738389845 * low + 26.836530575185435


def k_weighting(freqs_hz: np.ndarray, sample_rate: int) -> np.ndarray:
    """Power response [F] of ITU-R BS.1770's K filter at any rate, from its two analogue prototypes."""
    shelf = _biquad_shelf(1681.974450955533, 3.999843853973347, 0.7071752369554196, sample_rate)
    passed = _biquad_highpass(38.13547087602444, 0.5003270373238773, sample_rate)
    response = np.ones(len(freqs_hz))
    for b, a in (shelf, passed):
        response *= np.abs(freqz(b, a, worN=freqs_hz, fs=sample_rate)[1]) ** 2
    return response


def _biquad_shelf(f_hz: float, gain_db: float, q: float, sample_rate: int) -> tuple[list[float], list[float]]:
    k = np.tan(np.pi * f_hz / sample_rate)
    high = 10 ** (gain_db / 20)
    band = high**0.4996667741545416
    a0 = 1 + k / q + k * k
    b = [(high + band * k / q + k * k) / a0, 2 * (k * k - high) / a0, (high - band * k / q + k * k) / a0]
    return b, [1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]


def _biquad_highpass(f_hz: float, q: float, sample_rate: int) -> tuple[list[float], list[float]]:
    k = np.tan(np.pi * f_hz / sample_rate)
    a0 = 1 + k / q + k * k
    return [1.0, -2.0, 1.0], [1.0, 2 * (k * k - 1) / a0, (1 - k / q + k * k) / a0]
