"""MapMotion: how the place on the map moves: a point, an orbit around it, or a closed path through points."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.params import MAP_ORBIT, MAP_PATH, MAP_POINT
from neurorack.play.engine.plain_state import State, attributes, set_attributes

SMOOTH_S = 0.02
"""Time constant with which the place follows the hand."""
SETTLE_S = 0.08
"""Time constant in which what is left of a jump (another motion, another path) fades."""
PIECES = 24
"""Straight pieces into which each stretch of a path is cut to measure its length."""
_STATE = ("_turn", "_x", "_y", "_radius", "_left_x", "_left_y", "_motion", "x", "y", "_fresh")


class MapMotion:
    """Places in the unit square, one a frame; they never jump."""

    def __init__(self, frame_s: float) -> None:
        self._frame_s = frame_s
        self._share = 1.0 - math.exp(-frame_s / SMOOTH_S)
        self._keep = math.exp(-frame_s / SETTLE_S)
        self._key = b""
        self._path: tuple[list[float], list[float]] = ([], [])
        self.restart()

    def restart(self) -> None:
        """The next place is where the hand is: no way there is left to go."""
        self._turn = 0.0
        self._x = self._y = 0.5
        self._radius = self._left_x = self._left_y = 0.0
        self._motion = MAP_POINT
        self.x = self.y = 0.5
        """The present place, 0..1."""
        self._fresh = True

    def step(
        self,
        motion: int,
        x: float,
        y: float,
        radius: float,
        rate_hz: float,
        path: np.ndarray | None = None,
        points: int = 0,
    ) -> tuple[float, float]:
        """The next place (x, y).

        motion: one of MAP_MOTIONS. x, y: the point, or the centre of the orbit. rate_hz: rounds a second.
        path: x0 y0 x1 y1 …, of which `points` count; below two points a path is the point.
        """
        share = 1.0 if self._fresh else self._share
        self._x += share * (x - self._x)
        self._y += share * (y - self._y)
        self._radius += share * (radius - self._radius)
        self._turn = (self._turn + rate_hz * self._frame_s) % 1.0
        jumped = motion != self._motion
        self._motion = motion
        if motion == MAP_PATH and path is not None and points > 1:
            jumped = self._lay(path[: 2 * points]) or jumped
            new_x, new_y = self._on_path()
        elif motion == MAP_ORBIT:
            angle = 2.0 * math.pi * self._turn
            new_x, new_y = self._x + self._radius * math.cos(angle), self._y + self._radius * math.sin(angle)
        else:
            # A path that lost its points ends in a jump, too.
            jumped = jumped or bool(self._key)
            self._key = b""
            new_x, new_y = self._x, self._y
        if self._fresh:
            self._left_x = self._left_y = 0.0
            self._fresh = False
        elif jumped:
            self._left_x, self._left_y = self.x - new_x, self.y - new_y
        self._left_x *= self._keep
        self._left_y *= self._keep
        self.x = min(max(new_x + self._left_x, 0.0), 1.0)
        self.y = min(max(new_y + self._left_y, 0.0), 1.0)
        return self.x, self.y

    def _lay(self, path: np.ndarray) -> bool:
        """Measure the path, if it is another than before; whether it is."""
        key = path.tobytes()
        if key == self._key:
            return False
        self._key = key
        xs, ys = closed_path(np.asarray(path, np.float64).reshape(-1, 2)).T
        self._path = (xs.tolist(), ys.tolist())
        return True

    def _on_path(self) -> tuple[float, float]:
        xs, ys = self._path
        at = self._turn * (len(xs) - 1)
        low = min(int(at), len(xs) - 2)
        t = at - low
        return xs[low] + t * (xs[low + 1] - xs[low]), ys[low] + t * (ys[low + 1] - ys[low])

    def state(self) -> State:
        """Everything the motion's future depends on besides the path itself."""
        path = np.array(self._path).reshape(2, -1)
        return {**attributes(self, _STATE), "key": np.frombuffer(self._key, np.uint8).copy(), "path": path}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
        self._key = np.asarray(state["key"], np.uint8).tobytes()
        self._path = (state["path"][0].tolist(), state["path"][1].tolist())


def closed_path(points: np.ndarray) -> np.ndarray:
    """A smooth closed curve through points [n, 2], as places at equal distances along it.

    float64 [m + 1, 2], the last the same as the first (Catmull-Rom).
    """
    n = len(points)
    t = np.arange(PIECES)[:, None, None] / PIECES
    p0, p1, p2, p3 = (np.roll(points, -k, axis=0) for k in (-1, 0, 1, 2))
    curve = 0.5 * (
        2.0 * p1
        + t * (p2 - p0)
        + t**2 * (2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3)
        + t**3 * (3.0 * (p1 - p2) + p3 - p0)
    )
    curve = np.clip(curve.transpose(1, 0, 2).reshape(n * PIECES, 2), 0.0, 1.0)
    curve = np.concatenate([curve, curve[:1]])
    along = np.concatenate([[0.0], np.cumsum(np.sqrt(np.square(np.diff(curve, axis=0)).sum(axis=1)))])
    even = np.linspace(0.0, along[-1], n * PIECES + 1)
    return np.stack([np.interp(even, along, curve[:, k]) for k in (0, 1)], axis=1)
