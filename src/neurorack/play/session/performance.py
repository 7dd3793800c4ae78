"""Performance: what all hands together do at this moment: keys, gates, bends, over one patch.

One performance is shared by every panel, OSC peer and MIDI channel: two of them show and move the same knobs.
Gates and keys belong to the hand that holds them, so a hand that vanishes lets go. What happens at one
moment leaves as Events; what lasts is in the frame. After the audio process was started again, `resend`
tells it what is held.
"""

from collections.abc import Callable
from typing import Any

from neurorack.core.manifest import Manifest
from neurorack.play.control import messages as m
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import ControlFrame
from neurorack.play.engine.params import MOD_INDEX
from neurorack.play.session.patch import Patch

A4_MIDI, A4_HZ = 69, 440.0
KEYS = 128
MAX_KEYS_DOWN = 64
CLOCKS = {"pulse": Kind.CLOCK, "start": Kind.START, "stop": Kind.STOP}


def midi_to_hz(midi: float) -> float:
    """Equal temperament, A4 = 440 Hz."""
    return A4_HZ * 2.0 ** ((midi - A4_MIDI) / 12.0)


def note_number(hand: int, midi: int) -> int:
    """The number by which events name the key `midi` of `hand`."""
    return (hand % 2**23) * KEYS + midi


class Performance:
    """The hands over a patch. `send` takes the Events; `tune` gives a key's pitch in Hz."""

    def __init__(
        self,
        manifest: Manifest,
        send: Callable[[Event], None],
        patch: Patch | None = None,
        tune: Callable[[float], float] = midi_to_hz,
    ) -> None:
        self.manifest = manifest
        self.patch = patch or Patch()
        self.tune = tune
        self.latched = False
        self.transport = False
        self.gates: set[int] = set()
        """Hands that hold the gate."""
        self.keys: dict[tuple[int, int], float] = {}
        """(hand, midi) -> velocity of the keys that are down, newest last."""
        self.last_midi: int | None = None
        self._panics = 0
        self._bends: dict[int, float] = {}
        self._external: dict[str, float] = {}
        self._send = send

    @property
    def gate(self) -> bool:
        """Whether anything wants sound."""
        return self.latched or bool(self.gates) or bool(self.keys)

    def apply(self, hand: int, message: m.Message) -> bool:
        """Carry out what belongs to the hands; False when the message is none of that."""
        match message:
            case m.Gate(on):
                if on:
                    self.latched = False  # the hand takes over: letting go is silence
                    self.gates.add(hand)
                else:
                    self.gates.discard(hand)
            case m.Latch(on):
                self.latched = on
                if not on:
                    self._all_off()
            case m.Note():
                self._note(hand, message)
            case m.Bend(semitones, midi):
                self._bends[self._named(hand, midi)] = semitones
                self._send(Event(Kind.BEND, self._named(hand, midi), semitones / 12.0))
            case m.Pressure(value, midi):
                self._send(Event(Kind.PRESSURE, self._named(hand, midi), value))
            case m.Timbre(value, midi):
                self._send(Event(Kind.TIMBRE, self._named(hand, midi), value))
            case m.External(name, value):
                self._external[name] = value
                self._send(Event(Kind.EXTERNAL, MOD_INDEX[name], value))
            case m.Transport(on):
                self.transport = on
                self._send(Event(Kind.START if on else Kind.STOP))
            case m.Clock(kind):
                self._send(Event(CLOCKS[kind]))
            case m.Panic():
                self._panics += 1
                self.latched = False
                self._all_off()
                self._bends.clear()
            case _:
                return False
        return True

    def leave(self, hand: int) -> bool:
        """A hand is gone: it lets go of everything it held. True when that changed anything."""
        held = [key for key in self.keys if key[0] == hand]
        for _, midi in held:
            self._note(hand, m.Note(False, midi))
        if hand in self.gates:
            self.gates.discard(hand)
            return True
        return bool(held)

    def adopt(self, manifest: Manifest) -> None:
        """Go on with another instrument: the hands hold what they hold."""
        self.manifest = manifest

    def knob_takes_pitch(self) -> None:
        """The pitch knob was turned: the gate button's note follows it, no longer the last key."""
        self.last_midi = None

    def retune(self, tune: Callable[[float], float]) -> None:
        """Keys have other pitches from now on; those that are down go there."""
        self.tune = tune
        if self.manifest.pitched:
            for hand, midi in self.keys:
                self._send(Event(Kind.PITCH, note_number(hand, midi), tune(midi), 1.0))

    def resend(self) -> None:
        """Tell an audio process that has just started what the hands hold."""
        for (hand, midi), velocity in self.keys.items():
            self._send(self._note_on(hand, midi, velocity))
        for note, semitones in self._bends.items():
            self._send(Event(Kind.BEND, note, semitones / 12.0))
        for name, value in self._external.items():
            self._send(Event(Kind.EXTERNAL, MOD_INDEX[name], value))
        if self.transport:
            self._send(Event(Kind.START))

    def frame(self, place_of: Callable[[str], int]) -> ControlFrame:
        """The frame that says what lasts to the engine."""
        frame = self.patch.frame(self.manifest, place_of)
        frame.gate = self.latched or bool(self.gates)
        frame.panic = self._panics
        if self.manifest.pitched and self.last_midi is not None:
            frame.f0_hz = self.tune(self.last_midi)
        return frame

    def as_dict(self) -> dict[str, Any]:
        """What a panel needs to show of the hands, ready for JSON."""
        return {
            "latched": self.latched,
            "gate": self.gate,
            "notes": sorted({midi for _, midi in self.keys}),
            "midi": self.last_midi,
            "transport": self.transport,
        }

    def _named(self, hand: int, midi: int) -> int:
        return -1 if midi < 0 else note_number(hand, midi)

    def _note_on(self, hand: int, midi: int, velocity: float) -> Event:
        number = note_number(hand, midi)
        if self.manifest.pitched:
            return Event(Kind.NOTE_ON, number, self.tune(midi), velocity)
        return Event(Kind.NOTE_ON, number, 0.0, velocity, tone=midi)  # every key another tone

    def _note(self, hand: int, note: m.Note) -> None:
        was_down = self.keys.pop((hand, note.midi), None) is not None
        if note.on and note.velocity > 0.0:
            if len(self.keys) >= MAX_KEYS_DOWN:
                return
            self.keys[hand, note.midi] = note.velocity
            self._bends.pop(note_number(hand, note.midi), None)
            if self.manifest.pitched:
                self.last_midi = note.midi
            self._send(self._note_on(hand, note.midi, note.velocity))
        elif was_down:
            self._send(Event(Kind.NOTE_OFF, note_number(hand, note.midi), b=note.velocity))

    def _all_off(self) -> None:
        self.gates.clear()
        self.keys.clear()
        self._send(Event(Kind.ALL_OFF))
