"""What an instrument's priors score, as Markdown or JSON: from its card, or by playing them for an hour.

    python benchmarks/prior_score.py NAME.nrk                            the scores stored in the instrument
    python benchmarks/prior_score.py NAME.nrk --hour CORPUS              its graphs play for an hour
    python benchmarks/prior_score.py NAME.nrk --cost                    what a step of its graphs costs here
    python benchmarks/prior_score.py NAME.nrk --picture CORPUS OUT.png   played beside recorded curves
    add --json for JSON; to --hour or --cost add --keep to write what was found into NAME.nrk, for its card

`--hour` steps the graphs that are in the file, in ONNX Runtime, as a player does: four streams of an hour, in
some 100 MB beside the corpus's own curves.
"""

import argparse
import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from neurorack.core.library import find
from neurorack.core.manifest_io import PRIOR_GRAPHS
from neurorack.core.nrk import Archive, read_nrk, write_nrk
from neurorack.core.timebase import HOP
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.prior.cost import step_cost
from neurorack.learn.prior.likeness import SECOND, Judge
from neurorack.learn.prior.make import unit_of_z
from neurorack.learn.prior.material import read_material
from neurorack.learn.prior.rollout import beat_clock
from neurorack.learn.prior.score import judged, make_judge, rounded

STREAMS = 4
PARTS = 6


def play(archive: Archive, steps: int, streams: int, seed: int, rate: float, heat: float = 1.0) -> np.ndarray:
    """Controls [B, T, C] of the instrument's own graph, from the moment it is let go."""
    m = archive.manifest
    assert m.prior is not None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    data = archive.graph("prior_controls")
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    rng = np.random.Generator(np.random.PCG64(seed))
    count, noise = len(m.controls), m.prior.noise["controls"]
    none = np.zeros((streams, count, 1), np.float32)
    feed = {"held": none, "mask": none, "temperature": np.full((streams, 1, 1), heat, np.float32)}
    previous, state = none, np.zeros((streams, m.graphs["prior_controls"].state_size), np.float32)
    clock = beat_clock(steps, rate, None).astype(np.float32)
    out = np.empty((streams, steps, count), np.float32)
    for t in range(steps):
        drawn = rng.standard_normal((streams, noise, 1), dtype=np.float32)
        tick = np.broadcast_to(clock[t][None, :, None], (streams, 4, 1))
        previous, state = session.run(
            None, {**feed, "previous": previous, "clock": tick, "noise": drawn, "state": state}
        )
        out[:, t] = previous[..., 0]
    return out


def hour(archive: Archive, judge: Judge, rate: float, seed: int) -> dict[str, Any]:
    """Of each sixth of an hour: what sounds, how varied, how near the training recordings; how far it repeats
    what it played before; drift; and how long it took to play.
    """
    began = time.perf_counter()
    out = play(archive, int(3600 * rate), STREAMS, seed, rate)
    taken = time.perf_counter() - began
    parts = np.array_split(out, PARTS, axis=1)
    return rounded(
        {
            "streams": STREAMS,
            "times_real_time": STREAMS * 3600 / taken,
            "parts": [
                {
                    "sounding": float(judge.audible(p).mean()),
                    "onsets_per_second": judge.onsets_per_second(p),
                    **judge.variety(p),
                    **judge.copying(p),
                }
                for p in parts
            ],
            "whole": judge.variety(out),
            "recorded": judge.variety(judge.recorded),
            "echoes": judge.echoes(out, PARTS),
            "drift": judge.drift(out),
        }
    )


def picture(archive: Archive, judge: Judge, rate: float, seed: int, path: Path) -> None:
    """Twelve seconds of what is played, beside as much of held-out phrases."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    steps = 12 * SECOND
    rows = [("a held-out phrase", judge.recorded[0, :steps])]
    rows += [(f"played, surprise {heat:g}", play(archive, steps * 2, 1, seed, rate, heat)[0, steps:])
             for heat in (1.0, 0.5)]  # fmt: skip
    figure, axes = plt.subplots(
        len(rows), 1, figsize=(9, 6.2), sharex=True, sharey=True, layout="constrained"
    )
    at = np.arange(steps) / rate
    for axis, (title, curves) in zip(axes, rows, strict=True):
        for name, curve in zip(judge.names, curves.T, strict=True):
            axis.plot(at, curve, linewidth=1.0, label=name)
        axis.set_title(f"{archive.manifest.title}: {title}", fontsize=9, loc="left")
        axis.set_ylim(-1.3, 1.3)
    axes[0].legend(fontsize=7, ncol=len(judge.names), loc="upper right")
    axes[-1].set_xlabel("seconds")
    figure.savefig(path, dpi=72)


def kept(archive: Archive, found: dict[str, Any]) -> None:
    """Write the instrument again with these among its prior's scores; all else stays as it is."""
    m = archive.manifest
    assert m.prior is not None
    prior = dataclasses.replace(m.prior, scores={**m.prior.scores, **found})
    members = {name: archive.member(name) for name in m.files}
    write_nrk(archive.path, dataclasses.replace(m, prior=prior), members)


def markdown(value: dict[str, Any], prefix: str = "") -> list[str]:
    """Rows of a table, nested names joined by dots."""
    rows = []
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, dict):
            rows += markdown(item, f"{name}.")
        elif isinstance(item, list):
            rows += markdown({f"{name}.{i + 1}": part for i, part in enumerate(item)})
        else:
            rows.append(f"| {name} | {'–' if item is None else item} |")
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instrument")
    parser.add_argument("--hour", metavar="CORPUS", type=Path)
    parser.add_argument("--picture", nargs=2, metavar=("CORPUS", "OUT.png"), type=Path)
    parser.add_argument("--cost", action="store_true")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--keep", action="store_true", help="write the figures into the instrument")
    arguments = parser.parse_args()
    archive = read_nrk(find(arguments.instrument))
    if archive.manifest.prior is None:
        print(f"{archive.path} has no priors; give it some with neurorack prior.", file=sys.stderr)
        return 2
    prior = archive.manifest.prior
    scores = prior.scores
    if arguments.cost:
        graphs = {name: archive.graph(name) for name in PRIOR_GRAPHS}
        scores = rounded(step_cost(graphs, prior.every * HOP / archive.manifest.sample_rate))
    folder = arguments.hour or (arguments.picture and arguments.picture[0])
    if folder:
        material = read_material(archive, Corpus.open(folder))
        judge = make_judge(material, judged(material)[1], unit_of_z(material), arguments.seed)
        if arguments.picture:
            picture(archive, judge, material.rate, arguments.seed, arguments.picture[1])
            return 0
        scores = hour(archive, judge, material.rate, arguments.seed)
    if arguments.keep and (arguments.hour or arguments.cost):
        kept(archive, {"hour" if arguments.hour else "cost": scores})
    if arguments.json:
        print(json.dumps(scores, indent=1))
    else:
        print("\n".join(["| figure | value |", "|---|---:|", *markdown(scores)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
