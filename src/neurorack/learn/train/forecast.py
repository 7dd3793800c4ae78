"""When a run becomes playable: the validation curve so far, continued to the end of the budget.

Playable means that the validation distance (multi-scale STFT of the averaged weights on recordings held out)
is within 20 % of where it is forecast to end, and below 1.4, which is twice what Winds and Skins end
at. Curves that fall towards a floor, powers and exponentials of the share of the budget, are fitted to the
distances, each with and without the gain (20 % at most) that the learning rate's fall brings late. Those that
fit about as well as the best say, each for itself, where the curve ends and when it comes within 20 % of it:
the forecast is their whole range, not a guess in its middle. Distances from the warm-up are left out: while
the learning rate rises, the curve bends the other way.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import nnls

WITHIN = 1.20
"""Playable is a distance of at most this times the one that training is forecast to end at."""

PLAYABLE_DISTANCE = 1.4
"""And at most this."""

SETTLING = (0.0, 0.1, 0.2)
"""What the fall of the learning rate may bring by the end, as a share of the final distance."""

LEAST_LOOKS = 4
"""Evaluations before anything is forecast: three numbers fit three numbers."""

NOISE = 0.01
"""Share of the distance by which one evaluation may be off: no fit is better than that."""

PLAUSIBLE = 1.6
"""A curve is believed whose error is at most this times the best one's."""


@dataclass(frozen=True)
class Forecast:
    """`earliest` and `latest`: share of the budget from which the run is playable; None: not within it.
    `final`: (lowest, highest) distance that it is forecast to end at.
    """

    earliest: float | None
    latest: float | None
    final: tuple[float, float]

    def shares(self) -> dict[str, float | None]:
        """The same as names and numbers, for what a run logs."""
        low, high = self.final
        return {"earliest": self.earliest, "latest": self.latest, "final_low": low, "final_high": high}


def _shapes() -> list[Callable[[np.ndarray], np.ndarray]]:
    powers = [lambda x, p=p, x0=x0: (x + x0) ** -p for p in (0.25, 0.5, 1.0) for x0 in (0.003, 0.01, 0.03)]
    exponentials = [lambda x, t=t: np.exp(-x / t) for t in (0.02, 0.05, 0.1, 0.2, 0.4, 0.8)]
    return powers + exponentials


def forecast(shares: Sequence[float], distances: Sequence[float], end: float = 1.0) -> Forecast | None:
    """Continue validation `distances`, measured at `shares` of the budget, to its share `end`.

    None while there are too few. `end` is where the spectral stages end: judges that join there change what
    the distance means, so later points are left out.
    """
    x, d = np.asarray(shares, float), np.asarray(distances, float)
    keep = np.isfinite(d) & (x <= end)
    x, d = x[keep], d[keep]
    if len(x) < LEAST_LOOKS:
        return None
    grid = np.linspace(0.0, end, 1001)
    fits = [_fit(shape, settling, x, d, grid) for shape in _shapes() for settling in SETTLING]
    noise = NOISE * float(np.median(d))
    best = max(min(error for error, _ in fits), noise)
    believed = [curve for error, curve in fits if error <= PLAUSIBLE * best]
    moments = [_playable_from(curve, grid) for curve in believed]
    ends = [float(curve[-1]) for curve in believed]
    known = [m for m in moments if m is not None]
    return Forecast(
        min(known, default=None),
        max(known) if len(known) == len(moments) else None,
        (min(ends), max(ends)),
    )


def _fit(
    shape: Callable[[np.ndarray], np.ndarray], settling: float, x: np.ndarray, d: np.ndarray, grid: np.ndarray
) -> tuple[float, np.ndarray]:
    """Least squares of floor * settling curve + fall * shape, both at least 0: (root mean square error, curve
    on the grid). Later points weigh more: what is asked is where the curve goes.
    """
    weight = np.sqrt(0.3 + x / x.max())
    columns = np.stack([_settling(x, settling), shape(x)], 1)
    floor_and_fall, _ = nnls(columns * weight[:, None], d * weight)
    error = np.sqrt(np.average((columns @ floor_and_fall - d) ** 2, weights=weight**2))
    return float(error), np.stack([_settling(grid, settling), shape(grid)], 1) @ floor_and_fall


def _settling(x: np.ndarray, share: float) -> np.ndarray:
    """1 at the end of the budget, more by `share` at its beginning, as the learning rate is."""
    return 1 + share * 0.5 * (1 + np.cos(np.pi * x))


def _playable_from(curve: np.ndarray, grid: np.ndarray) -> float | None:
    """First share at which a falling curve is within 20 % of its end, and near enough to the recordings."""
    good = curve <= min(WITHIN * curve[-1], PLAYABLE_DISTANCE)
    return float(grid[int(np.argmax(good))]) if good.any() else None


def words_before(distance: float | None, known_in_s: float | None) -> str:
    """What can be said before there is a forecast. `distance`: the latest; None: not evaluated yet.
    `known_in_s`: seconds until there is one; None: this training is too short for one.
    """
    when = "too short a training for a forecast"
    if known_in_s is not None:
        when = f"forecast in about {_minutes(known_in_s)} min"
    if distance is None:
        return when
    known = "not playable yet" if distance > PLAYABLE_DISTANCE else "perhaps playable already"
    return f"{known}, {when}"


def in_words(found: Forecast, until_s: Callable[[float], float]) -> str:
    """The forecast as a person is told it. `until_s`: share of the budget -> seconds from now."""
    if found.earliest is None:
        return (
            f"forecast to end at a distance of {found.final[0]:.2f}, and playable is below "
            f"{PLAYABLE_DISTANCE}: it needs more minutes"
        )
    first = until_s(found.earliest)
    if found.latest is None:
        return f"playable in {_minutes(first)} min at the earliest, perhaps not in this time"
    last = until_s(found.latest)
    if last < 1:
        return "playable"
    early, late = _minutes(first), _minutes(last)
    if first < 1:
        return f"playable now, or in {late} min"
    return f"playable in about {late} min" if early == late else f"playable in {early} to {late} min"


def _minutes(seconds: float) -> str:
    """As exact as a forecast may be: whole minutes below ten, then by fives."""
    if not np.isfinite(seconds):
        return "…"
    return str(max(1, round(seconds / 60) if seconds < 600 else 5 * round(seconds / 300)))
