"""Does a descriptor that a hand holds obey as well while the prior plays the rest?

    python benchmarks/prior_control.py winds [--seconds 30] [--seeds 0,1,2] [--only noisiness] [--json]
        [--sources replay,prior] [--leak 0.3] [--no-leash]

One descriptor at a time is held along a slow random walk, while everything else comes from a held tone, a
wandering one, a clip, a replay, or the prior. The replay is a clip of what the same prior plays when nobody
leads anything: as many notes, leaps and rests as with the prior, but deaf to the hand; so what the prior
loses to it is its own fault, and what both lose to a clip is what moving pitches and notes do to hearing.
A second hand keeps loudness at one place, in all five alike, while another descriptor is led, for what does
not sound obeys nothing and a percussive prior rests half of the time.

What the hand asked and what is heard (the instrument's own measurement, moved by the control's declared lag)
are compared by Spearman's rank correlation over the frames that sound. The bar: with the prior at most 0.02
lower than with the replay, on the mean of the seeds (its standard error is told: few seeds say little).

That rank is pooled over all tones of a run, and so hears, too, that one request sounds noisier in one tone
than in another. Two more stand beside it. *Movements*: the rank of what asked and heard moved in the time
from one knot of the walk to the next; what a tone adds to everything heard while it lasts is no movement, and
what comes and goes with the prior still counts. *In tones*: at moments of the run its tone is frozen (z and
controls, as the prior plays them in answer to the hand) and the hand leads it alone; the mean of the ranks in
each. It asks whether the hand is obeyed wherever the prior goes with it, as well as where it goes by itself;
which tones follow each other it cannot hear. It falls where the prior leaves what the instrument can play.
Where places and movements are below the replay's and tones are not, what is heard of a request has changed
with the tone; where tones are, too, the hand is not obeyed there.

--no-leash plays as priors did before there was one (play/engine/sources/leash.py). --leak lets so much
of what the prior itself would play through into what the hand holds: places and movements must then fall, or
they would not tell disobedience.
"""

import json
from collections.abc import Sequence
from typing import NamedTuple

import by_control
import numpy as np
from scipy.stats import spearmanr

from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.frame import ControlFrame, Source
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.sources import leash
from neurorack.play.engine.streams import DecoderStream, DescriptorStream
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
BLOCK_FRAMES = 8
"""How often the hand moves (23 ms, about what it is smoothed over)."""
START_S = 0.5
"""Not judged."""
TONES, TONE_S, AROUND_S = 6, 10.0, 0.08
"""How many moments of a run are frozen, how long a hand leads each, and what is averaged on both sides."""
BAR = 0.02


class Obedience(NamedTuple):
    """Rank correlations of asked and heard; nan where too little sounds."""

    places: float
    movements: float
    tones: float


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
    block = BLOCK_FRAMES * instrument.manifest.hop
    rows = []
    for _ in range(int(seconds * instrument.sample_rate / block) + 1):
        engine.render(block, frame)
        rows.append(engine.rows[0])
    return np.concatenate(rows).T.copy()


def keep_loudness(instrument: Instrument, frame: ControlFrame, led: int) -> None:
    """Hold loudness, unless it is what is led."""
    loudness = instrument.map.loudness
    if loudness >= 0 and loudness != led:
        frame.asked[loudness], frame.held[loudness] = LOUDNESS, True


def agreement(asked: np.ndarray, heard: np.ndarray, sounds: np.ndarray, apart: int) -> tuple[float, float]:
    """Rank correlations (of places, of movements) of two curves [T] where it `sounds`; nan where too little
    does. A movement is the difference of two frames that lie `apart` and both sound.
    """
    both = sounds[apart:] & sounds[:-apart]
    if sounds.sum() < LEAST_FRAMES or both.sum() < LEAST_FRAMES:
        return float("nan"), float("nan")
    moved = [(curve[apart:] - curve[:-apart])[both] for curve in (asked, heard)]
    return float(spearmanr(asked[sounds], heard[sounds]).statistic), float(spearmanr(*moved).statistic)


def in_tones(instrument: Instrument, rows: np.ndarray, row: int, seed: int) -> float:
    """Mean rank of asked and heard where control `row` is led in each of TONES frozen moments of a run
    [T, Z + C], every one along the same walk.
    """
    hop, rate = instrument.manifest.hop, instrument.sample_rate
    frame_s = hop / rate
    frames, around = int(TONE_S / frame_s), round(AROUND_S / frame_s)
    curve = walk(frames, frame_s, np.random.default_rng([seed, 1]))
    moments = np.linspace(START_S / frame_s + around, len(rows) - around, TONES + 1).astype(int)[1:]
    stood = np.stack([rows[at - around : at + around].mean(axis=0) for at in moments])
    whole = np.repeat(stood[:, :, None], frames, axis=2).astype(np.float32)
    z, controls = np.split(whole, [instrument.manifest.latent_size], axis=1)
    controls[:, row] = curve
    sound = DecoderStream(instrument.graphs, batch=TONES, seed=seed).process(z, controls)
    measured = DescriptorStream(instrument.graphs, batch=TONES).process(sound)[:, instrument.map.columns]
    lag, skip = int(instrument.map.lag_frames[row]), int(START_S / frame_s)
    asked = curve[skip : frames - lag]
    heard = [instrument.map.all_to_control(one)[row, skip + lag :] for one in measured]
    return mean([float(spearmanr(asked, one).statistic) for one in heard])


def obeyed(
    instrument: Instrument, label: str, row: int, seconds: float, seed: int, leak: float = 0.0
) -> Obedience:
    """What is heard of what a hand asks of control `row`."""
    engine = Engine(instrument)
    hop, rate = instrument.manifest.hop, instrument.sample_rate
    blocks = int(seconds * rate / hop / BLOCK_FRAMES)
    rng = np.random.default_rng(seed)
    curve = walk(blocks * BLOCK_FRAMES, hop / rate, rng)[::BLOCK_FRAMES]
    # The gate button's note has no pitch of its own: the source, or the hand, decides.
    frame = ControlFrame(gate=True, source=int(SOURCES[label]), seed=seed, clip=seed, anchor=7 * seed + 3)
    if label == "replay":
        engine.set_clips([replayed(instrument, seconds, seed)])
    frame.life = 0.0
    frame.held[row] = True
    keep_loudness(instrument, frame, row)
    sound, rows = [], []
    for value in curve:
        own = engine.telemetry.proposed[row] if leak else np.nan
        frame.asked[row] = value if np.isnan(own) else value + leak * (own - value)
        sound.append(engine.render(BLOCK_FRAMES * hop, frame).mean(axis=0))
        rows.append(engine.rows[0])
    measured = DescriptorStream(instrument.graphs).process(np.concatenate(sound)[None])[0]
    physical = measured[instrument.map.columns]
    loudness = instrument.map.loudness
    level_db = physical[loudness] if loudness >= 0 else levels_db(sound, hop)
    heard = instrument.map.all_to_control(physical)[row]
    asked = np.repeat(curve, BLOCK_FRAMES)
    lag, skip = int(instrument.map.lag_frames[row]), int(START_S * rate / hop)
    asked, heard, level_db = asked[skip : len(asked) - lag], heard[skip + lag :], level_db[skip + lag :]
    live = agreement(asked, heard, level_db > AUDIBLE_DB, round(KNOT_S * rate / hop))
    return Obedience(*live, in_tones(instrument, np.concatenate(rows), row, seed))


def levels_db(sound: Sequence[np.ndarray], hop: int) -> np.ndarray:
    """Mean-square level of each frame, dB re full scale."""
    return 10.0 * np.log10(np.square(np.concatenate(sound).reshape(-1, hop)).mean(axis=1) + 1e-12)


def mean(values: Sequence[float]) -> float:
    """Of those seeds that had enough to say."""
    there = [value for value in values if np.isfinite(value)]
    return float(np.mean(there)) if there else float("nan")


def apart(found: dict[str, list[Obedience]], figure: int) -> tuple[float, float, str]:
    """Prior − replay: (mean, its standard error, by seed) of one of the figures."""
    each = [p[figure] - r[figure] for p, r in zip(found["prior"], found["replay"], strict=True)]
    there = [value for value in each if np.isfinite(value)]
    error = float(np.std(there, ddof=1) / np.sqrt(len(there))) if len(there) > 1 else float("nan")
    return mean(each), error, ", ".join(f"{value:+.3f}" for value in each)


def show(each: dict[str, dict[str, list[Obedience]]], labels: Sequence[str]) -> None:
    """The table, and whether the bar is kept."""
    compared = {"prior", "replay"} <= set(labels)
    columns = [*labels, *(["prior − replay (by seed)"] if compared else [])]
    print("| held, rank of | " + " | ".join(columns) + " |\n|---|" + "---:|" * len(columns))
    for name, found in each.items():
        for figure, what in enumerate(Obedience._fields):
            cells = [f"{mean([v[figure] for v in found[label]]):.3f}" for label in labels]
            cells += ["{:+.3f} ± {:.3f} ({})".format(*apart(found, figure))] if compared else []
            print(f"| {name}, {what} | " + " | ".join(cells) + " |")
    if compared:
        least, which = min((apart(found, 0)[0], name) for name, found in each.items())
        print(f"\nLeast prior − replay: {least:+.3f} ({which}); "
              f"the bar is {'kept' if least >= -BAR else 'missed'}.")  # fmt: skip


def main() -> None:
    """Command line."""
    parser = by_control.parser(__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--sources", default=",".join(SOURCES), help="of " + ", ".join(SOURCES))
    parser.add_argument("--leak", type=float, default=0.0, help="share of the prior's own that gets through")
    parser.add_argument("--no-leash", action="store_true", help="the prior goes where it likes")
    given = parser.parse_args()
    if given.no_leash:
        leash.PULL = 0.0
    instrument = load_instrument(given.instrument)
    labels = given.sources.split(",")
    if unknown := set(labels) - set(SOURCES):
        parser.error(f"no such source: {', '.join(sorted(unknown))}")
    each = {
        name: {
            label: [obeyed(instrument, label, row, given.seconds, s, given.leak) for s in given.seeds]
            for label in labels
        }
        for name, row in by_control.rows(instrument, given.only).items()
    }
    if given.json:
        print(json.dumps({"figures": Obedience._fields, "rank": each, "machine": machine()}, indent=1))
        return
    show(each, labels)


if __name__ == "__main__":
    main()
