"""Timbre transfer judged: is the content kept, and does the sound move to the instrument's corpus?

A recording of another kind is played by the instrument with its own curves, as `neurorack transfer` does, and
compared with what went in by measures that know neither:

    loudness      Pearson correlation of the levels in dB, sounding frames
    pitch         Pearson correlation of the pitches in octaves where both are voiced, and the share of those
                  frames within 50 cents of the source's pitch, in any octave
    onsets        F-measure of onset times within 50 ms (librosa's spectral flux)
    moved         (d_source - d_instrument) / (d_source + d_instrument), where d is the mean distance of the
                  sound's half-seconds to the nearest of a corpus (learn.measure.realism): -1 where it is the
                  source's corpus, +1 where it is the instrument's
"""

from collections.abc import Mapping, Sequence
from typing import Any

import librosa
import numpy as np

from neurorack.core.timebase import HOP
from neurorack.learn.measure.independent import measure, pitch_hz
from neurorack.learn.measure.realism import Reference, embed, sounding_windows
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.second_ears import aperiodicity
from neurorack.learn.measure.statistics import mean_or_none

FLOOR_DB = -50.0
ONSET_SECONDS = 0.05
VOICED = 0.3
"""Aperiodicity under which a frame has a pitch."""


def transferred(renderer: Renderer, audio: np.ndarray, seed: int = 0) -> np.ndarray:
    """A sound [128 T] played by an instrument with the sound's own curves, held to its ranges."""
    analysis = renderer.analyse(audio)
    asked = {c.name: analysis.curves[c.name] for c in renderer.manifest.controls}
    return np.nan_to_num(renderer.render(analysis.z, [asked], seed)[0])


def content_kept(source: np.ndarray, answer: np.ndarray, sample_rate: int) -> dict[str, float | None]:
    """loudness, pitch, pitch_within_50_cents and onsets of a pair; None where nothing can be compared."""
    levels = [measure(a, sample_rate, ["loudness"])["loudness"] for a in (source, answer)]
    sounds = levels[0] > FLOOR_DB
    pitches = [np.log2(np.maximum(pitch_hz(a, sample_rate), 1.0)) for a in (source, answer)]
    voiced = sounds & (aperiodicity(source, sample_rate) < VOICED) & (levels[1] > FLOOR_DB)
    both = voiced & (aperiodicity(answer, sample_rate) < VOICED)
    apart = 1200 * (pitches[1] - pitches[0])
    within = np.abs((apart + 600) % 1200 - 600) < 50
    return {
        "loudness": _pearson(levels[0][sounds], np.maximum(levels[1][sounds], FLOOR_DB - 20)),
        "pitch": _pearson(pitches[0][both], pitches[1][both]),
        "pitch_within_50_cents": float(within[voiced].mean()) if voiced.sum() > 32 else None,
        "onsets": onset_agreement(source, answer, sample_rate),
    }


def onset_agreement(source: np.ndarray, answer: np.ndarray, sample_rate: int) -> float | None:
    """F-measure of the onsets of two sounds, each matched once and within 50 ms; None if neither has any."""
    times = [
        librosa.onset.onset_detect(y=np.pad(a, (2048, 0)), sr=sample_rate, hop_length=HOP, units="time")
        for a in (source, answer)
    ]
    if not len(times[0]) and not len(times[1]):
        return None
    free = list(times[1])
    hits = 0
    for t in times[0]:
        near = [s for s in free if abs(s - t) <= ONSET_SECONDS]
        if near:
            free.remove(min(near, key=lambda s: abs(s - t)))
            hits += 1
    return 2 * hits / (len(times[0]) + len(times[1]))


def timbre_moved(audio: np.ndarray, sample_rate: int, own: Reference, other: Reference) -> float | None:
    """How much nearer a sound is to `own` (the instrument's corpus) than to `other` (the source's): -1..1.

    Each corpus measures in its own space, so a distance is first divided by the usual one there
    (`usual_distance`)."""
    windows = embed(audio, sample_rate)[sounding_windows(audio)]
    if not len(windows):
        return None
    here, there = (_relative(r, windows) for r in (own, other))
    return (there - here) / (there + here)


def usual_distance(reference: Reference) -> float:
    """Median distance of a window of the corpus to the nearest other one."""
    return float(np.median(reference.tree.query(reference.points, k=2)[0][:, 1]))


def _relative(reference: Reference, windows: np.ndarray) -> float:
    return float(np.mean(reference.tree.query(reference.place(windows))[0])) / usual_distance(reference)


def _pearson(a: np.ndarray, b: np.ndarray) -> float | None:
    if len(a) < 32 or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(np.corrcoef(a, b)[0, 1])


def summary(rows: Sequence[Mapping[str, float | None]]) -> dict[str, Any]:
    """Means over sounds of every figure, and how many sounds had one."""
    keys = rows[0].keys() if rows else ()
    return {k: mean_or_none([v for r in rows if (v := r[k]) is not None]) for k in keys} | {
        "sounds": len(rows)
    }
