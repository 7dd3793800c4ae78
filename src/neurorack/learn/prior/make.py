"""An instrument learns to play by itself: its corpus encoded, both priors trained, scored and written."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from neurorack.core.manifest import Manifest, Prior
from neurorack.core.nrk import read_nrk, write_nrk
from neurorack.core.timebase import HOP
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.prior.cost import step_cost
from neurorack.learn.prior.graphs import noise_sizes, prior_graphs, with_priors
from neurorack.learn.prior.heads import Family
from neurorack.learn.prior.material import EVERY, Material, read_material
from neurorack.learn.prior.model import (
    LEAST_FLOOR,
    MOST_FLOOR,
    ControlsPrior,
    LatentPrior,
    PriorConfig,
    parameters,
)
from neurorack.learn.prior.restore import restored
from neurorack.learn.prior.score import rounded, score
from neurorack.learn.prior.train import Course, Settings, train

CONTROLS_SHARE = 0.65
"""Of the time; how it is played has more to it than z."""

WORDS = {
    "mixture": "GRU with a mixture of Gaussians, whole covariances, over the change",
    "diagonal": "GRU with a mixture of diagonal Gaussians over the change",
    "flow": "GRU with a flow of four steps",
    "implicit": "GRU with a one-step sampler trained by the energy score",
}

Progress = Callable[[str, float, str], None]
"""update(stage, share done 0..1, a few words)."""


@dataclass(frozen=True)
class Wish:
    """`minutes` of training, or exactly `steps` for each prior; `scored_seconds` of playing to judge by."""

    minutes: float = 5.0
    steps: int | None = None
    seed: int = 0
    family: Family = "mixture"
    scored_seconds: float = 600.0
    batch: int = 24
    length: int = 160
    again: bool = False
    """Nothing is trained: the priors that are there get graphs and scores of today."""


@dataclass(frozen=True)
class Pair:
    """Two trained priors and what their training was like. `z_scale` [Z]: the unit of the latent one."""

    controls: ControlsPrior
    latent: LatentPrior
    z_scale: np.ndarray
    courses: dict[str, Course]


def train_pair(material: Material, wish: Wish, update: Progress) -> Pair:
    """Both priors, one after the other."""
    z_scale = unit_of_z(material)
    config = PriorConfig(wish.family)
    torch.manual_seed(wish.seed)
    pitch = material.names.index("pitch") if "pitch" in material.names else None
    controls = ControlsPrior(torch.from_numpy(floor_of_controls(material)), config, pitch)
    latent = LatentPrior(torch.from_numpy(z_scale), len(material.names), config)
    courses = {}
    for name, prior, share in (
        ("controls", controls, CONTROLS_SHARE),
        ("latent", latent, 1 - CONTROLS_SHARE),
    ):
        settings = Settings(60 * wish.minutes * share, wish.steps, wish.batch, wish.length, wish.seed)
        say = functools.partial(update, f"learning {name}")
        courses[name] = train(prior, material, z_scale, settings, say)
    return Pair(controls, latent, z_scale, courses)


def unit_of_z(material: Material) -> np.ndarray:
    """Deviation [Z] of z over the sounding training steps: smaller than z_scale, for steps are averages."""
    rows = np.concatenate([c.z[c.sounding] for c in material.split("train")])
    return (rows.std(0) + 1e-3).astype(np.float32)


def floor_of_controls(material: Material) -> np.ndarray:
    """The least deviation [C] that a control's next step is given: a third of its median change in sound."""
    change = [np.abs(np.diff(c.controls, axis=0))[c.sounding[1:]] for c in material.split("train")]
    return np.clip(np.median(np.concatenate(change), axis=0) / 3, LEAST_FLOOR, MOST_FLOOR).astype(np.float32)


def make_priors(path: Path, corpus: Path, wish: Wish, update: Progress) -> Manifest:
    """Give the instrument at `path` priors learned from its `corpus`; it is replaced whole or not at all.

    Raises NeurorackError where the two do not belong together or there is too little to learn from.
    """
    archive = read_nrk(path)
    material = read_material(archive, Corpus.open(corpus), EVERY, lambda i, n: update("listening", i / n, ""))
    if wish.again:
        controls, latent = restored(archive)
        pair = Pair(controls, latent, latent.scale.numpy(), {})
    else:
        pair = train_pair(material, wish, update)
    graphs = prior_graphs(pair.controls, pair.latent)
    done = iter(np.linspace(0, 1, 5))
    scores = score(
        pair.controls, pair.latent, material, pair.z_scale, wish.scored_seconds, wish.seed,
        lambda words: update("scoring", float(next(done, 1.0)), words),
    )  # fmt: skip
    scores["cost"] = rounded(step_cost(graphs, EVERY * HOP / archive.manifest.sample_rate))
    former = archive.manifest.prior
    if wish.again and former is not None:
        scores["training"] = former.scores["training"]
    else:
        scores["training"] = training_facts(pair, material, wish)
    noise = noise_sizes(pair.controls, pair.latent)
    prior = Prior(EVERY, noise, WORDS[pair.controls.config.family], scores)
    manifest, members = with_priors(archive, pair.controls, pair.latent, graphs, prior)
    update("scoring", 1.0, "")
    return write_nrk(path, manifest, members)


def training_facts(pair: Pair, material: Material, wish: Wish) -> dict[str, Any]:
    """What the card says of how they came about."""
    train = material.split("train")
    return {
        "family": wish.family,
        "seed": wish.seed,
        "recordings": len(train),
        "corpus_seconds": round(sum(map(len, train)) / material.rate, 1),
        **{
            name: {
                "parameters": parameters(prior),
                "steps": pair.courses[name].steps,
                "seconds": round(pair.courses[name].seconds, 1),
            }
            for name, prior in (("controls", pair.controls), ("latent", pair.latent))
        },
    }
