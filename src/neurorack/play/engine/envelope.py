"""Gate and note: the envelope that opens and closes the sound, its ebbing away where a tone falls silent by
itself, and the glide between pitches."""

import math
from collections.abc import Mapping
from typing import Any

from neurorack.play.engine.plain_state import State, attributes, set_attributes

SILENT = 10.0 ** (-90.0 / 20.0)
"""Amplitude under which a released sound has ended."""
LEAST_RELEASE_S = 0.005
EBB_DB_PER_S, EBB_MOST_DB = 120.0, 40.0
EBB_DEPTH = 0.2
"""Loudness control under -1, the quietest that sounds in the corpus, at which a tone ebbs fastest."""


def velocity_db(velocity: float, dynamics: float) -> float:
    """By how much a velocity lowers the loudness asked: 40 log10(v) dB, as MIDI instruments do, times
    dynamics.
    """
    return 40.0 * math.log10(min(max(velocity, 0.05), 1.0)) * dynamics


class Envelope:
    """Amplitude 0..1 a frame at a time: straight attack, exponential release. `release_s` falls 60 dB.

    The amplitude is how far it has opened times how far it has fallen since.
    """

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self.amplitude = self.opened = 0.0

    def reset(self) -> None:
        """Closed and silent at once."""
        self.amplitude = self.opened = 0.0

    def step(self, gate: bool, attack_s: float, release_s: float) -> float:
        """The next frame's amplitude."""
        if gate:
            self.amplitude = min(1.0, self.amplitude + self._frame_s / max(attack_s, self._frame_s))
            self.opened = self.amplitude
        elif self.amplitude > 0.0:
            self.amplitude *= 10.0 ** (-3.0 * self._frame_s / max(release_s, LEAST_RELEASE_S))
            if self.amplitude < SILENT:
                self.amplitude = 0.0
        return self.amplitude

    def fallen_db(self) -> float:
        """How far it has fallen since it was opened, in dB, at least -90."""
        if self.amplitude == self.opened:
            return 0.0
        return 20.0 * math.log10(max(self.amplitude / self.opened, SILENT))

    def state(self) -> State:
        """What later steps depend on."""
        return {"amplitude": self.amplitude, "opened": self.opened}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self.amplitude, self.opened = float(state["amplitude"]), float(state["opened"])


class Ebb:
    """Silence of a tone that falls silent by itself (a clip between two strokes, a prior that rests).

    A loudness control tells no level under the corpus's quietest sounds, which may be an audible hum: a
    recording's own silence lies anywhere below. So what stands at the bottom dies away.
    """

    def __init__(self, frame_s: float) -> None:
        self._step_db = EBB_DB_PER_S * frame_s
        self.db = 0.0

    def reset(self) -> None:
        """Back at once."""
        self.db = 0.0

    def step(self, loudness: float) -> float:
        """How far it has ebbed in the next frame, at `loudness` (a control): dB, 0 to -40."""
        depth = (-1.0 - loudness) / EBB_DEPTH
        self.db = max(self.db - self._step_db * min(depth, 1.0), -EBB_MOST_DB) if depth > 0.0 else 0.0
        return self.db

    def state(self) -> State:
        """What later steps depend on."""
        return {"db": self.db}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self.db = float(state["db"])


class Glide:
    """Pitch of the note, moving in a straight line in octaves from note to note."""

    _STATE = ("_octave", "_target", "_step", "_sounds", "_at_once")

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self._octave = self._target = self._step = 0.0
        self._sounds = False
        self._at_once = False

    def reset(self) -> None:
        """The next pitch is taken at once."""
        self._sounds = self._at_once = False

    def jump(self) -> None:
        """The next change of pitch is made without gliding."""
        self._at_once = True

    def step(self, f0_hz: float, glide_s: float) -> float:
        """f0 of the next frame, Hz; 0 while there is no note."""
        if not 0.0 < f0_hz < math.inf:
            self._sounds = False
            return 0.0
        target = math.log2(f0_hz)
        if not self._sounds:
            self._sounds = True
            self._octave = self._target = target
        elif target != self._target:
            self._target = target
            frames = 1.0 if self._at_once else max(glide_s / self._frame_s, 1.0)
            self._step = (target - self._octave) / frames
            self._at_once = False
        if self._octave != self._target:
            left = self._target - self._octave
            self._octave = self._target if abs(left) <= abs(self._step) else self._octave + self._step
        # Exactly the note once there: log2 and back would be off by a rounding.
        return f0_hz if self._octave == self._target else 2.0**self._octave

    def state(self) -> State:
        """What later steps depend on."""
        return attributes(self, self._STATE)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, self._STATE, state)
