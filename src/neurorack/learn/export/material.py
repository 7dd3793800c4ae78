"""What an instrument carries besides its graphs: clips, anchors, coupling, support, all drawn from its
corpus.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
import torch
from scipy.cluster.vq import kmeans2
from scipy.spatial import cKDTree
from scipy.special import ndtri

from neurorack.core.timebase import HOP
from neurorack.learn.corpus import Corpus, CorpusFile
from neurorack.learn.train.batches import SILENCE_DB, Batch
from neurorack.learn.train.counterfactual import Support
from neurorack.learn.train.objective import Objective

CLIP_SECONDS = 4.0
CLIPS = 8
ANCHORS = 64
STRONG_DB = 20.0
"""Anchors are frames at most this far below their recording's loudest."""


@dataclass(frozen=True)
class Encoded:
    """A recording as the decoder is to be given it: rows [Z + C, T], and its frames' level in dB [T]."""

    file: CorpusFile
    rows: np.ndarray
    level_db: np.ndarray


@torch.no_grad()
def encode(objective: Objective, corpus: Corpus, file: CorpusFile, max_frames: int | None = None) -> Encoded:
    """Encode a file; its controls are aligned with look-ahead, as in training."""
    frames = min(file.frames, max_frames or file.frames)
    names = objective.names
    audio = torch.from_numpy(corpus.audio(file)[: frames * HOP].copy())[None]
    table = corpus.features(file)
    column = {n: table[:, corpus.column(n)] for n in names}
    rows = np.stack([objective.normalisers[n].to_control(column[n]) for n in names])
    keep = min(file.frames, frames + objective.margin)
    rows = np.pad(rows[:, :keep], ((0, 0), (0, frames + objective.margin - keep)), mode="edge")
    f0 = None
    if "pitch" in names:
        pitch = np.pad(column["pitch"][:keep], (0, frames + objective.margin - keep), mode="edge")
        f0 = torch.from_numpy(pitch.astype(np.float32))[None, None]
    batch = Batch(audio, torch.from_numpy(rows.astype(np.float32))[None], f0)
    controls, _, level, _ = objective.align(batch)
    mean, _ = objective.model.posterior(audio)
    both = torch.cat([mean, controls], 1)[0].numpy().astype(np.float32)
    return Encoded(file, both, level[0, 0].numpy())


def choose_clips(corpus: Corpus, seed: int = 0) -> list[CorpusFile]:
    """Up to eight recordings of the training split from as many folders as there are, longest half
    preferred. Where folders lie in folders, the outermost take turns.
    """
    random = np.random.default_rng(seed)
    folders: dict[str, list[CorpusFile]] = {}
    for file in corpus.split("train"):
        folders.setdefault(str(PurePosixPath(file.path).parent), []).append(file)
    turns: Counter[str] = Counter()
    ranked = []
    for _, files in sorted(folders.items(), key=lambda item: -sum(f.frames for f in item[1])):
        ranked.append((turns[files[0].shelf], files))
        turns[files[0].shelf] += 1
    pools = []
    for _, files in sorted(ranked, key=lambda item: item[0]):
        files = sorted(files, key=lambda f: f.frames)[len(files) // 2 :]
        pools.append([files[i] for i in random.permutation(len(files))])
    chosen: list[CorpusFile] = []
    while pools and len(chosen) < CLIPS:
        for pool in list(pools):
            if len(chosen) == CLIPS:
                break
            chosen.append(pool.pop())
            if not pool:
                pools.remove(pool)
    return chosen


@dataclass(frozen=True)
class Statistics:
    """anchors [N, Z + C], support [M, C] and its radius, coupling [C, C], z_scale [Z]."""

    anchors: np.ndarray
    support: np.ndarray
    support_radius: float
    coupling: np.ndarray
    z_scale: np.ndarray


def statistics(objective: Objective, corpus: Corpus, seed: int = 0, max_minutes: float = 12.0) -> Statistics:
    """From a random part of the training split of at most `max_minutes`."""
    random = np.random.default_rng(seed)
    files = list(corpus.split("train"))
    budget = max_minutes * 60 * corpus.sample_rate / HOP
    rows, levels, steady, strong, shelves = [], [], [], [], []
    for index in random.permutation(len(files)):
        encoded = encode(objective, corpus, files[index], int(8 * corpus.sample_rate / HOP))
        rows.append(encoded.rows)
        levels.append(encoded.level_db)
        steady.append(_steady(encoded.level_db))
        strong.append(encoded.level_db > encoded.level_db.max() - STRONG_DB)
        shelves.append(np.full(len(encoded.level_db), files[index].shelf, dtype=object))
        budget -= encoded.rows.shape[1]
        if budget < 0:
            break
    table = np.concatenate(rows, 1).T
    sounding = np.concatenate(levels) > SILENCE_DB
    held = np.concatenate(strong) & sounding
    # A held tone is made of a steady stretch; but of a drum only the last whisper is steady.
    steady_too, shelf = held & np.concatenate(steady), np.concatenate(shelves)
    for name in set(shelf):
        here = shelf == name
        if (steady_too & here).sum() >= max(4 * ANCHORS, 0.2 * (held & here).sum()):
            held &= steady_too | ~here
    if sounding.sum() < 64:
        sounding[:] = True
    z_size = objective.model.config.latent_size
    controls = table[sounding][:, z_size:]
    generator = torch.Generator().manual_seed(seed)
    support = Support.fit(torch.from_numpy(controls), objective.pitch, generator)
    source = table[held] if held.sum() >= 4 * ANCHORS else table[sounding]
    loudness = objective.names.index("loudness") if "loudness" in objective.names else None
    scores = ndtri(np.clip((controls + 1) / 2, 0.005, 0.995))
    coupling = np.corrcoef(scores, rowvar=False).reshape(controls.shape[1], -1)
    return Statistics(
        anchors=_anchors(source, z_size, loudness, random), support=support.points.numpy(),
        support_radius=support.radius,
        coupling=np.nan_to_num(coupling, nan=0.0) * (1 - np.eye(len(coupling))) + np.eye(len(coupling)),
        z_scale=table[sounding][:, :z_size].std(0) + 1e-6,
    )  # fmt: skip


def _steady(level_db: np.ndarray, reach: int = 12) -> np.ndarray:
    """Frames whose level moves by less than 3 dB within ±35 ms: what a held tone may be made of."""
    padded = np.pad(level_db, reach, mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    return windows.max(1) - windows.min(1) < 3.0


def _anchors(
    rows: np.ndarray, latent_size: int, loudness: int | None, random: np.random.Generator
) -> np.ndarray:
    """Typical frames [N, Z + C]: the real frame nearest to each centre of a k-means, in whitened space."""
    rows = rows[random.choice(len(rows), min(20_000, len(rows)), replace=False)]
    white = (rows - rows.mean(0)) / (rows.std(0) + 1e-6)
    count = min(ANCHORS, max(1, len(rows) // 4))
    centres, _ = kmeans2(white, count, seed=random, minit="++")
    chosen = rows[np.unique(cKDTree(white).query(centres)[1])]
    # The first anchor is the first thing a player hears: the most ordinary one, and rather loud.
    welcome = np.zeros(chosen.shape[1] - latent_size)
    if loudness is not None:
        welcome[loudness] = 0.5
    order = np.argsort(np.linalg.norm(chosen[:, latent_size:] - welcome, axis=1), kind="stable")
    return chosen[order].astype(np.float32)
