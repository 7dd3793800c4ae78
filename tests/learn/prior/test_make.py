"""One command gives an instrument priors: nothing else in it changes, and bad input costs it nothing."""

import dataclasses
import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest
import torch

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest_io import PRIOR_GRAPHS
from neurorack.core.normaliser import Normaliser
from neurorack.core.nrk import Archive, read_nrk, write_nrk
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.prior.graphs import prior_graphs, with_priors
from neurorack.learn.prior.make import Wish, floor_of_controls, train_pair, unit_of_z
from neurorack.learn.prior.material import read_material
from neurorack.learn.prior.model import ControlsPrior, LatentPrior, PriorConfig

SHORT = ("--steps", 3, "--scored-seconds", 20, "--json")


@pytest.fixture(scope="module")
def corpus(small_corpus, tmp_path_factory) -> Path:
    """A copy of the small corpus that is this module's own to write to."""
    return Path(shutil.copytree(small_corpus, tmp_path_factory.mktemp("own") / "corpus"))


@pytest.fixture(scope="module")
def instrument(tiny_nrk, corpus, tmp_path_factory) -> Path:
    """The hand-made instrument, with the normalisers that training on this corpus would have given it."""
    archive, opened = read_nrk(tiny_nrk), Corpus.open(corpus)
    table = np.concatenate([opened.features(f) for f in opened.split("train")])
    table = table[table[:, opened.column("loudness")] > -60]
    controls = []
    for control in archive.manifest.controls:
        normaliser = Normaliser.fit(table[:, opened.column(control.name)])
        low, middle, high = normaliser.to_physical(np.array([-0.9, 0.0, 0.9])).tolist()
        changes = {"knots": normaliser.knots, "low": low, "default": middle, "high": high}
        controls.append(dataclasses.replace(control, **changes, scale="linear"))
    path = tmp_path_factory.mktemp("instrument") / "notes.nrk"
    members = {name: archive.member(name) for name in archive.manifest.files}
    write_nrk(path, dataclasses.replace(archive.manifest, controls=tuple(controls)), members)
    return path


@pytest.fixture
def mine(instrument, tmp_path) -> Path:
    return Path(shutil.copy(instrument, tmp_path / "mine.nrk"))


def test_it_is_given_priors_and_nothing_else_changes(mine, instrument, corpus, neurorack):
    scores = json.loads(neurorack("prior", mine, corpus, *SHORT))
    before, after = read_nrk(instrument), read_nrk(mine)
    m = after.manifest
    assert m.prior is not None and m.prior.scores == scores and m.prior.every == 8
    assert {n: after.member(n) for n in before.manifest.files} == {
        n: before.member(n) for n in before.manifest.files
    }
    assert set(m.files) - set(before.manifest.files) == {"prior_controls.onnx", "prior_latent.onnx"}
    assert scores["training"]["controls"]["steps"] == 3
    assert scores["hand"]["kept"] == 0.0
    assert set(scores["foresight"]["controls"]["energy"]["1"]) == {"prior", "hold_last", "walk", "shuffled"}
    # Again: the same weights, out of the graphs, give the same graphs and the same scores.
    once_more = json.loads(neurorack("prior", mine, corpus, *SHORT, "--again"))
    again = read_nrk(mine)
    assert once_more["training"] == scores["training"] and once_more["foresight"] == scores["foresight"]
    for name in PRIOR_GRAPHS:
        feed = np.random.default_rng(1)
        sessions = [
            ort.InferenceSession(a.graph(name), providers=["CPUExecutionProvider"]) for a in (after, again)
        ]
        inputs = {
            p.name: feed.standard_normal([1 if isinstance(n, str) else n for n in p.shape]).astype(np.float32)
            for p in sessions[0].get_inputs()
        }
        first, second = (s.run(None, inputs)[0] for s in sessions)
        assert np.array_equal(first, second)
    # What there is is replaced.
    manifest, members = with_priors(after, *untrained(after), dict.fromkeys(PRIOR_GRAPHS, b""), m.prior)
    assert set(members) == set(m.files) and manifest.graphs.keys() == m.graphs.keys()


def test_there_is_nothing_to_score_again_where_nothing_was_learned(mine, corpus, neurorack):
    with pytest.raises(NeurorackError, match="there are no priors to keep"):
        neurorack("prior", mine, corpus, *SHORT, "--again")


def untrained(archive: Archive) -> tuple[ControlsPrior, LatentPrior]:
    m = archive.manifest
    count = len(m.controls)
    return ControlsPrior(torch.full((count,), 0.003), PriorConfig()), LatentPrior(
        torch.ones(m.latent_size), count, PriorConfig()
    )


def test_learning_helps_and_what_was_encoded_is_kept(instrument, corpus):
    archive, opened = read_nrk(instrument), Corpus.open(corpus)
    for path in corpus.glob("priors-*.npz"):
        path.unlink()
    material = read_material(archive, opened)
    (path,) = corpus.glob("priors-*.npz")
    again = read_material(archive, opened)
    assert all(
        np.array_equal(a.controls, b.controls) and np.array_equal(a.z, b.z) and a.path == b.path
        for a, b in zip(material.curves, again.curves, strict=True)
    )
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert len(read_material(archive, opened).curves) == len(material.curves)
    assert path.read_bytes() == data
    assert {c.split for c in material.curves} >= {"train", "validation"}
    assert all((np.abs(c.controls) <= 1.25).all() and c.sounding.any() for c in material.curves)
    floor = floor_of_controls(material)
    assert floor.shape == (5,) and (floor >= 3e-4).all() and (floor <= 3e-3).all()
    wish = Wish(steps=60, batch=8, length=64)
    pair = train_pair(material, wish, lambda *_: None)
    for course in pair.courses.values():
        assert course.steps == 60
        assert course.looks[-1][1] < course.looks[0][1] - 0.2
    # The same seed gives the same graphs, to the bit; another seed, others.
    brief = Wish(steps=2, batch=4, length=32)
    graphs = [
        prior_graphs(p.controls, p.latent)
        for p in (train_pair(material, w, lambda *_: None) for w in (brief, brief, replace(brief, seed=1)))
    ]
    assert graphs[0] == graphs[1]
    assert all(graphs[0][name] != graphs[2][name] for name in PRIOR_GRAPHS)
    np.testing.assert_allclose(pair.latent.scale.numpy(), unit_of_z(material))


def changed(corpus: Path, folder: Path, how: str) -> Path:
    """A copy of a corpus that no instrument of the original can learn from."""
    shutil.copytree(corpus, folder)
    document = json.loads((folder / "corpus.json").read_text())
    audio = np.fromfile(folder / "audio.i16", "<i2")
    features = np.fromfile(folder / "features.f32", "<f4").reshape(-1, len(document["outputs"]))
    if how == "silent":
        audio[:] = 0
    elif how == "short":
        document["files"] = document["files"][:2]
        for file in document["files"]:
            file["split"] = "train"
        frames = sum(f["frames"] for f in document["files"])
        audio, features = audio[: 128 * frames], features[:frames]
    elif how == "foreign":
        features[:, :4] += 2 * np.ptp(features[:, :4], axis=0)
    elif how == "deaf":
        document["outputs"][1] = "sharpness"
    elif how == "slow":
        document["sample_rate"] = 22_050
    audio.tofile(folder / "audio.i16")
    features.tofile(folder / "features.f32")
    (folder / "corpus.json").write_text(json.dumps(document))
    return folder


@pytest.mark.parametrize(
    ("how", "complaint"),
    [
        ("deaf", "obeys brightness, which .* was not measured for"),
        ("slow", "has 22050 samples a second"),
        ("silent", "no recording to learn from that is louder than"),
        ("short", "s of sound to learn from, too little"),
        ("foreign", "it is another instrument's: give its own corpus"),
    ],
)
def test_what_cannot_be_learned_from_says_so(mine, corpus, tmp_path, neurorack, how, complaint):
    data = mine.read_bytes()
    with pytest.raises(NeurorackError, match=complaint) as caught:
        neurorack("prior", mine, changed(corpus, tmp_path / how, how), *SHORT)
    assert "\n" not in str(caught.value) and mine.read_bytes() == data


def test_bundled_instruments_are_left_alone_and_folders_are_no_corpora(mine, tmp_path, neurorack, corpus):
    with pytest.raises(NeurorackError, match="came with the program; copy"):
        neurorack("prior", "winds", corpus, *SHORT)
    with pytest.raises(NeurorackError, match="is not a corpus"):
        neurorack("prior", mine, tmp_path, *SHORT)
