"""How varied is what an instrument can play? Sounds played at random, beside its corpus.

An instrument may obey every request and rebuild every recording and still be dull: all its sounds alike, or
the rare ones of its corpus smoothed into common ones. So it is played blindly: half a second each from
anchors held and clips running, with every knob at random within its 5 to 95 %. These sounds are compared
with half-seconds of the training recordings, in two spaces that know nothing of the instrument: the embedding
of learn.measure.realism, which is deaf to level, and the independent descriptors. What the other half of the
corpus gets by the same measures stands beside.

    vendi     how many clearly different sounds there are (Friedman and Dieng 2022)
    density   how often played sounds fall among the corpus's (Naeem et al. 2020, k = 5)
    coverage  how much of the corpus has a played sound nearby (the same)
    volume    share of the cells of descriptor space, where the corpus has something, that are reached
    beyond    share of what is played that lies in cells where the corpus has nothing
    rare      the recordings least like any other: are their reconstructions still known for them?
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.spatial.distance import cdist

from neurorack.core.nrk import Archive
from neurorack.core.timebase import HOP
from neurorack.core.vendi import vendi
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.measure.alignment import EDGE
from neurorack.learn.measure.control import on_axis
from neurorack.learn.measure.held import anchors
from neurorack.learn.measure.independent import measure
from neurorack.learn.measure.realism import WINDOW_FRAMES, Reference, embed, sounding_windows
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.subject import FIXED_SET

SOUNDS = 96
"""Sounds played, and windows in each half of the corpus: Vendi scores and coverage depend on their number."""

NEIGHBOURS = 5
KNOBS = 0.9
"""Knobs are drawn within ±0.9 of the normalised control: the corpus's 5 to 95 %."""

SETTLE_FRAMES = 86
BATCH = 32
CELLS = 4
"""Parts of each descriptor's 5 to 95 % range; one more, open, at either end."""

FRAME_STEP = 8
RARE_SHARE = 0.1
LEAST_RARE = 3
POOL = 200
"""Recordings among which a rare one must be found again."""


@dataclass(frozen=True)
class Cloud:
    """Half-second sounds in both spaces: `places` [N, D] of the embedding, `means` [N, 4] of the descriptors
    over each window, and `frames` [M, 4] of the descriptors along them."""

    places: np.ndarray
    means: np.ndarray
    frames: np.ndarray

    @classmethod
    def of(cls, sounds: np.ndarray, reference: Reference, sample_rate: int) -> "Cloud":
        """From sounds [N, 128 * WINDOW_FRAMES]."""
        curves = [_descriptors(s, sample_rate) for s in sounds]
        places = reference.place(np.concatenate([embed(s, sample_rate) for s in sounds]))
        return cls(places, np.stack([c.mean(axis=0) for c in curves]), np.concatenate(curves))

    def __len__(self) -> int:
        return len(self.places)


def _descriptors(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """The fixed set along a sound [128 T], on their axes, every eighth frame away from the ends: [K, 4]."""
    curves = measure(audio, sample_rate, FIXED_SET)
    inside = slice(EDGE // 2, len(audio) // HOP - EDGE // 2, FRAME_STEP)
    return np.stack([on_axis(n, curves[n])[inside] for n in FIXED_SET], axis=1)


def play_blindly(archive: Archive, renderer: Renderer, count: int = SOUNDS, seed: int = 0) -> np.ndarray:
    """Sounds [count, 128 * WINDOW_FRAMES]: anchors held and clips running in turn, knobs at random."""
    m = archive.manifest
    rng = np.random.default_rng([seed, 11])
    held = [z for z, _ in anchors(archive, 10**6)]
    moving = [archive.array(c.path)[: m.latent_size] for c in m.clips]
    frames = SETTLE_FRAMES + WINDOW_FRAMES
    length = frames + m.latency_frames
    codes, asked = [], []
    for index in range(count):
        if moving and (index % 2 or not held):
            clip = moving[rng.integers(len(moving))]
            start = rng.integers(max(clip.shape[1] - length, 0) + 1)
            part = clip[:, start : start + length]
            codes.append(np.pad(part, ((0, 0), (0, length - part.shape[1])), mode="edge"))
        elif held:
            codes.append(np.repeat(held[rng.integers(len(held))][:, None], length, axis=1))
        else:
            codes.append(np.zeros((m.latent_size, length), np.float32))
        knobs = rng.uniform(-KNOBS, KNOBS, len(m.controls))
        asked.append(
            {c.name: np.full(frames, float(c.normaliser.to_physical(k)))
             for c, k in zip(m.controls, knobs, strict=True)}
        )  # fmt: skip
    parts = [
        renderer.render_batch(np.stack(codes[i : i + BATCH]), asked[i : i + BATCH], seed + i)
        for i in range(0, count, BATCH)
    ]
    return np.nan_to_num(np.concatenate(parts))[:, SETTLE_FRAMES * HOP :]


def density_and_coverage(real: np.ndarray, played: np.ndarray, k: int = NEIGHBOURS) -> tuple[float, float]:
    """Naeem et al. (2020): mean number of real neighbourhoods (spheres to the k-th real neighbour) that a
    played point lies in, over k; and share of real ones whose neighbourhood holds a played point."""
    k = min(k, len(real) - 1)
    radius = np.sort(cdist(real, real), axis=1)[:, k]
    inside = cdist(real, played) < radius[:, None]
    return float(inside.sum() / (k * len(played))), float(inside.any(axis=1).mean())


@dataclass(frozen=True)
class Ruler:
    """What half a corpus measures others by: scale of the descriptors, kernel widths, cells."""

    half: Cloud
    scale: np.ndarray
    widths: tuple[float, float]
    edges: tuple[np.ndarray, ...]
    cells: frozenset[tuple[int, ...]]

    @classmethod
    def of(cls, half: Cloud) -> "Ruler":
        scale = half.means.std(axis=0) + 1e-6
        widths = tuple(_median_distance(p) / 2 for p in (half.places, half.means / scale))
        ends = np.quantile(half.frames, [0.05, 0.95], axis=0)
        edges = tuple(np.linspace(low, high, CELLS + 1) for low, high in ends.T)
        return cls(half, scale, widths, edges, frozenset(_cells(half.frames, edges)))  # type: ignore[arg-type]

    def row(self, cloud: Cloud) -> dict[str, float]:
        """Every figure of one cloud."""
        density, coverage = density_and_coverage(self.half.places, cloud.places)
        mine, theirs = self.half.means / self.scale, cloud.means / self.scale
        density_d, coverage_d = density_and_coverage(mine, theirs)
        reached = _cells(cloud.frames, self.edges)
        return {
            "vendi": vendi(cloud.places, self.widths[0]),
            "vendi_descriptors": vendi(theirs, self.widths[1]),
            "density": density,
            "coverage": coverage,
            "density_descriptors": density_d,
            "coverage_descriptors": coverage_d,
            "volume": len(self.cells.intersection(reached)) / len(self.cells),
            "beyond": float(np.mean([cell not in self.cells for cell in reached])),
        }


def _median_distance(points: np.ndarray) -> float:
    return float(np.median(cdist(points, points)[np.triu_indices(len(points), 1)]))


def _cells(frames: np.ndarray, edges: Sequence[np.ndarray]) -> list[tuple[int, ...]]:
    columns = [np.searchsorted(e, frames[:, i]) for i, e in enumerate(edges)]
    return [tuple(int(v) for v in row) for row in np.stack(columns, axis=1)]


@dataclass(frozen=True)
class Window:
    """A sounding half-second of a recording, with what came before it in the file: `lead` [128 L]."""

    audio: np.ndarray
    lead: np.ndarray
    group: str


def windows_of_corpus(corpus: Corpus, split: str, count: int, seed: int) -> list[Window]:
    """Up to `count` windows, one a recording (the first that sounds), recordings in random order."""
    rng = np.random.default_rng([seed, 12])
    files = corpus.split(split)
    found: list[Window] = []
    size = WINDOW_FRAMES * HOP
    for i in rng.permutation(len(files)):
        audio = corpus.audio(files[i], 0, min(files[i].frames, 3 * WINDOW_FRAMES))
        at = np.flatnonzero(sounding_windows(audio))
        if len(at):
            first = int(at[0]) * size
            found.append(Window(audio[first : first + size], audio[:first], files[i].group))
        if len(found) == count:
            break
    return found


def diversity(archive: Archive, renderer: Renderer, corpus: Corpus, reference: Reference, split: str = "test",
              seed: int = 0, count: int = SOUNDS) -> dict[str, Any]:  # fmt: skip
    """Every figure of `diversity.*` in docs/scoring.md; {} where the corpus is too small to be halved."""
    rate = corpus.sample_rate
    sides = list(halves(windows_of_corpus(corpus, "train", 2 * count, seed)))
    size = min((len(s) for s in sides), default=0)
    if size <= NEIGHBOURS:
        return {}
    one, other = (Cloud.of(np.stack([w.audio for w in s[:size]]), reference, rate) for s in sides)
    played = Cloud.of(play_blindly(archive, renderer, size, seed), reference, rate)
    ruler = Ruler.of(one)
    row, null = ruler.row(played), ruler.row(other)
    pool = windows_of_corpus(corpus, split, POOL, seed)
    return {
        "sounds": size,
        **row,
        "vendi_ratio": row["vendi"] / null["vendi"],
        "vendi_descriptors_ratio": row["vendi_descriptors"] / null["vendi_descriptors"],
        "corpus": null,
        "rare": rare_recall(pool, lambda window: rebuilt(renderer, window, seed), reference, rate, seed),
    }


def halves(windows: Sequence[Window]) -> Iterator[list[Window]]:
    """Two halves with groups kept whole, each as long as it can be."""
    sides: tuple[list[Window], list[Window]] = ([], [])
    where: dict[str, int] = {}
    for window in windows:
        side = where.setdefault(window.group, int(len(sides[0]) > len(sides[1])))
        sides[side].append(window)
    yield from sides


def rare_recall(
    windows: Sequence[Window],
    rebuild: Callable[[Window], np.ndarray],
    reference: Reference,
    sample_rate: int,
    seed: int = 0,
) -> dict[str, Any]:
    """`rebuild` the recordings that are least like any other group's, and as many at random; a rebuilt one is
    known if the nearest of all recordings belongs to its group. {} for too few recordings or one group.

    `recall`: share of the rare that are known; `typical`: of the others; `chance`: by a blind pick.
    """
    groups = np.array([w.group for w in windows])
    count = max(LEAST_RARE, round(RARE_SHARE * len(windows)))
    if len(set(groups)) < 3 or len(windows) < 4 * count:
        return {}
    points = reference.place(np.concatenate([embed(w.audio, sample_rate) for w in windows]))
    apart = cdist(points, points)
    apart[groups[:, None] == groups[None]] = np.inf
    order = np.argsort(-apart.min(axis=1))
    usual = np.random.default_rng([seed, 13]).permutation(order[count:])[:count]

    def known(picks: np.ndarray) -> float:
        sounds = [rebuild(windows[i]) for i in picks]
        places = reference.place(np.concatenate([embed(s, sample_rate) for s in sounds]))
        nearest = cdist(places, points).argmin(axis=1)
        return float(np.mean(groups[nearest] == groups[picks]))

    rare = order[:count]
    return {
        "recall": known(rare),
        "typical": known(usual),
        "chance": float(np.mean([np.mean(groups == groups[i]) for i in rare])),
        "rare": count,
        "recordings": len(windows),
    }


def rebuilt(renderer: Renderer, window: Window, seed: int) -> np.ndarray:
    """The window as the instrument plays it with the recording's own curves."""
    audio = np.concatenate([window.lead, window.audio])
    analysis = renderer.analyse(audio)
    asked = {c.name: analysis.curves[c.name] for c in renderer.manifest.controls}
    return np.nan_to_num(renderer.render(analysis.z, [asked], seed)[0])[-len(window.audio) :]
