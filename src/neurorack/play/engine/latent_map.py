"""LatentMap: a picture of the instrument's tones in a unit square, and the way back from it to sound.

Anchors that sound alike stand near each other: principal components to begin with, then a few rounds of
t-SNE (van der Maaten and Hinton 2008), then the square is filled evenly. Always the same picture for the
same anchors.
"""

import numpy as np

from neurorack.play.engine.sources.anchors import Anchors

NEAREST = 6
"""Anchors that a place on the map blends."""
NEAREST_ROWS = 4
"""Anchors that place a row on the map."""
MARGIN = 0.04
"""The outermost anchors stand this far inside the square."""
PERPLEXITY = 10.0
ROUNDS, ROUNDS_OF_MANY = 150, 80
MANY = 256
"""Beyond so many anchors, fewer rounds: a map must not keep a performer waiting."""
CHUNK = 512


class LatentMap:
    """Places of an instrument's anchors in the unit square. Immutable."""

    def __init__(self, anchors: Anchors) -> None:
        self._rows = anchors.rows
        self._scale = anchors.scale
        self._scaled = anchors.rows / anchors.scale
        self.points = _layout(self._scaled.astype(np.float64)).astype(np.float32)
        """[N, 2]: where the anchors stand, 0..1."""
        self._x, self._y = np.ascontiguousarray(self.points.T)
        self._count = min(NEAREST, len(anchors))
        self._distance = np.zeros(len(anchors), np.float32)
        self._other = np.zeros(len(anchors), np.float32)

    def row_at(self, x: float, y: float, out: np.ndarray | None = None) -> np.ndarray:
        """The row [Z + C] at a place: an anchor's own where one stands, its neighbours' blend between.

        It changes without a step wherever the place moves (Shepard's weights, which reach zero where a
        neighbour stops being one).
        """
        out = np.empty(self._rows.shape[1], np.float32) if out is None else out
        near, weights = self._near(x, y)
        return np.matmul(weights, self._rows[near], out=out)

    def nearest(self, x: float, y: float) -> int:
        """Index of the anchor nearest to a place."""
        return int(self._distances(x, y).argmin())

    def _distances(self, x: float, y: float) -> np.ndarray:
        distance, other = self._distance, self._other
        np.subtract(self._x, np.float32(x), out=distance)
        np.multiply(distance, distance, out=distance)
        np.subtract(self._y, np.float32(y), out=other)
        np.multiply(other, other, out=other)
        distance += other
        return np.sqrt(distance, out=distance)

    def _near(self, x: float, y: float) -> tuple[np.ndarray, np.ndarray]:
        distance = self._distances(x, y)
        if self._count == len(distance):
            near = np.arange(len(distance))
            reach = 2.0
        else:
            order = np.argpartition(distance, self._count)
            near, reach = order[: self._count], float(distance[order[self._count]])
        return near, _shepard(distance[near], reach)

    def place_of(self, rows: np.ndarray) -> np.ndarray:
        """Where latent rows [n, Z + C] lie on the map: float32 [n, 2]; an anchor's row lies on the anchor."""
        rows = np.atleast_2d(np.asarray(rows, np.float32)) / self._scale
        places = np.empty((len(rows), 2), np.float32)
        count = min(NEAREST_ROWS, len(self._rows) - 1)
        if count < 1:
            places[:] = self.points[0]
            return places
        for start in range(0, len(rows), CHUNK):
            some = rows[start : start + CHUNK]
            distance = np.sqrt(np.square(some[:, None] - self._scaled[None]).sum(axis=-1))
            order = np.argpartition(distance, count, axis=1)[:, : count + 1]
            near = np.take_along_axis(distance, order, axis=1)
            reach = near.max(axis=1, keepdims=True)
            weight = np.square(np.maximum(reach - near, 0.0) / np.maximum(reach * near, 1e-6))
            weight += 1e-9
            weight /= weight.sum(axis=1, keepdims=True)
            places[start : start + CHUNK] = np.einsum("nk,nkd->nd", weight, self.points[order])
        return places

    def trace(self, rows: np.ndarray, points: int = 16) -> np.ndarray:
        """Where a sound's rows [n, Z + C] lead on the map: float32 [k, 2], k <= points, each the place of the
        mean row of its stretch (single frames scatter widely).
        """
        parts = np.array_split(rows, min(points, len(rows)))
        return self.place_of(np.stack([part.mean(axis=0) for part in parts]))


def _shepard(distance: np.ndarray, reach: float) -> np.ndarray:
    """Weights of neighbours at `distance` that vanish at `reach`; they sum to one."""
    closest = float(distance.min())
    if closest < 1e-6:
        weights = (distance == closest).astype(np.float32)
    else:
        # Relative to the closest: no overflow however near it is.
        weights = np.square(closest * (1.0 / distance - 1.0 / reach).clip(0.0))
        if not weights.any():
            weights = np.ones_like(distance)
    return weights / weights.sum()


def _layout(scaled: np.ndarray) -> np.ndarray:
    """[N, D] -> [N, 2] in the unit square."""
    count = len(scaled)
    if count == 1:
        return np.full((1, 2), 0.5)
    centred = scaled - scaled.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] if len(axes) > 1 else np.vstack([axes[:1], np.zeros_like(axes[:1])])
    # The sign of an axis is arbitrary: its largest entry is made positive.
    signs = np.sign(axes[np.arange(2), np.abs(axes).argmax(axis=1)])
    start = centred @ (axes * np.where(signs == 0, 1.0, signs)[:, None]).T
    if count > 3:
        start = _tsne(centred, start / (start[:, 0].std() + 1e-9))
    return _fill(start)


def _affinities(scaled: np.ndarray) -> np.ndarray:
    """t-SNE's symmetric neighbour probabilities, each row's width found by bisection."""
    power = np.square(scaled).sum(axis=1)
    square = np.maximum(power[:, None] + power[None] - 2.0 * scaled @ scaled.T, 0.0)
    np.fill_diagonal(square, np.inf)
    square -= square.min(axis=1, keepdims=True)
    np.fill_diagonal(square, 1e9)
    goal = np.log(min(PERPLEXITY, (len(scaled) - 1) / 2.0))
    low, high = np.full(len(scaled), 1e-4), np.full(len(scaled), 1e4)
    for _ in range(24):
        beta = np.sqrt(low * high)
        p = np.exp(-square * beta[:, None])
        total = p.sum(axis=1)
        entropy = np.log(total) + beta * (square * p).sum(axis=1) / total
        low, high = np.where(entropy > goal, beta, low), np.where(entropy > goal, high, beta)
    p /= total[:, None]
    return (p + p.T) / (2.0 * len(p))


def _tsne(scaled: np.ndarray, start: np.ndarray) -> np.ndarray:
    p = _affinities(scaled)
    y = 1e-2 * start
    velocity, gains = np.zeros_like(y), np.ones_like(y)
    rate = max(len(y) / 12.0, 10.0)
    rounds = ROUNDS if len(y) <= MANY else ROUNDS_OF_MANY
    for n in range(rounds):
        early = n < rounds // 4
        square = np.square(y).sum(axis=1)
        q = 1.0 / (1.0 + np.maximum(square[:, None] + square[None] - 2.0 * y @ y.T, 0.0))
        np.fill_diagonal(q, 0.0)
        force = ((6.0 if early else 1.0) * p - q / q.sum()) * q
        gradient = 4.0 * (force.sum(axis=1)[:, None] * y - force @ y)
        same = (gradient > 0.0) == (velocity > 0.0)
        gains = np.maximum(np.where(same, 0.8 * gains, gains + 0.2), 0.01)
        velocity = (0.5 if early else 0.8) * velocity - rate * gains * gradient
        y = y + velocity
        y -= y.mean(axis=0)
    return y


def _fill(places: np.ndarray) -> np.ndarray:
    """Spread places over the square: halfway to equal shares of each axis, then apart where they crowd."""
    count = len(places)
    span = np.ptp(places, axis=0)
    even = np.argsort(np.argsort(places, axis=0, kind="stable"), axis=0, kind="stable") / (count - 1)
    plain = (places - places.min(axis=0)) / np.where(span > 0, span, 1.0)
    at = 0.35 * plain + 0.65 * even
    room = 0.7 / np.sqrt(count)
    for _ in range(30 if count <= MANY else 8):
        away = at[:, None] - at[None]
        distance = np.sqrt(np.square(away).sum(axis=-1))
        np.fill_diagonal(distance, np.inf)
        # Points in one place part along a direction given by their number.
        angle = 2.4 * np.arange(count)
        own = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        direction = np.where(
            distance[..., None] > 1e-9, away / np.maximum(distance, 1e-9)[..., None], own[:, None]
        )
        push = 0.5 * np.maximum(room - distance, 0.0)
        at = np.clip(at + 0.6 * (direction * push[..., None]).sum(axis=1), 0.0, 1.0)
    return MARGIN + (1.0 - 2.0 * MARGIN) * at
