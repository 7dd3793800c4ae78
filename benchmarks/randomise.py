"""Randomise far: how many of its patches are silent, and whether they are as spread as the corpus.

    python benchmarks/randomise.py [--instrument winds] [--count 200] [--seed 0] [--json]

Every patch is played for two seconds by the engine, offline. It counts as silent when its loudest half second
stays below -50 dB re full scale. Its spread is the standard deviation, over patches, of each measured
descriptor's median (normalised: equal steps are equally common in the corpus), beside that of the corpus' own
frames (the instrument's support). Bar: at most 5 % silent.
"""

import argparse
import json

import numpy as np

from neurorack.core.library import find
from neurorack.core.nrk import read_nrk
from neurorack.play.engine.engine import Engine
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.timing import machine
from neurorack.play.session.clips import instrument_clips
from neurorack.play.session.patch import Patch
from neurorack.play.session.randomise import audible, far

SECONDS, WINDOW_S = 2.0, 0.5
SILENT_DB = -50.0
BLOCK = 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--instrument", default="winds")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    archive = read_nrk(find(given.instrument))
    manifest = archive.manifest
    names = tuple(control.name for control in manifest.controls)
    anchors, support = archive.array(manifest.z_anchors_path), archive.array(manifest.support_path)
    loud = audible(support, manifest)
    ids = [clip.id for clip in instrument_clips(archive)]
    instrument = Instrument(archive)
    rng = np.random.default_rng(given.seed)
    levels, medians, sources = [], [], []
    for _ in range(given.count):
        patch = far(Patch(), names, anchors, loud, ids, rng)
        audio = played(instrument, patch, ids)
        windows = audio[: len(audio) // window(manifest.sample_rate) * window(manifest.sample_rate)]
        power = np.square(windows.reshape(-1, window(manifest.sample_rate))).mean(axis=1)
        levels.append(10.0 * np.log10(power.max() + 1e-12))
        sources.append(patch.source)
        if levels[-1] >= SILENT_DB:
            heard = instrument.analyse(audio, manifest.sample_rate).controls
            medians.append(np.median(heard[:, heard.shape[1] // 4 :], axis=1))
    silent = float(np.mean(np.array(levels) < SILENT_DB))
    spread, corpus = np.std(medians, axis=0), np.std(support, axis=0)
    report = {
        "instrument": manifest.name,
        "machine": machine(),
        "patches": given.count,
        "silent_share": silent,
        "silent_by_source": {
            source: sum(x == source and y < SILENT_DB for x, y in zip(sources, levels, strict=True))
            for source in sorted(set(sources))
        },
        "spread": {
            name: {"far": float(a), "corpus": float(b)}
            for name, a, b in zip(names, spread, corpus, strict=True)
        },
    }
    if given.json:
        print(json.dumps(report))
        return
    print(f"{manifest.title}: {given.count} far patches, {100 * silent:.1f} % silent (bar: 5 %)")
    print(f"{'descriptor':12s} {'far':>6s} {'corpus':>7s}   standard deviation, normalised")
    for name, pair in report["spread"].items():
        print(f"{name:12s} {pair['far']:6.2f} {pair['corpus']:7.2f}")


def window(sample_rate: int) -> int:
    """Samples of the window whose level counts."""
    return int(WINDOW_S * sample_rate)


def played(instrument: Instrument, patch: Patch, ids: list[str]) -> np.ndarray:
    """Mono sound of the patch with the gate open."""
    engine = Engine(instrument)
    frame = patch.frame(instrument.manifest, lambda clip: ids.index(clip) if clip in ids else -1)
    frame.gate = True
    count = int(SECONDS * instrument.sample_rate) // BLOCK
    return np.concatenate([engine.render(BLOCK, frame) for _ in range(count)], axis=1).mean(axis=0)


if __name__ == "__main__":
    main()
