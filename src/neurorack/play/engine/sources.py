"""Where z and the source's own controls come from: anchors held or wandered among, and latent clips.

A row is float32 [Z + C]: z, then the normalised controls that belong to it. Every source gives one row a
frame.
"""

import numpy as np

NEIGHBOURS = 6
LIFE_TIME_S = 0.6
"""Correlation time of the drift that keeps a held tone alive."""
LIFE_DEPTH = 0.35
"""Drift at life = 1, in units of the distance between neighbouring anchors."""
LOOP_FADE_FRAMES = 24


class Anchors:
    """The typical frames of an instrument and who neighbours whom. Immutable, shared by voices."""

    def __init__(self, z: np.ndarray, controls: np.ndarray) -> None:
        self.rows = np.concatenate([z, controls], axis=1).astype(np.float32)
        self.latent = z.shape[1]
        scale = self.rows.std(axis=0) + 1e-6
        scaled = self.rows / scale
        power = np.square(scaled).sum(axis=1)
        distance = power[:, None] + power[None] - 2.0 * scaled @ scaled.T
        np.fill_diagonal(distance, -np.inf)
        order = np.argsort(distance, axis=1, kind="stable")
        self.neighbours = order[:, 1 : NEIGHBOURS + 1] if len(z) > 1 else np.zeros((len(z), 1), np.intp)
        step = np.abs(z[:, None] - z[self.neighbours]).mean(axis=1) if len(z) > 1 else np.full_like(z, 0.1)
        self.spread = step.astype(np.float32)
        """[N, Z]: mean distance to the neighbours along each latent axis."""

    def __len__(self) -> int:
        return len(self.rows)


class Wander:
    """A seeded random path: Catmull-Rom through a walk from neighbour to neighbour, plus slow drift (life).

    Drift is an Ornstein-Uhlenbeck process smoothed once more, so that it has no corners.
    """

    def __init__(self, anchors: Anchors, frame_rate_hz: float, seed: int = 0) -> None:
        self._anchors = anchors
        self._rate = frame_rate_hz
        self._keep = float(np.exp(-1.0 / (LIFE_TIME_S * frame_rate_hz)))
        self._kick = float(np.sqrt(1.0 - self._keep**2))
        # Two equal poles in series halve the variance of one: bring it back.
        self._gain = float(np.sqrt(2.0))
        self._drift = np.zeros((2, anchors.latent), np.float32)
        self._noise = np.zeros(anchors.latent, np.float32)
        self.row = np.zeros(anchors.rows.shape[1], np.float32)
        self.restart(seed, 0)

    def restart(self, seed: int, home: int) -> None:
        """Another path from anchor `home`."""
        self._random = np.random.Generator(np.random.PCG64(seed))
        self._drift.fill(0.0)
        self._walk = [home] * 4
        self._walk[3] = self._next(home, home)
        self._phase = 0.0
        self.home = home

    def _next(self, at: int, before: int) -> int:
        choices = self._anchors.neighbours[at]
        pick = int(choices[self._random.integers(len(choices))])
        return pick if pick != before else int(choices[self._random.integers(len(choices))])

    def nearest(self) -> int:
        """Index of the anchor the path is at or has just passed."""
        return self._walk[1] if self._phase < 0.5 else self._walk[2]

    def hold(self, home: int, life: float) -> np.ndarray:
        """The row of anchor `home`, alive by `life`."""
        if home != self.home:
            self.home = home
            self._walk = [home] * 4
            self._walk[3] = self._next(home, home)
            self._phase = 0.0
        np.copyto(self.row, self._anchors.rows[home])
        self._add_drift(home, life)
        return self.row

    def wander(self, home: int, rate_hz: float, depth: float) -> np.ndarray:
        """The next row of the path; a new `home` is walked to, not jumped to."""
        if home != self.home:
            self.home = home
            self._walk[3] = home
        self._phase += min(max(rate_hz, 0.0) / self._rate, 1.0)
        if self._phase >= 1.0:
            self._phase -= 1.0
            before, at = self._walk[2:]
            self._walk = [*self._walk[1:], self._next(at, before)]
        p0, p1, p2, p3 = (self._anchors.rows[i] for i in self._walk)
        t = self._phase
        path = 0.5 * (
            2.0 * p1
            + t * (p2 - p0)
            + t * t * (2.0 * p0 - 5.0 * p1 + 4.0 * p2 - p3)
            + t * t * t * (3.0 * (p1 - p2) + p3 - p0)
        )
        start = self._anchors.rows[home]
        np.copyto(self.row, start + depth * (path - start))
        self._add_drift(self.nearest(), 0.3 * depth)
        return self.row

    def _add_drift(self, anchor: int, life: float) -> None:
        self._random.standard_normal(out=self._noise, dtype=np.float32)
        first, second = self._drift
        first *= self._keep
        first += self._kick * self._noise
        second *= self._keep
        second += (1.0 - self._keep) * first
        depth = life * LIFE_DEPTH * self._gain
        self.row[: self._anchors.latent] += depth * second * self._anchors.spread[anchor]


class ClipReader:
    """Reads a latent clip [Z + C, T] at any speed, looping a region seamlessly with a crossfade."""

    def __init__(self, clip: np.ndarray) -> None:
        self._rows = np.ascontiguousarray(clip.T)
        self.frames = clip.shape[1]
        self._position = 0.0
        self._first = 0.0
        self.row = np.zeros(clip.shape[0], np.float32)

    def restart(self) -> None:
        """Back to the start of the region."""
        self._position = 0.0

    @property
    def position(self) -> float:
        """Where in the clip, 0..1."""
        return min((self._first + self._position) / max(self.frames - 1, 1), 1.0)

    def _at(self, index: float) -> np.ndarray:
        low = min(max(int(index), 0), self.frames - 1)
        high = min(low + 1, self.frames - 1)
        share = np.float32(min(max(index - low, 0.0), 1.0))
        return (1 - share) * self._rows[low] + share * self._rows[high]

    def read(self, speed: float, start: float, end: float) -> np.ndarray:
        """The row here, then move on by `speed` frames within start..end (fractions of the clip)."""
        low, high = sorted((min(max(start, 0.0), 1.0), min(max(end, 0.0), 1.0)))
        span = max(self.frames - 1, 1)
        length = max((high - low) * span, 2.0)
        self._first = min(low * span, max(span - length, 0.0))
        fade = min(LOOP_FADE_FRAMES, length / 4)
        period = length - fade
        self._position %= period
        p = self._position
        row = self._at(self._first + p)
        if p < fade:
            share = np.float32(p / fade)
            row = share * row + (1 - share) * self._at(self._first + p + period)
        np.copyto(self.row, row)
        self._position = p + speed
        return self.row
