"""Leakage probe: how well can a network trained after the fact read each descriptor from z?

The latent code should hold what is left when the descriptors are taken out. A critic that took part in
training says little about that (the encoder learnt to please that critic); a fresh network, trained on z as
it is, says more. Recordings are dealt into folds with groups kept whole; each fold is read by a network that
never saw it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.stats import rankdata
from torch import nn

from neurorack.core.manifest import Manifest
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.measure.alignment import EDGE
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.subject import NOISE_FLOOR_DB

FOLDS = 5
FILES = 120
SECONDS = 2.0
CONTEXT = (-16, -8, -4, 0, 4, 8, 16)
"""Frames of z, about the one described, that the network sees: a descriptor's window spans 16 to 32."""

STEPS, BATCH, WIDTH = 300, 512, 64
EVERY = 4
"""Frames between rows: neighbours say the same."""

LEAST_ROWS = 16


@dataclass(frozen=True)
class Recording:
    """`x` [N, 7 Z]: z about each kept frame; `y` [N, C]: the descriptors there, physical; and its group."""

    x: np.ndarray
    y: np.ndarray
    group: str


def recordings_for(
    renderer: Renderer, corpus: Corpus, names: Sequence[str], seed: int = 0
) -> list[Recording]:
    """Up to 120 recordings of any split, two seconds each: the encoder's z, and what `prepare` measured.

    A descriptor is causal: its value at frame t + lag describes frame t, and z of it leaves the encoder at
    t + latency.
    """
    m: Manifest = renderer.manifest
    lags = {c.name: c.lag_frames for c in m.controls}
    columns = {n: corpus.column(n) for n in names}
    longest = int(SECONDS * corpus.sample_rate / corpus.hop)
    found: list[Recording] = []
    for i in np.random.default_rng(seed).permutation(len(corpus.files)):
        file = corpus.files[i]
        frames = min(file.frames, longest)
        tail = max(*lags.values(), m.latency_frames)
        z = renderer.encode(np.pad(corpus.audio(file, 0, frames), (0, tail * corpus.hop)))
        table = corpus.features(file, 0, min(file.frames, frames + tail))
        u = np.arange(0, frames, EVERY)
        y = np.stack([table[np.minimum(u + lags[n], len(table) - 1), c] for n, c in columns.items()], axis=1)
        level = corpus.column("loudness") if "loudness" in corpus.outputs else None
        keep = (u >= min(EDGE, frames // 8)) & (u < frames - min(EDGE, frames // 8))
        if level is not None:
            keep &= table[np.minimum(u, len(table) - 1), level] > NOISE_FLOOR_DB
        at = u[keep] + m.latency_frames
        x = np.concatenate([z[:, np.clip(at + shift, 0, z.shape[1] - 1)] for shift in CONTEXT]).T
        if len(at) >= LEAST_ROWS:
            found.append(Recording(x.astype(np.float32), y[keep].astype(np.float64), file.group))
        if len(found) == FILES:
            break
    return found


def leakage_probe(recordings: Sequence[Recording], names: Sequence[str], seed: int = 0) -> dict[str, Any]:
    """R² of each control's rank (uniform over all rows), read from z on recordings that were held out.

    `r2`: over everything, so that to know the player and the register is to know much; `within_r2`: of what
    moves inside recordings, every recording's mean taken out of z and of the descriptors. `shuffled`,
    `within_shuffled`: the same read from another recording's z, chance. Negative: worse than the mean.
    Network: 7 frames of z, two hidden layers of 64, AdamW 2e-3, 300 steps of 512 rows.
    """
    groups = sorted({r.group for r in recordings})
    if len(groups) < FOLDS:
        return {}
    rng = np.random.default_rng(seed)
    place = dict(zip(groups, rng.permutation(len(groups)) % FOLDS, strict=True))
    lengths = [len(r.y) for r in recordings]
    owner = np.repeat(np.arange(len(recordings)), lengths)
    fold = np.repeat([place[r.group] for r in recordings], lengths)
    ranks = rankdata(np.concatenate([r.y for r in recordings]), axis=0)
    y = ((ranks - ranks.mean(0)) / ranks.std(0).clip(1e-9)).astype(np.float32)
    swapped = [
        recordings[j].x[np.arange(n) % lengths[j]]
        for j, n in zip(rng.permutation(len(lengths)), lengths, strict=True)
    ]
    figures: dict[str, np.ndarray] = {}
    for key, parts in (("r2", [r.x for r in recordings]), ("shuffled", swapped)):
        x = np.concatenate(parts)
        figures[key] = _held_out_r2(x, y, fold, seed)
        inside = _centred(y, owner)
        figures[f"within_{key}"] = _held_out_r2(
            _centred(x, owner), (inside / inside.std(0).clip(1e-9)).astype(np.float32), fold, seed
        )
    by = {n: {key: float(v[i]) for key, v in figures.items()} for i, n in enumerate(names)}
    means: Mapping[str, float] = {f"mean_{key}": float(v.mean()) for key, v in figures.items()}
    return {"by": by, **means, "rows": len(y), "recordings": len(recordings), "folds": FOLDS, "steps": STEPS}


def _held_out_r2(x: np.ndarray, y: np.ndarray, fold: np.ndarray, seed: int) -> np.ndarray:
    """Share of the variance of y [N, C] that networks explain on the folds they never saw: [C]."""
    guess = np.zeros_like(y)
    for held_out in range(FOLDS):
        known = fold != held_out
        if known.any() and not known.all():
            guess[~known] = _read(x[known], y[known], x[~known], seed)
    return 1 - ((y - guess) ** 2).mean(0) / ((y - y.mean(0)) ** 2).mean(0).clip(1e-9)


def _centred(rows: np.ndarray, owner: np.ndarray) -> np.ndarray:
    """Rows [N, C] less the mean of their recording, float32."""
    count = np.bincount(owner)[:, None]
    mean = np.stack([np.bincount(owner, weights=c) for c in rows.T], axis=1) / count
    return (rows - mean[owner]).astype(np.float32)


def _read(x: np.ndarray, y: np.ndarray, held_out: np.ndarray, seed: int) -> np.ndarray:
    """Train on x [N, F], y [N, C]; what the network says of `held_out` [M, F]: [M, C]."""
    mean, scale = x.mean(0), x.std(0) + 1e-6
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = nn.Sequential(
            nn.Linear(x.shape[1], WIDTH), nn.SiLU(), nn.Dropout(0.1), nn.Linear(WIDTH, WIDTH), nn.SiLU(),
            nn.Linear(WIDTH, y.shape[1]),
        )  # fmt: skip
        inputs, wanted = torch.from_numpy((x - mean) / scale), torch.from_numpy(y)
        optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=1e-2)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
        for _ in range(STEPS):
            at = torch.randint(len(inputs), (BATCH,), generator=generator)
            loss = nn.functional.mse_loss(network(inputs[at]), wanted[at])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
        network.eval()
        with torch.no_grad():
            return network(torch.from_numpy((held_out - mean) / scale)).numpy()
