"""How much there is to prepare and how long that takes, said before anybody waits for it."""

import time
from collections.abc import Sequence
from pathlib import Path

import soundfile
import torch

from neurorack.learn.corpus.parts import Recipe

PROBE_S = 1.0


def seconds_of(folder: Path, recordings: Sequence[str]) -> float:
    """Length of the recordings together by what their headers say, without decoding; unreadable ones: 0."""
    total = 0.0
    for relative in recordings:
        try:
            total += soundfile.info(folder / relative).duration
        except (soundfile.LibsndfileError, RuntimeError, OSError):
            continue
    return total


def measuring_pace(recipe: Recipe) -> float:
    """Seconds of sound that one worker measures a second on this machine, now: a second of noise, timed."""
    bank = recipe.bank()
    generator = torch.Generator().manual_seed(0)
    noise = 0.1 * torch.randn(1, int(PROBE_S * recipe.sample_rate), generator=generator)
    with torch.no_grad():
        bank.measure(noise[:, :8192])  # first calls allocate
        begun = time.perf_counter()
        bank.measure(noise)
    return PROBE_S / max(time.perf_counter() - begun, 1e-6)
