"""Hand: the controls that hands hold, smoothed, and how firmly each is held."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.core.normaliser import OVERSHOOT
from neurorack.play.engine.frame import SMOOTHING_S, ControlFrame
from neurorack.play.engine.plain_state import State, attributes, set_attributes

HOLD_S = 0.02
"""Time constant of a hand that moves a control it holds."""
TAKE_S = 0.014
"""Each of two time constants, one after the other, with which the hand takes a control over from the source,
and lets it go: so the needle sets off gradually, and is there as soon as with HOLD_S alone."""


class Hand:
    """`value` [C] normalised controls asked by hand; `weight` [C]: 0 the source's, 1 the hand's."""

    def __init__(self, names: tuple[str, ...], frame_s: float) -> None:
        self._follow = [1.0 - math.exp(-frame_s / SMOOTHING_S.get(name, HOLD_S)) for name in names]
        self._share = 1.0 - math.exp(-frame_s / TAKE_S)
        self._size = len(names)
        self._asked = [0.0] * self._size
        self.held = [False] * self._size
        """Which controls hands hold now."""
        self.value = [0.0] * self._size
        self.weight = [0.0] * self._size
        self._lead = [0.0] * self._size
        """What `weight` follows, and which itself follows `held`."""
        self.active = False
        """Whether any control is held at all, or still let go."""

    def reset(self) -> None:
        """Let go of everything at once."""
        self.weight = [0.0] * self._size
        self._lead = [0.0] * self._size

    def aim(self, frame: ControlFrame) -> None:
        """Take what a frame asks; `step` moves there. What is not a number changes nothing; a hand that lets
        go leaves from where it was.
        """
        self.held = frame.held[: self._size].tolist()
        self._asked = [
            min(max(asked, -OVERSHOOT), OVERSHOOT) if self.held[i] and asked == asked else self.value[i]
            for i, asked in enumerate(frame.asked[: self._size].tolist())
        ]

    def step(self) -> None:
        """Move on by one frame."""
        self.active = self.active or any(self.held)
        if not self.active:
            return
        self.active = False
        for i in range(self._size):
            weight = self.weight[i]
            if self._lead[i] < 0.01 and weight < 0.01:
                # A control just taken starts at the hand's value and is faded in by its weight.
                self.value[i] = self._asked[i]
            else:
                self.value[i] += self._follow[i] * (self._asked[i] - self.value[i])
            self._lead[i] += self._share * (self.held[i] - self._lead[i])
            weight += self._share * (self._lead[i] - weight)
            if weight < 1e-3 and not self.held[i]:
                weight = self._lead[i] = 0.0
            self.weight[i] = weight
            self.active = self.active or weight > 0.0

    def state(self) -> State:
        """Everything later steps depend on."""
        found = attributes(self, ("active",))
        rows = {"value": np.array(self.value), "weight": np.array(self.weight), "lead": np.array(self._lead)}
        return {**found, **rows}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave (takes of before there was a lead have none)."""
        set_attributes(self, ("active",), state)
        self.value, self.weight = state["value"].tolist(), state["weight"].tolist()
        self._lead = state.get("lead", state["weight"]).tolist()
