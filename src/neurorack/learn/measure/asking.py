"""What is asked of an instrument: one control moved, or all of the fixed set together.

One moved: every other control keeps the source's own curve, and the moved one follows another file's curve,
steps (held 0.2 to 0.8 s, gliding for one analysis window, since no window could show a faster change), or a
smooth random walk. All moved: the fixed set follows another file's curves together. Pitch, the means by which
a player chooses notes, keeps the source's own curve. Everything is drawn from the seed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter1d, uniform_filter1d

from neurorack.core.timebase import HOP, WINDOW
from neurorack.learn.measure.subject import NOISE_FLOOR_DB, Source, Vocabulary

KINDS = ("donor", "steps", "walk")
REACH = 0.9
"""Steps and walks stay within ±0.9 of the normalised control: the corpus's 5 % to 95 % range."""

LEAST_FRAMES = 64
LEAST_MOVE = 0.05
"""A moved control that varies less than this (standard deviation, normalised) asks for nothing."""


@dataclass(frozen=True)
class Request:
    """`asked`: one curve [T] in physical units for every control; `moved`: those not the source's own.

    `counted` [T]: frames that are scored (source and request sound, away from the ends); `feasible` [T]:
    those of them that lie within the instrument's support radius; `asks`: which moved controls vary enough in
    the counted frames to judge.
    """

    kind: str
    moved: tuple[str, ...]
    asked: Mapping[str, np.ndarray]
    counted: np.ndarray
    feasible: np.ndarray
    asks: Mapping[str, bool]


def requests_for(
    index: int, sources: Sequence[Source], vocabulary: Vocabulary, seed: int, donors: int = 3
) -> list[Request]:
    """Requests on source `index`: len(scored) x 3 with one control moved, then `donors` with all moved."""
    source = sources[index]
    rng = np.random.default_rng([seed, index])
    others = [s for s in sources if s is not source and not s.excerpt.groups & source.excerpt.groups]
    found = list(_one_moved(source, others, vocabulary, rng))
    for donor in _draw(others, donors, rng):
        curves = {n: _fit(donor.own[n], source.frames) for n in vocabulary.scored}
        found.append(_request("all", vocabulary.scored, {**source.own, **curves}, source, vocabulary, donor))
    return [r for r in found if np.count_nonzero(r.counted) >= LEAST_FRAMES and any(r.asks.values())]


def unmoved(source: Source) -> Request:
    """The source's own curves: what reconstruction and leakage are measured from."""
    return Request("own", (), source.own, source.sounding, source.sounding, {})


def _one_moved(
    source: Source, others: Sequence[Source], vocabulary: Vocabulary, rng: np.random.Generator
) -> Iterator[Request]:
    for name in vocabulary.scored:
        for kind in KINDS:
            donor = None
            if kind == "donor":
                if not others:
                    continue
                donor = _draw(others, 1, rng)[0]
                curve = _fit(donor.own[name], source.frames)
            else:
                shape = (steps if kind == "steps" else walk)(source.frames, vocabulary.sample_rate, rng)
                curve = vocabulary.normalisers[name].to_physical(shape).astype(np.float64)
            yield _request(kind, (name,), {**source.own, name: curve}, source, vocabulary, donor)


def steps(frames: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """Steps in [-0.9, 0.9], held 0.2 to 0.8 s, gliding over one analysis window: [frames]."""
    lengths = rng.uniform(0.2, 0.8, frames) * sample_rate / HOP
    count = int(np.searchsorted(np.cumsum(lengths), frames)) + 1
    levels = np.repeat(rng.uniform(-REACH, REACH, count), lengths[:count].astype(int) + 1)[:frames]
    return uniform_filter1d(levels, WINDOW // HOP, mode="nearest")


def walk(frames: int, sample_rate: int, rng: np.random.Generator) -> np.ndarray:
    """A smooth random walk in [-0.9, 0.9], its correlation lost after about 0.3 s: [frames]."""
    width = 0.12 * sample_rate / HOP
    smooth = gaussian_filter1d(rng.standard_normal(frames + int(8 * width)), width)[int(4 * width) :][:frames]
    smooth = smooth * np.sqrt(2 * np.sqrt(np.pi) * width)
    return REACH * np.tanh(smooth)


def _draw(others: Sequence[Source], count: int, rng: np.random.Generator) -> list[Source]:
    picks = rng.permutation(len(others))[:count]
    return [others[i] for i in picks]


def _fit(curve: np.ndarray, frames: int) -> np.ndarray:
    """A donor's curve, repeated or cut to `frames`."""
    return np.resize(curve, frames)


def _request(
    kind: str,
    moved: tuple[str, ...],
    asked: dict[str, np.ndarray],
    source: Source,
    vocabulary: Vocabulary,
    donor: Source | None,
) -> Request:
    counted = (
        source.sounding & (asked["loudness"] > NOISE_FLOOR_DB) if "loudness" in asked else source.sounding
    )
    if donor is not None:
        counted = counted & _fit(donor.heard["loudness"] > NOISE_FLOOR_DB, source.frames)
    asks = {n: moves(vocabulary, n, asked[n][counted]) for n in moved}
    return Request(kind, moved, asked, counted, counted & vocabulary.feasible(asked), asks)


def moves(vocabulary: Vocabulary, name: str, asked: np.ndarray) -> bool:
    """Whether what is asked of a control in the frames that are judged [N] varies enough to be followed.

    Of all that is counted, only a still stretch may be feasible, say: its ranks would be those of tremors
    that no recording repeats.
    """
    if len(asked) < LEAST_FRAMES:
        return False
    return bool(np.std(vocabulary.normalisers[name].to_control(asked)) >= LEAST_MOVE)
