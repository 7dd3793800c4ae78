"""Instruments whose controls all obey by construction: the counterfactual loss has nothing to score."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch

from neurorack.core.normaliser import Normaliser
from neurorack.learn.corpus.prepare import Options, prepare
from neurorack.learn.train.checkpoint import NAME
from neurorack.learn.train.counterfactual import Measuring

RATE = 44_100
SMALL = "control_width=16 encoder_widths=[8,8,8,16] stack_width=8 stack_dilations=[1,2]".split()


def write_sounds(folder: Path) -> None:
    """Ten plucked notes."""
    folder.mkdir()
    t = np.arange(RATE) / RATE
    for i in range(10):
        tone = sum(np.sin(2 * np.pi * (150 + 20 * i) * k * t) / k for k in range(1, 8))
        sf.write(folder / f"{i}.wav", 0.1 * tone * np.exp(-2 * t), RATE)


def test_measuring_nothing_gives_nothing():
    assert Measuring([])(torch.zeros(2, 0, 5)).shape == (2, 0, 5)
    one = Measuring([Normaliser((0.0, 1.0))])
    assert one(torch.full((1, 1, 1), 0.5)).item() == pytest.approx(0.0)


def test_loudness_alone_can_be_trained_and_exported(tmp_path: Path):
    descriptors = ("loudness",)
    write_sounds(tmp_path / "sounds")
    prepare(tmp_path / "sounds", tmp_path / "corpus", Options(descriptors=descriptors, workers=1))
    run, model = tmp_path / "run", [word for change in SMALL for word in ("--model", change)]
    line = [sys.executable, "-m", "neurorack.cli.main"]
    options = "--steps 3 --batch 2 --crop 64 --threads 1 --quiet --accelerator cpu".split()
    train = [*line, "train", str(tmp_path / "corpus"), "-o", str(run), *options, *model]
    done = subprocess.run(train, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (run / NAME).exists()
    export = [*line, "export", str(run), "-o", str(tmp_path / "small.nrk")]
    done = subprocess.run(export, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
