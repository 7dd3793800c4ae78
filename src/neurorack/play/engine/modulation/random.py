"""RandomValue: seeded random steps, from sample & hold to a smooth glide."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.params import BEATS
from neurorack.play.engine.plain_state import (
    State,
    attributes,
    generator_state,
    restore_generator,
    set_attributes,
)

CORNER_S = 0.006
"""Shortest way from one value to the next."""
_STATE = ("value", "_from", "_to", "_turn", "_cycle")


class RandomValue:
    """Values in -1..1, one a frame: a new one is drawn each cycle, and reached by way of a smooth curve."""

    def __init__(self, frame_s: float, seed: int = 0) -> None:
        self._frame_s = frame_s
        self.restart(seed)

    def restart(self, seed: int) -> None:
        """Another sequence."""
        self._random = np.random.Generator(np.random.PCG64(abs(seed)))
        self._from, self._to = self._draw(), self._draw()
        self._turn, self._cycle = 0.0, 0
        self.value = self._from

    def _draw(self) -> float:
        return 2.0 * self._random.random() - 1.0

    def step(self, rate_hz: float, division: int, smooth: float, beat: float) -> float:
        """The next value. `division` 0 draws `rate_hz` values a second; others one per division of the clock.

        smooth: 0..1, the share of a cycle that the way to its value takes.
        """
        before = self._turn
        if division:
            turns = beat / BEATS[division]
            cycle = math.floor(turns)
            self._turn = turns - cycle
            fresh = cycle != self._cycle
            self._cycle = cycle
            step = max((self._turn - before) % 1.0, 1e-6)
        else:
            step = rate_hz * self._frame_s
            self._turn += step
            fresh = self._turn >= 1.0
            if fresh:
                self._turn %= 1.0
        if fresh:
            # From where the value is, not from where it was headed: a change of rate makes no step.
            self._from, self._to = self.value, self._draw()
        way = max(smooth, step * CORNER_S / self._frame_s)
        share = min(self._turn / way, 1.0) if way > 0.0 else 1.0
        share = share * share * (3.0 - 2.0 * share)
        self.value = self._from + share * (self._to - self._from)
        return self.value

    def state(self) -> State:
        """Everything the sequence's future depends on."""
        return {**attributes(self, _STATE), "random": generator_state(self._random)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
        restore_generator(self._random, state["random"])
