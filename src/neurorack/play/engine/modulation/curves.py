"""Curves between a modulation source and its target: odd functions, so that both signs are alike."""

import math
from collections.abc import Callable

from neurorack.play.engine.params import ROUTE_CURVES

STEPS_PER_UNIT = 12
"""A route of amount 1 to pitch moves in semitones with the curve "steps"."""


def _linear(x: float) -> float:
    return x


def _square(x: float) -> float:
    return x * abs(x)


def _root(x: float) -> float:
    return math.copysign(math.sqrt(abs(x)), x)


def _s(x: float) -> float:
    x = min(max(x, -1.0), 1.0)
    return 1.5 * x - 0.5 * x * x * x


def _steps(x: float) -> float:
    return math.floor(x * STEPS_PER_UNIT + 0.5) / STEPS_PER_UNIT


CURVES: tuple[Callable[[float], float], ...] = (_linear, _square, _root, _s, _steps)
"""In the order of ROUTE_CURVES; each takes -1..1 to -1..1, 0 to 0 and ±1 to ±1."""
assert len(CURVES) == len(ROUTE_CURVES)
