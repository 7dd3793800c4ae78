"""Spectral weightings as numpy tables: one-third octaves, Bark bands, K-weighting."""

import numpy as np

BARK_EDGES_HZ = (
    *(20, 100, 200, 300, 400, 510, 630, 770, 920, 1080, 1270, 1480, 1720, 2000, 2320, 2700, 3150, 3700, 4400),
    *(5300, 6400, 7700, 9500, 12000, 15500),
)
"""Zwicker's critical-band edges."""

THIRD_OCTAVE_HZ = tuple(1000.0 * 2.0 ** (j / 3.0) for j in range(-16, 12))
"""Exact base-two centres of the 28 bands 25 Hz … 12.5 kHz."""


def bin_frequencies_hz(window: int, sample_rate: int) -> np.ndarray:
    """Centre frequencies of the window // 2 + 1 bins, float64."""
    return np.arange(window // 2 + 1) * sample_rate / window


def third_octave_weights(window: int, sample_rate: int) -> np.ndarray:
    """Power weights [28, bins] of fourth-order Butterworth one-third-octave filters (two poles pairs a side).

    |H|^2 is averaged over each bin's cell, so that bands narrower than a bin still get their share of power.
    """
    width = sample_rate / window
    cell = (np.arange(64) + 0.5) / 64 - 0.5
    f = np.abs(bin_frequencies_hz(window, sample_rate)[:, None] + cell * width) + 1e-3
    rows = []
    for centre in THIRD_OCTAVE_HZ:
        low, high = centre * 2 ** (-1 / 6), centre * 2 ** (1 / 6)
        detune = (f * f - low * high) / (f * (high - low))
        rows.append((1.0 / (1.0 + detune**8)).mean(axis=1))
    return np.stack(rows)


def bark_membership(window: int, sample_rate: int, least_bins: int) -> np.ndarray:
    """0/1 matrix [bands, bins]: critical bands, low neighbours merged until each holds `least_bins` bins."""
    f = bin_frequencies_hz(window, sample_rate)
    rows: list[np.ndarray] = []
    low = BARK_EDGES_HZ[0]
    for high in BARK_EDGES_HZ[1:]:
        inside = (f >= low) & (f < high)
        if inside.sum() >= least_bins:
            rows.append(inside)
            low = high
    return np.stack(rows).astype(np.float64)


def k_weighting(window: int, sample_rate: int) -> np.ndarray:
    """Power response [bins] of the ITU-R BS.1770 K filter (its 48 kHz biquads, evaluated at the bins)."""
    z = np.exp(-2j * np.pi * np.minimum(bin_frequencies_hz(window, sample_rate), 24_000.0) / 48_000.0)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    highpass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return np.abs(shelf * highpass) ** 2
