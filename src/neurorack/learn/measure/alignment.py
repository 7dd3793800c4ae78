"""When to look: at which centred window an asked value must be heard. One constant per control, never fitted.

Time is counted in frames of the source: frame u covers samples [128 u, 128 u + 128). A control value asked at
frame u is, by the contract in docs/architecture.md, what the instrument's own causal descriptor would read at
frame u + lag_frames of a perfect answer. A fast descriptor looks at the 2048 samples that end with its frame,
so it is centred on sample 128 (u + lag_frames + 1) - 1024; a slow one at 4096, and is held for four frames,
1.5 on average. The independent measure (learn.measure.independent) is centred on sample 128 k. Hence
k = u + offset,

    offset = lag_frames + 1 - 2048 / (2 * 128)             for fast descriptors: 1 at the usual lag of 8,
    offset = lag_frames + 1 - 1.5 - 4096 / (2 * 128)       for slow ones: 1.5 at a lag of 18, taken as 1,
    offset = lag_frames                                    for loudness, once both are in one window (below),
    offset = 0                                             for pitch, which the pulse train obeys at once.

Loudness is asked under core.level's short window (12 ms) and heard in 2048 samples (46 ms). Both are moving
averages of the power, and averages commute: the asked power is averaged over the 16 frames of the independent
window (`asked_level_db`), the heard one under core.level's weights (`heard_level_db`). A sound that obeys
exactly then shows no error at all, at any dynamics.
"""

from collections.abc import Mapping

import numpy as np

from neurorack.core.level import FLOOR_POWER, TAPS, level_weights
from neurorack.core.timebase import HOP, SLOW_EVERY, WINDOW
from neurorack.learn.measure.independent import N_FFT

EDGE = 2 * TAPS
"""Frames at both ends of a sound that no score counts: there a window would reach over the end."""


SLOW_WINDOW = 4096
"""Samples that slow descriptors look back over."""


def offset_frames(name: str, lag_frames: int, slow: bool = False) -> int:
    """k - u for the control `name` that declares `lag_frames`."""
    if name == "pitch":
        return 0
    if name == "loudness":
        return lag_frames
    if slow:
        return int(lag_frames + 1 - (SLOW_EVERY - 1) / 2 - SLOW_WINDOW / (2 * HOP))
    return lag_frames + 1 - WINDOW // (2 * HOP)


def aligned(
    curves: Mapping[str, np.ndarray], offsets: Mapping[str, int], frames: int
) -> dict[str, np.ndarray]:
    """Independent curves [K] read at k = u + offset for u = 0 … frames - 1; the ends are held."""
    u = np.arange(frames)
    return {name: c[np.clip(u + offsets[name], 0, len(c) - 1)] for name, c in curves.items()}


def asked_level_db(asked_db: np.ndarray) -> np.ndarray:
    """Level asked of the gain stage [T] -> what the independent window, centred, would show of it, dB [T]."""
    half = N_FFT // (2 * HOP)
    power = np.maximum(10 ** (np.asarray(asked_db, dtype=np.float64) / 10) - FLOOR_POWER, 0.0)
    averaged = np.convolve(
        np.pad(power, (half, half - 1), mode="edge"), np.full(2 * half, 0.5 / half), "valid"
    )
    return 10 * np.log10(averaged + FLOOR_POWER)


def heard_level_db(rms_db: np.ndarray, sample_rate: int) -> np.ndarray:
    """Independent level [K] -> the same under core.level's weights as well, dB [K]."""
    power = np.pad(10 ** (rms_db / 10), (TAPS - 1, 0), mode="edge")
    averaged = np.convolve(power, level_weights(sample_rate).astype(np.float64), "valid")
    return 10 * np.log10(averaged + FLOOR_POWER)
