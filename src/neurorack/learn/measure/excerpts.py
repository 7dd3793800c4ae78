"""What is scored: excerpts of up to four seconds from files the instrument never trained on.

A long file gives its first four seconds. Short ones (percussive hits) of the same folder are put end to end,
with nothing between them, until at least two seconds are full, so that every control curve has something to
say; the hits' own decays are the only silence. The choice is a function of the seed alone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.timebase import HOP
from neurorack.learn.corpus.corpus import Corpus

SECONDS = 4.0
LEAST_SECONDS = 1.0


@dataclass(frozen=True)
class Excerpt:
    """`audio` float32 [128 T], made of `files`, whose groups are `groups`."""

    audio: np.ndarray
    files: tuple[str, ...]
    groups: frozenset[str]

    @property
    def frames(self) -> int:
        return len(self.audio) // HOP


def excerpts_of_corpus(corpus: Corpus, split: str, limit: int | None, seed: int) -> list[Excerpt]:
    """Up to `limit` excerpts of a split, folders in turn; NeurorackError if the split holds nothing."""
    files = corpus.split(split)
    if not files:
        raise NeurorackError(
            f"{corpus.path} has no file in its {split} split: prepare more "
            "recordings, or score another --split"
        )
    limit_frames = int(SECONDS * corpus.sample_rate / HOP)
    recordings = [
        (f.path, f.group, lambda f=f: corpus.audio(f, 0, min(f.frames, limit_frames))) for f in files
    ]
    return assemble(recordings, corpus.sample_rate, limit, seed)


def assemble(
    recordings: Iterable[tuple[str, str, Callable[[], np.ndarray]]],
    sample_rate: int,
    limit: int | None,
    seed: int,
) -> list[Excerpt]:
    """Excerpts from (path, group, loader of a mono float32 array) triples."""
    rng = np.random.default_rng(seed)
    folders: dict[str, list[tuple[str, str, Callable[[], np.ndarray]]]] = {}
    for recording in recordings:
        folders.setdefault(str(PurePosixPath(recording[0]).parent), []).append(recording)
    queues = [[folder[i] for i in rng.permutation(len(folder))] for _, folder in sorted(folders.items())]
    excerpts: list[Excerpt] = []
    while queues and (limit is None or len(excerpts) < limit):
        for queue in list(queues):
            excerpt = _next_excerpt(queue, sample_rate)
            if not queue:
                queues.remove(queue)
            if excerpt is not None:
                excerpts.append(excerpt)
    return excerpts[:limit]


def _next_excerpt(queue: list[tuple[str, str, Callable[[], np.ndarray]]], sample_rate: int) -> Excerpt | None:
    wanted = int(SECONDS * sample_rate)
    parts: list[np.ndarray] = []
    names: list[str] = []
    groups: set[str] = set()
    while queue and sum(map(len, parts)) < wanted / 2:
        path, group, load = queue.pop()
        parts.append(load())
        names.append(path)
        groups.add(group)
    audio = np.concatenate(parts)[:wanted]
    audio = audio[: len(audio) // HOP * HOP]
    if len(audio) < LEAST_SECONDS * sample_rate:
        return None
    return Excerpt(np.ascontiguousarray(audio, dtype=np.float32), tuple(names), frozenset(groups))
