"""Loudness: the level of core.level, in dB re full scale."""

import torch
from torch import Tensor

from neurorack.core.level import FLOOR_DB, FLOOR_POWER, TAPS, level_weights
from neurorack.core.timebase import HOP
from neurorack.learn.descriptors.base import Descriptor
from neurorack.learn.descriptors.constants import put_constant
from neurorack.learn.descriptors.frames import Frames


class Loudness(Descriptor):
    """L = 10 log10(sum_k w_k e_k + 1e-9) over the last 16 frames' mean squares e_k; see core.level."""

    name = "loudness"
    outputs = ("loudness",)
    labels = ("Loudness",)
    units = ("dB",)
    scales = ("linear",)
    defaults = (FLOOR_DB,)
    lag_frames = 0
    weights: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        newest_last = level_weights(sample_rate)[::-1]
        put_constant(self, "weights", newest_last / HOP)

    def forward(self, frames: Frames) -> Tensor:
        audio = frames.audio
        energy = audio.reshape(audio.shape[0], -1, TAPS, HOP).square().sum(dim=-1)
        power = (energy * self.weights).sum(dim=-1)
        # the same as log10(power + FLOOR_POWER), in numbers an exporter does not take for zero
        return 10.0 * torch.log10(power / FLOOR_POWER + 1.0)[:, None] + FLOOR_DB
