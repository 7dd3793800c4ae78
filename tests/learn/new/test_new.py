"""`neurorack new` from a folder to an instrument: two seconds, stops at every step, another's folder."""

import json
import os
from pathlib import Path

import click
import numpy as np
import pytest
import soundfile as sf

from neurorack.core.errors import NeurorackError
from neurorack.core.expect import of_material
from neurorack.core.nrk import read_manifest
from neurorack.learn.export.instrument import Card
from neurorack.learn.new import make
from neurorack.learn.new.make import Making
from neurorack.learn.new.wish import Wish
from neurorack.learn.train.checkpoint import NAME, load_checkpoint
from neurorack.learn.train.display import Display
from neurorack.learn.train.run import RUN_FILE, RunConfig

RATE = 44_100
TINY = "control_width=16 encoder_widths=[8,8,8,16] stack_width=8 stack_dilations=[1,2]".split()
OPTIONS = [*"--steps 3 --batch 2 --threads 1 --json".split(), *(w for c in TINY for w in ("--model", c))]
FEW = ["--descriptors", "loudness,brightness"]


def write_tone(path: Path, f0_hz: float, seconds: float) -> None:
    """A tone struck every second and a half."""
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(int(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * f0_hz * k * t) / k for k in range(1, 6))
    noise = np.random.default_rng(0).standard_normal(len(t))
    sf.write(path, (0.1 * tone + 0.01 * noise) * np.exp(-2 * (t % 1.5)), RATE)


def stopping_at(monkeypatch, step: str):
    """As by Ctrl-C just before `step`, a function of learn/new/make.py."""

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(make, step, stop)


@pytest.fixture
def library(tmp_path, monkeypatch) -> Path:
    """The user's instruments: none yet."""
    monkeypatch.setenv("NEURORACK_HOME", str(tmp_path / "home"))
    folder = tmp_path / "home" / "instruments"
    folder.mkdir(parents=True)
    return folder


def test_two_seconds_make_an_instrument_and_what_to_expect_is_said(library, tmp_path, neurorack, capsys):
    write_tone(tmp_path / "sounds" / "one.wav", 220, 2.0)
    output = tmp_path / "one.nrk"
    made = json.loads(neurorack("new", tmp_path / "sounds", "-o", output, "--title", "One", *OPTIONS))
    said = capsys.readouterr().err
    assert "2.0 s of sound (1 recording): it will sound like that one gesture" in said
    assert "Training begins from scratch: no instrument here" in said
    assert made["from"] == "scratch" and made["steps"] == 3 and "none is held out" in made["not_measured"]
    manifest = read_manifest(output)
    assert manifest.title == "One" and manifest.pitched and manifest.scores == {}
    assert RunConfig.read(tmp_path / "one.work" / "run").crop_frames == 256


def test_too_little_is_refused_and_with_more_sound_it_goes_on(library, tmp_path, neurorack, monkeypatch):
    write_tone(tmp_path / "sounds" / "tick.wav", 180, 0.1)
    command = ["new", tmp_path / "sounds", "-o", tmp_path / "hit.nrk", *FEW, *OPTIONS]
    with pytest.raises(NeurorackError, match=r"0\.1\d s of sound and training needs at least 0\.\d\d s: add"):
        neurorack(*command)
    assert not (tmp_path / "hit.work" / "run" / RUN_FILE).exists()
    write_tone(tmp_path / "sounds" / "hit.wav", 180, 0.5)
    stopping_at(monkeypatch, "train")
    with pytest.raises(click.Abort):
        neurorack(*command)


def test_half_a_second_trains_on_shorter_crops(library, tmp_path, neurorack, monkeypatch, capsys):
    write_tone(tmp_path / "sounds" / "hit.wav", 180, 0.5)
    stopping_at(monkeypatch, "export")
    with pytest.raises(click.Abort):
        neurorack("new", tmp_path / "sounds", "-o", tmp_path / "hit.nrk", *FEW, *OPTIONS)
    assert 64 <= RunConfig.read(tmp_path / "hit.work" / "run").crop_frames < 128
    assert load_checkpoint(tmp_path / "hit.work" / "run" / NAME, {})["step"] == 3
    assert "warm-up: the learning rate rises for 200 steps" in capsys.readouterr().err


def test_stopped_anywhere_the_same_command_goes_on(library, tmp_path, neurorack, monkeypatch, capsys):
    sounds, output, work = tmp_path / "sounds", tmp_path / "tones.nrk", tmp_path / "tones.work"
    for name, f0_hz in (("low", 150), ("high", 260)):
        write_tone(sounds / f"{name}.wav", f0_hz, 40.0)
    command = ["new", sounds, "-o", output, "--limit", 2, *FEW, *OPTIONS]
    for step in ("prepare", "new_run", "train", "export"):
        with monkeypatch.context() as patch:
            stopping_at(patch, step)
            with pytest.raises(click.Abort):
                neurorack(*command)
            assert (work / "corpus" / "corpus.json").exists() == (step != "prepare")
            assert (work / "run" / NAME).exists() == (step == "export") and not output.exists()
    trained = (work / "run" / NAME).read_bytes()

    # The recordings are wanted no more.
    sounds.rename(tmp_path / "elsewhere")
    made = json.loads(neurorack(*command))
    assert made["steps"] == 3 and (work / "run" / NAME).read_bytes() == trained
    assert made["not_measured"] == "" and 0 < made["reconstruction"] < 10
    assert read_manifest(output).scores["excerpts"] == 2

    # All is done: nothing is done again.
    before = output.read_bytes()
    with monkeypatch.context() as patch:
        for step in ("prepare", "new_run", "train", "export", "score_instrument"):
            stopping_at(patch, step)
        assert json.loads(neurorack(*command)) == made and output.read_bytes() == before

        # New recordings are named, and not mixed in.
        (tmp_path / "elsewhere").rename(sounds)
        write_tone(sounds / "late.wav", 400, 1.0)
        capsys.readouterr()
        neurorack(*command)
        assert "not taken up: 1, like late.wav; give another --work" in capsys.readouterr().err

        # Another folder, other options, and an instrument that would be overwritten, are refused.
        write_tone(tmp_path / "others" / "0.wav", 200, 1.0)
        with pytest.raises(NeurorackError, match=r"begun with .*sounds, not .*others: .*another --work"):
            neurorack("new", tmp_path / "others", *command[2:])
        with pytest.raises(NeurorackError, match=r"begun with --steps 3, not --steps 4"):
            neurorack(*command, "--steps", 4)
        with pytest.raises(NeurorackError, match="exists already"):
            neurorack(*command, "--work", tmp_path / "fresh")

    # The next instrument begins with the nearest, this one; or with what it is told to begin with.
    os.replace(output, library / "tones.nrk")
    more = ["new", tmp_path / "others", *FEW, *OPTIONS, "-o"]
    stopping_at(monkeypatch, "train")
    for name, origin, begun in (
        ("near", "nearest", library / "tones.nrk"),
        ("given", work / "run", work / "run"),
        ("named", "tones", library / "tones.nrk"),
    ):
        with pytest.raises(click.Abort):
            neurorack(*more, tmp_path / f"{name}.nrk", "--from", origin)
        config = RunConfig.read(tmp_path / f"{name}.work" / "run")
        assert config.origin == str(begun.resolve()) and config.learning_rate == make.TUNING_RATE
    assert "begins with tones, the nearest instrument" in capsys.readouterr().err
    with pytest.raises(NeurorackError, match=r"winds has other controls \(loudness"):
        neurorack(*more, tmp_path / "third.nrk", "--from", "winds")


def test_a_folder_without_recordings_leaves_nothing_behind(library, tmp_path):
    display = Display(quiet=True)
    for folder, words in ((tmp_path / "none", "no folder"), (library, "holds no recordings")):
        wish = Wish(folder, tmp_path / "x.nrk", steps=1)
        with pytest.raises(NeurorackError, match=words):
            Making(wish, tmp_path / "x.work", Card("x"), display, 2).make()
        assert not (tmp_path / "x.work" / "run").exists()
    display.close()
    assert not (tmp_path / "x.work" / "corpus" / "corpus.json").exists()


def test_what_to_expect_by_the_amount_of_sound():
    said = [of_material(seconds, 3) for seconds in (2, 30, 200, 3000)]
    assert "one gesture" in said[0] and "few gestures" in said[1] and "small instrument" in said[2]
    assert "50.0 minutes" in said[3] and "enough" in said[3]
