"""Breath: how long one of the prior's notes lasts at the most.

A model of long recorded notes may hold one for a minute; who blows must breathe. When a note's time is up,
the loudness is held as by a hand on its way down, stays at silence for a moment, and is given back: the prior
then begins its next note as it has learned to begin one from silence. Lengths are drawn anew for every note.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.core.normaliser import OVERSHOOT
from neurorack.play.engine.plain_state import (
    State,
    attributes,
    generator_state,
    restore_generator,
    set_attributes,
)

SILENT = -OVERSHOOT
"""Loudness of silence in control units, as priors learn it."""
SOUNDS = -0.95
"""Loudness in control units over which a note sounds: louder than the corpus's softest fortieth."""
SHORTEST = 0.4
"""The shortest limit that is drawn, as a share of the longest."""
FALL = 0.5
"""Share of the way to silence in a step."""
FALL_STEPS, REST_STEPS = 5, 12
"""Steps in which a note falls silent, and up to as many again in which it is."""
ENDLESS_S = 60.0
"""From here on notes last as long as the prior lets them."""


class Breath:
    """Stepped once with each step of the controls. `step_s`: seconds in one."""

    _STATE = ("_left", "_rest")

    def __init__(self, step_s: float) -> None:
        self._step_s = step_s
        self.restart(0)
        self.reset()

    def restart(self, seed: int) -> None:
        """Another sequence of lengths."""
        self._random = np.random.Generator(np.random.PCG64([abs(seed), 2]))

    def reset(self) -> None:
        """No note sounds."""
        self._left = 0
        """Steps that the present note still has; 0: nothing has been drawn for it."""
        self._rest = 0

    def step(self, loudness: float, longest_s: float) -> float | None:
        """Present loudness in control units -> where it is held in this step; None: it is the prior's own."""
        falling = loudness + FALL * (SILENT - loudness)
        if self._rest > 0:
            self._rest -= 1
            return falling
        if loudness <= SOUNDS or longest_s >= ENDLESS_S:
            self._left = 0
            return None
        longest = max(1, round(longest_s / self._step_s))
        if self._left == 0:
            self._left = round(longest * (SHORTEST + (1.0 - SHORTEST) * self._random.random()))
        self._left = max(min(self._left, longest) - 1, 0)
        if self._left > 0:
            return None
        self._rest = FALL_STEPS + int(self._random.integers(REST_STEPS + 1))
        return falling

    def state(self) -> State:
        """Everything later lengths depend on."""
        return {**attributes(self, self._STATE), "random": generator_state(self._random)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave; takes of before there was one gave nothing."""
        self.reset()
        if state:
            set_attributes(self, self._STATE, state)
            restore_generator(self._random, state["random"])
