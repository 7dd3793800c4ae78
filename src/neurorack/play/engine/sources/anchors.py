"""Anchors, the typical frames of an instrument, and Wander, which holds one alive or walks among them."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from neurorack.play.engine.plain_state import (
    State,
    attributes,
    generator_state,
    reseed,
    restore_generator,
    set_attributes,
)

NEIGHBOURS = 6
LIFE_TIME_S = 0.6
"""Correlation time of the drift that keeps a held tone alive."""
LIFE_DEPTH = 0.35
"""Drift of z at life = 1, in units of the distance between neighbouring anchors."""
CONTROL_DRIFT = 0.15
"""Drift of the normalised controls at life = 1."""
WANDER_LIFE = 0.3
"""Life of the drift on a path, at full depth."""
HOME_S = 0.05
"""Time constant with which the centre of a path follows another home."""
_SHAPE = 0.5 * np.array([[0, 2, 0, 0], [-1, 0, 1, 0], [2, -5, 4, -1], [-1, 3, -3, 1]], np.float32)
"""Catmull-Rom: row k gives the coefficient of t^k from four points."""


class Anchors:
    """The typical frames of an instrument and who neighbours whom. Immutable, shared by voices."""

    def __init__(self, z: np.ndarray, controls: np.ndarray, still: Sequence[int] | None = None) -> None:
        """z: [N, Z]; controls: [N, C], normalised. still: rows of controls that a held tone's drift leaves
        alone (pitch, which would sound out of tune); None: it leaves all alone.
        """
        self.rows = np.concatenate([z, controls], axis=1).astype(np.float32)
        self.latent = z.shape[1]
        self.scale = (self.rows.std(axis=0) + 1e-6).astype(np.float32)
        """[Z + C]: standard deviation along each axis; rows over it are compared."""
        scaled = self.rows / self.scale
        power = np.square(scaled).sum(axis=1)
        distance = power[:, None] + power[None] - 2.0 * scaled @ scaled.T
        np.fill_diagonal(distance, -np.inf)
        order = np.argsort(distance, axis=1, kind="stable")
        self.neighbours = order[:, 1 : NEIGHBOURS + 1] if len(z) > 1 else np.zeros((len(z), 1), np.intp)
        step = np.abs(z[:, None] - z[self.neighbours]).mean(axis=1) if len(z) > 1 else np.full_like(z, 0.1)
        self.spread = step.astype(np.float32)
        """[N, Z]: mean distance to the neighbours along each latent axis."""
        moved = np.zeros(controls.shape, np.float32)
        if still is not None:
            moved[:] = CONTROL_DRIFT
            moved[:, list(still)] = 0.0
        self.drift = np.concatenate([LIFE_DEPTH * self.spread, moved], axis=1).astype(np.float32)
        """[N, Z + C]: standard deviation of a held tone's drift at life = 1."""

    def __len__(self) -> int:
        return len(self.rows)


class Wander:
    """A seeded random path: Catmull-Rom through a walk from neighbour to neighbour, plus slow drift (life).

    Drift is an Ornstein-Uhlenbeck process smoothed once more, so that it has no corners.
    """

    def __init__(self, anchors: Anchors, frame_rate_hz: float, seed: int = 0) -> None:
        self._anchors = anchors
        self._rate = frame_rate_hz
        keep = math.exp(-1.0 / (LIFE_TIME_S * frame_rate_hz))
        share, kick = 1.0 - keep, math.sqrt(1.0 - keep**2)
        # What one frame makes of (process, drift, noise): a new process, and a drift that follows it.
        self._advance = np.array([[keep, 0.0, kick], [share * keep, keep, share * kick]], np.float32)
        # Two equal poles in series halve the variance of one: bring it back.
        self._depth = math.sqrt(2.0)
        self._home_share = np.float32(1.0 - math.exp(-1.0 / (HOME_S * frame_rate_hz)))
        size = anchors.rows.shape[1]
        self._life = np.zeros((3, size), np.float32)
        self._process_and_drift, self._noise = self._life[:2], self._life[2]
        self._advanced = np.zeros((2, size), np.float32)
        self._added = np.zeros(size, np.float32)
        self._centre = np.zeros(size, np.float32)
        self._powers = np.ones(4, np.float32)
        # Polynomials of the stretch of path being walked: of the row, and of the drift's size.
        self._cubic = np.zeros((4, 2 * size), np.float32)
        self._here = np.zeros(2 * size, np.float32)
        self._walk = np.zeros(4, np.intp)
        self.row = np.zeros(size, np.float32)
        self._random = np.random.Generator(np.random.PCG64(0))
        self.restart(seed, 0)

    def restart(self, seed: int, home: int) -> None:
        """Another path from anchor `home`, its drift at rest."""
        reseed(self._random, seed)
        self._life.fill(0.0)
        self._start(home)
        np.copyto(self._centre, self._anchors.rows[home])

    def _start(self, home: int) -> None:
        """Stand at anchor `home`; the way from there is laid when it is first walked, for most are not."""
        self.home = home
        self._walk[:] = home
        self._phase = 0.0
        self._standing = True

    def _set_out(self) -> None:
        self._standing = False
        self._walk[3] = self._next(self.home, self.home)
        self._lay()

    def _next(self, at: int, before: int) -> int:
        choices = self._anchors.neighbours[at]
        pick = int(choices[self._random.integers(len(choices))])
        return pick if pick != before else int(choices[self._random.integers(len(choices))])

    def _lay(self) -> None:
        """The stretch of path between the two middle anchors of the walk."""
        size = len(self.row)
        self._cubic[:, :size] = _SHAPE @ self._anchors.rows[self._walk]
        before, after = self._anchors.drift[self._walk[1:3]]
        self._cubic[0, size:], self._cubic[1, size:] = before, after - before

    def nearest(self) -> int:
        """Index of the anchor the path is at or has just passed."""
        return int(self._walk[1] if self._phase < 0.5 else self._walk[2])

    def hold(self, home: int, life: float) -> np.ndarray:
        """The row of anchor `home`, alive by `life`: 0 gives the anchor itself."""
        if home != self.home:
            self._start(home)
        np.copyto(self._centre, self._anchors.rows[home])
        np.copyto(self.row, self._centre)
        if life > 0.0:
            self._add_drift(self._anchors.drift[home], life)
        return self.row

    def drift(self, row: np.ndarray, anchor: int, life: float) -> np.ndarray:
        """`row`, alive by `life` as anchor `anchor` would be."""
        if life <= 0.0:
            return row
        np.copyto(self.row, row)
        self._add_drift(self._anchors.drift[anchor], life)
        return self.row

    def wander(self, home: int, rate_hz: float, depth: float) -> np.ndarray:
        """The next row of the path; a new `home` is walked to, not jumped to."""
        if self._standing:
            self._set_out()
        self._phase += min(max(rate_hz, 0.0) / self._rate, 1.0)
        if self._phase >= 1.0:
            self._phase -= 1.0
            before, at = int(self._walk[2]), int(self._walk[3])
            self._walk[:3] = self._walk[1:]
            if home != self.home:
                self.home, self._walk[3] = home, home
            else:
                self._walk[3] = self._next(at, before)
            self._lay()
        t = self._phase
        self._powers[1:] = t, t * t, t * t * t
        centre, row, size = self._centre, self.row, len(self.row)
        np.matmul(self._powers, self._cubic, out=self._here)
        np.copyto(row, self._here[:size])
        if depth == 1.0:
            np.copyto(centre, self._anchors.rows[home])
        else:
            centre += self._home_share * (self._anchors.rows[home] - centre)
            row -= centre
            row *= np.float32(depth)
            row += centre
        if depth > 0.0:
            self._add_drift(self._here[size:], WANDER_LIFE * depth)
        return row

    def _add_drift(self, spread: np.ndarray, life: float) -> None:
        self._random.standard_normal(out=self._noise, dtype=np.float32)
        np.matmul(self._advance, self._life, out=self._advanced)
        np.copyto(self._process_and_drift, self._advanced)
        np.multiply(self._advanced[1], spread, out=self._added)
        self._added *= np.float32(life * self._depth)
        self.row += self._added

    def state(self) -> State:
        """Everything the path's future depends on."""
        return {**attributes(self, _STATE), "random": generator_state(self._random)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
        restore_generator(self._random, state["random"])
        self._lay()


_STATE = ("_life", "_centre", "_walk", "_phase", "_standing", "home", "row")
