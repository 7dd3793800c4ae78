"""Bandwidth and rolloff: how wide and how high the spectrum reaches, in Hz."""

import torch
from torch import Tensor

from neurorack.learn.descriptors.base import Descriptor
from neurorack.learn.descriptors.brightness import REST_HZ, REST_MAGNITUDE
from neurorack.learn.descriptors.frames import Frames

ROLLOFF_SHARE = 0.85

BANDWIDTH_REST_MAGNITUDE = 1e-5
"""A tenth of the centroid's: a deviation of 1 kHz weighs heavily on a pure tone's few tens of hertz."""


class Bandwidth(Descriptor):
    """Standard deviation of frequency about the centroid c: sqrt(sum((f - c)^2 m) / sum(m)).

    As librosa's spectral_bandwidth with p = 2. In silence it rests at 1 kHz.
    """

    name = "bandwidth"
    outputs = ("bandwidth",)
    labels = ("Bandwidth",)
    units = ("Hz",)
    scales = ("log",)
    defaults = (REST_HZ,)

    def forward(self, frames: Frames) -> Tensor:
        magnitude = frames.magnitude
        moment, total = frames.magnitude_sums.unbind(dim=-1)
        total = total + BANDWIDTH_REST_MAGNITUDE
        centroid = (moment + BANDWIDTH_REST_MAGNITUDE * REST_HZ) / total
        # centred before squaring: the difference of two large moments loses its digits in float32
        deviation = (frames.freqs_hz - centroid[..., None]).square()
        variance = ((deviation * magnitude).sum(dim=-1) + BANDWIDTH_REST_MAGNITUDE * REST_HZ**2) / total
        return variance.sqrt()[:, None]


class Rolloff(Descriptor):
    """Frequency under which 85 % of the summed magnitude lies; librosa's, but interpolated between bins.

    The interpolation gives it a gradient. In silence it rests at 1 kHz.
    """

    name = "rolloff"
    outputs = ("rolloff",)
    labels = ("Rolloff",)
    units = ("Hz",)
    scales = ("log",)
    defaults = (REST_HZ,)

    def forward(self, frames: Frames) -> Tensor:
        magnitude = frames.magnitude
        cumulative = magnitude.cumsum(dim=-1)
        target = ROLLOFF_SHARE * cumulative[..., -1:]
        # share of each bin that lies under the target: whole bins below, a part of the one that crosses it
        share = ((target - cumulative + magnitude) / magnitude).clamp(0.0, 1.0)
        width_hz = frames.sample_rate / frames.audio.shape[-1]
        value = (share.sum(dim=-1) - 0.5) * width_hz
        weight = magnitude.sum(dim=-1)
        value = (weight * value + REST_MAGNITUDE * REST_HZ) / (weight + REST_MAGNITUDE)
        return torch.clamp(value, min=width_hz / 2.0)[:, None]
