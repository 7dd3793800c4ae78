"""The loudness window: one definition for the loudness descriptor and for the gain stage that obeys it.

Level of frame t, in dB re full scale (a full-scale square wave is 0 dB, a sine -3.01 dB):

    L_t = 10 log10( sum_k w_k e_{t-k} + 1e-9 ),   e_t = mean square of frame t's 128 samples,
    w_k ∝ (k + 1/2) exp(-(k + 1/2) HOP / (sample_rate tau)),  k = 0..15,  sum_k w_k = 1.

Two one-pole smoothers in series (a gamma window) settle as fast as one of twice the time constant,
yet pass a quarter of its pitch-synchronous ripple at 90 Hz, which would otherwise become buzz in a gain.
"""

import numpy as np

from neurorack.core.timebase import HOP, WINDOW

TAU_S = 0.006
FLOOR_POWER = 1e-9
FLOOR_DB = -90.0
TAPS = WINDOW // HOP


def level_weights(sample_rate: int) -> np.ndarray:
    """Weights w_k of the level window, newest frame first, float32 [16], summing to one."""
    age = (np.arange(TAPS) + 0.5) * HOP / (sample_rate * TAU_S)
    weights = age * np.exp(-age)
    return (weights / weights.sum()).astype(np.float32)
