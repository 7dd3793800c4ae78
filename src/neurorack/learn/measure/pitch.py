"""Is the asked pitch the heard one? YIN on the answers, at the source's own notes and at transposed ones."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from neurorack.core.timebase import HOP
from neurorack.learn.measure.asking import Request, unmoved
from neurorack.learn.measure.independent import PITCH_RANGE_HZ, PITCH_WINDOW, pitch_hz
from neurorack.learn.measure.subject import Source, Vocabulary

MOST_SEMITONES = 4
CLEARLY_VOICED = 0.8
"""Periodicity of the source above which a frame has a pitch to be judged by."""


def transposed(source: Source, vocabulary: Vocabulary, seed: int, index: int) -> Request:
    """The source's own pitch, transposed by up to four semitones either way, anew every 0.5 to 1 s."""
    rng = np.random.default_rng([seed, index, 1])
    lengths = rng.uniform(0.5, 1.0, source.frames) * vocabulary.sample_rate / HOP
    shifts = rng.integers(-MOST_SEMITONES, MOST_SEMITONES + 1, source.frames)
    curve = np.repeat(shifts, lengths.astype(int))[: source.frames]
    low, high = (float(v) for v in vocabulary.normalisers["pitch"].to_physical(np.array([-1.0, 1.0])))
    asked = np.clip(source.own["pitch"] * 2 ** (curve / 12), low, high)
    own = unmoved(source)
    return Request(
        "pitch", ("pitch",), {**source.own, "pitch": asked}, own.counted, own.feasible, {"pitch": True}
    )


def errors_cents(source: Source, asked_hz: np.ndarray, answer: np.ndarray, sample_rate: int) -> np.ndarray:
    """Absolute errors in cents on frames that sound, are voiced, and whose asked pitch stands still to within
    20 cents over YIN's window (no tracker can say more of a jump)."""
    reach = PITCH_WINDOW // (2 * HOP)
    octaves = np.log2(np.maximum(asked_hz, 1.0))
    padded = np.pad(octaves, reach, mode="edge")
    spread = np.ptp(np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1), axis=1)
    keep = source.sounding & (spread < 20 / 1200)
    keep &= (asked_hz > PITCH_RANGE_HZ[0]) & (asked_hz < PITCH_RANGE_HZ[1])
    if source.periodicity is not None:
        keep &= source.periodicity > CLEARLY_VOICED
    heard = pitch_hz(answer, sample_rate)[: source.frames]
    return 1200 * np.abs(np.log2(np.maximum(heard, 1.0)) - octaves)[keep]


def summary(
    own: Sequence[np.ndarray],
    moved: Sequence[np.ndarray],
    copy: Sequence[np.ndarray],
    edited: Sequence[np.ndarray] = (),
) -> dict[str, Any]:
    """Medians in cents; `copy` is YIN on the source itself: what the two trackers disagree by. `edited`: at
    the source's own pitch, while another control walks: no control may buy its rank with a wrong note."""
    pools = {
        name: np.concatenate(v) if v else np.zeros(0)
        for name, v in (("own", own), ("moved", moved), ("copy", copy), ("edited", edited))
    }
    both = np.concatenate([pools["own"], pools["moved"]])
    if not len(both):
        return {}
    return {
        "median_cents": float(np.median(both)),
        "p90_cents": float(np.quantile(both, 0.9)),
        "within_50_cents": float(np.mean(both < 50)),
        "edited_within_50_cents": float(np.mean(pools["edited"] < 50)) if len(pools["edited"]) else None,
        **{f"{name}_median_cents": float(np.median(v)) if len(v) else None for name, v in pools.items()},
    }
