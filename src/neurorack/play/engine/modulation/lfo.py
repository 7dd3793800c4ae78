"""Lfo: a slow oscillator, in seconds or in divisions of the clock."""

import math
from collections.abc import Mapping
from typing import Any

from neurorack.play.engine.params import BEATS
from neurorack.play.engine.plain_state import State, attributes, set_attributes

SINE, TRIANGLE, RAMP_UP, RAMP_DOWN, SQUARE = range(5)
CORNER_S = 0.003
"""Time constant that rounds the jumps of ramps and squares, so that they do not click."""
_STATE = ("value", "_turn")


class Lfo:
    """Values in -1..1, one a frame. Sine and triangle start at zero, rising; ramps at an end; square at 1."""

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self._rounding = 1.0 - math.exp(-frame_s / CORNER_S)
        self._turn = 0.0
        self.value = 0.0

    def restart(self) -> None:
        """A free LFO begins again."""
        self._turn = 0.0

    def step(self, shape: int, rate_hz: float, division: int, phase: float, beat: float) -> float:
        """The next value. `division` 0 turns `rate_hz` times a second; others follow `beat` of the clock.

        phase: 0..1 of a turn, added.
        """
        if division:
            turn = beat / BEATS[division] + phase
        else:
            turn = self._turn + phase
            self._turn = (self._turn + rate_hz * self._frame_s) % 1.0
        turn %= 1.0
        if shape == SINE:
            self.value = math.sin(2.0 * math.pi * turn)
        elif shape == TRIANGLE:
            self.value = 1.0 - abs(4.0 * ((turn + 0.25) % 1.0) - 2.0)
        else:
            if shape == RAMP_UP:
                target = 2.0 * turn - 1.0
            elif shape == RAMP_DOWN:
                target = 1.0 - 2.0 * turn
            else:
                target = 1.0 if turn < 0.5 else -1.0
            self.value += self._rounding * (target - self.value)
        return self.value

    def state(self) -> State:
        """Everything the oscillator's future depends on."""
        return attributes(self, _STATE)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
