"""A held z must sing: what ten frozen seconds of an instrument are like, and how far one knob reaches."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import librosa
import numpy as np
from scipy.signal import windows
from scipy.stats import spearmanr

from neurorack.core.nrk import Archive
from neurorack.core.timebase import HOP, frame_rate_hz
from neurorack.learn.measure.independent import PITCH_RANGE_HZ, loudness_db, measure
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.subject import NOISE_FLOOR_DB, Vocabulary

SETTLE_SECONDS = 0.5
SWEEP = np.linspace(-0.9, 0.9, 7)
"""Settings of a knob, normalised: the corpus's 5 % to 95 %."""


@dataclass(frozen=True)
class HeldTone:
    """One anchor frozen: the sound after it has settled, [N], and the physical controls it was asked for."""

    audio: np.ndarray
    asked: Mapping[str, float]
    sample_rate: int


def anchors(archive: Archive, count: int) -> list[tuple[np.ndarray, dict[str, float]]]:
    """Up to `count` evenly chosen anchors that sound: (z [Z], physical controls)."""
    m = archive.manifest
    table = archive.array(m.z_anchors_path)
    found = []
    for row in table:
        control = {
            c.name: float(c.normaliser.to_physical(row[m.latent_size + i])) for i, c in enumerate(m.controls)
        }
        if control.get("loudness", 0.0) > NOISE_FLOOR_DB + 20:
            found.append((row[: m.latent_size], control))
    if not found:
        return []
    picks = np.linspace(0, len(found) - 1, min(count, len(found))).round().astype(int)
    return [found[i] for i in picks]


def render_held(
    archive: Archive, renderer: Renderer, seconds: float, count: int = 1, seed: int = 0
) -> list[HeldTone]:
    """Freeze `count` anchors for `seconds` each, after half a second to settle."""
    m = archive.manifest
    chosen = anchors(archive, count)
    if not chosen:
        return []
    settle = int(SETTLE_SECONDS * m.sample_rate / HOP)
    frames = settle + int(seconds * m.sample_rate / HOP)
    z = np.stack([np.repeat(a[:, None], frames + m.latency_frames, axis=1) for a, _ in chosen])
    asked = [{name: np.full(frames, value) for name, value in c.items()} for _, c in chosen]
    audio = renderer.render_batch(z, asked, seed)[:, settle * HOP :]
    return [HeldTone(a, c, m.sample_rate) for a, (_, c) in zip(audio, chosen, strict=True)]


def held_tone(archive: Archive, seconds: float = 10.0, count: int = 3, seed: int = 0) -> dict[str, Any]:
    """Freeze z and controls at a few anchors and describe what sounds; the worst of each figure, and all.

    flux           mean change of the normalised magnitude spectrum from one 46 ms window to the next, 0..2:
                   0 is a loop, an organ pipe about 0.05, white noise about 0.6
    steadiness_db  standard deviation of the level in windows of 46 ms
    comb_db        strongest line at a multiple of the frame rate, re the whole sound; lines that are partials
                   of the asked pitch are left out, and so is what the noise around can do
    comb_344_db    the same for the line at the frame rate itself
    pitch_cents    error of the fundamental, from its first partials; only with a pitch control
    """
    tones = render_held(archive, Renderer(archive), seconds, count, seed)
    rows = [describe_tone(t) for t in tones]
    if not rows:
        return {"tones": []}
    worst = {key: max(r[key] for r in rows) for key in ("steadiness_db", "comb_db", "comb_344_db")}
    worst["flux"] = min(r["flux"] for r in rows)
    cents = [abs(r["pitch_cents"]) for r in rows if r.get("pitch_cents") is not None]
    if cents:
        worst["pitch_cents"] = max(cents)
    return {**worst, "seconds": seconds, "tones": rows}


def describe_tone(tone: HeldTone) -> dict[str, Any]:
    """The figures of one frozen sound; see `held_tone`."""
    level = loudness_db(tone.audio)[16:-16]
    magnitude = np.abs(librosa.stft(tone.audio, n_fft=2048, hop_length=2048, center=False))
    shape = magnitude / (magnitude.sum(axis=0) + 1e-12)
    f0_hz = tone.asked.get("pitch")
    row = {
        "level_db": float(np.mean(level)),
        "steadiness_db": float(np.std(level)),
        "flux": float(np.mean(np.sum(np.abs(np.diff(shape, axis=1)), axis=0))),
        **comb_lines(tone.audio, tone.sample_rate, f0_hz),
        "asked": dict(tone.asked),
    }
    if f0_hz is not None:
        row["pitch_cents"] = steady_pitch_cents(tone.audio, tone.sample_rate, f0_hz)
    return row


def _spectrum(audio: np.ndarray) -> np.ndarray:
    """Power of each bin; the sum is the mean square."""
    window = windows.blackmanharris(len(audio), sym=False)
    power = np.abs(np.fft.rfft(audio * window)) ** 2
    return 2 * power / (len(audio) * np.sum(window**2))


def comb_lines(audio: np.ndarray, sample_rate: int, f0_hz: float | None) -> dict[str, float]:
    """Lines at multiples of the frame rate in dB re the whole sound: {comb_db, comb_344_db}; floor -120."""
    power = _spectrum(np.asarray(audio, dtype=np.float64))
    step = sample_rate / len(audio)
    total = power.sum() + 1e-30
    levels = []
    for k in range(1, int(sample_rate / 2 / frame_rate_hz(sample_rate))):
        line_hz = k * frame_rate_hz(sample_rate)
        if f0_hz and abs(line_hz / f0_hz - round(line_hz / f0_hz)) * f0_hz < 0.02 * line_hz + 4.0:
            continue
        centre = round(line_hz / step)
        near = power[centre - 5 : centre + 6]
        around = np.concatenate([power[centre - 40 : centre - 8], power[centre + 9 : centre + 41]])
        line = near.sum() - len(near) * np.mean(around)
        # Six standard deviations of what noise puts there (neighbouring bins share the main lobe): no line.
        if line < 6 * np.mean(around) * np.sqrt(2 * len(near)):
            line = 0.0
        levels.append((k, 10 * np.log10(max(line / total, 1e-12))))
    first = [level for k, level in levels if k == 1]
    return {
        "comb_db": float(max((level for _, level in levels), default=-120.0)),
        "comb_344_db": float(first[0]) if first else -120.0,
    }


def steady_pitch_cents(audio: np.ndarray, sample_rate: int, f0_hz: float) -> float | None:
    """Error of a steady tone's fundamental in cents: peaks of its first partials within 60 cents, weighted by
    power. None where no partial stands out."""
    power = _spectrum(np.asarray(audio, dtype=np.float64))
    step = sample_rate / len(audio)
    estimates, weights = [], []
    for k in range(1, 11):
        low, high = (int(k * f0_hz * 2 ** (c / 1200) / step) for c in (-60, 60))
        if high + 2 >= len(power) or not PITCH_RANGE_HZ[0] <= f0_hz <= PITCH_RANGE_HZ[1]:
            break
        i = low + int(np.argmax(power[low : high + 1]))
        if power[i] < 1e3 * np.median(power) or i in (low, high):
            continue
        a, b, c = np.log(power[i - 1 : i + 2] + 1e-30)
        peak = i + 0.5 * (a - c) / (a - 2 * b + c)
        estimates.append(1200 * np.log2(peak * step / (k * f0_hz)))
        weights.append(power[i])
    return float(np.average(estimates, weights=weights)) if estimates else None


def knob_travel(
    archive: Archive,
    renderer: Renderer,
    vocabulary: Vocabulary,
    spans: Mapping[str, tuple[float, float]],
    count: int = 5,
    seconds: float = 0.3,
) -> dict[str, Any]:
    """Sweep one control of held sounds from 5 % to 95 %, the others standing still.

    `spans`: the corpus's 5 % and 95 % points of each independent measure. For each scored control: `span`,
    the part of that range that is covered (at most 1; octaves for brightness), and `monotone`, the rank
    correlation of setting and result; medians over `count` anchors. `curves` holds what was asked and heard.
    """
    m = archive.manifest
    chosen = anchors(archive, count)
    if not chosen:
        return {}
    settle = int(0.2 * m.sample_rate / HOP)
    frames = settle + int(seconds * m.sample_rate / HOP)
    result: dict[str, Any] = {}
    for name in vocabulary.scored:
        asked_curve = vocabulary.normalisers[name].to_physical(SWEEP).astype(np.float64)
        settings = [(z, {**c, name: value}) for z, c in chosen for value in asked_curve]
        z = np.stack([np.repeat(a[:, None], frames + m.latency_frames, axis=1) for a, _ in settings])
        asked = [{n: np.full(frames, v) for n, v in c.items()} for _, c in settings]
        sounds = renderer.render_batch(z, asked)[:, settle * HOP :]
        heard = np.array([np.median(measure(s, m.sample_rate, [name])[name][12:-12]) for s in sounds])
        heard = heard.reshape(len(chosen), len(SWEEP))
        low, high = spans[name]
        if name == "brightness":
            heard, low, high = np.log2(np.maximum(heard, 1.0)), np.log2(low), np.log2(high)
        covered = np.minimum(heard.max(axis=1), high) - np.maximum(heard.min(axis=1), low)
        monotone = [float(np.nan_to_num(spearmanr(SWEEP, row).statistic)) for row in heard]
        result[name] = {
            "span": float(np.clip(np.median(covered) / max(high - low, 1e-9), 0, 1)),
            "monotone": float(np.median(monotone)),
        }
    return result
