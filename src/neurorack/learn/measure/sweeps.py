"""A knob's whole travel: one control of held sounds glides from the corpus's 5 % to 95 %, the rest stands.

For each scored control, over several anchors that sound (medians, and the worst anchor):

    span      part of the corpus's 5 to 95 % range that is heard, 0..1 (octaves for brightness)
    monotone  Spearman correlation of setting and result
    jump      largest change from one tenth of a second to the next, as a share of that range; a straight line
              across it has `even_jump`
    leak      how far each other control wanders meanwhile: 5 to 95 % of its tenths of a second, in its IQR
    pitch_cents  the same for the pitch: 90th percentile of its distance from the asked note,
              of sounds that begin at it
    click     the largest second difference of the samples against what is usual within 0.1 s of it, over the
              same in the sound held at three settings: 1 where moving adds no click
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.ndimage import median_filter
from scipy.stats import spearmanr

from neurorack.core.nrk import Archive
from neurorack.core.timebase import HOP
from neurorack.learn.measure.control import Yardstick, on_axis
from neurorack.learn.measure.held import anchors
from neurorack.learn.measure.independent import PITCH_RANGE_HZ, pitch_hz
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.subject import Source, Vocabulary, pooled

REACH = 0.9
"""Sweeps go from -0.9 to 0.9 of the normalised control."""

SETTLE_SECONDS, EDGE_SECONDS = 0.4, 0.1
STEADY_SETTINGS = (-REACH, 0.0, REACH)
CLICK_BLOCK = 256
AT_PITCH_CENTS = 50.0
"""A sound that begins farther than this from its note has none that could be kept (YIN, on noise)."""


@dataclass(frozen=True)
class Sweep:
    """One anchor, one control: `setting` [K] normalised, `heard` name -> [K] (brightness in octaves), a value
    for each tenth of a second; `audio` of the moving part; the anchor's own controls; and the figures."""

    setting: np.ndarray
    heard: Mapping[str, np.ndarray]
    audio: np.ndarray
    still: Mapping[str, float]
    figures: Mapping[str, Any]


@dataclass(frozen=True)
class Ranges:
    """Of each independent measure over the corpus: 5 % and 95 % points, interquartile range, on its axis."""

    ends: Mapping[str, tuple[float, float]]
    iqr: Mapping[str, float]

    @classmethod
    def of(cls, sources: Sequence[Source], vocabulary: Vocabulary) -> "Ranges":
        names = vocabulary.scored
        ends = {n: np.quantile(on_axis(n, pooled(sources, n, "heard")), [0.05, 0.95]) for n in names}
        return cls(
            {n: (float(low), float(high)) for n, (low, high) in ends.items()},
            Yardstick.of(sources, vocabulary).iqr,
        )


def click_ratio(audio: np.ndarray) -> float:
    """Largest of the blocks' largest |x[n+1] - 2 x[n] + x[n-1]| over the median of those within 0.1 s."""
    bend = np.abs(np.diff(np.asarray(audio, dtype=np.float64), 2))
    count = len(bend) // CLICK_BLOCK
    if count < 3:
        return 1.0
    peaks = bend[: count * CLICK_BLOCK].reshape(count, CLICK_BLOCK).max(axis=1)
    usual = median_filter(peaks, size=41, mode="nearest")
    return float(np.max(peaks / (usual + 1e-6 + 1e-3 * peaks.max())))


def sweep_controls(
    archive: Archive,
    renderer: Renderer,
    vocabulary: Vocabulary,
    ranges: Ranges,
    count: int = 6,
    seconds: float = 5.0,
) -> dict[str, list[Sweep]]:
    """Sweep every scored control of up to `count` anchors, over `seconds`: control -> one Sweep an anchor."""
    rate = archive.manifest.sample_rate
    chosen = anchors(archive, count)
    found: dict[str, list[Sweep]] = {name: [] for name in vocabulary.scored}
    settle, moving = (int(s * rate / HOP) for s in (SETTLE_SECONDS, seconds))
    ramp = np.concatenate([np.full(settle, -REACH), np.linspace(-REACH, REACH, moving)])
    for z, still in chosen:
        settings = [(name, ramp) for name in vocabulary.scored]
        settings += [(n, np.full(2 * settle, v)) for n in vocabulary.scored for v in STEADY_SETTINGS]
        sounds = [_render(archive, renderer, vocabulary, z, still, name, curve) for name, curve in settings]
        for i, name in enumerate(vocabulary.scored):
            steady = [
                click_ratio(s[settle * HOP :])
                for (n, _), s in zip(settings[len(found) :], sounds[len(found) :], strict=True)
                if n == name
            ]
            found[name].append(_judge(sounds[i], settle, ramp, name, vocabulary, ranges, still, max(steady)))
    return found


def _render(
    archive: Archive,
    renderer: Renderer,
    vocabulary: Vocabulary,
    z: np.ndarray,
    still: Mapping[str, float],
    name: str,
    curve: np.ndarray,
) -> np.ndarray:
    frames = len(curve)
    asked = {n: np.full(frames, v) for n, v in still.items()}
    asked[name] = vocabulary.normalisers[name].to_physical(curve).astype(np.float64)
    held = np.repeat(z[:, None], frames + archive.manifest.latency_frames, axis=1)
    return np.nan_to_num(renderer.render(held, [asked])[0])


def _judge(
    audio: np.ndarray,
    settle: int,
    ramp: np.ndarray,
    name: str,
    vocabulary: Vocabulary,
    ranges: Ranges,
    still: Mapping[str, float],
    steady_click: float,
) -> Sweep:
    rate = vocabulary.sample_rate
    tenth = int(0.1 * rate / HOP)
    edge = int(EDGE_SECONDS * rate / HOP)
    curves = vocabulary.listen(audio)
    blocks = (len(ramp) - settle - edge) // tenth
    span = slice(settle, settle + blocks * tenth)
    heard = {n: on_axis(n, curves[n])[span].reshape(blocks, tenth).mean(axis=1) for n in vocabulary.scored}
    setting = ramp[span].reshape(blocks, tenth).mean(axis=1)
    low, high = ranges.ends[name]
    width = max(high - low, 1e-9)
    own = heard[name]
    leak = {n: float(np.ptp(np.quantile(heard[n], [0.05, 0.95]))) / ranges.iqr[n] for n in heard if n != name}
    figures: dict[str, Any] = {
        "span": float(np.clip((min(own.max(), high) - max(own.min(), low)) / width, 0, 1)),
        "monotone": float(np.nan_to_num(spearmanr(setting, own).statistic)) if np.ptp(own) > 0 else 0.0,
        "jump": float(np.max(np.abs(np.diff(own)))) / width,
        "even_jump": 1.0 / max(blocks - 1, 1),
        "leak": leak,
        "click": click_ratio(audio[settle * HOP :]) / steady_click,
    }
    note = still.get("pitch")
    if note is not None and PITCH_RANGE_HZ[0] < note < PITCH_RANGE_HZ[1]:
        off = 1200 * np.abs(np.log2(np.maximum(pitch_hz(audio, rate), 1) / note))
        if np.median(off[edge:settle]) < AT_PITCH_CENTS:
            figures["pitch_cents"] = float(np.quantile(off[span], 0.9))
    return Sweep(setting, heard, audio[settle * HOP :], dict(still), figures)


def summary(sweeps: Mapping[str, Sequence[Sweep]]) -> dict[str, Any]:
    """Control -> figures: medians over anchors; `worst_…` is the worst anchor's."""
    result: dict[str, Any] = {}
    for name, rows in sweeps.items():
        if not rows:
            continue
        figures = [r.figures for r in rows]
        row: dict[str, Any] = {"anchors": len(rows), "even_jump": figures[0]["even_jump"]}
        for key, worst in (("span", min), ("monotone", min), ("jump", max), ("click", max)):
            values = [f[key] for f in figures]
            row[key], row[f"worst_{key}"] = float(np.median(values)), float(worst(values))
        cents = [f["pitch_cents"] for f in figures if "pitch_cents" in f]
        row["pitch_cents"] = float(np.median(cents)) if cents else None
        row["leak"] = {n: float(np.median([f["leak"][n] for f in figures])) for n in figures[0]["leak"]}
        row["leak_mean"] = float(np.mean(list(row["leak"].values()))) if row["leak"] else None
        result[name] = row
    return result


def markdown(figures: Mapping[str, Any]) -> str:
    """The table of `summary`: a control a row."""
    heads = ["control", "span", "worst", "monotone", "worst"]
    heads += ["largest jump", "even", "leak, IQR", "pitch, cents", "click"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, row in figures.items():
        keys = ("span", "worst_span", "monotone", "worst_monotone", "jump", "even_jump", "leak_mean",
                "pitch_cents", "click")  # fmt: skip
        cells = ["–" if row[k] is None else f"{row[k]:.2f}" for k in keys]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return "\n".join(lines)
