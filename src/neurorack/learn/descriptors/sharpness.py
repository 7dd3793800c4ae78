"""Sharpness after DIN 45692, in acum."""

import numpy as np
from torch import Tensor

from neurorack.learn.descriptors.base import Descriptor
from neurorack.learn.descriptors.constants import put_constant
from neurorack.learn.descriptors.frames import Frames
from neurorack.learn.descriptors.specific_loudness import BARK

FULL_SCALE_SINE_POWER = 0.5
"""The mean square declared to be 100 dB SPL: a sine at full scale."""

REST_SONE = 0.1
"""Loudness at which silence pulls sharpness towards zero."""


class Sharpness(Descriptor):
    """S = 0.11 sum(N'(z) g(z) z) / sum(N'(z)); above 15.8 Bark g = 0.15 exp(0.42 (z - 15.8)) + 0.85, below 1.

    1 acum is a narrow band of noise at 1 kHz and 60 dB. It depends on the level a little, hence the declared
    full scale: a sine of amplitude 1 is taken to be 100 dB SPL.
    """

    name = "sharpness"
    outputs = ("sharpness",)
    labels = ("Sharpness",)
    units = ("acum",)
    scales = ("linear",)
    defaults = (0.0,)
    weights: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        high = 0.15 * np.exp(0.42 * (BARK - 15.8)) + 0.85
        moment = 0.11 * np.where(BARK > 15.8, high, 1.0) * BARK
        step = BARK[1] - BARK[0]
        put_constant(self, "weights", np.stack([moment, np.ones_like(BARK)], axis=1) * step)

    def forward(self, frames: Frames) -> Tensor:
        specific = frames.tables.specific_loudness(frames.third_octaves / FULL_SCALE_SINE_POWER)
        moment, loudness = (specific @ self.weights).unbind(dim=-1)
        return (moment / (loudness + REST_SONE))[:, None]
