"""Does a needle that changes hands click? Every way of it, beside the same movement made by a hand alone.

    python benchmarks/take_over.py winds [--seeds 0,1,2] [--only brightness] [--json]

A control goes over, in the middle of the sound, from the prior to a hand, back, from a clip to the prior, and
back. A click is told from a sound that becomes brighter by how far the largest second difference of the
samples about that moment stands out from what is usual within 0.12 s of it. That is divided by what the same
performance has without any prior: z and all other controls, as they were decoded, come from a clip, and a
hand that held this control all along moves it from where it was to where it went. Above 1 is the take-over's
own. The last rows check the measure: the control leaps in a single frame (a decoder that answers gradually
does not click even so), and the samples themselves leap, by 6 dB at one of them, which must be heard. The
bar: the median at most 1.05, no control's median above 1.25.
"""

import json

import by_control
import numpy as np
from scipy.ndimage import median_filter

from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.frame import ControlFrame, Origin, Source
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.timing import machine

BEFORE, AFTER = 120, 50
"""Frames before and after the moment."""
WINDOW = (-2, 26)
"""Frames about the moment in which a click is looked for."""
BLOCK, USUAL = 256, 21
"""Samples whose largest second difference is taken, and how many such blocks say what is usual."""
KINDS = ("prior to hand", "hand to prior", "clip to prior", "prior to clip")
LEAPS = ("*the control leaps*", "*the samples leap*")
FAR, FAR_PITCH = 0.6, 0.3
LOUDNESS = 0.3
WORST, MEDIAN = 1.25, 1.05


def frames_of(instrument: Instrument, kind: str, row: int, seed: int) -> tuple[ControlFrame, ControlFrame]:
    """What is asked before the moment and after it, but for the place of a hand that takes over."""
    other = (row + 1) % instrument.map.size
    pair = []
    for where in kind.split(" to "):
        frame = ControlFrame(gate=True, seed=seed, life=0.0, clip=seed, surprise=0.7)
        frame.source = int(Source.CLIP if "clip" in kind else Source.PRIOR)
        if "clip" in kind:
            frame.origin[other] = Origin.PRIOR  # so the prior is on its way already
            frame.origin[row] = Origin.PRIOR if where == "prior" else Origin.SOURCE
        loudness = instrument.map.loudness
        if loudness >= 0 and row != loudness:
            frame.asked[loudness], frame.held[loudness] = LOUDNESS, True
        frame.held[row] = where == "hand"
        pair.append(frame)
    return pair[0], pair[1]


def performed(instrument: Instrument, kind: str, row: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(sound [n], rows [T, Z + C] as decoded) of one change of hands after BEFORE frames."""
    before, after = frames_of(instrument, kind, row, seed)
    far = FAR_PITCH if row == instrument.map.pitch else FAR
    before.asked[row] = far if seed % 2 else -far
    engine = Engine(instrument)
    sound, rows = [], []
    for t in range(BEFORE + AFTER):
        if t == BEFORE:
            # The hand takes the needle a good way from where it stands.
            after.asked[row] = -far if engine.telemetry.asked[row] > 0 else far
        sound.append(engine.render(instrument.manifest.hop, after if t >= BEFORE else before)[0])
        rows.append(engine.rows[0][0].copy())
    return np.concatenate(sound), np.array(rows)


def again(instrument: Instrument, rows: np.ndarray, row: int, seed: int, leap: bool) -> np.ndarray:
    """The sound of `rows` from a clip. Control `row` stands, and at the moment goes where it went in them: a
    hand that has held it moves it there, or it leaps.
    """
    latent = instrument.manifest.latent_size
    place = rows[BEFORE - 1, latent + row], rows[BEFORE + WINDOW[1], latent + row]
    rows = rows.copy()
    rows[:BEFORE, latent + row], rows[BEFORE:, latent + row] = place
    engine = Engine(instrument)
    engine.set_clips([np.ascontiguousarray(rows.T)])
    frame = ControlFrame(gate=True, seed=seed, life=0.0, source=int(Source.CLIP))
    frame.held[row] = not leap
    sound = []
    for t in range(len(rows)):
        frame.asked[row] = place[int(t >= BEFORE)]
        sound.append(engine.render(instrument.manifest.hop, frame)[0])
    return np.concatenate(sound)


def click(sound: np.ndarray, hop: int) -> float:
    """How far the roughest block about the moment stands out from its surroundings."""
    rough = np.abs(np.diff(sound.astype(np.float64), 2, append=[0.0, 0.0]))
    peaks = rough[: len(rough) // BLOCK * BLOCK].reshape(-1, BLOCK).max(axis=1)
    standing = peaks / (median_filter(peaks, size=USUAL, mode="nearest") + 1e-5)
    first, last = ((BEFORE + at) * hop // BLOCK for at in WINDOW)
    return float(standing[first:last].max())


def clicks(instrument: Instrument, kind: str, row: int, seed: int) -> dict[str, float]:
    """How much more a change of hands clicks than the same movement by a hand; for the first, leaps too."""
    sound, rows = performed(instrument, kind, row, seed)
    hop = instrument.manifest.hop
    by_hand = again(instrument, rows, row, seed, leap=False)
    moved = click(by_hand, hop)
    found = {kind: click(sound, hop) / moved}
    if kind == KINDS[0]:
        found[LEAPS[0]] = click(again(instrument, rows, row, seed, leap=True), hop) / moved
        by_hand[BEFORE * hop + hop // 2 :] *= 0.5
        found[LEAPS[1]] = click(by_hand, hop) / moved
    return found


def main() -> None:
    """Command line."""
    given = by_control.parser(__doc__.splitlines()[0]).parse_args()
    instrument = load_instrument(given.instrument)
    found: dict[str, dict[str, list[float]]] = {kind: {} for kind in (*KINDS, *LEAPS)}
    rows = by_control.rows(instrument, given.only)
    for name, row in rows.items():
        for kind in KINDS:
            for seed in given.seeds:
                for which, value in clicks(instrument, kind, row, seed).items():
                    found[which].setdefault(name, []).append(value)
    if given.json:
        print(json.dumps({"times_the_hand": found, "machine": machine()}, indent=1))
        return
    print("| click, times the hand's (median of seeds) | " + " | ".join(found[KINDS[0]]) + " |")
    print("|---|" + "---:|" * len(rows))
    for kind, by_name in found.items():
        print(f"| {kind} | " + " | ".join(f"{np.median(values):.2f}" for values in by_name.values()) + " |")
    middles = [float(np.median(v)) for kind in KINDS for v in found[kind].values()]
    every = [value for kind in KINDS for values in found[kind].values() for value in values]
    kept = "kept" if max(middles) <= WORST and np.median(every) <= MEDIAN else "missed"
    print(f"\nOf {len(every)}: median {np.median(every):.2f}, worst {max(every):.2f}; the bar is {kept}.")


if __name__ == "__main__":
    main()
