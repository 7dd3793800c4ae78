"""Answers that need no model: the source as it is, and the source with its gain moved to the asked loudness.

What they score is what the request itself gives away. A figure without these rows beside it means nothing.
"""

import numpy as np

from neurorack.core.level import FLOOR_POWER, TAPS, level_weights
from neurorack.core.timebase import HOP


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
