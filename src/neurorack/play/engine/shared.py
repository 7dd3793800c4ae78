"""Shared: what the voices of one instrument have in common, and what one frame gives all of them."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.asking import Asking
from neurorack.play.engine.frame import ControlFrame
from neurorack.play.engine.hand import Hand
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.mapping import ControlMap
from neurorack.play.engine.modulation.matrix import Modulation
from neurorack.play.engine.plain_state import State, attributes, gather, scatter, set_attributes
from neurorack.play.engine.sources import Anchors
from neurorack.play.engine.sources.prior import Proposed
from neurorack.play.engine.sources.variation import DynamicLayer, TriggerVariation

TURN_S = 11.0
"""Time in which the difference between left and right turns once."""
WIDTH_S = 0.1
"""Time constant of the stereo width."""
WIDTH_DEPTH = 0.8
"""Distance of left and right at full width, in units of the distance between neighbouring anchors."""
LEAST_LIKENESS = 0.5
"""Correlation of left's and right's noise at full width: less would take level from the mono sum."""


_STATE = ("width", "_turn", "apart", "triggers")


class Shared:
    """One for all voices of an instrument."""

    def __init__(self, instrument: Instrument, modulation: Modulation) -> None:
        m = instrument.manifest
        self.instrument = instrument
        self.sample_rate, self.hop = m.sample_rate, m.hop
        self.frame_s = m.hop / m.sample_rate
        self.latent = m.latent_size
        self.size = instrument.map.size
        self.hand = Hand(instrument.map.names, self.frame_s)
        self.asking = Asking(instrument.map, instrument.coupling, self.hand)
        self.modulation = modulation
        still = [] if instrument.map.pitch < 0 else [instrument.map.pitch]
        self.anchors = Anchors(instrument.anchors_z, instrument.anchors_controls, still)
        self.frame = ControlFrame()
        self.base: list[float] = []
        """PARAMS of the frame before modulation, within their ranges."""
        self.bend = 0.0
        """Octaves, of all notes."""
        self.triggers = 0
        """Notes started so far."""
        self.flush: Callable[[], None] = lambda: None
        """Called before a sounding voice's output changes within the frame to come."""
        self.before_start: Callable[[object, int], None] = lambda voice, sample: None
        """Called with a voice about to start, and the sample: what still sounds of it must be led away."""
        self.live: np.ndarray | None = None
        """The live input's row, while anything reads it."""
        self.live_controls: list[float] | None = None
        self.live_physical: list[float] | None = None
        self.proposed: Proposed | None = None
        """What the prior plays, while anything reads it."""
        self.proposed_controls: list[float] | None = None
        self.place_anchor = 0
        """The anchor nearest to that place."""
        self.place: np.ndarray | None = None
        """The row of the place on the map, while it is played."""
        self.variation = TriggerVariation(
            self.anchors, instrument.map.pitch, level_step_db=_level_step_db(instrument.map)
        )
        self.layer: DynamicLayer | None = None
        loudness = instrument.map.loudness
        if loudness >= 0:
            level_db = instrument.map.to_physical(loudness, instrument.anchors_controls[:, loudness])
            self.layer = DynamicLayer(self.anchors, level_db, loudness)
        self.width = 0.0
        self._turn = 0.0
        directions = np.random.Generator(np.random.PCG64(7)).standard_normal((2, self.latent))
        directions /= np.sqrt(np.mean(np.square(directions), axis=1, keepdims=True))
        self._directions = directions * self.anchors.spread.mean(axis=0) * (0.5 * WIDTH_DEPTH)
        self._width_share = 1.0 - math.exp(-self.frame_s / WIDTH_S)
        self.apart = np.zeros(self.latent, np.float32)
        """What is added to z on the left and taken away on the right."""

    @property
    def likeness(self) -> float:
        """Correlation of the noise left and right."""
        return 1.0 - (1.0 - LEAST_LIKENESS) * self.width

    def step_width(self, target: float) -> None:
        """Move the stereo width on by one frame."""
        if self.width == 0.0 and target == 0.0:
            return
        self.width += self._width_share * (target - self.width)
        if target == 0.0 and self.width < 1e-3:
            self.width = 0.0
        self._turn = (self._turn + self.frame_s / TURN_S) % 1.0
        angle = 2.0 * math.pi * self._turn
        both = math.cos(angle) * self._directions[0] + math.sin(angle) * self._directions[1]
        self.apart[:] = self.width * both

    def state(self) -> State:
        """Everything later frames depend on, without the modulation (the engine's)."""
        return {**attributes(self, _STATE), **gather({"hand": self.hand, "variation": self.variation})}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
        scatter({"hand": self.hand, "variation": self.variation}, state)


def _level_step_db(controls: ControlMap) -> float:
    """What one unit of the loudness control is in dB, in the middle of its travel; 9 where there is none."""
    if controls.loudness < 0:
        return 9.0
    low, high = controls.to_physical(controls.loudness, -0.3), controls.to_physical(controls.loudness, 0.3)
    return float(high - low) / 0.6
