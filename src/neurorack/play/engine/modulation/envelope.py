"""Adsr: an envelope of exponential segments, for modulation (the sound's own gate is engine.envelope)."""

import math
from collections.abc import Mapping
from typing import Any

from neurorack.play.engine.plain_state import State, attributes, set_attributes

OVERSHOOT = 1.3
"""Level the attack heads for; it ends where it passes 1, so that it bends only a little."""
_ATTACK = math.log(OVERSHOOT / (OVERSHOOT - 1.0))
_FALL = math.log(1000.0)
"""Decay and release times are those to fall by 60 dB of the way."""
_STATE = ("value", "_rising", "_gate")


class Adsr:
    """Values in 0..1, one a frame. Every gate that rises attacks from the present value."""

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self.value = 0.0
        self._rising = False
        self._gate = False

    def reset(self) -> None:
        """At rest, as if no gate had been."""
        self.value, self._rising, self._gate = 0.0, False, False

    def step(
        self,
        gate: bool,
        attack_s: float,
        decay_s: float,
        sustain: float,
        release_s: float,
        trigger: bool = False,
    ) -> float:
        """The next value. `trigger` attacks again under a gate that stays open."""
        if gate and (trigger or not self._gate):
            self._rising = True
        elif not gate:
            self._rising = False
        self._gate = gate
        if self._rising:
            share = 1.0 - math.exp(-_ATTACK * self._frame_s / max(attack_s, 1e-4))
            self.value += share * (OVERSHOOT - self.value)
            if self.value >= 1.0:
                self.value, self._rising = 1.0, False
        else:
            target, time_s = (sustain, decay_s) if gate else (0.0, release_s)
            share = 1.0 - math.exp(-_FALL * self._frame_s / max(time_s, 1e-4))
            self.value += share * (target - self.value)
            if target == 0.0 and self.value < 1e-5:
                self.value = 0.0
        return self.value

    def state(self) -> State:
        """Everything the envelope's future depends on."""
        return attributes(self, _STATE)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
