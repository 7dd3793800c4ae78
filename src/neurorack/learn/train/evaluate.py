"""What the loop looks at while it trains: validation distance, asked against measured, pictures and sound."""

from dataclasses import dataclass

import numpy as np
import torch
from scipy.stats import spearmanr
from torch import Tensor

from neurorack.core.timebase import HOP
from neurorack.learn.train.batches import SILENCE_DB, Batch
from neurorack.learn.train.objective import WARM_FRAMES, Objective

LEAST = 50
"""Frames that a correlation needs."""


@dataclass(frozen=True)
class Evaluation:
    """Numbers, and one example: audio heard and wanted [N], asked and measured rows [C, T]."""

    numbers: dict[str, float]
    heard: np.ndarray
    wanted: np.ndarray
    asked: np.ndarray
    measured: np.ndarray
    names: list[str]


@torch.no_grad()
def evaluate(objective: Objective, batch: Batch) -> Evaluation:
    """Reconstruction of `batch`, and how its output obeys another item's curves (all rows swapped): "all"
    pools the frames of all items, "inside" is the mean over items of the correlation within each.

    The correlations here use our own descriptors and say whether training goes well; scores that count come
    from `neurorack measure`.
    """
    model = objective.model
    controls, _, level, f0 = objective.align(batch)
    mean, _ = model.posterior(batch.audio)
    b, frames = len(mean), mean.shape[-1]
    noise = torch.randn(b, frames * HOP, generator=torch.Generator().manual_seed(1)).to(mean.device)
    heard = model.decode(mean, controls, level, f0, noise)
    start, delay = WARM_FRAMES * HOP, objective.delay * HOP
    wanted = batch.audio[:, start - delay : -delay]
    numbers = {"stft": float(objective.distance(heard[:, start:], wanted))}
    # What the code is worth: how much worse it gets with another item's. None means that it has collapsed.
    foreign = model.decode(mean.roll(1, 0), controls, level, f0, noise)
    numbers["code"] = float(objective.distance(foreign[:, start:], wanted)) - numbers["stft"]
    asked = controls.roll(1, 0)
    asked_level = level.roll(1, 0) if model.config.gained else level
    asked_f0 = f0  # pitch stays the item's own: it obeys by construction
    swapped = asked.clone()
    if objective.pitch is not None:
        swapped[:, objective.pitch] = controls[:, objective.pitch]
    out = model.decode(mean, swapped, asked_level, asked_f0, noise)
    measured = objective.scored_measuring(objective.bank.measure(out)[:, objective.columns])
    sounding = (objective.level_db(out)[:, 0] > SILENCE_DB) & (asked_level[:, 0] > SILENCE_DB + 10)
    ranks = []
    for k, i in enumerate(objective.scored):
        lag = objective.lags[i]
        first = WARM_FRAMES + 16 + lag
        keep = sounding[:, first:]
        a, m = swapped[:, i, first - lag : -lag or None][keep], measured[:, k, first:][keep]
        rank = _rank(a, m)
        numbers[f"all/{objective.names[i]}"] = rank
        ranks.append(rank)
        curves = zip(swapped[:, i, first - lag : -lag or None], measured[:, k, first:], keep, strict=True)
        inside = [_rank(curve[on], answer[on]) for curve, answer, on in curves if int(on.sum()) >= LEAST]
        numbers[f"inside/{objective.names[i]}"] = float(np.mean(inside)) if inside else 0.0
    numbers["all/mean"] = float(np.mean(ranks)) if ranks else 0.0
    lag = objective.lags[objective.scored[0]] if objective.scored else 0
    example_asked = swapped[0, objective.scored][:, : -lag or None].cpu().numpy()
    example_measured = measured[0][:, lag:].cpu().numpy()
    return Evaluation(
        numbers,
        heard[0, start:].float().cpu().numpy(),
        wanted[0].cpu().numpy(),
        example_asked,
        example_measured,
        [objective.names[i] for i in objective.scored],
    )


def _rank(asked: Tensor, measured: Tensor) -> float:
    if asked.numel() < LEAST:
        return 0.0
    value = spearmanr(asked.cpu().numpy(), measured.cpu().numpy()).statistic
    return float(value) if np.isfinite(value) else 0.0
