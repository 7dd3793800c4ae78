"""Variety: does what was generated say something new, and does it stay where the instrument is at home?

Everything is computed from rows [T, Z + C] as the decoder got them, each axis in units of the anchors' own
standard deviation, a row every eighth frame; seconds of them are compared.

    vendi          how many clearly different seconds there are (Friedman and Dieng 2022): exp of the entropy
                   of the eigenvalues of K / N, K a Gaussian kernel as wide as half the median distance of two
                   anchors. A second stands by its loudest moment (its mean is a sound that nobody hears, and
                   alike in all babble). Beside it what as many anchors, drawn at random, have: they are
                   moments, too, and the instrument's own range.
    over_time      the same in equal parts of the whole: a performance that narrows shows here
    nearest_other  distance of a second, as a curve, to the most alike of all others, over the median distance
                   of two seconds: 0 is an exact repeat. Median and least, and the share of seconds below a
                   tenth: loops
    anchor         distance of a moment to the nearest anchor, over the median distance of an anchor to its
                   own nearest: about 1 is as near as the corpus's tones are to each other. Median, and 95 %
    beginnings     how often a note rises out of silence; None for instruments without loudness
    in_reach       share of moments whose controls lie within the instrument's radius of a training frame
"""

from typing import Any

import numpy as np

from neurorack.core.vendi import distances, vendi
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.sources.breath import SOUNDS

STEP = 8
"""Frames from row to row."""
MOST = 1200
"""Most seconds and moments looked at; of more, so many at equal distances."""
PARTS = 4
ALIKE = 0.1


def variety(instrument: Instrument, rows: np.ndarray, seed: int = 0) -> dict[str, Any]:
    """The figures above for rows [T, Z + C], one every STEP frames, T at least four seconds' worth; {} for
    fewer.
    """
    rate = instrument.frame_rate_hz / STEP
    second = round(rate)
    seconds = len(rows) // second
    if seconds < PARTS:
        return {}
    anchors = np.concatenate([instrument.anchors_z, instrument.anchors_controls], axis=1).astype(np.float64)
    scale = anchors.std(axis=0) + 1e-6
    scaled = rows / scale
    pieces = scaled[: seconds * second].reshape(seconds, second, -1)
    heads = _some(_loudest(instrument, pieces))
    apart = distances(anchors / scale, anchors / scale)
    width = 0.5 * float(np.median(apart[np.triu_indices(len(apart), 1)])) if len(apart) > 1 else 1.0
    np.fill_diagonal(apart, np.inf)
    usual = float(np.median(apart.min(axis=1))) if len(apart) > 1 else 1.0
    drawn = np.random.default_rng(seed).integers(len(anchors), size=len(heads))
    moments = _some(scaled)
    nearest = distances(moments, anchors / scale).min(axis=1) / max(usual, 1e-9)
    latent = instrument.manifest.latent_size
    inside = instrument.support.feasible(_some(rows)[:, latent:])
    return {
        "seconds": seconds,
        "vendi": vendi(heads, width),
        "vendi_of_anchors": vendi((anchors / scale)[drawn], width),
        "over_time": [vendi(part, width) for part in np.array_split(heads, PARTS)],
        "nearest_other": _repeats(_some(pieces.reshape(seconds, -1))),
        "anchor": {"median": float(np.median(nearest)), "p95": float(np.percentile(nearest, 95))},
        "beginnings": _beginnings(instrument, rows),
        "in_reach": float(np.mean(inside)),
    }


def _beginnings(instrument: Instrument, rows: np.ndarray) -> int | None:
    loudness = _loudness(instrument, rows)
    if loudness is None:
        return None
    sounds = loudness > SOUNDS
    return int(sounds[0]) + int(np.count_nonzero(sounds[1:] & ~sounds[:-1]))


def _loudest(instrument: Instrument, pieces: np.ndarray) -> np.ndarray:
    """The loudest moment of each piece [N, S, Z + C]: [N, Z + C]; the middle one where none is loud."""
    loudness = _loudness(instrument, pieces)
    if loudness is None:
        return pieces[:, pieces.shape[1] // 2]
    return pieces[np.arange(len(pieces)), loudness.argmax(axis=1)]


def _loudness(instrument: Instrument, rows: np.ndarray) -> np.ndarray | None:
    """The column [...] of rows [..., Z + C] that says how loud; None for instruments without."""
    manifest = instrument.manifest
    return rows[..., manifest.latent_size + manifest.control_index("loudness")] if manifest.gained else None


def _some(points: np.ndarray) -> np.ndarray:
    """At most MOST of them, at equal distances."""
    if len(points) <= MOST:
        return points
    return points[np.linspace(0, len(points) - 1, MOST).astype(int)]


def _repeats(curves: np.ndarray) -> dict[str, float]:
    """How alike seconds [N, D] are to others."""
    apart = distances(curves, curves)
    typical = max(float(np.median(apart[np.triu_indices(len(apart), 1)])), 1e-9)
    np.fill_diagonal(apart, np.inf)
    least = apart.min(axis=1) / typical
    return {
        "median": float(np.median(least)),
        "least": float(least.min()),
        "repeated": float(np.mean(least < ALIKE)),
    }
