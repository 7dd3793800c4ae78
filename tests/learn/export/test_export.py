"""From a short run to an instrument that reads, checks itself and plays; the user's own descriptor
included.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from neurorack.core.errors import NeurorackError
from neurorack.core.nrk import read_nrk
from neurorack.core.timebase import HOP

OWN = '''
"""Share of power above 4 kHz."""
from neurorack.learn.descriptors import Descriptor


class Air(Descriptor):
    name = "air"
    outputs = ("air",)
    labels = ("Air",)
    units = ("",)
    scales = ("linear",)
    defaults = (0.0,)

    def forward(self, frames):
        high = frames.power[..., frames.freqs_hz > 4000].sum(-1)
        return (high / (frames.power.sum(-1) + 1e-9)).unsqueeze(1)
'''


def test_three_commands_make_an_instrument_with_ones_own_descriptor(
    tmp_path: Path, small_corpus: Path, neurorack, smallest
) -> None:
    (tmp_path / "air.py").write_text(OWN, "utf-8")
    sounds = small_corpus.parent / "sounds"
    line = [sys.executable, "-m", "neurorack.cli.main", "prepare", sounds, "-o", tmp_path / "corpus"]
    line += ["--descriptors", "loudness,brightness", "--descriptor-file", f"{tmp_path / 'air.py'}:Air"]
    # A process of its own: what the corpus keeps of the descriptor is all that training and export have.
    subprocess.run([*map(str, line), "--workers", "1"], check=True, capture_output=True)
    (tmp_path / "air.py").unlink()  # the corpus keeps the source
    neurorack("train", tmp_path / "corpus", "-o", tmp_path / "run", "--steps", 3, *smallest)
    summary = json.loads(neurorack("export", tmp_path / "run", "-o", tmp_path / "own.nrk", "--json"))
    assert summary["controls"] == ["loudness", "brightness", "air"]
    archive = read_nrk(tmp_path / "own.nrk")
    snapshot = archive.snapshot()
    assert snapshot.frames >= 4
    assert archive.manifest.training["steps"] == 3
    coupling = np.array(archive.manifest.coupling)
    assert np.allclose(coupling, coupling.T) and np.allclose(np.diag(coupling), 1)
    info = json.loads(neurorack("info", tmp_path / "own.nrk", "--json"))
    assert info["name"] == "own"
    # The exported descriptors measure what training measured: the user's own one as well.
    session = ort.InferenceSession(archive.graph("descriptors"), providers=["CPUExecutionProvider"])
    t = np.arange(HOP * 40) / 44_100
    state = np.zeros((1, archive.manifest.graphs["descriptors"].state_size), np.float32)
    row = [m.name for m in archive.manifest.measured].index("air")
    for f_hz, low, high in ((440.0, 0.0, 0.01), (8000.0, 0.99, 1.0)):
        audio = (0.3 * np.sin(2 * np.pi * f_hz * t)).astype(np.float32)[None]
        air = session.run(["values"], {"audio": audio, "state": state})[0][0, row, -1]
        assert low <= air <= high


def test_a_decoder_taught_further_keeps_what_the_instrument_had(
    tmp_path: Path, small_corpus: Path, neurorack, smallest
) -> None:
    old, new = tmp_path / "old.nrk", tmp_path / "new.nrk"
    neurorack("train", small_corpus, "-o", tmp_path / "first", "--steps", 2, *smallest)
    neurorack("export", tmp_path / "first", "-o", old, "--licence", "CC0-1.0", "--title", "Old one")
    kept = ["--from", old, "--keep-code"]
    neurorack("train", small_corpus, "-o", tmp_path / "second", "--steps", 8, *smallest, *kept)
    neurorack("export", tmp_path / "second", "-o", new, "--keep", old, "--trained-on", "a test")
    before, after = read_nrk(old), read_nrk(new)
    ours, theirs = after.manifest, before.manifest
    assert (ours.name, ours.title, ours.licence) == ("new", "Old one", "CC0-1.0")
    assert ours.clips == theirs.clips
    assert (ours.training["steps"], ours.training["machine"]) == (8, "a test")
    assert ours.controls == theirs.controls and not ours.scores
    changed = {path for path, data in after.members.items() if data != before.members[path]}
    assert {"weights.safetensors", "decoder.onnx", "snapshot.npz"} <= changed
    assert not changed & {"encoder.onnx", "descriptors.onnx", "anchors.npy", "support.npy", "clips/0.npy"}
    neurorack("info", new, "--check")  # fails where the graphs do not give what the snapshot says
    neurorack("train", small_corpus, "-o", tmp_path / "third", "--steps", 2, "--seed", 1, *smallest)
    with pytest.raises(NeurorackError, match="another latent code"):
        neurorack("export", tmp_path / "third", "-o", new, "--keep", old)
    assert read_nrk(new).manifest.training["steps"] == 8
