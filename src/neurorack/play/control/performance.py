"""Performance: what all hands together want, and the ControlFrame that says it to the engine.

One performance is shared by every panel: two of them show and move the same knobs. Gates and notes belong to
the hand that holds them, so a panel that vanishes lets go of its keys.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurorack.core.manifest import Manifest
from neurorack.play.control import messages as m
from neurorack.play.engine.frame import MAX_CONTROLS, ControlFrame, Source

A4_MIDI, A4_HZ = 69, 440.0


def midi_to_hz(midi: float) -> float:
    """Equal temperament, A4 = 440 Hz."""
    return A4_HZ * 2.0 ** ((midi - A4_MIDI) / 12.0)


@dataclass
class Performance:
    """The performer's whole state. `instrument` is the name shown; numbers are those of ENGINE_SPECS."""

    manifest: Manifest
    latched: bool = False
    source: Source = Source.HOLD
    anchor: int = 0
    clip: int = 0
    seed: int = 0
    panics: int = 0
    asked: dict[str, float] = field(default_factory=dict)
    """Held controls, normalised; a control that is not here follows the source."""
    numbers: dict[str, float] = field(default_factory=lambda: {n: s.default for n, s in m.SPECS.items()})
    gates: set[int] = field(default_factory=set)
    """Hands (panel numbers) that hold the gate."""
    notes: list[tuple[int, int]] = field(default_factory=list)
    """(hand, midi) of keys that are down, newest last."""
    last_midi: int | None = None

    @property
    def gate(self) -> bool:
        """Whether anything wants sound."""
        return self.latched or bool(self.gates) or bool(self.notes)

    def apply(self, hand: int, message: m.Message) -> bool:
        """Carry out a message of panel `hand`; False when it changes nothing here."""
        match message:
            case m.SetControl(name, value) if self._has(name):
                self.asked[name] = value
                if name == "pitch":  # the knob takes over from the keys
                    self.last_midi = None
            case m.ReleaseControl(name) if name in self.asked:
                del self.asked[name]
            case m.SetNumber(name, value):
                self.numbers[name] = value
            case m.Gate(on):
                self._set_gate(hand, on)
            case m.Latch(on):
                self.latched = on
                if not on:
                    self.gates.clear()
                    self.notes.clear()
            case m.Note():
                self._note(hand, message)
            case m.SetSource(value):
                self.source = m.SOURCES[value]
            case m.SetAnchor(index):
                self.anchor = index
            case m.SetClip(index) if self.manifest.clips:
                self.clip = index % len(self.manifest.clips)
            case m.Reseed():
                self.seed = (self.seed + 1) % 2**31
            case m.Panic():
                self.panics += 1
                self.latched = False
                self.gates.clear()
                self.notes.clear()
            case _:
                return False
        return True

    def leave(self, hand: int) -> bool:
        """A panel is gone: it lets go of everything it held. True when that changed anything."""
        held = hand in self.gates or any(owner == hand for owner, _ in self.notes)
        self.gates.discard(hand)
        self.notes = [(owner, midi) for owner, midi in self.notes if owner != hand]
        return held

    def adopt(self, manifest: Manifest) -> None:
        """Go on with another instrument: what it also has stays as it is, the rest is let go."""
        self.manifest = manifest
        self.asked = {name: value for name, value in self.asked.items() if self._has(name)}
        self.clip = self.clip % len(manifest.clips) if manifest.clips else 0
        if self.source == Source.CLIP and not manifest.clips:
            self.source = Source.HOLD

    def frame(self) -> ControlFrame:
        """The frame that says all this to the engine."""
        asked, held = np.zeros(MAX_CONTROLS, np.float32), np.zeros(MAX_CONTROLS, np.bool_)
        for name, value in self.asked.items():
            index = self.manifest.control_index(name)
            asked[index], held[index] = value, True
        midi = self.notes[-1][1] if self.notes else self.last_midi
        numbers: dict[str, Any] = dict(self.numbers)
        return ControlFrame(
            gate=self.gate,
            f0_hz=midi_to_hz(midi) if midi is not None and self.manifest.pitched else 0.0,
            asked=asked,
            held=held,
            source=int(self.source),
            anchor=self.anchor,
            clip=self.clip,
            seed=self.seed,
            panic=self.panics,
            **numbers,
        )

    def as_dict(self) -> dict[str, Any]:
        """What a panel needs to show, ready for JSON."""
        return {
            "latched": self.latched,
            "gate": self.gate,
            "notes": sorted({midi for _, midi in self.notes}),
            "source": self.source.name.lower(),
            "anchor": self.anchor,
            "clip": self.clip,
            "asked": self.asked,
            "numbers": self.numbers,
            "midi": self.last_midi,
        }

    def _has(self, name: str) -> bool:
        return any(control.name == name for control in self.manifest.controls)

    def _set_gate(self, hand: int, on: bool) -> None:
        if on:
            self.latched = False  # the hand takes over: letting go is silence
            self.gates.add(hand)
        else:
            self.gates.discard(hand)

    def _note(self, hand: int, note: m.Note) -> None:
        self.notes = [key for key in self.notes if key != (hand, note.midi)]
        if not note.on:
            return
        if len(self.notes) < 64:
            self.notes.append((hand, note.midi))
        self.numbers["velocity"] = note.velocity
        if self.manifest.pitched:
            self.last_midi = note.midi
            self.asked.pop("pitch", None)
        else:
            self.anchor = note.midi  # every key another tone
