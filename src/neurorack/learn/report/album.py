"""What is kept while an instrument is scored, to be heard and seen: reconstructions and answered requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from neurorack.learn.measure.asking import LEAST_FRAMES, Request
from neurorack.learn.measure.control import Curves, Yardstick
from neurorack.learn.measure.reconstruction import mel_distance_db
from neurorack.learn.measure.statistics import spearman
from neurorack.learn.measure.subject import Source, Vocabulary


@dataclass(frozen=True)
class Pair:
    """A recording beside its reconstruction, both [N]; `mel_db` apart."""

    files: tuple[str, ...]
    recording: np.ndarray
    answer: np.ndarray
    mel_db: float


@dataclass(frozen=True)
class Curve:
    """One control of a request: what was asked and heard, [T], NaN where frames do not count; their rank
    correlation with the source's own curve taken out."""

    asked: np.ndarray
    heard: np.ndarray
    rank: float


@dataclass(frozen=True)
class Reply:
    """One answered request: how the moved controls' curves were drawn, and the sound [N]."""

    kind: str
    curves: Mapping[str, Curve]
    audio: np.ndarray

    @property
    def rank(self) -> float:
        """Mean over the moved controls."""
        return float(np.mean([c.rank for c in self.curves.values()]))


@dataclass
class Album:
    """A witness for `score_instrument`: keeps every pair and every reply (sounds as int16)."""

    vocabulary: Vocabulary
    sources: list[Source] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    replies: list[Reply] = field(default_factory=list)

    def __call__(
        self, source: Source, requests: Sequence[Request], answers: np.ndarray, heard: Sequence[Curves]
    ) -> None:
        rate = self.vocabulary.sample_rate
        audio = source.excerpt.audio
        self.sources.append(source)
        distance = mel_distance_db(audio, answers[0], rate)
        self.pairs.append(Pair(source.excerpt.files, _packed(audio), _packed(answers[0]), distance))
        for request, answer, curves in zip(requests[1:], answers[1:], heard[1:], strict=True):
            kept = {
                name: self._curve(source, request, curves, name)
                for name in request.moved
                if request.asks.get(name) and np.count_nonzero(request.counted) >= LEAST_FRAMES
            }
            if kept:
                self.replies.append(Reply(request.kind, kept, _packed(answer)))

    def _curve(self, source: Source, request: Request, heard: Curves, name: str) -> Curve:
        keep = request.counted
        asked = self.vocabulary.as_heard(name, request.asked[name])
        rank = spearman(asked[keep], heard[name][keep], [source.heard[name][keep]], bent=True)
        return Curve(*(np.where(keep, c, np.nan).astype(np.float32) for c in (asked, heard[name])), rank)

    @cached_property
    def _yardstick(self) -> Yardstick:
        return Yardstick.of(self.sources, self.vocabulary)

    def as_shown(self, name: str, asked: np.ndarray) -> np.ndarray:
        """An asked curve [T] on the scale of the independent measure: where the two implementations differ in
        scale (noisiness, boominess), the heard value of equal rank, as the score takes it."""
        table = self._yardstick.tables.get(name)
        return asked if table is None else np.interp(asked, *table)

    def shown_pairs(self, count: int) -> list[tuple[str, Pair]]:
        """Up to `count` pairs from the worst to the best, each with what it is."""
        ordered = sorted(self.pairs, key=lambda p: -p.mel_db)
        picks = sorted({round(i) for i in np.linspace(0, len(ordered) - 1, min(count, len(ordered)))})
        return [(_place(i, len(ordered)), ordered[i]) for i in picks]

    def shown_replies(self, name: str | None) -> list[tuple[str, Reply]]:
        """The worst and the middle reply in which `name` alone moved; None: in which all did."""
        found = [r for r in self.replies if (r.kind == "all" if name is None else r.kind != "all")]
        if name is not None:
            found = [r for r in found if set(r.curves) == {name}]
        found.sort(key=lambda r: r.rank)
        picks = sorted({0, len(found) // 2}) if found else []
        return [("the worst" if i == 0 else "the middle one", found[i]) for i in picks]


def _place(index: int, count: int) -> str:
    if index in (0, count - 1):
        return f"the {'worst' if index == 0 else 'best'} of {count}"
    return f"number {index + 1} of {count} from the worst"


def _packed(audio: np.ndarray) -> np.ndarray:
    """A sound as int16, as it goes into the page."""
    return np.clip(np.rint(np.asarray(audio) * 32767.0), -32768, 32767).astype(np.int16)
