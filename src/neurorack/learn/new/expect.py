"""What to expect of the recordings there are, said before anybody waits for it."""

import time
from collections.abc import Sequence
from pathlib import Path

import soundfile
import torch

from neurorack.learn.corpus.parts import Recipe

GESTURE_S, FEW_S, SMALL_S = 10.0, 60.0, 300.0
"""Seconds of training material under which an instrument is one gesture, a few, or small."""

PROBE_S = 1.0


def of_material(seconds: float, recordings: int) -> str:
    """One sentence on what an instrument made of so much sound will be."""
    counted = f"{recordings} recording{'' if recordings == 1 else 's'}"
    if seconds < GESTURE_S:
        return (
            f"{seconds:.1f} s of sound ({counted}): it will sound like that one gesture, at other pitches "
            "and levels; most of what is asked beyond it will be a guess."
        )
    if seconds < FEW_S:
        return (
            f"{seconds:.0f} s of sound ({counted}): it will know these few gestures, and guess between them."
        )
    minutes = f"{seconds / 60:.1f} minutes of sound ({counted})"
    if seconds < SMALL_S:
        return f"{minutes}: a small instrument; what the recordings do not have, it will not obey well."
    return f"{minutes}: enough to play freely within what was recorded (Skins was made of 10, Winds of 54)."


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
