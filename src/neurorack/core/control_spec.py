"""ControlSpec: one description of a parameter serves knob, MIDI, OSC, CV, preset, panel and help text."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ControlSpec:
    """A named, bounded parameter.

    `curve` says how a knob's travel 0..1 maps onto [low, high]: "linear", or "log" (equal ratios; needs
    low > 0).
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    default: float
    curve: Literal["linear", "log"] = "linear"
    smoothing_s: float = 0.01

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"{self.name}: low {self.low} must be below high {self.high}")
        if self.curve == "log" and self.low <= 0:
            raise ValueError(f"{self.name}: a log curve needs low > 0")

    def clamp(self, value: float) -> float:
        """Nearest value in range; NaN becomes the default."""
        if value != value:
            return self.default
        return min(max(value, self.low), self.high)

    def from_travel(self, travel: float) -> float:
        """Knob travel 0..1 -> value."""
        travel = min(max(travel, 0.0), 1.0)
        if self.curve == "log":
            return self.low * (self.high / self.low) ** travel
        return self.low + (self.high - self.low) * travel

    def to_travel(self, value: float) -> float:
        """Value -> knob travel 0..1."""
        import math

        value = self.clamp(value)
        if self.curve == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)
