"""Notes: which keys are held, and which voice plays which.

One voice (legato: a new key under a held one glides; retrigger: it attacks again; both return to the older
key when the newer is let go), or up to four (poly). The gate button is a key like the others.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.params import MONO_RETRIGGER, POLY
from neurorack.play.engine.plain_state import State

GATE_KEY = -2
"""Note number of the gate button's key."""
GOES_ON_KEY, ANSWER_KEY = -3, -4
"""Note numbers of the keys that the prior holds: going on from what was played, and answering."""
ALL = -1


def _within(value: float, low: float, high: float) -> float:
    """Nearest number in low..high; what is not a number counts as 0."""
    return min(max(float(value), low), high) if value == value else 0.0


@dataclass(slots=True)
class Key:
    """A key that is held, or whose release still sounds."""

    note: int
    f0_hz: float
    velocity: float
    tone: int = -1
    bend: float = 0.0
    """Octaves."""
    pressure: float = 0.0
    timbre: float = 0.0
    jump: bool = False
    """Whether its next change of pitch does not glide."""

    def state(self) -> np.ndarray:
        """float64 [8]."""
        return np.array(
            [
                self.note,
                self.f0_hz,
                self.velocity,
                self.tone,
                self.bend,
                self.pressure,
                self.timbre,
                self.jump,
            ],
            np.float64,
        )

    @classmethod
    def restore(cls, numbers: np.ndarray) -> "Key":
        """The key that `state` described."""
        note, f0_hz, velocity, tone, bend, pressure, timbre, jump = numbers.tolist()
        return cls(int(note), f0_hz, velocity, int(tone), bend, pressure, timbre, bool(jump))


class Player(Protocol):
    """What a voice must be able to do."""

    key: Key | None
    gate: bool
    serial: int

    @property
    def on(self) -> bool: ...

    def start(self, key: Key, sample: int) -> None: ...

    def change(self, key: Key, sample: int) -> None: ...

    def release(self, sample: int) -> None: ...


class Notes:
    """Tells voices what to do. `sample` is the place of an event in the frame about to be rendered."""

    def __init__(self) -> None:
        self.held: dict[int, Key] = {}
        self.bend = 0.0
        """Octaves, of all notes."""
        self.started = 0
        """Voices started so far."""
        self.open = True
        """Whether the clocked gate lets voices sound."""
        self.goes_on = False
        """Whether, with the last key let go, its voice sounds on without a key of its own."""

    @property
    def alone(self) -> bool:
        """Whether the prior holds a key, and no hand does."""
        return any(note in self.held for note in (GOES_ON_KEY, ANSWER_KEY)) and GATE_KEY not in self.held

    def take(self, event: Event, sample: int, voices: list, mode: int, limit: int) -> None:
        """Obey one event."""
        kind = event.kind
        if kind == Kind.NOTE_ON:
            f0_hz, velocity = _within(event.a, 0.0, 1e5), _within(event.b, 0.0, 1.0)
            key = Key(int(event.note), f0_hz, velocity, int(event.tone))
            self.press(key, sample, voices, mode, limit)
        elif kind == Kind.NOTE_OFF:
            self.let_go(int(event.note), sample, voices, mode, self.goes_on)
        elif kind == Kind.ALL_OFF:
            for note in list(self.held):
                if note != GATE_KEY:
                    self.let_go(note, sample, voices, POLY)
        elif kind == Kind.BEND and event.note == ALL:
            self.bend = _within(event.a, -8.0, 8.0)
        else:
            self._express(event, voices)

    def _express(self, event: Event, voices: list) -> None:
        """A change of one note or of all: bend, pressure, timbre, pitch."""
        keys = {id(key): key for key in self.held.values()}
        keys |= {id(voice.key): voice.key for voice in voices if voice.key is not None}
        for key in keys.values():
            if event.note not in (ALL, key.note):
                continue
            if event.kind == Kind.BEND:
                key.bend = _within(event.a, -8.0, 8.0)
            elif event.kind == Kind.PRESSURE:
                key.pressure = _within(event.a, 0.0, 1.0)
            elif event.kind == Kind.TIMBRE:
                key.timbre = _within(event.a, 0.0, 1.0)
            elif event.kind == Kind.PITCH:
                key.f0_hz, key.jump = _within(event.a, 0.0, 1e5), not event.b > 0.5

    def press(self, key: Key, sample: int, voices: list, mode: int, limit: int) -> None:
        """A key goes down."""
        if GOES_ON_KEY in self.held and key.note != GOES_ON_KEY:
            self.let_go(GOES_ON_KEY, sample, voices, POLY)
        again = self.held.pop(key.note, None)
        legato = bool(self.held) and mode not in (MONO_RETRIGGER, POLY) and again is None
        self.held[key.note] = key
        if mode != POLY:
            voice = voices[0]
            if legato and voice.gate:
                voice.change(key, sample)
                return
        else:
            voice = self._choose(key, voices[:limit])
        self._start(voice, key, sample)

    def _start(self, voice: Player, key: Key, sample: int) -> None:
        self.started += 1
        if self.open:
            voice.start(key, sample)
            voice.serial = self.started
        else:
            # The clock opens it later.
            voice.key, voice.serial = key, self.started

    def _choose(self, key: Key, voices: list) -> Player:
        """The voice that already plays this key, else the one longest silent, else released, else held."""

        def claim(voice: Player) -> tuple[int, int]:
            if voice.key is not None and voice.key.note == key.note:
                return (0, voice.serial)
            held = voice.key is not None and voice.key.note in self.held
            return (3 if held else 2 if voice.on else 1, voice.serial)

        return min(voices, key=claim)

    def let_go(self, note: int, sample: int, voices: list, mode: int, goes_on: bool = False) -> None:
        """A key goes up. A single voice returns to the newest key still held. goes_on: the last key's voice
        sounds on, its pitch its own.
        """
        self.held.pop(note, None)
        for voice in voices:
            if voice.key is None or voice.key.note != note:
                continue
            if self.held and mode != POLY and voice is voices[0]:
                key = next(reversed(self.held.values()))
                if mode == MONO_RETRIGGER or not voice.gate:
                    self._start(voice, key, sample)
                else:
                    voice.change(key, sample)
            elif goes_on and not self.held and (voice.gate or not self.open):
                voice.key = replace(voice.key, note=GOES_ON_KEY, f0_hz=0.0)
                self.held[GOES_ON_KEY] = voice.key
            elif voice.gate:
                voice.release(sample)

    def clock(self, is_open: bool, voices: list) -> None:
        """The clocked gate opens or closes all held keys, at the start of a frame."""
        if is_open == self.open:
            return
        self.open = is_open
        for voice in voices:
            if voice.key is not None and voice.key.note in self.held:
                if is_open and not voice.gate:
                    self._start(voice, voice.key, 0)
                elif not is_open and voice.gate:
                    voice.release(0)

    def state(self) -> State:
        """Everything later events depend on; the keys of voices are theirs to keep."""
        held = np.array([key.state() for key in self.held.values()]).reshape(-1, 8)
        return {"held": held, "bend": self.bend, "started": self.started, "open": int(self.open)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        keys = [Key.restore(row) for row in state["held"]]
        self.held = {key.note: key for key in keys}
        self.bend, self.started = float(state["bend"]), int(state["started"])
        self.open = bool(state["open"])
