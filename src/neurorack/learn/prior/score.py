"""Every figure of a pair of priors, on recordings they were not trained on; docs/prior.md explains each."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from neurorack.learn.prior.foresight import Task, foresight
from neurorack.learn.prior.likeness import SECOND, Judge
from neurorack.learn.prior.material import Curves, Material
from neurorack.learn.prior.model import ControlsPrior, LatentPrior
from neurorack.learn.prior.obedience import holding, timing
from neurorack.learn.prior.phrases import Phrases
from neurorack.learn.prior.rollout import from_nothing, play_controls, play_latent

STREAMS = 16
SURPRISES = (0.0, 0.5, 0.7, 0.85, 1.0, 1.5, 2.0)

Progress = Callable[[str], None]


def score(
    controls: ControlsPrior,
    latent: LatentPrior,
    material: Material,
    z_scale: np.ndarray,
    seconds: float = 600.0,
    seed: int = 0,
    update: Progress | None = None,
) -> dict[str, Any]:
    """Scores as stored in `manifest.prior.scores`. `seconds`: length of each of STREAMS generated streams."""
    say = update or (lambda _: None)
    train, (split, test) = material.split("train"), judged(material)
    say("what comes next")
    priors = {"controls": controls, "latent": latent}
    tasks = {name: Task.of(prior, train, test, z_scale) for name, prior in priors.items()}
    scores: dict[str, Any] = {
        "split": split,
        "recordings": len(test),
        "foresight": {name: foresight(task, seed) for name, task in tasks.items()},
    }
    say("playing for long")
    steps = max(int(seconds * material.rate), 20 * SECOND)
    played = play_controls(controls, steps, from_nothing(controls, STREAMS), seed)
    judge = make_judge(material, test, z_scale, seed)
    say("comparing with the corpus")
    scores["seconds"] = steps / material.rate
    scores["likeness"] = {"prior": judge.row(played, seed), "trained": judge.row(judge.trained, seed),
                          "recorded": judge.variety(judge.recorded, seed)}  # fmt: skip
    scores["drift"] = judge.drift(played)
    scores["surprise"] = surprise(controls, judge, min(steps, int(60 * material.rate)), seed)
    say("with a hand and a clock")
    scores["hand"] = holding(controls, material.names, material.loudness, train, seed)
    scores["clock"] = timing(controls, material.loudness, material.rate, seed)
    scores["latent"] = latent_likeness(latent, test, z_scale, seed)
    return rounded(scores)


def judged(material: Material) -> tuple[str, Sequence[Curves]]:
    """The split that scores are taken on: test where there is one, and if there must be, train."""
    for name in ("test", "validation", "train"):
        if found := material.split(name):
            return name, found
    raise ValueError("no recordings")


def make_judge(material: Material, test: Sequence[Curves], z_scale: np.ndarray, seed: int = 0) -> Judge:
    """With phrases of two minutes a stream of held-out and of training recordings."""
    length = 120 * SECOND

    def phrases(curves: Sequence[Curves], salt: int) -> np.ndarray:
        drawn = Phrases(material, curves, z_scale, np.random.default_rng([seed, salt]))
        return np.stack([drawn.phrase(length, "free").controls for _ in range(STREAMS)])

    train = material.split("train")
    return Judge(material.names, material.loudness, phrases(test, 41), phrases(train, 42), train, test)


def surprise(prior: ControlsPrior, judge: Judge, steps: int, seed: int) -> dict[str, dict[str, float]]:
    """By temperature: how varied so many steps are, how much of them sounds, how often notes begin, and how
    strange they are.
    """
    found = {}
    # All at once: a step of a hundred streams costs little more than one of sixteen.
    heats = np.repeat(np.array(SURPRISES, np.float32), STREAMS)
    played = play_controls(prior, steps, from_nothing(prior, len(heats)), seed, heats)
    for heat, out in zip(SURPRISES, np.split(played, len(SURPRISES)), strict=True):
        row = {
            "sounding": float(judge.audible(out).mean()),
            "onsets_per_second": judge.onsets_per_second(out),
            **judge.variety(out, seed),
        }
        found[f"{heat:g}"] = row | {k: v for k, v in judge.copying(out, seed).items() if k == "strange"}
    return found


def latent_likeness(
    prior: LatentPrior, test: Sequence[Curves], z_scale: np.ndarray, seed: int
) -> dict[str, float]:
    """z played to held-out recordings' own controls, beside theirs, over sounding steps: ratio of the
    deviations, mean difference of the autocorrelation a step on, and the worst Wasserstein distance.
    """
    from scipy.stats import wasserstein_distance

    long = sorted(test, key=len)[-32:]
    length = min(len(c) for c in long)
    asked = np.stack([c.controls[:length] for c in long])
    theirs = np.stack([c.z[:length] / z_scale for c in long])
    mine = play_latent(prior, asked, from_nothing(prior, len(long)), seed) / prior.scale.numpy()
    here = np.stack([c.sounding[:length] for c in long])
    a, b = mine[here], theirs[here]

    def near(z: np.ndarray) -> np.ndarray:
        flat = z - z[here].mean(0)
        return (flat[:, 1:] * flat[:, :-1]).mean((0, 1)) / (flat**2).mean((0, 1))

    return {
        "deviation": float((a.std(0) / b.std(0)).mean()),
        "auto_1": float(np.abs(near(mine) - near(theirs)).mean()),
        "wasserstein": float(max(wasserstein_distance(x, y) for x, y in zip(a.T, b.T, strict=True))),
    }


def rounded(value: Any) -> Any:
    """Numbers to four digits; what is no finite number becomes None."""
    if isinstance(value, dict):
        return {k: rounded(v) for k, v in value.items()}
    if isinstance(value, list):
        return [rounded(v) for v in value]
    if isinstance(value, float | np.floating):
        return float(f"{value:.4g}") if np.isfinite(value) else None
    return value
