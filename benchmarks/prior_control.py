"""Does a descriptor that a hand holds obey as well while the prior plays the rest?

    python benchmarks/prior_control.py winds [--seconds 40] [--seeds 0,1] [--json]

One descriptor at a time is held along a slow random walk, while everything else comes from a held tone, a
wandering one, a clip, or the prior. Asked (after the hand's smoothing) and heard (the instrument's own
measurement, moved by the control's declared lag) are compared by Spearman's rank correlation over the frames
that sound. The bar: with the prior at most 0.02 lower than with a clip, where as much goes on besides.
"""

import argparse
import json

import numpy as np
from scipy.stats import spearmanr

from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.frame import ControlFrame, Source
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.timing import machine

SOURCES = {"hold": Source.HOLD, "wander": Source.WANDER, "clip": Source.CLIP, "prior": Source.PRIOR}
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


def obeyed(instrument: Instrument, source: Source, row: int, seconds: float, seed: int) -> float:
    """Rank correlation of asked and heard of control `row`."""
    engine = Engine(instrument, meter=True)
    hop, rate = instrument.manifest.hop, instrument.sample_rate
    frames = int(seconds * rate / hop)
    rng = np.random.default_rng(seed)
    curve = walk(frames, hop / rate, rng)
    # The gate button's note has no pitch of its own: the source, or the hand, decides.
    frame = ControlFrame(gate=True, source=int(source), seed=seed, clip=seed, anchor=7 * seed + 3)
    frame.held[row] = True
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
    return float(spearmanr(asked[keep], heard[keep]).statistic)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instrument")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--seeds", default="0,1")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    instrument = load_instrument(given.instrument)
    seeds = [int(seed) for seed in given.seeds.split(",")]
    found = {
        name: {
            label: float(np.mean([obeyed(instrument, source, row, given.seconds, seed) for seed in seeds]))
            for label, source in SOURCES.items()
        }
        for row, name in enumerate(instrument.map.names)
    }
    if given.json:
        print(json.dumps({"rank": found, "machine": machine()}, indent=1))
        return
    print("| held | " + " | ".join(SOURCES) + " | prior - clip |")
    print("|---|" + "---|" * (len(SOURCES) + 1))
    for name, row in found.items():
        cells = [f"{row[label]:.3f}" for label in SOURCES]
        print(f"| {name} | " + " | ".join(cells) + f" | {row['prior'] - row['clip']:+.3f} |")
    mean = {label: float(np.mean([row[label] for row in found.values()])) for label in SOURCES}
    kept = "kept" if mean["clip"] - mean["prior"] <= BAR else "missed"
    cells = [f"{mean[label]:.3f}" for label in SOURCES]
    print("| mean | " + " | ".join(cells) + f" | {mean['prior'] - mean['clip']:+.3f}, {kept} |")


if __name__ == "__main__":
    main()
