"""One MIDI channel as the player hears it: keys, pedal, bend and its range, the numbers that RPNs set."""

from dataclasses import dataclass, field

BEND_RANGE = 2.0
"""Semitones of a pitch wheel until RPN 0 says otherwise; of an MPE master channel too."""
MEMBER_BEND_RANGE = 48.0
"""Semitones of an MPE member channel until RPN 0 says otherwise."""
NULL_RPN = (127, 127)


@dataclass
class Channel:
    """What a channel has been told. `hand` is the hub's number for it, `number` 1..16."""

    number: int
    hand: int
    down: set[int] = field(default_factory=set)
    """Keys that are down."""
    hung: set[int] = field(default_factory=set)
    """Keys that are up but held by the pedal."""
    pedal: bool = False
    bend: float = 0.0
    """-1..1 of the bend range."""
    bend_range: float = BEND_RANGE
    """Semitones."""
    pressure: float = 0.0
    timbre: float = 0.5
    rpn: tuple[int, int] = NULL_RPN
    """(MSB, LSB) of the registered parameter that data entry sets."""

    @property
    def sounding(self) -> set[int]:
        """Keys that sound: down, or held by the pedal."""
        return self.down | self.hung

    @property
    def bend_semitones(self) -> float:
        return self.bend * self.bend_range

    def reset_controllers(self) -> None:
        """As "reset all controllers" asks: bend, pressure, timbre and RPN; not the bend range."""
        self.bend, self.pressure, self.timbre, self.rpn = 0.0, 0.0, 0.5, NULL_RPN


@dataclass(frozen=True)
class Zone:
    """An MPE zone: `master` (1 or 16) speaks for all, each of `members` for one note."""

    master: int
    members: range

    @classmethod
    def of(cls, master: int, count: int) -> "Zone":
        """The lower (master 1) or upper (master 16) zone with `count` (1..15) member channels."""
        return cls(master, range(2, 2 + count) if master == 1 else range(16 - count, 16))
