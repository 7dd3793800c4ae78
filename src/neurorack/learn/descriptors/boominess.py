"""Boominess: Hatano and Hashimoto's booming index with the AudioCommons regression, made causal."""

import numpy as np
import torch
from torch import Tensor

from neurorack.learn.descriptors.base import Descriptor
from neurorack.learn.descriptors.constants import put_constant
from neurorack.learn.descriptors.frames import Frames
from neurorack.learn.descriptors.specific_loudness import BARK, STEP_BARK

TARGET_LKFS = -24.0
"""Each frame is analysed as if it were this loud, so that boominess does not follow the level."""

SILENCE_POWER = 1e-9
"""K-weighted power below which a frame counts as silence."""

SLOPE, LOW_SLOPE, INTERCEPT = 43.67402696195865, -10.90054738389845, 26.836530575185435
"""AudioCommons timbral models 0.4: SLOPE log10(index) + LOW_SLOPE log10(low level) + INTERCEPT."""

INDEX_REST, LEVEL_REST = 0.15, 10.0
"""Added to the arguments of the logarithms: what has nothing low in it, and silence, settle at FLOOR."""

FLOOR = SLOPE * float(np.log10(INDEX_REST)) + LOW_SLOPE * float(np.log10(LEVEL_REST)) + INTERCEPT
"""About -20, where the published model's lowest values lie too."""


def boominess_weights() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(booming weighting, below-280-Hz mask, low-level weighting), each on the BARK grid."""
    f_hz = 600.0 * np.sinh(BARK / 6.0)
    third_octave_index = np.log10(f_hz / 25.0) / np.log10(31.5 / 25.0) + 1.0
    weighting = 2.13 * np.exp(-0.151 * third_octave_index)
    lowest = np.interp(BARK, [0.1, 0.2, 0.3, 0.4], [0.8, 1.05, 1.10, 1.18])
    weighting = np.where(BARK < 0.45, lowest, weighting)
    bump = np.exp(-((BARK * 10.0 - 36.0) ** 2) / 2.0 * 1e-4)
    inside = BARK <= 7.05
    bump = np.where(inside, (bump - bump[inside].min()) / np.ptp(bump[inside]), 0.0)
    return weighting, (f_hz < 280.0).astype(np.float64), bump


class Boominess(Descriptor):
    """Boominess of each frame, on AudioCommons' scale (about -20 … 70).

    index = 10 log10(sum 10^(w(z) N'(z) / 10)) * sum_{f<280} N' / sum N', with specific loudness N'(z) from
    one-third octaves; boominess = 43.67 log10(index + 0.15) - 10.90 log10(low level + 10) + 26.84.
    Differences from the published model: see docs/descriptors.md.
    """

    name = "boominess"
    outputs = ("boominess",)
    labels = ("Boominess",)
    units = ("",)
    scales = ("linear",)
    defaults = (FLOOR,)
    sums: Tensor
    weighting: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        weighting, low, bump = boominess_weights()
        sums = np.stack([np.ones_like(BARK), low, bump], axis=1) * (STEP_BARK / 0.1)
        put_constant(self, "sums", sums)
        # exp(w N' ln(10) / 10) is 10^(w N' / 10)
        put_constant(self, "weighting", weighting * np.log(10.0) / 10.0)

    def forward(self, frames: Frames) -> Tensor:
        weighted = frames.k_weighted
        gain = 10.0 ** ((TARGET_LKFS + 0.691) / 10.0) / SILENCE_POWER / (weighted / SILENCE_POWER + 1.0)
        specific = frames.tables.specific_loudness(frames.third_octaves * gain)
        total, low, level = (specific @ self.sums).unbind(dim=-1)
        band_sum = 10.0 * torch.log10((specific * self.weighting).exp().sum(dim=-1) * (STEP_BARK / 0.1))
        index = band_sum * low / (total + 1e-2)
        value = (
            SLOPE * torch.log10(index + INDEX_REST) + LOW_SLOPE * torch.log10(level + LEVEL_REST) + INTERCEPT
        )
        return value[:, None]
