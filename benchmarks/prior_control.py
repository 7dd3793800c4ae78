"""Does a descriptor that a hand holds obey as well while the prior plays the rest?

    python benchmarks/prior_control.py winds [--seconds 30] [--seeds 0,1,2] [--only noisiness] [--json]

One descriptor at a time is held along a slow random walk, while everything else comes from a held tone, a
wandering one, a clip, a replay, or the prior. The replay is a clip of what the same prior plays when nobody
holds anything: as many notes, leaps and rests as with the prior, but deaf to the hand; so what the prior
loses to it is its own fault, and what both lose to a clip is what moving pitches and notes do to hearing.
A second hand keeps loudness at one place, in all five alike, while another descriptor is led, for what does
not sound obeys nothing and a percussive prior rests half of the time.

Asked (after the hand's smoothing) and heard (the instrument's own measurement, moved by the control's
declared lag) are compared by Spearman's rank correlation over the frames that sound. The bar: with the prior
at most 0.02 lower than with the replay.
"""

import json

import by_control
import numpy as np
from scipy.stats import spearmanr

from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.frame import ControlFrame, Source
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.timing import machine

SOURCES = {
    "hold": Source.HOLD, "wander": Source.WANDER, "clip": Source.CLIP, "replay": Source.CLIP,
    "prior": Source.PRIOR,
}  # fmt: skip
LOUDNESS = 0.3
"""Where loudness is kept while something else is led."""
LEAST_FRAMES = 500
"""Fewer sounding frames say nothing."""
KNOT_S = 0.6
"""From one point of the walk to the next."""
FURTHEST, STRIDE = 0.8, 0.6
AUDIBLE_DB = -45.0
BAR = 0.02


def walk(frames: int, frame_s: float, rng: np.random.Generator) -> np.ndarray:
    """A curve [frames] within ±FURTHEST, linear between its knots."""
    knots = [0.0]
    for _ in range(int(frames * frame_s / KNOT_S) + 2):
        step = knots[-1] + rng.uniform(-STRIDE, STRIDE)
        knots.append(float(np.clip(step, -FURTHEST, FURTHEST)))
    return np.interp(np.arange(frames) * frame_s / KNOT_S, np.arange(len(knots)), knots)


def replayed(instrument: Instrument, seconds: float, seed: int) -> np.ndarray:
    """A clip [Z + C, T] of what the prior plays, loudness kept, when nobody leads anything."""
    engine = Engine(instrument)
    frame = ControlFrame(gate=True, source=int(Source.PRIOR), seed=seed, life=0.0)
    keep_loudness(instrument, frame, -1)
    hop = instrument.manifest.hop
    rows = []
    for _ in range(int(seconds * instrument.sample_rate / hop) + 1):
        engine.render(hop, frame)
        rows.append(engine.rows[0][0])
    return np.array(rows, np.float32).T.copy()


def keep_loudness(instrument: Instrument, frame: ControlFrame, led: int) -> None:
    """Hold loudness, unless it is what is led."""
    loudness = instrument.map.loudness
    if loudness >= 0 and loudness != led:
        frame.asked[loudness], frame.held[loudness] = LOUDNESS, True


def obeyed(instrument: Instrument, label: str, row: int, seconds: float, seed: int) -> float:
    """Rank correlation of asked and heard of control `row`; nan where too little sounds."""
    engine = Engine(instrument, meter=True)
    hop, rate = instrument.manifest.hop, instrument.sample_rate
    frames = int(seconds * rate / hop)
    rng = np.random.default_rng(seed)
    curve = walk(frames, hop / rate, rng)
    # The gate button's note has no pitch of its own: the source, or the hand, decides.
    frame = ControlFrame(gate=True, source=int(SOURCES[label]), seed=seed, clip=seed, anchor=7 * seed + 3)
    if label == "replay":
        engine.set_clips([replayed(instrument, seconds, seed)])
    frame.life = 0.0
    frame.held[row] = True
    keep_loudness(instrument, frame, row)
    loudness = instrument.map.loudness
    asked, heard, level_db = np.zeros(frames), np.zeros(frames), np.full(frames, -90.0)
    for t in range(frames):
        frame.asked[row] = curve[t]
        engine.render(hop, frame)
        asked[t] = engine.telemetry.asked[row]
        heard[t] = engine.measured.normalised[row]
        level_db[t] = engine.measured.physical[loudness] if loudness >= 0 else engine.telemetry.level_db
    lag = int(instrument.map.lag_frames[row])
    skip = int(0.5 * rate / hop)
    asked, heard, level_db = asked[skip : frames - lag], heard[skip + lag :], level_db[skip + lag :]
    keep = level_db > AUDIBLE_DB
    return float(spearmanr(asked[keep], heard[keep]).statistic) if keep.sum() >= LEAST_FRAMES else np.nan


def mean(values: list[float]) -> float:
    """Of those seeds that had enough to say."""
    there = [value for value in values if np.isfinite(value)]
    return float(np.mean(there)) if there else float("nan")


def main() -> None:
    """Command line."""
    parser = by_control.parser(__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    instrument = load_instrument(given.instrument)
    each = {
        name: {
            label: [obeyed(instrument, label, row, given.seconds, seed) for seed in given.seeds]
            for label in SOURCES
        }
        for name, row in by_control.rows(instrument, given.only).items()
    }
    if given.json:
        print(json.dumps({"rank": each, "machine": machine()}, indent=1))
        return
    found = {name: {label: mean(values) for label, values in by.items()} for name, by in each.items()}
    print("| held | " + " | ".join(SOURCES) + " | prior − replay (by seed) |")
    print("|---|" + "---:|" * (len(SOURCES) + 1))
    for name, row in found.items():
        cells = [f"{row[label]:.3f}" for label in SOURCES]
        apart = [p - r for p, r in zip(each[name]["prior"], each[name]["replay"], strict=True)]
        by_seed = ", ".join(f"{a:+.3f}" for a in apart)
        print(f"| {name} | " + " | ".join(cells) + f" | {row['prior'] - row['replay']:+.3f} ({by_seed}) |")
    least = min(row["prior"] - row["replay"] for row in found.values())
    print(f"\nLeast prior − replay: {least:+.3f}; the bar is {'kept' if least >= -BAR else 'missed'}.")


if __name__ == "__main__":
    main()
