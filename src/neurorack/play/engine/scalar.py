"""Piecewise linear maps for single numbers.

One number costs a quarter of a microsecond here; np.interp takes twenty times that, and a voice asks some
forty times a frame.
"""

from bisect import bisect_right
from collections.abc import Callable

import numpy as np

from neurorack.play.engine.insist import SCORE_CONTROLS, SCORES
from neurorack.play.engine.mapping import ControlMap

Map = Callable[[float], float]


def piecewise_linear(x: np.ndarray, y: np.ndarray) -> Map:
    """The same as `lambda v: np.interp(v, x, y)` for one finite v; x increases strictly."""
    xs, ys = [float(v) for v in x], [float(v) for v in y]
    slopes = [(ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i]) for i in range(len(xs) - 1)]
    first, last, low, high = xs[0], xs[-1], ys[0], ys[-1]

    def value(v: float) -> float:
        if v <= first:
            return low
        if v >= last:
            return high
        i = bisect_right(xs, v) - 1
        return ys[i] + slopes[i] * (v - xs[i])

    return value


to_score = piecewise_linear(SCORE_CONTROLS, SCORES)
"""Control -> normal score (see insist.py)."""
from_score = piecewise_linear(SCORES, SCORE_CONTROLS)
"""Normal score -> control."""


class ScalarMap:
    """to_control[row](physical) and to_physical[row](control) of every control of an instrument."""

    def __init__(self, controls: ControlMap) -> None:
        self.to_control: list[Map] = []
        self.to_physical: list[Map] = []
        for knots, grid in controls.tables:
            self.to_control.append(piecewise_linear(knots, grid))
            self.to_physical.append(piecewise_linear(grid, knots))
