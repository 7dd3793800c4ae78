"""Modulation: the sources that all voices share, and the matrix that leads sources to targets.

Once a frame: `step` advances clock, LFOs, random values and follower; then, for every voice, its own
`VoiceModulation.step` and `apply`. A slot of the matrix adds

    amount * slew(curve(source + offset))

whole knob travels to its target; several slots to one target add up. Where nothing is added, a value passes
unchanged. Sources may move what makes sources (an LFO's rate): they then use the last frame's values.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurorack.play.engine.frame import MAX_CONTROLS, ControlFrame
from neurorack.play.engine.modulation.clock import Clock
from neurorack.play.engine.modulation.curves import CURVES
from neurorack.play.engine.modulation.follower import Follower
from neurorack.play.engine.modulation.lfo import Lfo
from neurorack.play.engine.modulation.random import RandomValue
from neurorack.play.engine.modulation.travel import MOVERS
from neurorack.play.engine.modulation.voice import VoiceModulation
from neurorack.play.engine.params import (
    CONTROL_TARGET,
    EXTERNALS,
    LFOS,
    MOD_INDEX,
    MOD_SOURCES,
    PARAM_INDEX,
    PARAMS,
    RANDOMS,
    ROUTES,
)
from neurorack.play.engine.plain_state import State, gather, scatter

_LFO1, _RAND1, _FOLLOWER = (MOD_INDEX[name] for name in ("lfo1", "rand1", "follower"))
_WHEEL = MOD_INDEX["wheel"]
_TEMPO, _LFO1_SHAPE, _RAND1_RATE, _FOLLOWER_ATTACK = (
    PARAM_INDEX[name] for name in ("tempo_bpm", "lfo1_shape", "rand1_rate_hz", "follower_attack_s")
)
_LFO_PARAMS, _RAND_PARAMS = 4, 3
_UNIPOLAR = {MOD_INDEX[name] for name in ("wheel", "pedal", "x", "y")}


class Modulation:
    """Everything that moves parameters by itself; one for the whole engine."""

    def __init__(self, frame_s: float, seed: int = 0) -> None:
        self._frame_s = frame_s
        self.clock = Clock(frame_s)
        self.lfos = tuple(Lfo(frame_s) for _ in range(LFOS))
        self.randoms = tuple(RandomValue(frame_s) for _ in range(RANDOMS))
        self.follower = Follower(frame_s)
        self._sources = [0.0] * len(MOD_SOURCES)
        self._routes: list[tuple] = []
        self._moved: tuple[int, ...] = ()
        self._key: tuple[bytes, ...] = ()
        self.restart(seed)

    def restart(self, seed: int) -> None:
        """Other random values, and free LFOs from their beginning."""
        for n, value in enumerate(self.randoms):
            value.restart(2 * abs(seed) + n)
        for lfo in self.lfos:
            lfo.restart()

    def set_external(self, source: int, value: float) -> None:
        """A value from outside: `source` is an index in MOD_SOURCES; others than EXTERNALS are ignored."""
        if _WHEEL <= source < _WHEEL + len(EXTERNALS) and math.isfinite(value):
            low = 0.0 if source in _UNIPOLAR else -1.0
            self._sources[source] = min(max(value, low), 1.0)

    def read_routes(self, frame: ControlFrame) -> None:
        """Take over the matrix of `frame`; costs nothing while it stays the same."""
        arrays = (
            frame.route_source, frame.route_target, frame.route_amount,
            frame.route_offset, frame.route_curve, frame.route_slew_s,
        )  # fmt: skip
        key = tuple(a.tobytes() for a in arrays)
        if key == self._key:
            return
        self._key = key
        self._routes = [
            route for slot in range(ROUTES) if (route := self._route(slot, *(a[slot].item() for a in arrays)))
        ]
        self._moved = tuple(sorted({route[5] for route in self._routes}))

    def _route(
        self, slot: int, source: int, target: int, amount: float, offset: float, curve: int, slew_s: float
    ) -> tuple | None:
        """(slot, source, offset, curve, share of the slew, target, amount); None if the slot does nothing."""
        is_param = 0 <= target < len(PARAMS)
        is_control = CONTROL_TARGET <= target < CONTROL_TARGET + MAX_CONTROLS
        if not (0 < source < len(MOD_SOURCES) and 0 <= curve < len(CURVES) and (is_param or is_control)):
            return None
        if not all(math.isfinite(v) for v in (amount, offset, slew_s)) or amount == 0.0:
            return None
        share = 1.0 - math.exp(-self._frame_s / slew_s) if slew_s > 0.0 else 1.0
        amount, offset = min(max(amount, -1.0), 1.0), min(max(offset, -1.0), 1.0)
        return slot, source, offset, CURVES[curve], share, target, amount

    @property
    def active(self) -> bool:
        """Whether any slot of the matrix does something."""
        return bool(self._routes)

    def step(self, values: Sequence[float], input_power: float = 0.0) -> None:
        """Advance what all voices share by a frame.

        values: PARAMS in their units: the newest voice's, as modulated in the last frame.
        input_power: mean square of this frame of live input.
        """
        beat = self.clock.step(values[_TEMPO])
        sources = self._sources
        at = _LFO1_SHAPE
        for n, lfo in enumerate(self.lfos):
            shape, rate, division, phase = values[at : at + _LFO_PARAMS]
            sources[_LFO1 + n] = lfo.step(int(shape), rate, int(division), phase, beat)
            at += _LFO_PARAMS
        at = _RAND1_RATE
        for n, value in enumerate(self.randoms):
            rate, division, smooth = values[at : at + _RAND_PARAMS]
            sources[_RAND1 + n] = value.step(rate, int(division), smooth, beat)
            at += _RAND_PARAMS
        attack, release, gain = values[_FOLLOWER_ATTACK : _FOLLOWER_ATTACK + 3]
        sources[_FOLLOWER] = self.follower.step(input_power, attack, release, gain)

    def apply(self, voice: VoiceModulation, values: Sequence[float]) -> None:
        """Fill `voice.sources`, `voice.values` (PARAMS after the matrix) and `voice.travels` (controls).

        values: PARAMS as the frame has them, in their units, within their ranges.
        """
        own, common = voice.sources, self._sources
        own[: _LFO1 + LFOS] = common[: _LFO1 + LFOS]
        own[_RAND1 : _FOLLOWER + 1] = common[_RAND1 : _FOLLOWER + 1]
        own[_WHEEL:] = common[_WHEEL:]
        result = voice.values
        result[:] = values
        if self._routes or any(voice.travels):
            self._add(voice, own, result)
        voice.fresh = False

    def _add(self, voice: VoiceModulation, sources: list[float], result: list[float]) -> None:
        sums = dict.fromkeys(self._moved, 0.0)
        slews, fresh = voice.slews, voice.fresh
        for slot, source, offset, curve, share, target, amount in self._routes:
            value = curve(sources[source] + offset)
            if share < 1.0 and not fresh:
                value = slews[slot] + share * (value - slews[slot])
            slews[slot] = value
            sums[target] += amount * value
        travels = voice.travels
        travels[:] = [0.0] * MAX_CONTROLS
        for target, travel in sums.items():
            if target >= CONTROL_TARGET:
                travels[target - CONTROL_TARGET] = travel
            elif travel != 0.0:
                result[target] = MOVERS[target](result[target], travel)

    def state(self) -> State:
        """Everything modulation depends on besides the frame."""
        return {"sources": np.array(self._sources), **gather(self._parts())}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self._sources[:] = state["sources"].tolist()
        scatter(self._parts(), state)

    def _parts(self) -> dict[str, Any]:
        lfos = {f"lfo{n + 1}": lfo for n, lfo in enumerate(self.lfos)}
        randoms = {f"rand{n + 1}": value for n, value in enumerate(self.randoms)}
        return {"clock": self.clock, "follower": self.follower, **lfos, **randoms}
