"""Reconstruction of held-out excerpts, every arm's answers judged alike: found in time, cut, compared.

An arm's answers are late by one number of samples, its latency. It is found from all excerpts together, as
the lag by which the levels of answers and excerpts correlate best; phases are not asked for, as no arm keeps
them.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

LEVEL_HOP = 16
"""Samples between two levels: how finely a lag is found."""

LEVEL_WINDOW = 256
FLOOR = 1e-3
"""Amplitude under which levels do not count."""

MOST_LATE_S = 0.5
TAIL_S = 0.6
"""Silence given after each excerpt, so that what comes late comes at all."""


def with_tails(excerpts: list[np.ndarray], sample_rate: int) -> dict[str, np.ndarray]:
    """What every arm is given: each excerpt and silence after it, float32."""
    tail = np.zeros(round(TAIL_S * sample_rate), np.float32)
    return {f"{i:03d}": np.concatenate([excerpt, tail]) for i, excerpt in enumerate(excerpts)}


def levels(audio: np.ndarray) -> np.ndarray:
    """Logarithm of the amplitude over 256 samples, every 16: [N // 16 - 15]."""
    power = np.concatenate([[0.0], np.cumsum(np.square(audio, dtype=np.float64))])
    mean = (power[LEVEL_WINDOW:] - power[:-LEVEL_WINDOW])[::LEVEL_HOP] / LEVEL_WINDOW
    return np.log(np.sqrt(np.maximum(mean, 0.0)) + FLOOR)


def lag_samples(given: Mapping[str, np.ndarray], answers: Mapping[str, np.ndarray], sample_rate: int) -> int:
    """By how many samples the answers come after what was given: 0 to half a second, a multiple of 16."""
    most = round(MOST_LATE_S * sample_rate / LEVEL_HOP)
    total = np.zeros(most + 1)
    for key, audio in given.items():
        a, b = levels(audio), levels(answers[key])
        a, b = a - a.mean(), b - b.mean()
        scale = np.linalg.norm(a) * np.linalg.norm(b)
        if scale > 0:
            size = 2 ** int(np.ceil(np.log2(2 * len(a))))
            spectrum = np.conj(np.fft.rfft(a, size)) * np.fft.rfft(b, size)
            total += np.fft.irfft(spectrum, size)[: most + 1] / scale
    return int(np.argmax(total)) * LEVEL_HOP


def reconstruction(
    excerpts: list[np.ndarray], answers: Mapping[str, np.ndarray], sample_rate: int
) -> dict[str, Any]:
    """{"mstft", "mel", "transient", "onsets", "lag_samples", "excerpts"}: means over the excerpts, as in
    learn.measure.reconstruction; "onsets" is the F-measure within 50 ms."""
    from neurorack.learn.measure.reconstruction import mel_distance_db, mstft_distance, transient_error
    from neurorack.learn.measure.statistics import mean_or_none
    from neurorack.learn.measure.transfer import onset_agreement

    lag = lag_samples(with_tails(excerpts, sample_rate), answers, sample_rate)
    rows: dict[str, list[float | None]] = {"mstft": [], "mel": [], "transient": [], "onsets": []}
    for excerpt, answer in zip(excerpts, (answers[key] for key in sorted(answers)), strict=True):
        moved = np.nan_to_num(answer[lag : lag + len(excerpt)])
        rows["mstft"].append(mstft_distance(excerpt, moved))
        rows["mel"].append(mel_distance_db(excerpt, moved, sample_rate))
        rows["transient"].append(transient_error(excerpt, moved, sample_rate))
        rows["onsets"].append(onset_agreement(excerpt, moved, sample_rate))
    means = {name: mean_or_none([v for v in values if v is not None]) for name, values in rows.items()}
    return means | {"lag_samples": lag, "excerpts": len(excerpts)}
