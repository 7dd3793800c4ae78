"""What is asked about, in one vocabulary: the controls in their units, and each source's curves."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from neurorack.core.manifest import Manifest
from neurorack.core.normaliser import Normaliser
from neurorack.learn.measure import independent
from neurorack.learn.measure.alignment import EDGE, aligned, asked_level_db, heard_level_db, offset_frames
from neurorack.learn.measure.excerpts import Excerpt
from neurorack.learn.measure.second_ears import SECOND

FIXED_SET = ("loudness", "brightness", "boominess", "noisiness")
"""The controls every figure is about, where an instrument has them."""

NOISE_FLOOR_DB = -60.0
"""Level, in dB re full scale, under which a frame is silence and is not scored."""

STEADY_FRAMES, STEADY_DB = 12, 3.0
"""A frame is sustained if the level moves by less than this within so many frames of it."""


@dataclass(frozen=True)
class Vocabulary:
    """The controls of an instrument (or of a corpus without one): names, maps to [-1, 1], declared offsets.

    `offsets`: see learn.measure.alignment; `support` [M, C] and `radius`: where requests are feasible (None:
    everywhere).
    """

    sample_rate: int
    normalisers: Mapping[str, Normaliser]
    offsets: Mapping[str, int]
    support: np.ndarray | None = None
    radius: float = float("inf")

    @classmethod
    def of_instrument(cls, manifest: Manifest, support: np.ndarray) -> "Vocabulary":
        slow = {m.name for m in manifest.measured if m.slow}
        return cls(
            manifest.sample_rate,
            {c.name: c.normaliser for c in manifest.controls},
            {c.name: offset_frames(c.name, c.lag_frames, c.name in slow) for c in manifest.controls},
            support,
            manifest.support_radius,
        )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.normalisers)

    @property
    def heard(self) -> tuple[str, ...]:
        """Controls that an independent implementation can measure."""
        return tuple(n for n in independent.KNOWN if n in self.names or n == "loudness")

    @property
    def scored(self) -> tuple[str, ...]:
        """The fixed set, as far as there are such controls."""
        return tuple(n for n in FIXED_SET if n in self.names)

    def listen(self, audio: np.ndarray) -> dict[str, np.ndarray]:
        """Independent curves of a sound [128 T], aligned to what was asked: name -> [T].

        Beside each control stands, where there is one, what a second and different ear hears of it, under the
        names of learn.measure.second_ears.
        """
        names = [n for n in self.heard if n != "pitch"]
        second = {SECOND[n]: n for n in names if n in SECOND}
        curves = independent.measure(audio, self.sample_rate, [*names, *second])
        curves["loudness"] = heard_level_db(curves["loudness"], self.sample_rate)
        offsets = {"loudness": 0, **self.offsets}
        offsets |= {ear: offsets[name] for ear, name in second.items()}
        return aligned(curves, offsets, len(audio) // independent.HOP)

    @staticmethod
    def as_heard(name: str, asked: np.ndarray) -> np.ndarray:
        """An asked curve [T] as a perfect answer would show it in the independent measure's window."""
        return asked_level_db(asked) if name == "loudness" else asked

    def feasible(self, asked: Mapping[str, np.ndarray]) -> np.ndarray:
        """Whether each frame of a whole request [T] lies within the support radius of a training frame."""
        frames = len(next(iter(asked.values())))
        if self.support is None:
            return np.ones(frames, dtype=bool)
        point = np.stack([self.normalisers[n].to_control(asked[n]) for n in self.names], axis=1)
        distance, _ = cKDTree(self.support).query(point, distance_upper_bound=self.radius * (1 + 1e-6))
        return np.isfinite(distance)


@dataclass(frozen=True)
class Source:
    """An excerpt, what the instrument measures in it (`own`, one curve [T] for each control, at the frame it
    describes) and what the independent measures hear (`heard`, [T]). `z` [Z, T + latency], if modelled."""

    excerpt: Excerpt
    own: Mapping[str, np.ndarray]
    heard: Mapping[str, np.ndarray]
    z: np.ndarray | None = None
    periodicity: np.ndarray | None = None

    @property
    def frames(self) -> int:
        return self.excerpt.frames

    @property
    def inside(self) -> np.ndarray:
        """Frames [T] that are not at an end."""
        u = np.arange(self.frames)
        return (u >= EDGE) & (u < self.frames - EDGE)

    @property
    def sounding(self) -> np.ndarray:
        """Frames [T] above the noise floor and not at an end."""
        return self.inside & (self.heard["loudness"] > NOISE_FLOOR_DB)

    @property
    def sustained(self) -> np.ndarray:
        """Sounding frames [T] about which (within 35 ms) the level moves by less than 3 dB."""
        return self.sounding & (local_range(self.heard["loudness"], STEADY_FRAMES) < STEADY_DB)


def local_range(curve: np.ndarray, reach: int) -> np.ndarray:
    """Largest less smallest value within `reach` frames of each frame: [T]."""
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(curve, reach, mode="edge"), 2 * reach + 1)
    return np.ptp(windows, axis=1)


def pooled(sources: Sequence[Source], name: str, which: str) -> np.ndarray:
    """All sounding frames' values of one descriptor, of the `own` or the `heard` curves."""
    return np.concatenate([getattr(s, which)[name][s.sounding] for s in sources])


def sources_without_model(excerpts: Sequence[Excerpt], sample_rate: int) -> tuple[Vocabulary, list[Source]]:
    """Null rows need no instrument: the independent measures themselves serve as the asked curves."""
    lags = {name: 0 if name == "loudness" else 8 for name in FIXED_SET}
    offsets = {name: offset_frames(name, lag) for name, lag in lags.items()}
    empty = Vocabulary(sample_rate, {n: Normaliser((0.0, 1.0)) for n in FIXED_SET}, offsets)
    heard = [empty.listen(e.audio) for e in excerpts]
    sources = [Source(e, h, h) for e, h in zip(excerpts, heard, strict=True)]
    normalisers = {n: Normaliser.fit(pooled(sources, n, "own")) for n in FIXED_SET}
    return Vocabulary(sample_rate, normalisers, offsets), sources
