"""Writes the graphs of an instrument again, from its own weights, as the exporter of today makes them.

    python tools/renew_graphs.py NAME.nrk [-o OTHER.nrk]

Everything else stays: clips, anchors, presets, scores. For instruments that were exported by an earlier
version and would gain in speed by a later one; nothing is trained. Descriptors of the user's own are not
at hand here: instruments that have such keep their descriptor graphs.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest import GraphSpec, Manifest
from neurorack.core.nrk import MANIFEST_PATH, read_nrk, write_nrk
from neurorack.core.snapshot import read_snapshot, snapshot_bytes
from neurorack.learn.descriptors import DescriptorSet, build
from neurorack.learn.export.graphs import (
    decoder_graph,
    descriptors_graph,
    encoder_graph,
    run_from_rest,
)
from neurorack.learn.train.origin import load_model


def descriptor_parts(manifest: Manifest) -> dict[str, DescriptorSet]:
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


def renew(path: Path, output: Path) -> Manifest:
    """Write `path` with new graphs to `output`; returns the manifest."""
    archive = read_nrk(path)
    old, model = archive.manifest, load_model(archive)
    members = {name: data for name, data in archive.members.items() if name != MANIFEST_PATH}
    graphs = dict(old.graphs)
    for name, part, data in (
        ("encoder", model.encoder, encoder_graph(model.encoder)),
        ("decoder", model.decoder, decoder_graph(model.decoder)),
    ):
        graphs[name] = GraphSpec(old.graphs[name].path, "0" * 64, part.state_size)
        members[graphs[name].path] = data
    for name, part in descriptor_parts(old).items():
        graphs[name] = GraphSpec(old.graphs[name].path, "0" * 64, part.state_size)
        members[graphs[name].path] = descriptors_graph(part)
    snapshot = read_snapshot(members[old.snapshot_path], old)

    def run(name: str, inputs: dict[str, np.ndarray | None]) -> np.ndarray:
        return run_from_rest(members[graphs[name].path], inputs, graphs[name].state_size)

    members[old.snapshot_path] = snapshot_bytes(
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
    return write_nrk(output, replace(old, graphs=graphs, files={}), members)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instrument", type=Path)
    parser.add_argument("-o", "--output", type=Path)
    given = parser.parse_args()
    manifest = renew(given.instrument, given.output or given.instrument)
    print(f"{manifest.name}: {', '.join(sorted(manifest.graphs))}")


if __name__ == "__main__":
    main()
