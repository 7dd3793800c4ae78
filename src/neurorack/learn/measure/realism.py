"""Are edited sounds real? Their distance to the corpus, beside that of reconstructions and of recordings.

The ears here know neither the instrument nor the descriptors: half-second windows described by mel-cepstral
statistics. Two distances to the training recordings: to the nearest window, and Fréchet's between the two
clouds. A ratio near 1 says that asking for something else took the sound no farther from the corpus than
plain resynthesis does; what plain resynthesis itself costs stands beside it, as does noise, which would pass
the ratio alone.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import librosa
import numpy as np
from scipy.linalg import sqrtm
from scipy.spatial import cKDTree

from neurorack.core.timebase import HOP
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.measure.asking import Request
from neurorack.learn.measure.excerpts import Excerpt
from neurorack.learn.measure.nulls import follow_level
from neurorack.learn.measure.subject import NOISE_FLOOR_DB, Source

WINDOW_FRAMES = 172
"""Frames of 128 samples in a window: half a second at 44.1 kHz."""

N_FFT, SPECTRUM_HOP = 2048, 512
MELS, CEPSTRA = 64, 20
RANGE_DB = 60.0
"""Depth under a window's loudest mel band beyond which nothing counts."""

REFERENCE_WINDOWS = 1500
DIMENSIONS = 16
FEASIBLE_SHARE = 0.8
"""A window is feasible if this much of it is; it is counted if half of it is."""


def embed(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Windows of half a second, end to end, of a sound [N] -> [W, 39], whatever its level.

    Log powers in 64 mel bands every 512 samples, floored 60 dB under the window's loudest band;
    their cosine transform's coefficients 1 to 19, mean and standard deviation over the window, and the
    standard deviation of coefficient 0, which is how lively the level is.
    """
    size = WINDOW_FRAMES * HOP
    count = len(audio) // size
    if not count:
        return np.zeros((0, 2 * CEPSTRA - 1))
    cut = np.asarray(audio, dtype=np.float32)[: count * size].reshape(count, size)
    mel = librosa.feature.melspectrogram(
        y=cut, sr=sample_rate, n_fft=N_FFT, hop_length=SPECTRUM_HOP, n_mels=MELS, center=False
    )
    level = 10 * np.log10(mel + 1e-12)
    level = np.maximum(level, level.max(axis=(1, 2), keepdims=True) - RANGE_DB)
    cepstra = librosa.feature.mfcc(S=level, n_mfcc=CEPSTRA)
    spread = cepstra.std(axis=2)
    return np.concatenate([cepstra[:, 1:].mean(axis=2), spread[:, 1:], spread[:, :1]], axis=1)


def share_of(mask: np.ndarray) -> np.ndarray:
    """Frames [T] -> share of true ones in each window [W]."""
    count = len(mask) // WINDOW_FRAMES
    return np.asarray(mask[: count * WINDOW_FRAMES], dtype=float).reshape(count, WINDOW_FRAMES).mean(axis=1)


@dataclass(frozen=True)
class Reference:
    """The corpus in the space where distances are taken: `points` [M, D], a map into it, and a tree."""

    points: np.ndarray
    mean: np.ndarray
    axes: np.ndarray
    tree: cKDTree

    @classmethod
    def of_windows(cls, windows: np.ndarray) -> "Reference":
        """From embedded windows [M, 39]: features scaled to unit variance, then their 16 main axes."""
        mean, scale = windows.mean(axis=0), windows.std(axis=0) + 1e-6
        _, _, axes = np.linalg.svd((windows - mean) / scale, full_matrices=False)
        projection = axes[:DIMENSIONS].T / scale[:, None]
        points = (windows - mean) @ projection
        return cls(points, mean, projection, cKDTree(points))

    @classmethod
    def of_corpus(cls, corpus: Corpus, seed: int = 0, split: str = "train") -> "Reference | None":
        """From up to 1500 sounding windows of a split, files in random order; None if there are under 32."""
        rng = np.random.default_rng(seed)
        files = corpus.split(split)
        parts: list[np.ndarray] = []
        found = 0
        most = 8 * WINDOW_FRAMES
        for i in rng.permutation(len(files)):
            audio = corpus.audio(files[i], 0, min(files[i].frames, most))
            windows = embed(audio, corpus.sample_rate)[sounding_windows(audio)]
            parts.append(windows)
            found += len(windows)
            if found >= REFERENCE_WINDOWS:
                break
        return cls.of_windows(np.concatenate(parts)) if found >= 2 * DIMENSIONS else None

    def place(self, windows: np.ndarray) -> np.ndarray:
        """[W, 39] -> [W, D]."""
        return (windows - self.mean) @ self.axes

    def nearest(self, points: np.ndarray) -> float | None:
        """Mean distance of points [W, D] to the nearest window of the corpus."""
        return float(np.mean(self.tree.query(points)[0])) if len(points) else None

    def frechet(self, points: np.ndarray) -> float | None:
        """|m - m'|² + tr(C + C' - 2 (C C')^½) between the clouds; None for fewer points than twice D."""
        if len(points) < 2 * points.shape[1]:
            return None
        a, b = np.cov(points, rowvar=False), np.cov(self.points, rowvar=False)
        cross = np.real(sqrtm(a @ b))
        gap = points.mean(axis=0) - self.points.mean(axis=0)
        return float(max(gap @ gap + np.trace(a + b - 2 * cross), 0.0))


def sounding_windows(audio: np.ndarray) -> np.ndarray:
    """Windows [W] of a sound whose level is above the noise floor."""
    size = WINDOW_FRAMES * HOP
    count = len(audio) // size
    power = np.mean(np.asarray(audio[: count * size], dtype=np.float64).reshape(count, size) ** 2, axis=1)
    return 10 * np.log10(power + 1e-12) > NOISE_FLOOR_DB


@dataclass
class Realism:
    """Gathers windows by kind, source by source; `summary` compares each kind with the corpus."""

    reference: Reference
    sample_rate: int
    seed: int = 0
    points: dict[str, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    owners: dict[str, list[np.ndarray]] = field(default_factory=lambda: defaultdict(list))
    excerpts: list[Excerpt] = field(default_factory=list)

    def add(self, source: Source, requests: Sequence[Request], answers: Sequence[np.ndarray]) -> None:
        """The first answer is the reconstruction; the others are edits."""
        index = len(self.excerpts)
        self.excerpts.append(source.excerpt)
        audio = source.excerpt.audio
        inside = share_of(source.sounding) >= 0.5
        self._keep("recordings", index, audio, inside)
        self._keep("reconstruction", index, answers[0], inside)
        self._keep("noise", index, hiss_under(source, self.sample_rate, self.seed, index), inside)
        for request, answer in zip(requests[1:], answers[1:], strict=True):
            windows = self.reference.place(embed(answer, self.sample_rate))
            counted = share_of(request.counted) >= 0.5
            feasible = counted & (share_of(request.feasible) >= FEASIBLE_SHARE)
            mode = "all" if request.kind == "all" else "one"
            for kind, mask in (("edited", counted), (f"edited_{mode}", counted), ("feasible", feasible)):
                self._put(kind, index, windows, mask)

    def _keep(self, kind: str, index: int, audio: np.ndarray, mask: np.ndarray) -> None:
        self._put(kind, index, self.reference.place(embed(audio, self.sample_rate)), mask)

    def _put(self, kind: str, index: int, windows: np.ndarray, mask: np.ndarray) -> None:
        at = np.flatnonzero(mask)
        self.points[kind].append(windows[at])
        self.owners[kind].append(np.stack([np.full(len(at), index), at], axis=1))

    def summary(self) -> dict[str, Any]:
        """See docs/scoring.md. Fréchet's distance depends on how many points there are, so all kinds are
        brought to the number of reconstructed windows (mean of five draws)."""
        clouds = {kind: np.concatenate(parts) for kind, parts in self.points.items()}
        if not len(clouds.get("reconstruction", ())):
            return {}
        size = len(clouds["reconstruction"])
        rng = np.random.default_rng(self.seed)
        result: dict[str, Any] = {}
        for kind, cloud in clouds.items():
            draws = (
                [cloud]
                if len(cloud) <= size
                else [cloud[rng.permutation(len(cloud))[:size]] for _ in range(5)]
            )
            known = [f for f in (self.reference.frechet(d) for d in draws) if f is not None]
            result[kind] = {
                "nearest": self.reference.nearest(cloud),
                "frechet": float(np.mean(known)) if known and len(cloud) >= size else None,
                "windows": len(cloud),
            }
        plain, real = result["reconstruction"], result["recordings"]
        ratios = {
            "ratio": self._paired_ratio("feasible"),
            "ratio_raw": self._paired_ratio("edited"),
            "frechet_ratio": _ratio(result["feasible"]["frechet"], plain["frechet"]),
            "frechet_ratio_raw": _ratio(result["edited"]["frechet"], plain["frechet"]),
            "reconstruction_ratio": _ratio(plain["nearest"], real["nearest"]),
            "noise_ratio": _ratio(result["noise"]["nearest"], real["nearest"]),
        }
        own = {f"own_source_{k}": self._own_source(k) for k in ("reconstruction", "edited")}
        return {**ratios, **own, **result}

    def _paired_ratio(self, kind: str) -> float | None:
        """Distance of windows of `kind` to the nearest of the corpus, over that of the reconstructions at the
        same places: sources with more windows that count weigh the same above and below."""
        plain = self._distances("reconstruction")
        pairs = [
            (distance, plain[place])
            for points, owners in zip(self.points[kind], self.owners[kind], strict=True)
            for distance, place in zip(self.reference.tree.query(points)[0], map(tuple, owners), strict=True)
            if place in plain
        ]
        edited, resynthesised = np.sum(pairs, axis=0) if pairs else (0.0, 0.0)
        return float(edited / resynthesised) if resynthesised else None

    def _distances(self, kind: str) -> dict[tuple[int, ...], float]:
        """(source, window) -> distance to the nearest window of the corpus."""
        points, owners = np.concatenate(self.points[kind]), np.concatenate(self.owners[kind])
        return dict(zip(map(tuple, owners), self.reference.tree.query(points)[0], strict=True))

    def _own_source(self, kind: str) -> float | None:
        """Share of other excerpts' recorded windows that are farther from an answer than its own source's
        window at the same time: 1 where every answer is known by its source, 0.5 where it is anyone's."""
        recorded, where = np.concatenate(self.points["recordings"]), np.concatenate(self.owners["recordings"])
        groups = [e.groups for e in self.excerpts]
        row = {tuple(w): i for i, w in enumerate(where)}
        shares = []
        for points, owners in zip(self.points[kind], self.owners[kind], strict=True):
            for point, owner in zip(points, owners, strict=True):
                if (own := row.get(tuple(owner))) is None:
                    continue
                strange = np.array([not groups[i] & groups[owner[0]] for i in where[:, 0]])
                if strange.any():
                    distance = np.linalg.norm(recorded - point, axis=1)
                    shares.append(np.mean(distance[strange] > distance[own]))
        return float(np.mean(shares)) if shares else None


def hiss_under(source: Source, sample_rate: int, seed: int, index: int) -> np.ndarray:
    """White noise under the level of a source: [128 T]."""
    hiss = np.random.default_rng([seed, index]).standard_normal(len(source.excerpt.audio))
    return follow_level(hiss.astype(np.float32), source.heard["loudness"], sample_rate)


def _ratio(value: float | None, by: float | None) -> float | None:
    return value / by if value is not None and by else None
