"""Events: what happens at one sample (notes, gates, bends, clock pulses), as fixed-size records.

An event takes effect at sample `offset` of the block it is given with: a gate there sounds exactly
`Engine.latency_samples` after that sample, whatever the block size.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np


class Kind(IntEnum):
    """What an event does; `note` is the number that its later events name (any int ≥ 0)."""

    NOTE_ON = 1
    """a = f0 in Hz (0: no pitch, the pitch control or the source decides); b = velocity 0..1;
    tone = anchor to play (-1: the frame's)."""
    NOTE_OFF = 2
    """b = release velocity."""
    BEND = 3
    """a = octaves added to the note's pitch (note -1: to all notes)."""
    PRESSURE = 4
    """a = 0..1 (note -1: all)."""
    TIMBRE = 5
    """a = 0..1 (note -1: all); MPE's third axis."""
    EXTERNAL = 6
    """note = index in MOD_SOURCES of an external source (wheel, x, cv1 …); a = its value."""
    CLOCK = 7
    """One pulse of a 24-per-beat clock; while they come, the tempo follows them."""
    START = 8
    """The clock's first beat begins: phases to zero."""
    STOP = 9
    ALL_OFF = 10
    """Release every note."""
    PITCH = 11
    """a = new f0 in Hz of a sounding note (glides by glide_s when b = 1, at once when b = 0)."""


@dataclass(frozen=True, slots=True)
class Event:
    """`offset`: sample within the block, 0 ≤ offset < n; outside it is clamped."""

    kind: int
    note: int = -1
    a: float = 0.0
    b: float = 0.0
    tone: int = -1
    offset: int = 0


EVENT_DTYPE = np.dtype(
    [("kind", np.int32), ("note", np.int32), ("a", np.float64), ("b", np.float64), ("tone", np.int32),
     ("offset", np.int32)]
)  # fmt: skip


def event_to_record(event: Event) -> np.ndarray:
    """0-d array of EVENT_DTYPE."""
    values = (event.kind, event.note, event.a, event.b, event.tone, event.offset)
    return np.array(values, EVENT_DTYPE)


def event_from_record(record: np.ndarray) -> Event:
    """The Event in one element of an EVENT_DTYPE array."""
    kind, note, a, b, tone, offset = record.item()
    return Event(kind, note, a, b, tone, offset)
