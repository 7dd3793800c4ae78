"""Whole recordings, padded into one batch, as both training and scores listen to priors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurorack.learn.prior.material import Curves
from neurorack.learn.prior.model import CLOCK, ControlsPrior, LatentPrior

FREE = (1.0, 1.0, 0.0, 0.0)
"""`clock` of an instrument that plays by itself: the gate open for long, no beat."""

BATCH = 48


@dataclass(frozen=True)
class Recordings:
    """`controls` [B, T, C], `z` [B, T, Z] in units of the prior's scale; `there` [B, T] is 1 inside."""

    controls: Tensor
    z: Tensor
    there: Tensor


def recordings(curves: Sequence[Curves], z_scale: np.ndarray) -> Iterator[Recordings]:
    """`curves` in batches of recordings of like length."""
    ordered = sorted(curves, key=len)
    for first in range(0, len(ordered), BATCH):
        some = ordered[first : first + BATCH]
        length = max(map(len, some))

        def padded(rows: Sequence[np.ndarray], length: int = length) -> Tensor:
            wide = [np.pad(r, ((0, length - len(r)), (0, 0)), mode="edge") for r in rows]
            return torch.from_numpy(np.stack(wide).astype(np.float32))

        there = np.stack([np.arange(length) < len(c) for c in some]).astype(np.float32)
        yield Recordings(
            padded([c.controls for c in some]),
            padded([c.z / z_scale for c in some]),
            torch.from_numpy(there),
        )


def free_clock(like: Tensor) -> Tensor:
    """The clock of free playing for sequences [B, T, .]."""
    return torch.tensor(FREE).expand(*like.shape[:2], CLOCK)


def features(prior: ControlsPrior | LatentPrior, r: Recordings) -> tuple[Tensor, Tensor, Tensor]:
    """What `prior` makes of recordings without a hand: features [B, T-1, F], base and target [B, T-1, D]."""
    if isinstance(prior, ControlsPrior):
        before, none = r.controls[:, :-1], torch.zeros_like(r.controls[:, 1:])
        return prior(before, none, none, free_clock(before))[0], before, r.controls[:, 1:]
    return prior(r.z[:, :-1], r.controls[:, 1:])[0], r.z[:, :-1], r.z[:, 1:]


@torch.no_grad()
def mean_loss(prior: ControlsPrior | LatentPrior, batches: Sequence[Recordings]) -> float:
    """The head's own loss a step and dimension, over all steps but each recording's first."""
    total, count = 0.0, 0.0
    for r in batches:
        found, base, target = features(prior, r)
        there = r.there[:, 1:] > 0
        each = prior.head.loss(found[there], base[there], target[there], torch.ones_like(target[there]))
        total += float(each.sum())
        count += float(there.sum()) * target.shape[-1]
    return total / max(count, 1.0)
