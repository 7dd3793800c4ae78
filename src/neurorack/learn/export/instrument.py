"""A run becomes a .nrk: graphs from the averaged weights, material from the corpus, a snapshot to check
by.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from safetensors.torch import save

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest import Clip, Control, GraphSpec, Manifest, Measured
from neurorack.core.noise import white
from neurorack.core.npy import npy_bytes
from neurorack.core.nrk import write_nrk
from neurorack.core.snapshot import Snapshot, snapshot_bytes
from neurorack.core.timebase import HOP, SLOW_EVERY
from neurorack.core.version import __version__
from neurorack.learn.corpus import Corpus
from neurorack.learn.descriptors import build
from neurorack.learn.export.graphs import (
    decoder_graph,
    descriptors_graph,
    encoder_graph,
    run_from_rest,
)
from neurorack.learn.export.material import CLIP_SECONDS, choose_clips, encode, statistics
from neurorack.learn.model.autoencoder import Autoencoder
from neurorack.learn.train.checkpoint import NAME, load_checkpoint
from neurorack.learn.train.objective import Objective, objective_for
from neurorack.learn.train.run import RunConfig

SNAPSHOT_FRAMES = 32


@dataclass(frozen=True)
class Card:
    """What people read about an instrument."""

    name: str
    title: str = ""
    description: str = ""
    licence: str = "unspecified"
    provenance: list[dict[str, Any]] = field(default_factory=list)
    trained_on: str = ""


def load_objective(run: Path, config: RunConfig) -> tuple[Objective, dict[str, Any]]:
    """The averaged model of a run inside its objective (for alignment), and the checkpoint's extra."""
    model = config.build()
    extra = load_checkpoint(run / NAME, {"ema": model})
    return objective_for(config, model).eval(), extra


def export(run: Path, output: Path, card: Card) -> Manifest:
    """Write the instrument of `run` to `output` and return its manifest."""
    config = RunConfig.read(run)
    objective, extra = load_objective(run, config)
    try:
        corpus = Corpus.open(Path(config.corpus))
    except NeurorackError as error:
        raise NeurorackError(
            f"The corpus of this run is not at {config.corpus} any more; put it back or prepare it again "
            f"there."
        ) from error
    model: Autoencoder = objective.model
    rate = config.model.sample_rate
    bank = build(config.descriptors, rate, config.descriptor_files)
    members: dict[str, bytes] = {
        "decoder.onnx": decoder_graph(model.decoder),
        "encoder.onnx": encoder_graph(model.encoder),
    }
    states = {"encoder": model.encoder.state_size, "decoder": model.decoder.state_size}
    for name, part in (("descriptors", bank.fast), ("descriptors_slow", bank.slow)):
        if part is not None:
            members[f"{name}.onnx"] = descriptors_graph(part)
            states[name] = part.state_size
    stats = statistics(objective, corpus)
    members["anchors.npy"], members["support.npy"] = npy_bytes(stats.anchors), npy_bytes(stats.support)
    clips = []
    for index, file in enumerate(choose_clips(corpus)):
        encoded = encode(objective, corpus, file, int(CLIP_SECONDS * rate / HOP))
        path = f"clips/{index}.npy"
        members[path] = npy_bytes(encoded.rows)
        clips.append(Clip(_clip_name(file.path), path, encoded.rows.shape[1], file.path))
    members["weights.safetensors"] = weights_bytes(model)
    members["snapshot.npz"] = snapshot_bytes(_snapshot(config, members, states, stats.anchors, corpus))
    manifest = Manifest(
        name=card.name,
        title=card.title or card.name,
        description=card.description,
        licence=card.licence,
        sample_rate=rate,
        hop=HOP,
        latency_frames=config.model.latency_frames,
        latent_size=config.model.latent_size,
        z_scale=tuple(float(v) for v in stats.z_scale),
        controls=_controls(config, objective, bank),
        measured=_measured(bank),
        coupling=tuple(tuple(float(v) for v in row) for row in stats.coupling),
        graphs={n: GraphSpec(f"{n}.onnx", "0" * 64, s) for n, s in states.items()},
        clips=tuple(clips),
        z_anchors_path="anchors.npy",
        support_path="support.npy",
        support_radius=stats.support_radius,
        files={},
        architecture={"family": "source-filter F-RAVE", "size": config.size, **config.model.to_dict()},
        training=training_facts(config, extra, corpus, card),
        provenance=card.provenance,
        scores={},
    )
    return write_nrk(output, manifest, members)


def _controls(config: RunConfig, objective: Objective, bank: Any) -> tuple[Control, ...]:
    specs = {spec.name: spec for spec in bank.specs}
    controls = []
    for name, lag in zip(config.model.controls, objective.lags, strict=True):
        spec, normaliser = specs[name], config.fitted()[name]
        low, middle, high = normaliser.to_physical(np.array([-0.9, 0.0, 0.9]))
        controls.append(
            Control(
                name,
                spec.label,
                spec.unit,
                spec.scale,
                normaliser.knots,
                float(low),
                float(high),
                float(middle),
                lag,
            )
        )
    return tuple(controls)


def _measured(bank: Any) -> tuple[Measured, ...]:
    """Columns in the order the graphs give them: fast ones, then slow ones."""
    order = (bank.fast.outputs if bank.fast else ()) + (bank.slow.outputs if bank.slow else ())
    return tuple(Measured(n, bank.spec(n).unit, bank.spec(n).slow, bank.spec(n).default) for n in order)


def weights_bytes(model: Autoencoder) -> bytes:
    """The weights as a .nrk carries them, with what the model was configured as."""
    return save(
        {k: v.contiguous() for k, v in model.state_dict().items()},
        metadata={"config": json.dumps(model.config.to_dict())},
    )


def training_facts(config: RunConfig, extra: dict[str, Any], corpus: Corpus, card: Card) -> dict[str, Any]:
    """How a run was trained, as the manifest tells it. extra: that of its checkpoint."""
    seconds = sum(f.seconds for f in corpus.split("train"))
    return {
        "arm": config.arm,
        "size": config.size,
        "steps": extra["step"],
        "minutes": round(extra["elapsed_s"] / 60, 2),
        "batch": config.batch,
        "crop_frames": config.crop_frames,
        "seed": config.seed,
        "adversarial": config.adversarial,
        "corpus_minutes": round(seconds / 60, 2),
        "corpus_files": len(corpus.split("train")),
        "machine": card.trained_on,
        "neurorack": __version__,
        "torch": torch.__version__,
        "weights": config.weights,
    }


def _clip_name(path: str) -> str:
    pure = PurePosixPath(path)
    parent = pure.parent.name
    return f"{parent} {pure.stem}".replace("_", " ").strip()[:60]


def _snapshot(
    config: RunConfig, members: dict[str, bytes], states: dict[str, int], anchors: np.ndarray, corpus: Corpus
) -> Snapshot:
    """Half a phrase of a real recording through every graph, as ONNX Runtime computes it."""
    t = SNAPSHOT_FRAMES
    file = max(corpus.split("train"), key=lambda f: f.frames)
    audio = np.zeros((1, t * HOP), np.float32)
    piece = corpus.audio(file)[: t * HOP]
    audio[0, : len(piece)] = piece
    size = config.model.latent_size
    path = np.linspace(0, 1, t, dtype=np.float32)
    rows = anchors[0][:, None] * (1 - path) + anchors[-1][:, None] * path
    controls = rows[size:].astype(np.float32)[None].clip(-1, 1)
    normalisers = config.fitted()

    def physical(name: str) -> np.ndarray | None:
        if name not in config.model.controls:
            return None
        row = config.model.controls.index(name)
        return normalisers[name].to_physical(controls[:, row : row + 1])

    level_db, f0_hz = physical("loudness"), physical("pitch")
    noise = white(7, 0, t * HOP)[None]
    decoder_inputs = {"z": rows[:size].astype(np.float32)[None], "controls": controls, "noise": noise}
    if level_db is not None:
        decoder_inputs["level_db"] = level_db
    if f0_hz is not None:
        decoder_inputs["f0_hz"] = f0_hz

    def run(name: str, inputs: dict[str, np.ndarray]) -> np.ndarray:
        return run_from_rest(members[f"{name}.onnx"], inputs, states[name])

    slow = None
    if "descriptors_slow" in states:
        slow = run("descriptors_slow", {"audio": audio[:, : t // SLOW_EVERY * SLOW_EVERY * HOP]})
    return Snapshot(
        audio=audio,
        z=decoder_inputs["z"],
        controls=controls,
        level_db=level_db,
        f0_hz=f0_hz,
        seed=7,
        encoder_z=run("encoder", {"audio": audio}),
        descriptors_values=run("descriptors", {"audio": audio}),
        descriptors_slow_values=slow,
        decoder_audio=run("decoder", decoder_inputs),
    )
