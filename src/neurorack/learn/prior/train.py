"""Training one prior: phrases in, the next step out; the average of its weights that held-out recordings like
best is kept.
"""

import copy
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor, nn

from neurorack.core.errors import NeurorackError
from neurorack.learn.prior.held_out import mean_loss, recordings
from neurorack.learn.prior.material import Material
from neurorack.learn.prior.model import MOST_FLOOR, ControlsPrior, LatentPrior
from neurorack.learn.prior.phrases import Batch, Phrases

LEARNING_RATE = 2e-3
WARM_STEPS = 50
WEIGHT_DECAY = 0.02
DROPOUT = 0.1
CLIP_NORM = 1.0
AVERAGE = 0.995
CONTROL_NOISE = 0.03
LOOKS = 20
"""How often held-out recordings are listened to in the course of a training."""

Progress = Callable[[float, str], None]


@dataclass(frozen=True)
class Settings:
    """`seconds` to train, or exactly `steps`; `batch` sequences of `length` steps each."""

    seconds: float = 150.0
    steps: int | None = None
    batch: int = 24
    length: int = 160
    seed: int = 0


@dataclass
class Course:
    """What became of a training: `steps` taken, and the held-out loss at each look, [(share done, loss)]."""

    steps: int = 0
    seconds: float = 0.0
    looks: list[tuple[float, float]] = field(default_factory=list)


def train(
    prior: ControlsPrior | LatentPrior,
    material: Material,
    z_scale: np.ndarray,
    settings: Settings,
    update: Progress | None = None,
) -> Course:
    """Train `prior` in place. Material without a validation split keeps its last weights."""
    rng = np.random.default_rng([settings.seed, 1])
    slip = prior.floor.numpy() / MOST_FLOOR if isinstance(prior, ControlsPrior) else 1.0
    phrases = Phrases(material, material.split("train"), z_scale, rng, slip)
    held_out = list(recordings(material.split("validation"), z_scale))
    torch.manual_seed(settings.seed)
    optimiser = torch.optim.AdamW(prior.parameters(), LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    average = copy.deepcopy(prior).eval()
    best: tuple[float, dict[str, Tensor]] = (math.inf, {})
    course, began = Course(), time.monotonic()
    while True:
        course.seconds = time.monotonic() - began
        share = course.steps / settings.steps if settings.steps else course.seconds / settings.seconds
        if course.steps and (share * LOOKS >= len(course.looks) + 1 or share >= 1.0):
            heard = mean_loss(average, held_out) if held_out else math.nan
            course.looks.append((min(share, 1.0), heard))
            if heard < best[0]:
                best = heard, copy.deepcopy(average.state_dict())
            if update is not None:
                update(min(share, 1.0), "" if math.isnan(heard) else f"held out {heard:.3f}")
        if course.steps and share >= 1.0:
            break
        rate = min((course.steps + 1) / WARM_STEPS, 1.0) * 0.5 * (1 + math.cos(math.pi * min(share, 1.0)))
        for group in optimiser.param_groups:
            group["lr"] = LEARNING_RATE * rate
        loss = _loss(prior, phrases.batch(settings.batch, settings.length))
        if not torch.isfinite(loss):
            raise NeurorackError(
                "The prior came apart in training (its loss is no number): run it again with another --seed."
            )
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(prior.parameters(), CLIP_NORM)
        optimiser.step()
        course.steps += 1
        with torch.no_grad():
            keep = min(AVERAGE, course.steps / (course.steps + 10))
            for mean, new in zip(average.parameters(), prior.parameters(), strict=True):
                mean.lerp_(new, 1 - keep)
    prior.load_state_dict(best[1] or average.state_dict())
    prior.eval()
    return course


def _loss(prior: ControlsPrior | LatentPrior, b: Batch) -> Tensor:
    """Mean loss of a step and dimension, of what no hand holds."""
    if isinstance(prior, ControlsPrior):
        found, _ = prior(b.previous, b.held, b.mask, b.clock)
        base, target, free = b.previous, b.target, 1 - b.mask
    else:
        # What a hand or a modulator plays is never quite what the corpus played.
        found, _ = prior(b.previous_z, b.target + CONTROL_NOISE * torch.randn_like(b.target))
        base, target = b.previous_z, b.target_z
        free = b.weight.unsqueeze(-1).expand_as(target)
    found = nn.functional.dropout(found, DROPOUT)
    flat = [x.flatten(0, 1) for x in (found, base, target, free)]
    return prior.head.loss(*flat).sum() / (flat[3].sum() + 1.0)
