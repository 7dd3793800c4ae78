"""Second ears: other measures of brightness, boominess and noisiness, so that no one formula can be gamed.

A centroid of magnitudes can be moved by a hiss near the upper end that nobody hears, and an answer that
pleases one formula need not please another that means the same. These are read from Zwicker's specific
loudness, which knows masking, and from the waveform's own periodicity. Only ranks are taken from them.
"""

import numpy as np

from neurorack.core.timebase import HOP

SECOND = {"brightness": "bark_centroid", "boominess": "low_share", "noisiness": "aperiodicity"}
"""Control -> the measure that a second ear takes of it."""

LOW_BARK = 3.0
"""Up to here (about 300 Hz) a sound is low."""

WINDOW = 4096
"""Samples of the centred window in which periods are sought."""

EVERY = 4
PERIOD_HZ = (40.0, 2000.0)


def bark_centroid(pattern: np.ndarray) -> np.ndarray:
    """Centroid of the specific loudness [240, K] in Bark (sharpness without its weighting): [K]."""
    bark = np.arange(1, 241) * 0.1
    return (bark @ pattern) / (pattern.sum(axis=0) + 1e-9)


def low_share(pattern: np.ndarray) -> np.ndarray:
    """Share of the specific loudness [240, K] that lies below 3 Bark: [K], 0..1."""
    return pattern[: round(LOW_BARK / 0.1)].sum(axis=0) / (pattern.sum(axis=0) + 1e-9)


def aperiodicity(audio: np.ndarray, sample_rate: int, exponent: float = 1.0) -> np.ndarray:
    """1 - the highest peak of the normalised autocorrelation at periods of 0.5 to 25 ms, 4096 samples.

    The autocorrelation of the Hann-windowed frame is divided by that of the window (Boersma 1993); it is
    taken from magnitudes, not from powers (`exponent` 2, Boersma's own), so that one strong low partial does
    not stand for the whole. Every fourth k and held between: [N // 128 + 1], 0..1.
    """
    half, hop = WINDOW // 2, HOP * EVERY
    padded = np.pad(np.asarray(audio, dtype=np.float32), half)
    frames = np.lib.stride_tricks.sliding_window_view(padded, WINDOW)[::hop]
    window = np.hanning(WINDOW + 1)[:-1].astype(np.float32)
    shortest, longest = (int(sample_rate / hz) for hz in PERIOD_HZ[::-1])
    own = np.fft.irfft(np.abs(np.fft.rfft(window, 2 * WINDOW)) ** 2)
    own = (own / own[0])[shortest:longest]
    spectrum = np.abs(np.fft.rfft(frames * window, 2 * WINDOW, axis=1)) + 1e-9
    correlation = np.fft.irfft(spectrum**exponent, axis=1)
    periodic = (correlation[:, shortest:longest] / own).max(axis=1) / correlation[:, 0]
    values = 1.0 - np.clip(periodic, 0.0, 1.0)
    return np.repeat(values, EVERY)[: len(audio) // HOP + 1]
