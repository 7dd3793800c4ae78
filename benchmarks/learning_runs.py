"""A training run as it was logged: its evaluations, what was forecast at each, and what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from control_table import logged

from neurorack.core.errors import NeurorackError
from neurorack.learn.model.config import CRITIC_ARMS
from neurorack.learn.train.forecast import (
    PLAYABLE_DISTANCE,
    WITHIN,
    Forecast,
    forecast,
    in_words,
    words_before,
)
from neurorack.learn.train.objective import Weights
from neurorack.learn.train.run import RunConfig
from neurorack.learn.train.schedule import WARM_UP_STEPS, stage_of

ROUNDING = 0.02
"""Share of the budget by which a forecast may miss and still be right: evaluations are no denser."""


@dataclass(frozen=True)
class Look:
    """One evaluation. `share`: of the budget; `minutes`: of training; `distance`: multi-scale STFT on crops
    held out; `control`: rank correlation, all moved; `said`, `found`: the forecast; `replayed`: worked out
    again.
    """

    step: int
    share: float
    minutes: float
    distance: float
    control: float
    stage: str
    said: str = ""
    found: Forecast | None = None
    replayed: bool = False


@dataclass(frozen=True)
class Run:
    """A run as it was logged. `end`: share of the budget at which the spectral stages end; `steps`: (minutes,
    distance) of single batches, weights as they are.
    """

    name: str
    config: RunConfig
    looks: tuple[Look, ...]
    steps: tuple[tuple[float, float], ...]
    samples_per_s: float
    end: float

    @property
    def done(self) -> bool:
        return bool(self.looks) and self.looks[-1].share >= 1

    @property
    def spectral(self) -> list[Look]:
        """Evaluations that a forecast may use: after the warm-up, before judges join."""
        return [look for look in self.looks if look.step >= WARM_UP_STEPS and look.share <= self.end]

    def minutes_at(self, share: float) -> float:
        """Minutes of training at a share of the budget."""
        last = self.looks[-1]
        return self.config.minutes * share if self.config.minutes else last.minutes / last.share * share

    @property
    def playable(self) -> float | None:
        """Share of the budget from which the run was playable; 0: from the first evaluation or before; None:
        never, or not known yet.
        """
        looks = self.spectral
        if not self.done or len(looks) < 2:
            return None
        wanted = min(WITHIN * looks[-1].distance, PLAYABLE_DISTANCE)
        for before, after in zip([None, *looks], looks, strict=False):
            if after.distance <= wanted:
                if before is None:
                    return 0.0
                part = (before.distance - wanted) / (before.distance - after.distance)
                return before.share + part * (after.share - before.share)
        return None

    def right(self, look: Look) -> bool | None:
        """Whether the forecast of that moment holds what came; None where there was none, or nobody knows."""
        if look.found is None or not self.done:
            return None
        true, found = self.playable, look.found
        if true is None:
            return found.earliest is None or found.latest is None
        if found.earliest is None:
            return False
        if true == 0.0:  # somewhere before the first evaluation
            return found.earliest <= self.spectral[0].share + ROUNDING
        latest = 1.0 if found.latest is None else found.latest
        return found.earliest - ROUNDING <= true <= latest + ROUNDING


def read(folder: Path) -> Run:
    """A run from its folder; NeurorackError where there is none or it has not been evaluated."""
    config = RunConfig.read(folder)
    rows = logged(folder)
    times = [(row["step"], row["elapsed_s"]) for row in rows if "elapsed_s" in row]
    end = config.spectral_end
    looks: dict[int, Look] = {}
    for row in rows:
        if "validation/stft" not in row:
            continue
        elapsed_s = row.get("elapsed_s") or _elapsed_s(row["step"], times)
        share = row.get("progress") or _share(config, row["step"], elapsed_s)
        looks[row["step"]] = Look(
            step=row["step"],
            share=share,
            minutes=elapsed_s / 60,
            distance=row["validation/stft"],
            control=row.get("validation/all/mean", float("nan")),
            stage=row.get("stage") or _stage(config, share, row["step"]),
            said=row.get("said", ""),
            found=_logged_forecast(row),
            replayed="said" not in row,
        )
    if not looks:
        raise NeurorackError(f"{folder} has not been evaluated yet: let it train for some minutes.")
    ordered = [looks[step] for step in sorted(looks)]
    rates = [row["samples_per_s"] for row in rows if "samples_per_s" in row]
    rate = float(np.median(rates)) if rates else float("nan")
    steps = tuple((row["elapsed_s"] / 60, row["stft"]) for row in rows if "stft" in row)
    return Run(_name(folder), config, tuple(_replay(ordered, config, end)), steps, rate, end)


def _name(folder: Path) -> str:
    """The folder's name; above it where that says nothing."""
    parts = [part for part in folder.resolve().parts if part != "run" and not part.startswith("seed")]
    return parts[-1]


def _elapsed_s(step: int, times: Sequence[tuple[int, float]]) -> float:
    """Training time at `step`, from those of the steps around it."""
    if not times:
        raise NeurorackError("A run whose steps have no times has no curve: train for twenty steps at least.")
    steps, seconds = zip(*times, strict=True)
    if step > steps[-1]:
        return seconds[-1] / steps[-1] * step
    return float(np.interp(step, (0, *steps), (0.0, *seconds)))


def _share(config: RunConfig, step: int, elapsed_s: float) -> float:
    """Share of the budget, for runs from before it was logged."""
    share = step / config.steps if config.steps else elapsed_s / (60 * (config.minutes or 1))
    return 1.0 if share > 0.999 else share


def _stage(config: RunConfig, progress: float, step: int) -> str:
    weights = Weights(**config.weights)
    critic = (weights.critic_warm, weights.ramp) if config.arm in CRITIC_ARMS else None
    return stage_of(min(progress, 1 - 1e-9), step, critic, config.adversarial).name


def _logged_forecast(row: dict[str, Any]) -> Forecast | None:
    if "forecast/earliest" not in row:
        return None
    final = (row["forecast/final_low"], row["forecast/final_high"])
    return Forecast(row["forecast/earliest"], row["forecast/latest"], final)


def _replay(looks: Sequence[Look], config: RunConfig, end: float) -> list[Look]:
    """The same with forecasts of today where none were kept, from what was known at each moment."""
    seen: list[Look] = []
    result = []
    for look in looks:
        if look.step >= WARM_UP_STEPS:
            seen.append(look)
        if look.replayed and look.share < 1:
            found = forecast([s.share for s in seen], [s.distance for s in seen], end)
            pace_s = 60 * (config.minutes or look.minutes / look.share)
            said = words_before(look.distance, None).split(",")[0]
            if found:
                said = in_words(found, lambda share, now=look.share, pace_s=pace_s: pace_s * (share - now))
            look = replace(look, found=found, said=said)
        result.append(look)
    return result
