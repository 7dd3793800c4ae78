"""ControlSpec: one description of a parameter serves knob, MIDI, OSC, CV, preset, panel and help text."""

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class ControlSpec:
    """A named, bounded parameter.

    `curve` says how a knob's travel 0..1 maps onto [low, high]: "linear", or "log" (equal ratios; needs
    low > 0). `choices` names the values 0, 1, 2 … of a switch (low 0, high len - 1); `whole` numbers are
    rounded. `group` is the page it belongs to; `about` one sentence for help texts.
    """

    name: str
    label: str
    unit: str
    low: float
    high: float
    default: float
    curve: Literal["linear", "log"] = "linear"
    smoothing_s: float = 0.01
    group: str = ""
    about: str = ""
    choices: tuple[str, ...] = ()
    whole: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"{self.name}: low {self.low} must be below high {self.high}")
        if self.curve == "log" and self.low <= 0:
            raise ValueError(f"{self.name}: a log curve needs low > 0")
        if self.choices and (self.low, self.high) != (0.0, len(self.choices) - 1.0):
            raise ValueError(f"{self.name}: {len(self.choices)} choices need the range 0..len - 1")

    @property
    def stepped(self) -> bool:
        """Whether only whole numbers count."""
        return self.whole or bool(self.choices)

    def clamp(self, value: float) -> float:
        """Nearest value allowed; NaN becomes the default."""
        if value != value:
            return self.default
        value = min(max(value, self.low), self.high)
        return float(round(value)) if self.stepped else value

    def from_travel(self, travel: float) -> float:
        """Knob travel 0..1 -> value."""
        travel = min(max(travel, 0.0), 1.0)
        if self.curve == "log":
            return self.clamp(self.low * (self.high / self.low) ** travel)
        return self.clamp(self.low + (self.high - self.low) * travel)

    def to_travel(self, value: float) -> float:
        """Value -> knob travel 0..1."""
        value = self.clamp(value)
        if self.curve == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def switch(
    name: str, label: str, choices: tuple[str, ...], default: int = 0, group: str = "", about: str = ""
) -> ControlSpec:
    """A ControlSpec whose value is the index of one of `choices`."""
    return ControlSpec(
        name,
        label,
        "",
        0.0,
        len(choices) - 1.0,
        float(default),
        choices=choices,
        smoothing_s=0.0,
        group=group,
        about=about,
    )
