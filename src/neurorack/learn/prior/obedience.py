"""What a prior does with a hand and with a clock: held values kept, the others answering, strokes in time."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurorack.learn.prior.likeness import AUDIBLE
from neurorack.learn.prior.material import Curves
from neurorack.learn.prior.model import ControlsPrior
from neurorack.learn.prior.rollout import beat_clock, from_nothing, play_controls

HELD = (-0.6, 0.6)
NEAR = 0.15
STREAMS, STEPS = 16, 300
BEATS_PER_MINUTE = (90.0, 132.0)


def holding(
    prior: ControlsPrior, names: Sequence[str], loudness: int | None, train: Sequence[Curves], seed: int = 0
) -> dict[str, Any]:
    """Every control held low, then high, alone: `kept`, the largest |held - played|; `answer`, the rank of
    agreement (correlation) between how the others' means move and how they differ in the corpus where this
    control is there; `slope`, how far they move for each unit that the corpus's do.
    """
    table = np.concatenate([c.controls[c.sounding] for c in train])
    kept, mine, theirs = 0.0, [], []
    for i in range(len(names)):
        means, there = [], []
        for value in HELD:
            held = np.full(len(names), np.nan)
            held[i] = value
            out = play_controls(prior, STEPS, from_nothing(prior, STREAMS), seed, held=held)
            kept = max(kept, float(np.abs(out[..., i] - np.float32(value)).max()))
            flat = out[:, 43:].reshape(-1, len(names))
            heard = np.ones(len(flat), bool) if loudness is None else flat[:, loudness] > AUDIBLE
            means.append(flat[heard].mean(0) if heard.any() else np.zeros(len(names)))
            there.append(table[np.abs(table[:, i] - value) < NEAR].mean(0))
        others = np.arange(len(names)) != i
        mine.append((means[1] - means[0])[others])
        theirs.append((there[1] - there[0])[others])
    a, b = np.concatenate(mine), np.concatenate(theirs)
    if len(a) < 2 or not np.isfinite([*a, *b]).all():
        return {"kept": kept, "answer": None, "slope": None}
    return {
        "kept": kept,
        "answer": float(np.corrcoef(a, b)[0, 1]),
        "slope": float(a @ b / (b @ b)),
    }


def timing(prior: ControlsPrior, loudness: int | None, rate: float, seed: int = 0) -> dict[str, Any] | None:
    """How strokes sit on quarters of a beat: mean resultant length of their phases (1: all on one point, 0:
    anywhere), with the clock and, judged by the same grid, without. None without a loudness.
    """
    if loudness is None:
        return None
    found: dict[str, list[float]] = {"clocked": [], "free": []}
    for beats in BEATS_PER_MINUTE:
        for name, told in (("clocked", beats), ("free", None)):
            clock = beat_clock(STEPS * 2, rate, told)
            out = play_controls(prior, STEPS * 2, from_nothing(prior, STREAMS), seed, clock=clock)
            at = strokes(out[..., loudness])[1] / rate * beats / 60 * 4
            found[name].append(float(np.abs(np.exp(2j * np.pi * at).mean())) if len(at) else 0.0)
    return {name: float(np.mean(v)) for name, v in found.items()}


def strokes(loudness: np.ndarray, rise: float = 0.4) -> tuple[np.ndarray, np.ndarray]:
    """(stream, step) of every step [B, T] at which loudness has risen by `rise` within two steps and goes on
    to rise no more: the peak of a stroke's attack.
    """
    risen = loudness[:, 2:-1] - loudness[:, :-3] > rise
    peak = (loudness[:, 2:-1] > loudness[:, 1:-2]) & (loudness[:, 2:-1] >= loudness[:, 3:])
    stream, step = np.nonzero(risen & peak)
    return stream, step + 2
