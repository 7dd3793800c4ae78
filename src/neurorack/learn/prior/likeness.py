"""Is what a prior plays for long like what was recorded: as varied, as correlated, steady, neither copied
nor strange?

Everything is judged on curves [B, T, C] of controls. Generated ones stand beside phrases of held-out
recordings (learn.prior.phrases), and phrases of training recordings beside those say how near one can come.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist
from scipy.stats import ks_2samp, wasserstein_distance

from neurorack.core.normaliser import OVERSHOOT
from neurorack.core.vendi import distances, vendi
from neurorack.learn.prior.material import Curves

LAGS = (1, 8, 43)
SECOND = 43
WINDOWS = 128
"""Windows of a second that a Vendi score is taken over: it depends on their number."""

WINDOW_POINTS = 8
FRAGMENT = 22
"""Steps in a fragment: half a second."""

NOTES, LEAST_NOTES = 1500, 10
ECHOES = 512
"""Seconds of the past that a present one is compared with."""

AUDIBLE = -1.0
"""Loudness (normalised) above which a step sounds; about the quietest hundredth of a corpus's own steps."""


@dataclass(frozen=True)
class Judge:
    """What is compared with what. `loudness`: its row, or None."""

    names: tuple[str, ...]
    loudness: int | None
    recorded: np.ndarray
    """Phrases of held-out recordings [B, T, C]."""

    trained: np.ndarray
    """Phrases of training recordings: as like as one can be."""

    train: Sequence[Curves]
    test: Sequence[Curves]

    def sounding(self, curves: np.ndarray) -> np.ndarray:
        """Sounding steps [N, C] of curves [B, T, C]."""
        return curves[self.audible(curves)]

    def audible(self, curves: np.ndarray) -> np.ndarray:
        if self.loudness is None:
            return np.ones(curves.shape[:-1], bool)
        return curves[..., self.loudness] > AUDIBLE

    def distribution(self, curves: np.ndarray) -> dict[str, dict[str, float]]:
        """By control: Wasserstein and Kolmogorov-Smirnov distance of sounding steps to the recorded ones."""
        mine, theirs = self.sounding(curves), self.sounding(self.recorded)
        return {
            name: {
                "wasserstein": float(wasserstein_distance(mine[:, i], theirs[:, i])),
                "ks": float(ks_2samp(mine[:, i], theirs[:, i]).statistic),
            }
            for i, name in enumerate(self.names)
        }

    def motion(self, curves: np.ndarray) -> dict[str, float]:
        """Mean |difference| to the recorded autocorrelations (at LAGS) and cross-correlations."""
        mine, theirs = correlations(curves), correlations(self.recorded)
        size = len(self.names)
        off = ~np.eye(size, dtype=bool)
        auto = [np.abs(np.diag(mine[k]) - np.diag(theirs[k])).mean() for k in range(1, len(LAGS) + 1)]
        return {
            **{f"auto_{lag}": float(a) for lag, a in zip(LAGS, auto, strict=True)},
            "cross": float(np.abs(mine[0] - theirs[0])[off].mean()),
            "cross_lagged": float(np.abs(mine[2] - theirs[2])[off].mean()),
        }

    def row(self, curves: np.ndarray, seed: int = 0) -> dict[str, Any]:
        """Every figure of one cloud of curves."""
        audible = self.audible(curves)
        return {
            "distribution": self.distribution(curves),
            "motion": self.motion(curves),
            "sounding": float(audible.mean()),
            "onsets_per_second": self.onsets_per_second(curves),
            **self.variety(curves, seed),
            **self.copying(curves, seed),
        }

    def onsets_per_second(self, curves: np.ndarray) -> float:
        """How often a second sound begins out of silence in curves [B, T, C]."""
        audible = self.audible(curves)
        onsets = audible[:, 1:] & ~audible[:, :-1]
        return float(onsets.mean() * SECOND)

    def variety(self, curves: np.ndarray, seed: int = 0) -> dict[str, float]:
        """`vendi`: clearly different seconds among WINDOWS; `repeats`: how near the nearest other second of
        the same stream is, as a share of the median distance of any two recorded ones.
        """
        width = self.width
        rng = np.random.default_rng([seed, 31])
        some = seconds(curves, rng, WINDOWS)
        stream = seconds(curves[:1], rng, WINDOWS)
        near = cdist(stream, stream) + np.eye(len(stream)) * 1e9
        return {"vendi": vendi(some, width / 2), "repeats": float(np.median(near.min(1)) / width)}

    @cached_property
    def width(self) -> float:
        """Median distance of two recorded seconds."""
        points = seconds(self.recorded, np.random.default_rng(30), WINDOWS)
        return float(np.median(cdist(points, points)[np.triu_indices(len(points), 1)]))

    def copying(self, curves: np.ndarray, seed: int = 0) -> dict[str, float]:
        """How far the beginnings of notes (half a second) lie from the nearest in the training recordings.
        `nearest`: median, over that of held-out recordings; `copied`: share nearer than the nearest
        hundredth of those; `strange`: share farther than the farthest hundredth.
        """
        known, theirs = self._known
        mine = self.notes(curves)
        if min(len(theirs), len(known), len(mine)) < LEAST_NOTES:
            return {}
        picks = np.random.default_rng([seed, 32]).permutation(len(mine))[:NOTES]
        found = distances(mine[picks], known).min(1)
        low, high = np.quantile(theirs, [0.01, 0.99])
        return {
            "nearest": float(np.median(found) / np.median(theirs)),
            "copied": float((found < low).mean()),
            "strange": float((found > high).mean()),
        }

    @cached_property
    def _known(self) -> tuple[np.ndarray, np.ndarray]:
        """Beginnings of notes in the training recordings, and how far from them held-out ones lie."""
        own, known = (self.notes(alone(c, self.loudness)) for c in (self.test, self.train))
        if min(len(own), len(known)) < LEAST_NOTES:
            return known, np.empty(0)
        return known, distances(own, known).min(1)

    def echoes(self, curves: np.ndarray, parts: int, seed: int = 0) -> dict[str, Any]:
        """Does it say again what it said before? Of seconds of each of `parts` equal parts but the first, the
        median distance to the nearest of as many seconds from all that the same stream played before, over
        the median distance of two recorded ones: `own` [parts - 1]; and to the nearest from before of the
        other streams, which it has never heard: `others`. Two streams at least.
        """
        rng = np.random.default_rng([seed, 33])
        length = curves.shape[1] // parts
        found: dict[str, list[float]] = {"own": [], "others": []}
        for part in range(1, parts):
            near: dict[str, list[np.ndarray]] = {"own": [], "others": []}
            for i in range(len(curves)):
                now = seconds(curves[i : i + 1, part * length : (part + 1) * length], rng, WINDOWS)
                before = curves[:, : part * length]
                for name, some in (("own", before[i : i + 1]), ("others", np.delete(before, i, axis=0))):
                    near[name].append(distances(now, seconds(some, rng, ECHOES)).min(1))
            for name, all_near in near.items():
                found[name].append(float(np.median(all_near) / self.width))
        return found

    def notes(self, curves: np.ndarray) -> np.ndarray:
        """Beginnings of notes out of silence, in curves [B, T, C], during which no other one begins:
        [N, FRAGMENT C].
        """
        audible = self.audible(curves)
        begins = np.zeros(audible.shape, bool)
        begins[:, 1:] = audible[:, 1:] & ~audible[:, :-1]
        stream, step = np.nonzero(begins[:, : -FRAGMENT + 1])
        at = step[:, None] + np.arange(FRAGMENT)
        single = begins[stream[:, None], at].sum(1) == 1
        return curves[stream[single, None], at[single]].reshape(-1, FRAGMENT * curves.shape[2])

    def drift(self, curves: np.ndarray) -> dict[str, float]:
        """Mean Wasserstein distance, over the controls, of the last tenth from the first, and of one half of
        the streams from the other in the first tenth: what chance alone does.
        """
        tenth = curves.shape[1] // 10
        # It begins from nothing: what it has not heard yet is left out.
        first, last = curves[:, tenth // 4 : tenth], curves[:, -tenth:]
        half = len(curves) // 2
        return {
            "last_from_first": self._apart(last, first),
            "chance": self._apart(first[:half], first[half:]),
            "sounding_first": float(self.audible(first).mean()),
            "sounding_last": float(self.audible(last).mean()),
            "vendi_first": self.variety(first)["vendi"],
            "vendi_last": self.variety(last)["vendi"],
        }

    def _apart(self, one: np.ndarray, other: np.ndarray) -> float:
        a, b = self.sounding(one), self.sounding(other)
        if not len(a) or not len(b):
            return 2.0
        return float(np.mean([wasserstein_distance(a[:, i], b[:, i]) for i in range(a.shape[1])]))


def correlations(curves: np.ndarray) -> np.ndarray:
    """Correlation of every control with every other one (rows: now, columns: later) at lag 0 and LAGS."""
    flat = curves - curves.mean((0, 1))
    scale = np.sqrt((flat**2).mean((0, 1))) + 1e-9
    flat = flat / scale
    found = [np.einsum("btc,btd->cd", flat, flat) / (flat.shape[0] * flat.shape[1])]
    for lag in LAGS:
        one, other = flat[:, :-lag], flat[:, lag:]
        found.append(np.einsum("btc,btd->cd", one, other) / (one.shape[0] * one.shape[1]))
    return np.stack(found)


def seconds(curves: np.ndarray, rng: np.random.Generator, count: int) -> np.ndarray:
    """`count` seconds of curves [B, T, C] at random, each as WINDOW_POINTS values of every control."""
    stream = rng.integers(len(curves), size=count)
    begin = rng.integers(curves.shape[1] - SECOND + 1, size=count)
    at = np.linspace(0, SECOND - 1, WINDOW_POINTS).round().astype(int)
    return curves[stream[:, None], begin[:, None] + at].reshape(count, -1).astype(np.float64)


def alone(curves: Sequence[Curves], loudness: int | None) -> np.ndarray:
    """Each recording between two silences, as phrases have them: [B, T, C]. Where there is no loudness it is
    heard from its second step on, as everything is.
    """
    length = max(map(len, curves)) + FRAGMENT + 1
    rows = np.stack([np.pad(c.controls, ((1, length - len(c) - 1), (0, 0)), mode="edge") for c in curves])
    if loudness is not None:
        rows[:, 0, loudness] = -OVERSHOOT
        for row, curve in zip(rows, curves, strict=True):
            row[len(curve) + 1 :, loudness] = -OVERSHOOT
    return rows
