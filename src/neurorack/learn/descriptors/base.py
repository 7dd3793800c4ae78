"""Descriptor: the class to derive from for a measure of one's own."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn

from neurorack.core.timebase import WINDOW
from neurorack.learn.descriptors.frames import Frames


@dataclass(frozen=True)
class OutputSpec:
    """One column a descriptor gives. `lag_frames` and `default` as in `Descriptor`."""

    name: str
    label: str
    unit: str
    scale: Literal["linear", "log"]
    slow: bool
    lag_frames: int
    default: float


class Descriptor(nn.Module):
    """A causal, differentiable measure of the sound, in physical units.

    Derive from it, set the class attributes, and write `forward(frames) -> [B, len(outputs), T]`: for each of
    the T windows of `frames.audio` [B, T, window] one value per output. Use plain tensor operations without
    Python branches on values, so that it exports; keep it finite, gradient included, on silence.

    outputs     column names; one name, or several that are measured together
    labels, units, scales, defaults   one entry per output; a scale is "linear" or "log" (values > 0)
    slow        True: measured once every four frames (t mod 4 = 3) and held in between
    window      samples looked back over: 2048, or up to 4096 if slow
    lag_frames  frames from a steady change to the moment when the measurement stands for it: for a spectral
                measure the centre of mass of its window (8), plus half the hold if slow; 0 if the thing that
                obeys it uses the very same window, as the gain stage does for loudness
    defaults    value before the first measurement of a slow descriptor, and of a control nobody has touched
    """

    name: ClassVar[str]
    outputs: ClassVar[tuple[str, ...]]
    labels: ClassVar[tuple[str, ...]]
    units: ClassVar[tuple[str, ...]]
    scales: ClassVar[tuple[str, ...]]
    defaults: ClassVar[tuple[float, ...]]
    slow: ClassVar[bool] = False
    window: ClassVar[int] = WINDOW
    lag_frames: ClassVar[int] = 8

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate

    def forward(self, frames: Frames) -> Tensor:
        """Measure: frames -> [B, len(outputs), T] in `units`."""
        raise NotImplementedError(f"{type(self).__name__} needs a forward(frames) method")

    @classmethod
    def specs(cls) -> tuple[OutputSpec, ...]:
        """The columns, in order."""
        rows = zip(cls.outputs, cls.labels, cls.units, cls.scales, cls.defaults, strict=True)
        return tuple(
            OutputSpec(name, label, unit, scale, cls.slow, cls.lag_frames, default)  # type: ignore[arg-type]
            for name, label, unit, scale, default in rows
        )
