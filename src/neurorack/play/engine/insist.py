"""Insist: what the other controls do when one is moved.

The controls of the corpus are modelled as a Gaussian copula: each control c in [-1, 1] is a uniform quantile,
x = Phi^-1((1 + c) / 2) its normal score, and x ~ N(0, R) with the manifest's `coupling` R. When the
controls M move by dx_M, the others O are expected to move by

    dx_O = R_OM R_MM^-1 dx_M                      (conditional mean of a Gaussian),

and `insist` keeps them from it: (1 - insist) of that movement is applied. How far a control can go at all:
support.py.
"""

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np

from neurorack.core.normaliser import OVERSHOOT

_EDGE = 3.0
"""Normal score where the exact map ends; beyond, linear to SCORE_LIMIT at control ±1.25."""
SCORE_LIMIT = 4.0
RIDGE = 0.02
"""Added to the diagonal of R (then renormalised): keeps near-copies (two descriptors alike) invertible."""

SCORES = np.concatenate([[-SCORE_LIMIT], np.linspace(-_EDGE, _EDGE, 601), [SCORE_LIMIT]])
SCORE_CONTROLS = np.concatenate(
    [[-OVERSHOOT], [2.0 * NormalDist().cdf(x) - 1.0 for x in np.linspace(-_EDGE, _EDGE, 601)], [OVERSHOOT]]
)


def to_score(control: np.ndarray) -> np.ndarray:
    """Control in [-1.25, 1.25] -> normal score in [-4, 4]."""
    return np.interp(control, SCORE_CONTROLS, SCORES)


def to_control(score: np.ndarray) -> np.ndarray:
    """Normal score -> control; inverse of `to_score`."""
    return np.interp(score, SCORES, SCORE_CONTROLS)


class Coupling:
    """The copula of one instrument: `correlation` [C, C] (symmetrised, ridged)."""

    def __init__(self, correlation: Sequence[Sequence[float]] | np.ndarray) -> None:
        r = np.asarray(correlation, np.float64)
        r = 0.5 * (r + r.T)
        # Clip eigenvalues: a correlation matrix from pairwise estimates need not be positive definite.
        values, vectors = np.linalg.eigh(r)
        r = (vectors * np.maximum(values, RIDGE)) @ vectors.T + RIDGE * np.eye(len(r))
        scale = 1.0 / np.sqrt(np.diag(r))
        self.correlation = r * scale[:, None] * scale[None, :]
        self._weights: dict[tuple[int, ...], np.ndarray] = {}

    @property
    def size(self) -> int:
        """C."""
        return len(self.correlation)

    def weights(self, moved: tuple[int, ...]) -> np.ndarray:
        """Matrix [C, len(moved)]: expected score change of every control per score change of the moved
        ones.
        """
        found = self._weights.get(moved)
        if found is None:
            rows = list(moved)
            r = self.correlation
            found = np.linalg.solve(r[np.ix_(rows, rows)], r[rows]).T
            found[rows] = np.eye(len(rows))
            self._weights[moved] = found
        return found

    def move_others(
        self, controls: np.ndarray, moved: Sequence[int], delta: np.ndarray, insist: float
    ) -> np.ndarray:
        """Controls after the hand moved some of them.

        controls: [C] or [C, T], normalised, before the move; moved: M distinct rows; delta: [M] or [M, T],
        the change of the moved rows in control units; insist: 0 (the others follow as in the corpus) .. 1
        (hold still). Returns a new array of the shape of `controls`; moved rows are controls + delta,
        within ±1.25.
        """
        controls = np.asarray(controls, np.float64)
        rows = list(moved)
        result = controls.copy()
        if not rows:
            return result.astype(np.float32)
        target = np.clip(controls[rows] + delta, -OVERSHOOT, OVERSHOOT)
        if insist < 1.0:
            change = to_score(target) - to_score(controls[rows])
            follow = (1.0 - max(insist, 0.0)) * (self.weights(tuple(rows)) @ change)
            result = to_control(to_score(controls) + follow)
        result[rows] = target
        return result.astype(np.float32)
