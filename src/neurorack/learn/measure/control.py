"""The control score: how well what is heard follows what was asked.

For each request and each moved control, on the frames that count: the Spearman rank correlation of the asked
and the heard curve, partial on the source's own heard curve and, for all but loudness, on the heard loudness;
the same without partialling (`plain`); and the mean absolute error in interquartile ranges of the corpus.
Requests are averaged; `mean` and `worst` are over controls; intervals draw excerpts with replacement.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from neurorack.learn.measure.asking import LEAST_FRAMES, Request
from neurorack.learn.measure.statistics import bootstrap_interval, mean_or_none, spearman
from neurorack.learn.measure.subject import Source, Vocabulary, pooled

Curves = Mapping[str, np.ndarray]
"""What `Vocabulary.listen` hears in a sound: name -> [T]."""


@dataclass(frozen=True)
class Yardstick:
    """Maps asked values to the independent measure's scale and gives its interquartile range over the corpus.

    Loudness is compared in dB and brightness in octaves. Noisiness and boominess are indices whose two
    implementations differ in scale: there an asked value stands for the heard value of equal rank.
    """

    iqr: dict[str, float]
    tables: dict[str, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, sources: Sequence[Source], vocabulary: Vocabulary) -> "Yardstick":
        grid = np.linspace(0, 1, 201)
        iqr, tables = {}, {}
        for name in vocabulary.scored:
            own, heard = pooled(sources, name, "own"), pooled(sources, name, "heard")
            if name not in ("loudness", "brightness") and len(own):
                knots = np.quantile(own, grid)
                tables[name] = (knots + np.arange(201) * 1e-9, np.quantile(heard, grid))
            low, high = np.quantile(_axis(name, heard), [0.25, 0.75]) if len(heard) else (0.0, 1.0)
            iqr[name] = max(float(high - low), 1e-6)
        return cls(iqr, tables)

    def error(self, name: str, asked: np.ndarray, heard: np.ndarray) -> float:
        """Mean absolute error of a curve in interquartile ranges."""
        if name in self.tables:
            asked = np.interp(asked, *self.tables[name])
        return float(np.mean(np.abs(_axis(name, heard) - _axis(name, asked)))) / self.iqr[name]

    def change(self, name: str, before: np.ndarray, after: np.ndarray) -> float:
        """Sum over frames of the absolute change of a heard curve in interquartile ranges."""
        return float(np.sum(np.abs(_axis(name, after) - _axis(name, before)))) / self.iqr[name]


def _axis(name: str, values: np.ndarray) -> np.ndarray:
    return np.log2(np.maximum(values, 1.0)) if name == "brightness" else values


@dataclass
class _Tally:
    """One mode ("one", "all", "raw" …): for each control, rows of (excerpt, partial, plain, error)."""

    rows: dict[str, list[tuple[int, float, float, float]]] = field(default_factory=lambda: defaultdict(list))

    def summary(self, names: Sequence[str], seed: int) -> dict[str, Any]:
        result: dict[str, Any] = {}
        for name in names:
            rows = self.rows[name]
            rank, plain, error = (mean_or_none([row[i] for row in rows]) for i in (1, 2, 3))
            result[name] = {"rank": rank, "plain": plain, "error_iqr": error, "requests": len(rows)}
        ranks = [result[n]["rank"] for n in names]
        known = [r for r in ranks if r is not None]
        low, high = bootstrap_interval([[row[:2] for row in self.rows[n]] for n in names], seed)
        result["mean"] = float(np.mean(known)) if known else None
        result["worst"] = float(min(known)) if known else None
        result["mean_interval"] = [low, high] if known else None
        result["plain_mean"] = mean_or_none([result[n]["plain"] for n in names])
        return result


@dataclass
class ControlScore:
    """Gathers requests and their answers, source by source; `summary` gives the figures."""

    vocabulary: Vocabulary
    yardstick: Yardstick
    seed: int = 0
    tallies: dict[str, _Tally] = field(default_factory=lambda: defaultdict(_Tally))
    level_errors_db: list[np.ndarray] = field(default_factory=list)
    moved: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    leaked: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    frames: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0]))

    def add(self, index: int, source: Source, requests: Sequence[Request], heard: Sequence[Curves]) -> None:
        """Score answers by what was heard in each; the first request is the unmoved one."""
        for request, curves in zip(requests[1:], heard[1:], strict=True):
            mode = "one" if request.kind != "all" else "all"
            for name in request.moved:
                if request.asks[name]:
                    self._rank(index, source, request, name, curves, mode)
            if mode == "one":
                self._leakage(request, heard[0], curves)
            if "loudness" in request.moved:
                error = curves["loudness"] - self.vocabulary.as_heard("loudness", request.asked["loudness"])
                self.level_errors_db.append(np.abs(error)[request.counted])
            counts = self.frames[mode]
            counts[0] += int(request.feasible.sum())
            counts[1] += int(request.counted.sum())

    def _rank(
        self,
        index: int,
        source: Source,
        request: Request,
        name: str,
        curves: Curves,
        mode: str,
    ) -> None:
        modes = {"one": "one", "one_feasible": "one"} if mode == "one" else {"raw": "all", "all": "all"}
        for key in modes:
            keep = request.feasible if key in ("all", "one_feasible") else request.counted
            if np.count_nonzero(keep) < LEAST_FRAMES:
                continue
            asked = self.vocabulary.as_heard(name, request.asked[name])[keep]
            answer = curves[name][keep]
            given = [source.heard[name][keep]] + ([] if name == "loudness" else [curves["loudness"][keep]])
            self.tallies[key].rows[name].append(
                (
                    index,
                    spearman(asked, answer, given),
                    spearman(asked, answer),
                    self.yardstick.error(name, asked, answer),
                )
            )

    def _leakage(self, request: Request, before: Curves, after: Curves) -> None:
        (name,) = request.moved
        keep = request.counted
        self.moved[name] += self.yardstick.change(name, before[name][keep], after[name][keep])
        for other in self.vocabulary.scored:
            if other != name:
                change = self.yardstick.change(other, before[other][keep], after[other][keep])
                self.leaked[name, other] += change

    def summary(self) -> dict[str, Any]:
        """Nested figures; see docs/scoring.md for each."""
        names = self.vocabulary.scored
        result: dict[str, Any] = {
            key: self.tallies[key].summary(names, self.seed) for key in ("one", "one_feasible", "all", "raw")
        }
        errors = np.concatenate(self.level_errors_db) if self.level_errors_db else np.zeros(0)
        by = {
            f"{name}->{other}": leaked / self.moved[name]
            for (name, other), leaked in self.leaked.items()
            if self.moved[name] > 1e-6
        }
        return {
            "control": result,
            "loudness": {
                "median_db": float(np.median(errors)) if len(errors) else None,
                "p90_db": float(np.quantile(errors, 0.9)) if len(errors) else None,
            },
            "leakage": {"mean": mean_or_none(list(by.values())), "by": by},
            "feasible": {
                "share": _share(self.frames["all"]),
                "one_share": _share(self.frames["one"]),
            },
        }


def _share(counts: list[int]) -> float | None:
    return counts[0] / counts[1] if counts[1] else None
