"""Noisiness: spectral flatness inside critical bands, weighted by the energy's root."""

from torch import Tensor

from neurorack.learn.descriptors.base import Descriptor
from neurorack.learn.descriptors.frames import Frames

RELATIVE_FLOOR = 1e-4
"""Bins more than 40 dB under their band's mean count as if they stood there."""

SCALE = 1e16
"""The powers are worked in this unit, so that an exporter does not take the floor for zero."""

ABSOLUTE_FLOOR = 1e-2
"""Power in that unit (1e-18 re full scale) that keeps logarithms and roots finite, far below 24-bit noise."""

REST_WEIGHT = 1e-5 * SCALE**0.5
"""Weight of "no noise" in silence: the amplitude of -100 dB re full scale."""


class Noisiness(Descriptor):
    """Mean over critical bands b of flatness F_b with weights sqrt(E_b); 0 for a tone, 1 for a click.

    F_b = exp(mean(log(p + e_b))) / (mean(p) + e_b) over the bins of the band, with the relative floor
    e_b = 1e-4 mean(p): hiss 60 dB under a tone neither fills the tone's own band nor, by its weight
    sqrt(E_b), matters in the others. The window is 4096 samples, because in 2048 the partials of a note under
    about 150 Hz flow into each other and a clean tuba counts as noise: pitch, not noise, would be measured.
    """

    name = "noisiness"
    outputs = ("noisiness",)
    labels = ("Noisiness",)
    units = ("",)
    scales = ("linear",)
    defaults = (0.0,)
    slow = True
    window = 4096
    lag_frames = 18

    def forward(self, frames: Frames) -> Tensor:
        tables = frames.tables
        power = SCALE * frames.power[..., tables.bark_first : tables.bark_last]
        mean = power @ tables.bark_mean
        floor = RELATIVE_FLOOR * mean + ABSOLUTE_FLOOR
        log_power = (power + floor @ tables.bark_spread + ABSOLUTE_FLOOR).log()
        flatness = (log_power @ tables.bark_mean).exp() / (mean + floor)
        weight = (mean * tables.bark_bins + ABSOLUTE_FLOOR).sqrt()
        value = (weight * flatness).sum(dim=-1) / (weight.sum(dim=-1) + REST_WEIGHT)
        return value[:, None]
