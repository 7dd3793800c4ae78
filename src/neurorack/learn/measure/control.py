"""The control score: how well what is heard follows what was asked.

For each request and each moved control, on the frames that count: the Spearman rank correlation of the asked
and the heard curve, partial on the ranks of the source's own heard curve and, for all but loudness, of the
heard loudness (where all move, of the asked one too), and on their squares; the same without partialling
(`plain`); and the mean absolute error in interquartile ranges of the corpus. Requests are averaged; `mean`
and `worst` are over controls; intervals draw excerpts with replacement.

The same answers are judged in further ways, against further tricks: on sustained frames only, in what moves
within half a second, by a second ear, and by requests they were not given. docs/scoring.md says what each is
for; tests/learn/measure/test_cheats.py shows that each trick fails.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.ndimage import uniform_filter1d

from neurorack.core.timebase import frame_rate_hz
from neurorack.learn.measure.asking import Request, moves
from neurorack.learn.measure.second_ears import SECOND
from neurorack.learn.measure.statistics import bootstrap_interval, mean_or_none, spearman
from neurorack.learn.measure.subject import FIXED_SET, NOISE_FLOOR_DB, Source, Vocabulary, pooled

SLOW_SECONDS = 0.5
"""What is left of a curve when its moving average over this long is taken away is its fast part."""

MODES = ("one", "one_feasible", "all", "raw", "sustained", "fast", "second")
"""Ways in which the answers are judged; each is a key of `control` in the scores."""

MISMATCHED = ("one", "all")
"""Modes in which answers are also judged by a request that they were not given."""

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
            low, high = np.quantile(on_axis(name, heard), [0.25, 0.75]) if len(heard) else (0.0, 1.0)
            iqr[name] = max(float(high - low), 1e-6)
        return cls(iqr, tables)

    def error(self, name: str, asked: np.ndarray, heard: np.ndarray) -> float:
        """Mean absolute error of a curve in interquartile ranges."""
        if name in self.tables:
            asked = np.interp(asked, *self.tables[name])
        return float(np.mean(np.abs(on_axis(name, heard) - on_axis(name, asked)))) / self.iqr[name]

    def change(self, name: str, before: np.ndarray, after: np.ndarray) -> float:
        """Sum over frames of the absolute change of a heard curve in interquartile ranges."""
        return float(np.sum(np.abs(on_axis(name, after) - on_axis(name, before)))) / self.iqr[name]


def on_axis(name: str, values: np.ndarray) -> np.ndarray:
    """Values on the axis differences are taken on: octaves for brightness, else as they are."""
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
        # A control that an instrument does not have, or that was never asked, counts as not obeyed.
        of_four = [(result.get(n) or {}).get("rank") or 0.0 for n in FIXED_SET]
        result["fixed_mean"] = float(np.mean(of_four)) if known else None
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
        asked, heard_in = list(requests[1:]), list(heard[1:])
        for request, curves in zip(asked, heard_in, strict=True):
            mode = "one" if request.kind != "all" else "all"
            for name in request.moved:
                if request.asks[name]:
                    self._rank(index, source, request, name, curves)
            if mode == "one":
                self._leakage(request, heard[0], curves)
            if "loudness" in request.moved:
                error = curves["loudness"] - self.vocabulary.as_heard("loudness", request.asked["loudness"])
                self.level_errors_db.append(np.abs(error)[request.counted])
            counts = self.frames[mode]
            counts[0] += int(request.feasible.sum())
            counts[1] += int(request.counted.sum())
        own = self.frames["own"]
        own[0] += int((source.sounding & self.vocabulary.feasible(source.own)).sum())
        own[1] += int(source.sounding.sum())
        self._mismatched(index, source, asked, heard_in)

    def _mismatched(
        self, index: int, source: Source, requests: Sequence[Request], heard: Sequence[Curves]
    ) -> None:
        """Judge each answer by the next request that moves the same controls: what does not listen to its
        request scores there what it scores by its own."""
        for moved in {r.moved for r in requests}:
            same = [i for i, r in enumerate(requests) if r.moved == moved]
            for i, j in zip(same, same[1:] + same[:1], strict=True):
                keep = requests[i].counted & requests[j].counted
                if i == j:
                    continue
                mode = "one" if requests[i].kind != "all" else "all"
                for name in moved:
                    if moves(self.vocabulary, name, requests[j].asked[name][keep]):
                        row = self._judge(source, requests[j], name, name, heard[i], keep)
                        self.tallies[f"mismatched {mode}"].rows[name].append((index, *row))

    def _rank(self, index: int, source: Source, request: Request, name: str, curves: Curves) -> None:
        ways: dict[str, tuple[str, np.ndarray]] = {}
        if request.kind == "all":
            ways = {"raw": (name, request.counted), "all": (name, request.feasible)}
        else:
            ways = {"one": (name, request.counted), "one_feasible": (name, request.feasible)}
            if request.kind != "donor":
                ways["sustained"] = (name, request.counted & source.sustained)
            ear = SECOND.get(name, name)
            if ear in curves and ear in source.heard:
                ways["second"] = (ear, request.counted)
            ways["fast"] = (name, request.counted)
        for mode, (ear, keep) in ways.items():
            if moves(self.vocabulary, name, request.asked[name][keep]):
                row = self._judge(source, request, name, ear, curves, keep, fast=mode == "fast")
                self.tallies[mode].rows[name].append((index, *row))

    def _judge(
        self,
        source: Source,
        request: Request,
        name: str,
        ear: str,
        curves: Curves,
        keep: np.ndarray,
        fast: bool = False,
    ) -> tuple[float, float, float]:
        """Partial rank, plain rank and error of a control as `ear` (its name, or a second ear) hears it."""
        asked = self.vocabulary.as_heard(name, request.asked[name])
        answer = audible(name, curves, keep, ear)
        given = taken_out(self.vocabulary, source, request, name, ear, curves)
        if fast:
            rate = self.vocabulary.sample_rate
            given = [fast_part(g, rate) for g in given]
            pair = fast_part(on_axis(name, asked), rate), fast_part(on_axis(ear, answer), rate)
        else:
            pair = asked, answer
        x, y = (c[keep] for c in pair)
        error = self.yardstick.error(name, asked[keep], answer[keep]) if ear == name else float("nan")
        return spearman(x, y, [g[keep] for g in given], bent=True), spearman(x, y), error

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
        result: dict[str, Any] = {key: self.tallies[key].summary(names, self.seed) for key in MODES}
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
                "own_share": _share(self.frames["own"]),
            },
            "mismatched": {
                mode: self.tallies[f"mismatched {mode}"].summary(names, self.seed) for mode in MISMATCHED
            },
        }


def taken_out(
    vocabulary: Vocabulary, source: Source, request: Request, name: str, ear: str, curves: Curves
) -> list[np.ndarray]:
    """What the ranks of a control are partial on, curves [T]: the source's own and, for all but loudness, the
    loudness heard in the answer (where it moves, the asked one, too).
    """
    given = [source.heard[ear]]
    if name != "loudness":
        given.append(curves["loudness"])
        if "loudness" in request.moved:
            given.append(vocabulary.as_heard("loudness", request.asked["loudness"]))
    return given


def audible(name: str, curves: Curves, keep: np.ndarray, ear: str) -> np.ndarray:
    """A heard curve [T] in which what sounds under the noise floor is worth nothing: the median of `keep`."""
    curve = curves[ear]
    if name == "loudness" or not keep.any():
        return curve
    return np.where(curves["loudness"] > NOISE_FLOOR_DB, curve, np.median(curve[keep]))


def fast_part(curve: np.ndarray, sample_rate: int) -> np.ndarray:
    """A curve [T] less its moving average over half a second."""
    return curve - uniform_filter1d(curve, round(SLOW_SECONDS * frame_rate_hz(sample_rate)), mode="nearest")


def _share(counts: list[int]) -> float | None:
    return counts[0] / counts[1] if counts[1] else None
