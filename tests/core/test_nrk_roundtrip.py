"""Written instruments read back the same, keep their form in JSON, and never half-replace a file."""

import dataclasses
import json
import os
from pathlib import Path

import numpy as np
import pytest

from neurorack.core import files
from neurorack.core.errors import NeurorackError
from neurorack.core.manifest import Clip, Control, GraphSpec, Manifest, Measured, PresetEntry
from neurorack.core.manifest_io import manifest_from_json, manifest_to_json
from neurorack.core.npy import npy_array, npy_bytes
from neurorack.core.nrk import read_manifest, read_nrk, write_nrk

GOLDEN = Path(__file__).with_name("golden_manifest.json")


def golden_manifest() -> Manifest:
    sha = {name: f"{i:x}" * 64 for i, name in enumerate("abcdefg")}
    loudness = Control("loudness", "Loudness", "dB", "linear", (-60.0, -30.0, -6.0), -55.0, -8.0, -30.0, 4)
    pitch = Control("pitch", "Pitch", "Hz", "log", (80.0, 220.5, 800.0), 90.0, 700.0, 220.0, 6)
    return Manifest(
        name="Winds",
        title="Winds, first light",
        description="Saxophones and tuba.\nTwo lines, é.",
        licence="CC-BY-4.0",
        sample_rate=44_100,
        hop=128,
        latency_frames=2,
        latent_size=2,
        z_scale=(0.5, 1.25),
        controls=(loudness, pitch),
        measured=(
            Measured("loudness", "dB", False, -30.0),
            Measured("pitch", "Hz", True, 220.0),
            Measured("periodicity", "", True, 0.0),
        ),
        coupling=((1.0, 0.25), (0.25, 1.0)),
        graphs={
            "encoder": GraphSpec("encoder.onnx", sha["a"], 8),
            "descriptors": GraphSpec("descriptors.onnx", sha["b"], 9),
            "descriptors_slow": GraphSpec("descriptors_slow.onnx", sha["c"], 10),
            "decoder": GraphSpec("decoder.onnx", sha["d"], 11),
        },
        clips=(Clip("breath", "clips/breath.npy", 345, "tuba/12.flac, 1.0 s"),),
        z_anchors_path="z_anchors.npy",
        support_path="support.npy",
        support_radius=0.4,
        presets=(PresetEntry("Dawn", "presets/dawn.json", "drone", "Low, slowly brighter."),),
        files={
            "encoder.onnx": sha["a"],
            "descriptors.onnx": sha["b"],
            "descriptors_slow.onnx": sha["c"],
            "decoder.onnx": sha["d"],
            "clips/breath.npy": sha["e"],
            "z_anchors.npy": sha["f"],
            "support.npy": sha["g"],
            "snapshot.npz": sha["a"],
            "presets/dawn.json": sha["b"],
        },
        architecture={"size": "rack", "params": 812_345},
        training={"arm": "counterfactual", "minutes": 30},
        provenance=[{"source": "a corpus", "licence": "CC-BY-4.0"}],
        scores={"control": {"one": {"mean": 0.7, "worst": None}}},
    )


def test_the_manifest_keeps_its_written_form():
    """Files out in the world look like this one; a change here needs a new format version."""
    assert manifest_to_json(golden_manifest()) == GOLDEN.read_bytes().rstrip(b"\n").replace(b"\r\n", b"\n")
    assert manifest_from_json(GOLDEN.read_bytes()) == golden_manifest()


def test_a_newer_minor_version_may_add_fields():
    document = json.loads(GOLDEN.read_bytes())
    document |= {"format_minor": 7, "something_new": [1, 2]}
    document["controls"][0]["colour"] = "red"
    document["name"] = "Vents légers 2"
    assert manifest_from_json(json.dumps(document).encode()).controls == golden_manifest().controls


def test_files_without_presets_are_still_read():
    document = json.loads(GOLDEN.read_bytes())
    del document["presets"]
    document["format_minor"] = 0
    assert manifest_from_json(json.dumps(document).encode()).presets == ()


def test_round_trip_is_exact_and_deterministic(tiny_nrk, tmp_path):
    first = read_nrk(tiny_nrk)
    members = {name: first.member(name) for name in first.manifest.files}
    written = write_nrk(tmp_path / "again.nrk", first.manifest, members)
    again = read_nrk(tmp_path / "again.nrk")
    assert again.manifest == first.manifest == written == read_manifest(tiny_nrk)
    assert {name: again.member(name) for name in again.manifest.files} == members
    assert (tmp_path / "again.nrk").read_bytes() == tiny_nrk.read_bytes()
    clip = again.manifest.clips[0]
    assert again.array(clip.path).shape == (
        again.manifest.latent_size + len(again.manifest.controls),
        clip.frames,
    )
    assert again.snapshot().frames == 64
    with pytest.raises(NeurorackError, match=r"holds no nothing\.npy"):
        again.member("nothing.npy")


@pytest.mark.parametrize("moment", ["fsync", "replace"])
def test_a_failure_while_writing_leaves_the_old_file(tiny_nrk, tmp_path, monkeypatch, moment):
    target = tmp_path / "mine.nrk"
    target.write_bytes(b"the old one")
    archive = read_nrk(tiny_nrk)

    def fail(*_args):
        raise OSError(28, "No space left on device", str(target))

    monkeypatch.setattr(files.os, moment, fail)
    with pytest.raises(OSError, match="No space"):
        write_nrk(target, archive.manifest, {n: archive.member(n) for n in archive.manifest.files})
    assert target.read_bytes() == b"the old one"
    assert os.listdir(tmp_path) == ["mine.nrk"]


def test_the_writer_refuses_what_the_reader_would(tiny_nrk, tmp_path):
    archive = read_nrk(tiny_nrk)
    members = {n: archive.member(n) for n in archive.manifest.files}
    with pytest.raises(
        NeurorackError, match=r"was not written: decoder\.onnx: .*controls must have the shape"
    ):
        fewer = dataclasses.replace(
            archive.manifest,
            controls=archive.manifest.controls[:-2] + archive.manifest.controls[-1:],
            coupling=tuple(row[:4] for row in archive.manifest.coupling[:4]),
        )
        write_nrk(tmp_path / "bad.nrk", fewer, members)
    with pytest.raises(NeurorackError, match="finite"):
        write_nrk(
            tmp_path / "bad.nrk", dataclasses.replace(archive.manifest, scores={"x": float("nan")}), members
        )
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "array",
    [
        np.float32(2.5),
        np.arange(6, dtype=np.int64).reshape(2, 3),
        np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        np.zeros((0, 3), np.float32),
        np.arange(4, dtype=">i4"),
    ],
)
def test_arrays_round_trip(array):
    np.testing.assert_array_equal(npy_array(npy_bytes(array)), array)
