"""Does a prior know what comes next? Held-out likelihood, and the energy score some steps ahead.

The energy score E|X - x| - E|X - X'| / 2 is proper (Gneiting and Raftery 2007): least, in the long run, for
who tells the truth about x. X are continuations, x what the recording did, both whole vectors. It judges
families without a density, and baselines, by the same measure.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from neurorack.learn.prior.baselines import ORDER, HoldLast, Walk
from neurorack.learn.prior.heads import MixtureHead
from neurorack.learn.prior.held_out import features, free_clock, recordings
from neurorack.learn.prior.material import Curves
from neurorack.learn.prior.model import LATENT_REACH, ControlsPrior, LatentPrior
from neurorack.learn.prior.rollout import Start, play_controls, play_latent

HORIZONS = (1, 8, 43)
CONTEXT = 12
"""Steps that are heard before a continuation is asked for."""

PLACES = 150
SAMPLES = 32
LEAST_PLACES = 20


@dataclass(frozen=True)
class Task:
    """One prior's held-out question: sequences to learn baselines from and to be judged by, [T, D] each."""

    prior: ControlsPrior | LatentPrior
    train: list[np.ndarray]
    test: Sequence[Curves]
    z_scale: np.ndarray
    reach: float

    @classmethod
    def of(
        cls, prior: ControlsPrior | LatentPrior, train: Sequence[Curves], test: Sequence[Curves],
        z_scale: np.ndarray,
    ) -> "Task":  # fmt: skip
        """The prior's floor is added to everything as noise: values that stand still are no foresight."""
        controls = isinstance(prior, ControlsPrior)
        rng = np.random.default_rng(5)
        floor = prior.floor.numpy()
        hazy = [_hazy(c, floor, controls, z_scale, rng) for c in test]
        rows = [c.controls if controls else c.z / z_scale for c in train]
        rows = [r + floor * rng.standard_normal(r.shape) for r in rows]
        return cls(prior, rows, hazy, z_scale, 1.25 if controls else LATENT_REACH)

    def rows(self, curve: Curves) -> np.ndarray:
        return curve.controls if isinstance(self.prior, ControlsPrior) else curve.z / self.z_scale


def _hazy(
    c: Curves, floor: np.ndarray, controls: bool, scale: np.ndarray, rng: np.random.Generator
) -> Curves:
    if controls:
        rows = (c.controls + floor * rng.standard_normal(c.controls.shape)).astype(np.float32)
        return Curves(c.path, c.split, rows, c.z, c.sounding)
    z = (c.z + scale * floor * rng.standard_normal(c.z.shape)).astype(np.float32)
    return Curves(c.path, c.split, c.controls, z, c.sounding)


@torch.no_grad()
def likelihood(task: Task) -> dict[str, float | None]:
    """Mean log density in nats a step and number, over the steps that every row can speak of."""
    walk, hold = (kind.fit(task.train, task.prior.floor.numpy()) for kind in (Walk, HoldLast))
    long = [task.rows(c).astype(float) for c in task.test if len(c) > ORDER]
    size, count = task.prior.size, sum(len(s) - ORDER for s in long)
    rows: dict[str, float | None] = {
        "hold_last": sum(hold.log_prob(s)[ORDER - 1 :].sum() for s in long) / count / size,
        "walk": sum(walk.log_prob(s).sum() for s in long) / count / size,
        "prior": None,
    }
    if isinstance(task.prior.head, MixtureHead):
        total = 0.0
        for r in recordings(task.test, task.z_scale):
            found, base, target = features(task.prior, r)
            there = r.there[:, 1:] > 0
            there[:, : ORDER - 1] = False
            some = base[there], target[there]
            total += float(task.prior.head.log_prob(found[there], *some, torch.ones_like(some[0])).sum())
        rows["prior"] = total / count / size
    return rows


def energy(samples: np.ndarray, truth: np.ndarray) -> float:
    """Mean energy score of samples [N, M, D] about truth [N, D]; M = 1 is a plain distance."""
    near = np.linalg.norm(samples - truth[:, None], axis=-1).mean()
    count = samples.shape[1]
    if count == 1:
        return float(near)
    apart = np.linalg.norm(samples[:, :, None] - samples[:, None], axis=-1).sum((1, 2)).mean()
    return float(near - apart / (count * (count - 1)) / 2)


@torch.no_grad()
def ahead(task: Task, seed: int = 0) -> dict[str, dict[str, float]]:
    """Energy scores by horizon (in steps) and row; a horizon that too few recordings reach is left out."""
    rng = np.random.default_rng([seed, 21])
    walk = Walk.fit(task.train, task.prior.floor.numpy())
    found: dict[str, dict[str, float]] = {}
    for horizon in HORIZONS:
        able = [c for c in task.test if len(c) >= CONTEXT + horizon]
        if sum(len(c) - CONTEXT - horizon + 1 for c in able) < LEAST_PLACES:
            continue
        picks = [able[i] for i in rng.integers(len(able), size=PLACES)]
        begin = [int(rng.integers(CONTEXT, len(c) - horizon + 1)) for c in picks]
        rows = [task.rows(c) for c in picks]
        truth = np.stack([r[b + horizon - 1] for r, b in zip(rows, begin, strict=True)])
        last = np.stack([r[b - 1] for r, b in zip(rows, begin, strict=True)])
        before = np.stack([r[b - ORDER : b] for r, b in zip(rows, begin, strict=True)])
        walked = walk.play(np.repeat(before, SAMPLES, 0), horizon, rng, task.reach)[:, -1]
        old = [s for s in task.train if len(s) >= CONTEXT + horizon]
        others = [
            [
                s[min(b + horizon - 1, len(s) - 1)]
                for s in (old[i] for i in rng.integers(len(old), size=SAMPLES))
            ]
            for b in begin
        ]
        found[str(horizon)] = {
            "prior": energy(_continued(task, picks, begin, horizon, seed), truth),
            "hold_last": energy(last[:, None], truth),
            "walk": energy(walked.reshape(PLACES, SAMPLES, -1), truth),
            "shuffled": energy(np.array(others), truth),
        }
    return found


def _continued(
    task: Task, picks: Sequence[Curves], begin: Sequence[int], horizon: int, seed: int
) -> np.ndarray:
    """What the prior makes of each place, `horizon` steps on: [N, SAMPLES, D]."""
    starts = [start_after(task.prior, c, b, task.z_scale) for c, b in zip(picks, begin, strict=True)]
    start = Start(torch.cat([s.previous for s in starts]), torch.cat([s.state for s in starts]))
    start = start.repeated(SAMPLES)
    if isinstance(task.prior, ControlsPrior):
        out = play_controls(task.prior, horizon, start, seed)
    else:
        asked = np.stack([c.controls[b : b + horizon] for c, b in zip(picks, begin, strict=True)])
        out = play_latent(task.prior, np.repeat(asked, SAMPLES, 0), start, seed) / task.prior.scale.numpy()
    return out[:, -1].reshape(len(picks), SAMPLES, -1)


def start_after(prior: ControlsPrior | LatentPrior, c: Curves, steps: int, z_scale: np.ndarray) -> Start:
    """The prior after it has listened to the first `steps` of a recording."""
    controls = torch.tensor(c.controls[None, :steps])
    if isinstance(prior, ControlsPrior):
        none = torch.zeros_like(controls[:, 1:])
        _, state = prior(controls[:, :-1], none, none, free_clock(none))
        return Start(controls[:, -1], state)
    z = torch.from_numpy((c.z[None, :steps] / z_scale).astype(np.float32))
    _, state = prior(z[:, :-1], controls[:, 1:])
    return Start(z[:, -1], state)


def foresight(task: Task, seed: int = 0) -> dict[str, Any]:
    """Both figures of one prior."""
    return {"nats": likelihood(task), "energy": ahead(task, seed)}
