"""VoiceModulation: the modulation sources that every voice has for itself."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurorack.play.engine.frame import MAX_CONTROLS
from neurorack.play.engine.modulation.envelope import Adsr
from neurorack.play.engine.params import ENVELOPES, MOD_INDEX, MOD_SOURCES, PARAM_INDEX, PARAMS, ROUTES
from neurorack.play.engine.plain_state import State, gather, scatter

C4_HZ = 440.0 * 2.0 ** (-9.0 / 12.0)
NOTE_OCTAVES = 5.0
"""The source "note" is 1 this far above C4."""
_ENV1, _VELOCITY, _NOTE, _PRESSURE, _TIMBRE = (
    MOD_INDEX[name] for name in ("env1", "velocity", "note", "pressure", "timbre")
)
_ENV1_ATTACK, _ENV_PARAMS = PARAM_INDEX["env1_attack_s"], 4


class VoiceModulation:
    """Envelopes, velocity, note, pressure, timbre and the routes' slews of one voice.

    `values`, `travels` and `sources` hold what `Modulation.apply` found for this voice last.
    """

    def __init__(self, frame_s: float) -> None:
        self.envelopes = tuple(Adsr(frame_s) for _ in range(ENVELOPES))
        self.velocity = 0.0
        """0..1."""
        self.note = 0.0
        """Octaves from C4 / 5, -1..1."""
        self.pressure = 0.0
        """0..1."""
        self.timbre = 0.0
        """0..1."""
        self.values = [spec.default for spec in PARAMS]
        """After modulation, one for each of PARAMS, in its unit."""
        self.travels = [0.0] * MAX_CONTROLS
        """What the matrix adds to the controls, in whole travels (2 in normalised units); pitch: octaves."""
        self.sources = [0.0] * len(MOD_SOURCES)
        """Present value of each of MOD_SOURCES, this voice's own and the common ones."""
        self.slews = [0.0] * ROUTES
        """Present output of each slot's slew."""
        self.fresh = True
        """Whether the slews start at their targets: no route has been played by this voice yet."""

    def start(self, velocity: float, f0_hz: float = 0.0) -> None:
        """A note begins (its gate follows by `step`). f0_hz 0: the note has no pitch."""
        self.velocity = min(max(velocity, 0.0), 1.0)
        self.pressure = 0.0
        self.set_note(f0_hz)

    def set_note(self, f0_hz: float) -> None:
        """The note's pitch as a source; 0: none."""
        if f0_hz > 0.0:
            self.note = min(max(math.log2(f0_hz / C4_HZ) / NOTE_OCTAVES, -1.0), 1.0)
        else:
            self.note = 0.0

    def reset(self) -> None:
        """As before the first note: a voice that starts from silence repeats itself exactly."""
        for envelope in self.envelopes:
            envelope.reset()
        self.velocity = self.note = self.pressure = self.timbre = 0.0
        self.fresh = True

    def step(self, gate: bool, values: Sequence[float], trigger: bool = False) -> None:
        """Advance by a frame. values: PARAMS (as modulated in the last frame); trigger: attack again."""
        at = _ENV1_ATTACK
        for n, envelope in enumerate(self.envelopes):
            level = envelope.step(gate, values[at], values[at + 1], values[at + 2], values[at + 3], trigger)
            self.sources[_ENV1 + n] = level
            at += _ENV_PARAMS
        self.sources[_VELOCITY], self.sources[_NOTE] = self.velocity, self.note
        self.sources[_PRESSURE], self.sources[_TIMBRE] = self.pressure, self.timbre

    def state(self) -> State:
        """Everything the voice's modulation depends on."""
        own = [self.velocity, self.note, self.pressure, self.timbre, float(self.fresh)]
        envelopes = gather({f"env{n + 1}": e for n, e in enumerate(self.envelopes)})
        lists = (self.values, self.travels, self.sources, self.slews)
        names = ("values", "travels", "sources", "slews")
        return {
            "own": np.array(own),
            **envelopes,
            **{n: np.array(v) for n, v in zip(names, lists, strict=True)},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self.velocity, self.note, self.pressure, self.timbre, fresh = (float(v) for v in state["own"])
        self.fresh = fresh > 0.0
        scatter({f"env{n + 1}": e for n, e in enumerate(self.envelopes)}, state)
        self.values[:], self.travels[:] = state["values"].tolist(), state["travels"].tolist()
        self.sources[:], self.slews[:] = state["sources"].tolist(), state["slews"].tolist()
