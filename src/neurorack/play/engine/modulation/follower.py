"""Follower: the loudness of the live input as a modulation source."""

import math
from collections.abc import Mapping
from typing import Any

from neurorack.play.engine.plain_state import State, attributes, set_attributes

RANGE_DB = 60.0
"""The follower is 0 this far under full scale, 1 at full scale."""
_STATE = ("value", "_power")


class Follower:
    """Values in 0..1, one a frame: the input's mean square through attack and release, on a dB scale."""

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self._power = 0.0
        self.value = 0.0

    def step(self, power: float, attack_s: float, release_s: float, gain_db: float) -> float:
        """The next value. power: mean square of this frame of input, 1 = full scale."""
        if not 0.0 <= power < math.inf:
            power = 0.0
        time_s = attack_s if power > self._power else release_s
        self._power += (1.0 - math.exp(-self._frame_s / max(time_s, 1e-4))) * (power - self._power)
        level_db = 10.0 * math.log10(self._power + 1e-12) + gain_db
        self.value = min(max(1.0 + level_db / RANGE_DB, 0.0), 1.0)
        return self.value

    def state(self) -> State:
        """Everything the follower's future depends on."""
        return attributes(self, _STATE)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
