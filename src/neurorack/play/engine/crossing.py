"""Crossing: a control that changes where it comes from glides there, as gently as a hand takes it.

What the change left behind is added to the new value and fades under a raised cosine: no step at the moment,
and a slope that begins and ends level.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.plain_state import State, attributes, set_attributes

CROSS_S = 0.07
"""How long the glide takes."""
_NUMBERS = ("_fresh",)


class Crossing:
    """One voice's; a step a frame."""

    def __init__(self, size: int, frame_s: float) -> None:
        count = max(round(CROSS_S / frame_s), 1)
        self._fade = [0.5 - 0.5 * math.cos(math.pi * i / (count + 1)) for i in range(count + 1)]
        """What is still left of the gap, by the frames that are left."""
        self._origin = [0] * size
        self._value = [0.0] * size
        self._gap = [0.0] * size
        self._left = [0] * size
        self._fresh = True
        self._moving = False

    def reset(self) -> None:
        """A new sound begins: nothing to glide from."""
        self._fresh = True

    def step(self, base: list[float], origins: list[int]) -> None:
        """Lead what the controls [C] come from, in place; origins: the present one of each."""
        if self._fresh:
            self._origin = origins
            self._left = [0] * len(base)
            self._fresh = self._moving = False
        elif origins != self._origin:
            for i, origin in enumerate(origins):
                if origin != self._origin[i]:
                    self._gap[i], self._left[i] = self._value[i] - base[i], len(self._fade) - 1
                    self._moving = True
            self._origin = origins
        if self._moving:
            for i, left in enumerate(self._left):
                if left:
                    base[i] += self._gap[i] * self._fade[left]
                    self._left[i] = left - 1
            self._moving = any(self._left)
        self._value = base[:]

    def state(self) -> State:
        """Everything later values depend on."""
        rows = np.array([self._origin, self._value, self._gap, self._left])
        return {**attributes(self, _NUMBERS), "rows": rows}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _NUMBERS, state)
        origin, self._value, self._gap, left = state["rows"].tolist()
        self._origin, self._left = [int(o) for o in origin], [int(n) for n in left]
        self._moving = any(self._left)
