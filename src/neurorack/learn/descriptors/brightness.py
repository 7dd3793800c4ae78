"""Brightness: the spectral centroid, in Hz."""

from torch import Tensor

from neurorack.learn.descriptors.base import Descriptor
from neurorack.learn.descriptors.frames import Frames

REST_HZ = 1000.0
"""Where the centroid rests in silence."""

REST_MAGNITUDE = 1e-4
"""Sum of magnitudes that pulls as strongly towards REST_HZ; that of a sine at about -86 dB."""


class Brightness(Descriptor):
    """Centroid of the Hann *magnitude* spectrum, sum(f m) / sum(m), as in librosa.

    A small rest term at 1 kHz keeps digital silence stable.
    """

    name = "brightness"
    outputs = ("brightness",)
    labels = ("Brightness",)
    units = ("Hz",)
    scales = ("log",)
    defaults = (REST_HZ,)

    def forward(self, frames: Frames) -> Tensor:
        moment, total = frames.magnitude_sums.unbind(dim=-1)
        return ((moment + REST_MAGNITUDE * REST_HZ) / (total + REST_MAGNITUDE))[:, None]
