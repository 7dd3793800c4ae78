"""A small real instrument for tests, made without training or torch: make_tiny_nrk(path)."""

from pathlib import Path

import numpy as np
from tiny_graphs import (
    FAST,
    HOP,
    LATENT,
    STATE_SIZES,
    decoder,
    descriptors,
    descriptors_slow,
    encoder,
    run,
)

from neurorack.core.manifest import Clip, Control, GraphSpec, Manifest, Measured
from neurorack.core.noise import white
from neurorack.core.npy import npy_bytes
from neurorack.core.nrk import write_nrk
from neurorack.core.snapshot import Snapshot, snapshot_bytes

LATENCY_FRAMES = 2
UNITS = {
    "loudness": "dB",
    "brightness": "Hz",
    "noisiness": "",
    "boominess": "%",
    "pitch": "Hz",
    "periodicity": "",
}


def _decode(model: bytes, z, rows, level_db, f0_hz, seed: int = 1) -> np.ndarray:
    extra = {} if f0_hz is None else {"f0_hz": f0_hz}
    noise = white(seed, 0, HOP * z.shape[-1])[None]
    return run(model, STATE_SIZES["decoder"], z=z, controls=rows, level_db=level_db, noise=noise, **extra)


def _knots(graphs: dict[str, bytes], pitched: bool) -> dict[str, tuple[float, ...]]:
    """Normaliser tables that the decoder meets: each control is swept and its effect measured."""
    frames, count = 128, len(FAST) + pitched
    knots = {"loudness": tuple(np.linspace(-60.0, -6.0, 9).tolist())}
    if pitched:
        knots["pitch"] = tuple(np.geomspace(80.0, 800.0, 17).tolist())
    for row in range(1, len(FAST)):
        measured = []
        for value in np.linspace(-1.0, 1.0, 9):
            rows = np.zeros((1, count, frames), np.float32)
            rows[:, row] = value
            level, f0 = np.full((1, 1, frames), -20.0), np.full((1, 1, frames), 150.0) if pitched else None
            audio = _decode(graphs["decoder"], np.zeros((1, LATENT, frames)), rows, level, f0)
            values = run(graphs["descriptors"], STATE_SIZES["descriptors"], audio=audio)
            measured.append(float(np.median(values[0, row, 20:])))
        if measured[0] > measured[-1]:
            raise AssertionError(f"{FAST[row]} must rise with its control: {measured}")
        knots[FAST[row]] = tuple((np.maximum.accumulate(measured) + 1e-4 * np.arange(9)).tolist())
    return knots


def _control(name: str, knots: tuple[float, ...]) -> Control:
    return Control(
        name=name,
        label=name.capitalize(),
        unit=UNITS[name],
        scale="log" if name in ("brightness", "pitch") else "linear",
        knots=knots,
        low=knots[0],
        high=knots[-1],
        default=knots[len(knots) // 2],
        lag_frames=4,
    )


def make_tiny_nrk(
    path: Path | str, pitched: bool = True, sample_rate: int = 44_100, name: str | None = None
) -> Path:
    """Write a small, complete, contract-conforming instrument to `path` and return the path.

    Controls: loudness, brightness, noisiness, boominess (and pitch when `pitched`); measured: the same, plus
    slow pitch and periodicity when `pitched`. Two clips, anchors, support, snapshot. Deterministic.
    """
    path = Path(path)
    graphs = {
        "encoder": encoder(),
        "descriptors": descriptors(sample_rate),
        "decoder": decoder(sample_rate, pitched),
    }
    if pitched:
        graphs["descriptors_slow"] = descriptors_slow(sample_rate)
    knots = _knots(graphs, pitched)
    names = [*FAST, "pitch"] if pitched else [*FAST]
    controls = tuple(_control(n, knots[n]) for n in names)
    defaults = {c.name: c.default for c in controls} | {"pitch": 220.0, "periodicity": 0.0}
    measured = tuple(
        Measured(n, UNITS[n], n not in FAST, float(defaults[n]))
        for n in (*FAST, *(("pitch", "periodicity") if pitched else ()))
    )
    rng = np.random.default_rng(3)
    count = len(controls)

    def walk(rows: int, frames: int, seed: int) -> np.ndarray:
        t = np.arange(frames) / frames
        speed, turn = np.random.default_rng(seed).uniform((1, 0), (4, 2 * np.pi), (rows, 2)).T[..., None]
        return (0.8 * np.sin(2 * np.pi * speed * t + turn)).astype(np.float32)

    clips = {"clips/one.npy": walk(LATENT + count, 345, 4), "clips/two.npy": walk(LATENT + count, 690, 5)}
    frames = 64
    rows = walk(count, frames, 6)[None]
    physical = {c.name: c.normaliser.to_physical(rows[:, i : i + 1]) for i, c in enumerate(controls)}
    z, f0 = walk(LATENT, frames, 7)[None], physical.get("pitch")
    t = np.arange(HOP * frames) / sample_rate
    audio = (0.2 * np.sin(2 * np.pi * 330 * t) + 0.02 * white(9, 0, t.size)).astype(np.float32)[None]
    snapshot = Snapshot(
        audio=audio,
        z=z,
        controls=rows,
        level_db=physical["loudness"],
        f0_hz=f0,
        seed=11,
        encoder_z=run(graphs["encoder"], STATE_SIZES["encoder"], audio=audio),
        descriptors_values=run(graphs["descriptors"], STATE_SIZES["descriptors"], audio=audio),
        descriptors_slow_values=run(graphs["descriptors_slow"], STATE_SIZES["descriptors_slow"], audio=audio)
        if pitched
        else None,
        decoder_audio=_decode(graphs["decoder"], z, rows, physical["loudness"], f0, seed=11),
    )
    members = {f"{graph}.onnx": data for graph, data in graphs.items()}
    members |= {clip: npy_bytes(data) for clip, data in clips.items()}
    members["z_anchors.npy"] = npy_bytes(rng.uniform(-0.9, 0.9, (32, LATENT + count)).astype(np.float32))
    members["support.npy"] = npy_bytes(rng.uniform(-1, 1, (256, count)).astype(np.float32))
    members["snapshot.npz"] = snapshot_bytes(snapshot)
    coupling = np.full((count, count), 0.2) + 0.8 * np.eye(count)
    manifest = Manifest(
        name=name or path.stem,
        title="Tiny",
        description="Hand-made graphs for tests: an additive tone and coloured noise.",
        licence="MIT",
        sample_rate=sample_rate,
        hop=HOP,
        latency_frames=LATENCY_FRAMES,
        latent_size=LATENT,
        z_scale=(0.6,) * LATENT,
        controls=controls,
        measured=measured,
        coupling=tuple(tuple(float(c) for c in line) for line in coupling),
        graphs={graph: GraphSpec(f"{graph}.onnx", "", STATE_SIZES[graph]) for graph in graphs},
        clips=tuple(Clip(Path(c).stem, c, data.shape[1], "synthetic") for c, data in clips.items()),
        z_anchors_path="z_anchors.npy",
        support_path="support.npy",
        support_radius=0.7,
        files={},
        architecture={"kind": "hand-made", "params": 0},
        training={"minutes": 0},
        provenance=[{"source": "synthetic", "licence": "MIT"}],
        scores={"control": {"one": {"mean": 0.9}}},
    )
    write_nrk(path, manifest, members)
    return path
