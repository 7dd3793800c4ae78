"""Physical descriptor value <-> control in [-1, 1] through the training split's distribution.

control = 2 F(value) - 1, where F is the cumulative distribution of the descriptor over the sounding frames
of the training split, stored as a table of quantiles. Equal steps of a control are then equally common in
the corpus. Outside the table the map continues linearly with the mean slope of the outer 5 %, up to ±1.25,
so that a hand may ask for a little more than the corpus holds.
"""

from dataclasses import dataclass

import numpy as np

OVERSHOOT = 1.25
"""Largest magnitude a normalised control may take."""


@dataclass(frozen=True)
class Normaliser:
    """Piecewise linear map through `knots` (physical, strictly increasing) at equal steps of [-1, 1]."""

    knots: tuple[float, ...]

    @classmethod
    def fit(cls, values: np.ndarray, log: bool = False, count: int = 65) -> "Normaliser":
        """Fit to observed `values` (any shape, non-finite ignored). `log` spreads ties on a log axis."""
        values = np.asarray(values, dtype=np.float64).ravel()
        values = values[np.isfinite(values)]
        if values.size == 0:
            values = np.array([0.0, 1.0])
        knots = np.quantile(values, np.linspace(0.002, 0.998, count))
        # Plateaus (many equal values) would make the map non-invertible: nudge them into a slight slope.
        span = max(knots[-1] - knots[0], 1e-6 * max(abs(knots[-1]), 1.0))
        knots = knots + np.linspace(0.0, 1e-4, count) * span
        return cls(tuple(float(k) for k in knots))

    def _table(self) -> tuple[np.ndarray, np.ndarray]:
        """Knots and control values, extended at both ends to ±OVERSHOOT."""
        knots = np.asarray(self.knots)
        grid = np.linspace(-1.0, 1.0, len(knots))
        edge = max(1, len(knots) // 20)
        low = (knots[edge] - knots[0]) / (grid[edge] - grid[0])
        high = (knots[-1] - knots[-1 - edge]) / (grid[-1] - grid[-1 - edge])
        extra = OVERSHOOT - 1.0
        return (
            np.concatenate([[knots[0] - extra * low], knots, [knots[-1] + extra * high]]),
            np.concatenate([[-OVERSHOOT], grid, [OVERSHOOT]]),
        )

    def to_control(self, physical: np.ndarray) -> np.ndarray:
        """Physical values -> controls in [-1.25, 1.25], float32, any shape."""
        knots, grid = self._table()
        return np.interp(physical, knots, grid).astype(np.float32)

    def to_physical(self, control: np.ndarray) -> np.ndarray:
        """Controls -> physical values, float32, any shape. Inverse of `to_control` within ±1.25."""
        knots, grid = self._table()
        return np.interp(control, grid, knots).astype(np.float32)
