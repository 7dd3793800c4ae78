"""How long from a gesture to the sound, and from the input to the output? In samples, with one block counted.

    python benchmarks/latency.py winds                     the engine alone, at several block sizes
    python benchmarks/latency.py winds --jack              a running player on JACK's dummy server

Measured are
- gate: a gate (over JACK: on the port cv_gate) at sample n, heard at n + latency;
- live: a short burst at the input, heard at the output (source "live");
- knob: a control moved while a tone sounds, against the same tone undisturbed. It glides by its smoothing:
  its beginning is where the two differ by -60 dB re the tone's peak, the second figure is where by -40 dB.

Onsets of notes and bursts are defined in onsets.py. One block is counted in every figure: the one in which a
gesture waits for the next callback. The note's attack is set to its shortest, 2 ms. Bars, for blocks of 128:
gate 6 ms, live 10 ms; a panel's gate, sent to its socket, 20 ms. Needs jackd (and python-rtmidi) for --jack.
"""

import argparse
import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from onsets import ONSET_RATIO, Onset, find_onset, summary

from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import ControlFrame, Source
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.timing import machine

BARS_MS = {"gate": 6.0, "live": 10.0, "panel": 20.0}
BLOCKS = (64, 100, 128, 256, 512)
BAR_BLOCK = 128
KNOB_RATIO = 10.0 ** (-60 / 20)
QUICK: dict[str, Any] = {"attack_s": 0.002, "release_s": 0.03}
NOTE_S, TRIAL_S = 0.1, 0.4
"""A gate's length, and from one gate to the next."""
BURST_S = 0.02
F0_HZ = 220.0


def gates(instrument: Instrument, block: int, trials: int, seed: int = 0) -> list[Onset]:
    """Notes at random samples, through Engine.render with events."""
    engine, frame = Engine(instrument), ControlFrame(**QUICK)
    rng = np.random.default_rng(seed)
    starts = _starts(rng, trials, instrument.sample_rate)
    ends = starts + int(NOTE_S * instrument.sample_rate)
    todo = sorted(
        [(int(s), Event(Kind.NOTE_ON, i, F0_HZ, 1.0)) for i, s in enumerate(starts)]
        + [(int(e), Event(Kind.NOTE_OFF, i)) for i, e in enumerate(ends)],
        key=lambda item: item[0],
    )
    total = int(starts[-1] + TRIAL_S * instrument.sample_rate)
    sound = np.empty(-(-total // block) * block, np.float32)
    for at in range(0, len(sound), block):
        now = []
        while todo and todo[0][0] < at + block:
            sample, event = todo.pop(0)
            now.append(replace(event, offset=sample - at))
        sound[at : at + block] = engine.render(block, frame, None, now)[0]
    return [find_onset(sound, int(s), int(e)) for s, e in zip(starts, ends, strict=True)]


def live(instrument: Instrument, block: int, trials: int, seed: int = 0) -> list[Onset]:
    """Bursts of a harmonic tone in, their sound out."""
    engine, frame = Engine(instrument), ControlFrame(gate=True, source=int(Source.LIVE), **QUICK)
    starts = _starts(np.random.default_rng(seed), trials, instrument.sample_rate)
    heard = bursts(starts, instrument.sample_rate)
    sound = np.empty_like(heard)
    for at in range(0, len(heard) - block + 1, block):
        sound[at : at + block] = engine.render(block, frame, heard[at : at + block])[0]
    end = int(NOTE_S * instrument.sample_rate)
    return [find_onset(sound, int(s), int(s) + end) for s in starts]


def knobs(instrument: Instrument, block: int, trials: int, seed: int = 0) -> dict[str, list[Onset]]:
    """One control moved at the start of a block, against the same engine undisturbed; by control."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[Onset]] = {}
    frames = -(-int(0.06 * instrument.sample_rate) // block)
    for index, control in enumerate(instrument.manifest.controls):
        found[control.name] = []
        for _ in range(trials):
            settle = int(rng.integers(40, 80)) * 512 // block
            pair = [Engine(instrument), Engine(instrument)]
            frame = ControlFrame(gate=True, f0_hz=F0_HZ, life=0.0, **QUICK)
            moved = replace(frame, asked=frame.asked.copy(), held=frame.held.copy())
            held_at = [replace(frame, asked=frame.asked.copy(), held=frame.held.copy()), moved]
            for one, value in zip(held_at, (-0.3, 0.5), strict=True):
                one.asked[index], one.held[index] = value, True
                if control.name == "pitch":
                    one.f0_hz = 0.0
            before = [e.render(block, held_at[0]) for e in pair for _ in range(settle)]
            after = [
                np.concatenate([e.render(block, f)[0] for _ in range(frames)])
                for e, f in zip(pair, held_at, strict=True)
            ]
            peak = max(float(np.abs(after[0]).max()), float(np.abs(before[-1]).max()))
            apart = np.abs(after[1] - after[0]) / max(peak, 1e-9)
            clear = peak > 1e-4 and float(apart.max()) > ONSET_RATIO
            first, second = int(np.argmax(apart > KNOB_RATIO)), int(np.argmax(apart > ONSET_RATIO))
            found[control.name].append(Onset(first, second, clear))
    return found


def bursts(starts: np.ndarray, sample_rate: int) -> np.ndarray:
    """float32 [samples]: at every start a burst of BURST_S, full level from its first sample."""
    sound = np.zeros(int(starts[-1] + TRIAL_S * sample_rate), np.float32)
    time_s = np.arange(int(BURST_S * sample_rate)) / sample_rate
    tone = np.sum([np.cos(2 * np.pi * F0_HZ * k * time_s) / k for k in range(1, 9)], axis=0)
    for start in starts:
        sound[start : start + len(tone)] = 0.2 * tone
    return sound


def _starts(rng: np.random.Generator, trials: int, sample_rate: int) -> np.ndarray:
    steps = int(TRIAL_S * sample_rate) + rng.integers(0, 512, trials)
    return int(0.5 * sample_rate) + np.cumsum(steps)


def offline(instrument: Instrument, trials: int) -> dict[str, Any]:
    """All three kinds, at every block size; knobs at one block of 128."""
    rate = instrument.sample_rate
    kinds: dict[str, Callable[..., list[Onset]]] = {"gate": gates, "live": live}
    report: dict[str, Any] = {
        kind: {str(b): summary(measure(instrument, b, trials), rate, b) for b in BLOCKS}
        for kind, measure in kinds.items()
    }
    moved = knobs(instrument, BAR_BLOCK, max(3, trials // 20))
    report["knob"] = {name: summary(found, rate, BAR_BLOCK) for name, found in moved.items()}
    return report


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instrument", help="name of an instrument, or a .nrk file")
    parser.add_argument("--trials", type=int, default=100, help="notes for each figure")
    parser.add_argument("--jack", action="store_true", help="a running player on JACK's dummy server")
    parser.add_argument("--block", type=int, default=128, help="samples a block, with --jack")
    parser.add_argument("--json", action="store_true", help="print JSON")
    given = parser.parse_args()
    host = machine()
    found: dict[str, Any]
    if given.jack:
        from latency_jack import over_jack

        found = asyncio.run(over_jack(given.instrument, given.trials, given.block))
    else:
        found = offline(load_instrument(given.instrument), given.trials)
    report = {"instrument": given.instrument, "bars_ms": BARS_MS, "machine": host, **found}
    if given.json:
        print(json.dumps(report, indent=1))
    else:
        show(report)


def show(report: dict[str, Any]) -> None:
    """The figures as a table, each against its bar."""
    print(f"{report['instrument']}: latency with one block counted, ms (jitter in samples)")
    print(f"{'':26} {'onset median':>13} {'max':>7} {'jitter':>7} {'10 % median':>12} {'max':>7}")
    for kind in ("gate", "live", "knob", "panel", "osc", "midi"):
        bar = BARS_MS.get(kind)
        for name, figures in report.get(kind, {}).items():
            if "onset_ms" not in figures:
                print(f"{kind:6} {name:19} no clear trial of {figures['trials']}")
                continue
            onset, tenth = figures["onset_ms"], figures["tenth_ms"]
            jitter = figures["onset_samples"]["jitter"]
            verdict = ""
            if bar and figures["block_counted"] in (0, BAR_BLOCK):  # 0: the wait is in what was measured
                verdict = f"{bar:g} ms {'kept' if onset['max'] <= bar else 'MISSED'}, "
            print(
                f"{kind:6} {name:19} {onset['median']:13.2f} {onset['max']:7.2f} {jitter:7.0f} "
                f"{tenth['median']:12.2f} {tenth['max']:7.2f}  "
                f"{verdict}{figures['clear']} of {figures['trials']} clear"
            )
    if report.get("disturbed"):
        print(f"Left out: {report['disturbed']} trials during which the JACK server lost a cycle.")
    print(json.dumps(report["machine"]))


if __name__ == "__main__":
    main()
