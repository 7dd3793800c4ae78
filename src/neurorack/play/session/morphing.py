"""Between two patches: knobs along their travel, pitch in octaves, switches halfway."""

import math
from dataclasses import dataclass, replace

import numpy as np

from neurorack.core.manifest import Manifest
from neurorack.play.control import messages as m
from neurorack.play.engine.params import PARAM_BY_NAME
from neurorack.play.session.patch import Patch


def between(a: Patch, b: Patch, position: float, manifest: Manifest) -> Patch:
    """The patch at `position` 0..1 from `a` to `b`; exactly a at 0 and exactly b at 1.

    Numbers move in knob travel, held controls in normalised units (pitch in octaves), routes by their
    amount; what cannot be in between changes at 0.5.
    """
    if position <= 0.0 or a == b:
        return a
    if position >= 1.0:
        return b
    near = a if position < 0.5 else b
    return replace(
        near,
        asked=_asked(a, b, near, position, manifest),
        offset=_filled(a.offset, b.offset, 0.0, position),
        scale=_filled(a.scale, b.scale, 1.0, position),
        numbers={name: _number(name, x, b.numbers[name], position) for name, x in a.numbers.items()},
        routes=_routes(a.routes, b.routes, position),
        path=_path(a.path, b.path, near.path, position),
    )


def _mix(x: float, y: float, position: float) -> float:
    return x + (y - x) * position


def _number(name: str, x: float, y: float, position: float) -> float:
    if x == y:
        return x
    spec = PARAM_BY_NAME[name]
    if spec.stepped:
        return x if position < 0.5 else y
    return spec.from_travel(_mix(spec.to_travel(x), spec.to_travel(y), position))


def _asked(a: Patch, b: Patch, near: Patch, position: float, manifest: Manifest) -> dict[str, float]:
    """A control held in both moves; one held in only one of them is held for that half."""
    asked = dict(near.asked)
    for name in a.asked.keys() & b.asked.keys():
        x, y = a.asked[name], b.asked[name]
        asked[name] = _mix(x, y, position)
        if name == "pitch" and manifest.pitched:
            normaliser = manifest.controls[manifest.control_index("pitch")].normaliser
            hz = normaliser.to_physical(np.array([x, y]))
            if hz.min() > 0:
                middle_hz = math.exp(_mix(math.log(hz[0]), math.log(hz[1]), position))
                asked[name] = float(normaliser.to_control(np.array(middle_hz)))
    return asked


def _filled(a: dict[str, float], b: dict[str, float], neutral: float, position: float) -> dict[str, float]:
    return {n: _mix(a.get(n, neutral), b.get(n, neutral), position) for n in a.keys() | b.keys()}


def _routes(a: dict[int, m.Route], b: dict[int, m.Route], position: float) -> dict[int, m.Route]:
    """A route that both have in a slot moves; others fade out in the first half or in from the second."""
    routes = {}
    for slot in a.keys() | b.keys():
        x, y = a.get(slot), b.get(slot)
        if x and y and (x.source, x.target, x.curve) == (y.source, y.target, y.curve):
            routes[slot] = replace(
                x,
                amount=_mix(x.amount, y.amount, position),
                offset=_mix(x.offset, y.offset, position),
                slew_s=_mix(x.slew_s, y.slew_s, position),
            )
        elif x and position < 0.5:
            routes[slot] = replace(x, amount=x.amount * (1.0 - 2.0 * position))
        elif y and position >= 0.5:
            routes[slot] = replace(y, amount=y.amount * (2.0 * position - 1.0))
    return routes


def _path(a: tuple[float, ...], b: tuple[float, ...], near: tuple[float, ...], position: float) -> tuple:
    if len(a) != len(b):
        return near
    return tuple(_mix(x, y, position) for x, y in zip(a, b, strict=True))


@dataclass
class Glide:
    """A way from one patch to another over `seconds`, begun at `began_s` (of a clock that only rises)."""

    start: Patch
    target: Patch
    seconds: float
    began_s: float
    manifest: Manifest

    def at(self, now_s: float) -> Patch:
        """Where it is now."""
        return between(self.start, self.target, (now_s - self.began_s) / self.seconds, self.manifest)

    def ended(self, now_s: float) -> bool:
        """Whether the target is reached."""
        return now_s - self.began_s >= self.seconds

    def touch(self, message: m.Message) -> None:
        """A hand set something on the way: it stays as the hand set it, the rest goes on."""
        self.start, self.target = self.start.with_message(message), self.target.with_message(message)
