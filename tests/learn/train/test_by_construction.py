"""Instruments whose controls all obey by construction: the counterfactual loss has nothing to score."""

from pathlib import Path

import pytest
import torch

from neurorack.core.normaliser import Normaliser
from neurorack.core.nrk import read_nrk
from neurorack.learn.corpus.prepare import Options, prepare
from neurorack.learn.train.checkpoint import NAME
from neurorack.learn.train.counterfactual import Measuring


def test_measuring_nothing_gives_nothing():
    assert Measuring([])(torch.zeros(2, 0, 5)).shape == (2, 0, 5)
    one = Measuring([Normaliser((0.0, 1.0))])
    assert one(torch.full((1, 1, 1), 0.5)).item() == pytest.approx(0.0)


def test_loudness_alone_can_be_trained_and_exported(tmp_path: Path, small_corpus: Path, neurorack, smallest):
    corpus, run = tmp_path / "corpus", tmp_path / "run"
    prepare(small_corpus.parent / "sounds", corpus, Options(descriptors=("loudness",), workers=1))
    neurorack("train", corpus, "-o", run, "--steps", 3, *smallest)
    assert (run / NAME).exists()
    neurorack("export", run, "-o", tmp_path / "small.nrk")
    assert [c.name for c in read_nrk(tmp_path / "small.nrk").manifest.controls] == ["loudness"]
