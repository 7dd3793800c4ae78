"""Support: which requests the corpus has sounds for, and so how far each control can go from here.

A request c is feasible if some training frame lies within the instrument's radius of it: the rule by which
`neurorack measure` tells feasible requests from others, and training weighs them. The panel shades its slice:
with the others where they are, control i reaches

    [min_k (p_ki - w_k), max_k (p_ki + w_k)],    w_k = sqrt(r^2 - sum_{j != i} (p_kj - c_j)^2),

over the training frames p_k whose other controls lie within r. Where none does: what the nearest one has.
"""

import math

import numpy as np

LEAST_REACH = 0.02
"""Narrowest range given, in control units."""


class Support:
    """Training frames of one instrument: `points` [K, C], normalised; `radius`."""

    def __init__(self, points: np.ndarray, radius: float) -> None:
        self._columns = np.ascontiguousarray(points.T, np.float32)
        self._radius_squared = np.float32(radius**2)
        self._squared = np.empty_like(self._columns)
        self._others = np.empty(self._columns.shape[1], np.float32)

    def feasible(self, controls: np.ndarray) -> np.ndarray:
        """Whether the corpus has sounds for requests [N, C]: bool [N]."""
        return np.array(
            [
                np.square(self._columns - row[:, None]).sum(axis=0).min() <= self._radius_squared
                for row in np.asarray(controls, np.float32)
            ]
        )

    def nearer(
        self, controls: np.ndarray, free: np.ndarray, apart: int = -1, share: float = 1.0
    ) -> np.ndarray:
        """Controls [C] whose `free` ones [C] have gone straight towards those of the nearest training frame
        until it lies within `share` of the radius, or as far as they can; all as they are where one does. A
        new array. Row `apart` (-1: none) does not count for the distance.
        """
        radius_squared = self._radius_squared * share**2
        here = np.array(controls, np.float32)
        squares = np.square(self._columns - here[:, None])
        if apart >= 0:
            squares[apart] = 0.0
        whole = squares.sum(axis=0)
        nearest = int(whole.argmin())
        if whole[nearest] <= radius_squared:
            return here
        movable = float(squares[free, nearest].sum())
        fixed = float(whole[nearest]) - movable
        stay = math.sqrt(max(float(radius_squared) - fixed, 0.0) / max(movable, 1e-12))
        goal = self._columns[:, nearest]
        return np.where(free, goal + min(stay, 1.0) * (here - goal), here)

    def reachable(self, controls: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """(low, high), each [C]: how far every control can go while the others stand at `controls` [C]."""
        low, high = np.empty(len(controls), np.float32), np.empty(len(controls), np.float32)
        np.subtract(self._columns, np.asarray(controls, np.float32)[:, None], out=self._squared)
        np.square(self._squared, out=self._squared)
        whole = self._squared.sum(axis=0)
        for row, own in enumerate(self._columns):
            np.subtract(whole, self._squared[row], out=self._others)
            near = np.flatnonzero(self._others <= self._radius_squared)
            if not len(near):
                near = np.argmin(self._others, keepdims=True)
            width = np.sqrt(np.maximum(self._radius_squared - self._others[near], 0.0))
            low[row], high[row] = (own[near] - width).min(), (own[near] + width).max()
        low = np.clip(low, -1.0, 1.0 - LEAST_REACH)
        return low, np.maximum(np.clip(high, -1.0, 1.0), low + LEAST_REACH)
