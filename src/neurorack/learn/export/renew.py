"""A new .nrk of an old one: its graphs as the exporter of today makes them, or with a decoder taught further.

Clips, anchors, presets, priors and provenance stay. Descriptors of the user's own are not at hand here:
instruments that have such keep their descriptor graphs.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest import GraphSpec, Manifest
from neurorack.core.nrk import MANIFEST_PATH, Archive, read_nrk, write_nrk
from neurorack.core.snapshot import read_snapshot, snapshot_bytes
from neurorack.learn.corpus import Corpus
from neurorack.learn.descriptors import DescriptorSet, build
from neurorack.learn.export.graphs import (
    decoder_graph,
    descriptors_graph,
    encoder_graph,
    run_from_rest,
)
from neurorack.learn.export.instrument import Card, load_objective, training_facts, weights_bytes
from neurorack.learn.model.autoencoder import Autoencoder
from neurorack.learn.train.material import same_knots
from neurorack.learn.train.origin import WEIGHTS, load_model
from neurorack.learn.train.run import RunConfig


def renew(path: Path, output: Path) -> Manifest:
    """Write the instrument `path` with new graphs to `output`; returns the manifest."""
    archive = read_nrk(path)
    return _write(archive, output, archive.manifest, load_model(archive), {})


def retaught(run: Path, path: Path, output: Path, card: Card) -> Manifest:
    """Write the instrument `path` with the decoder of `run`, which began with it and kept its code.

    Of the card, title, description and where it was trained are taken if they are given. Scores do not go
    along: they were the old decoder's. NeurorackError where the run has another code or other controls.
    """
    archive, config = read_nrk(path), RunConfig.read(run)
    objective, extra = load_objective(run, config)
    model: Autoencoder = objective.model
    if not (_same_code(archive, model) and _same_controls(archive.manifest, config)):
        raise NeurorackError(
            f"{run} has another latent code or other controls than {path}: export it by itself, or train on "
            f"the corpus of that instrument with --from {path} --keep-code."
        )
    old = archive.manifest
    training = training_facts(config, extra, Corpus.open(Path(config.corpus)), card)
    manifest = replace(
        old,
        name=card.name,
        title=card.title or old.title,
        description=card.description or old.description,
        training=training,
        scores={},
    )
    return _write(archive, output, manifest, model.eval(), {WEIGHTS: weights_bytes(model)})


def _same_code(archive: Archive, model: Autoencoder) -> bool:
    theirs = safetensors.torch.load(archive.member(WEIGHTS))
    ours = {k: v for k, v in model.state_dict().items() if k.startswith("encoder.")}
    same_shape = theirs.keys() == model.state_dict().keys()
    return same_shape and all(torch.equal(v, theirs[k]) for k, v in ours.items())


def _same_controls(manifest: Manifest, config: RunConfig) -> bool:
    theirs, ours = {c.name: c.knots for c in manifest.controls}, config.normalisers
    return theirs.keys() == ours.keys() and same_knots(theirs, ours, theirs)


def _descriptor_parts(manifest: Manifest) -> dict[str, DescriptorSet]:
    """The halves of the descriptor bank by graph name; empty if not all columns are built in."""
    columns = [m.name for m in manifest.measured]
    try:
        bank = build(columns, manifest.sample_rate)
    except NeurorackError:
        return {}
    parts = {"descriptors": bank.fast, "descriptors_slow": bank.slow}
    made = {name: part for name, part in parts.items() if part is not None}
    found = [output for part in made.values() for output in part.outputs]
    return made if found == columns else {}


def _write(
    archive: Archive, output: Path, manifest: Manifest, model: Autoencoder, changed: dict[str, bytes]
) -> Manifest:
    members = {name: data for name, data in archive.members.items() if name != MANIFEST_PATH} | changed
    graphs = dict(manifest.graphs)
    made: dict[str, tuple[Any, bytes]] = {
        "encoder": (model.encoder, encoder_graph(model.encoder)),
        "decoder": (model.decoder, decoder_graph(model.decoder)),
    }
    for name, part in _descriptor_parts(manifest).items():
        made[name] = part, descriptors_graph(part)
    for name, (part, data) in made.items():
        graphs[name] = GraphSpec(graphs[name].path, "0" * 64, part.state_size)
        members[graphs[name].path] = data
    snapshot = read_snapshot(members[manifest.snapshot_path], archive.manifest)

    def run(name: str, inputs: dict[str, np.ndarray | None]) -> np.ndarray:
        return run_from_rest(members[graphs[name].path], inputs, graphs[name].state_size)

    members[manifest.snapshot_path] = snapshot_bytes(
        replace(
            snapshot,
            encoder_z=run("encoder", {"audio": snapshot.audio}),
            descriptors_values=run("descriptors", {"audio": snapshot.audio}),
            descriptors_slow_values=(
                run("descriptors_slow", {"audio": snapshot.audio}) if "descriptors_slow" in graphs else None
            ),
            decoder_audio=run(
                "decoder",
                {
                    "z": snapshot.z,
                    "controls": snapshot.controls,
                    "level_db": snapshot.level_db,
                    "f0_hz": snapshot.f0_hz,
                    "noise": snapshot.noise,
                },
            ),
        )
    )
    return write_nrk(output, replace(manifest, graphs=graphs, files={}), members)
