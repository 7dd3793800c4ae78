"""The snapshot self-check: does this machine play the instrument as the machine that exported it did?"""

from dataclasses import dataclass

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.nrk import Archive
from neurorack.core.snapshot import SLOW_SHARE
from neurorack.core.timebase import SLOW_EVERY
from neurorack.play.engine.graph_stream import GraphStream
from neurorack.play.engine.graphs import Graphs

BLOCK_FRAMES = SLOW_EVERY
"""Streamed in blocks, so that the check covers the state's way through the player too."""


@dataclass(frozen=True)
class Check:
    """One graph: largest |got - expected| / max(1, |expected|), share of values within tolerance, verdict."""

    graph: str
    worst: float
    share: float
    passed: bool


def check_snapshot(archive: Archive, graphs: Graphs | None = None) -> list[Check]:
    """Run the snapshot through every graph, one Check a graph. Of slow values a share of SLOW_SHARE is
    enough.
    """
    graphs = graphs or Graphs.load(archive)
    snap = archive.snapshot()
    hop, frames = archive.manifest.hop, snap.frames
    rows = {"z": snap.z, "controls": snap.controls, "noise": snap.noise}
    rows |= {n: v for n, v in (("level_db", snap.level_db), ("f0_hz", snap.f0_hz)) if v is not None}
    sound = {"audio": snap.audio}
    jobs = [
        ("encoder", 1, sound, "z", snap.encoder_z),
        ("descriptors", 1, sound, "values", snap.descriptors_values),
        ("decoder", 1, rows, "audio", snap.decoder_audio),
    ]
    if snap.descriptors_slow_values is not None:
        jobs.append(("descriptors_slow", SLOW_EVERY, sound, "values", snap.descriptors_slow_values))
    checks = []
    for name, frames_a_step, inputs, output, expected in jobs:
        stream = graphs.stream(name)
        got = _stream(stream, inputs, output, frames, frames_a_step, hop)
        agrees = snap.agrees(got, expected) & np.isfinite(got)
        error = np.abs(got - expected) / np.maximum(1.0, np.abs(expected))
        share = float(agrees.mean())
        needed = SLOW_SHARE if name == "descriptors_slow" else 1.0
        worst = float(np.nan_to_num(error, nan=np.inf).max())
        checks.append(Check(name, worst, share, share >= needed))
    return checks


def verify(archive: Archive, graphs: Graphs | None = None) -> list[Check]:
    """The checks, all passed; else NeurorackError names the first graph that plays other than exported."""
    checks = check_snapshot(archive, graphs)
    for check in checks:
        if not check.passed:
            raise NeurorackError(
                f"{archive.path}: on this machine its {check.graph} graph strays by {check.worst:.2g} "
                "from what it gave when exported: upgrade onnxruntime, or report it."
            )
    return checks


def _stream(
    stream: GraphStream,
    inputs: dict[str, np.ndarray],
    output: str,
    frames: int,
    frames_a_step: int,
    hop: int,
) -> np.ndarray:
    """Output over all frames, BLOCK_FRAMES at a time."""
    parts = []
    for start in range(0, frames, BLOCK_FRAMES):
        steps = BLOCK_FRAMES // frames_a_step
        for name, target in stream.inputs(steps).items():
            scale = hop if inputs[name].ndim == 2 else 1
            target[:] = inputs[name][..., start * scale : (start + BLOCK_FRAMES) * scale]
        parts.append(stream.run(steps)[output].copy())
    return np.concatenate(parts, axis=-1)
