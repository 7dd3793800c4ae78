"""`neurorack new` from a folder to an instrument: two seconds, stops at every step, another's folder."""

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from neurorack.core.errors import NeurorackError
from neurorack.core.nrk import read_manifest
from neurorack.learn.export.instrument import Card
from neurorack.learn.new.expect import of_material
from neurorack.learn.new.make import Making
from neurorack.learn.new.wish import Wish
from neurorack.learn.train.checkpoint import NAME, load_checkpoint
from neurorack.learn.train.display import Display
from neurorack.learn.train.run import RunConfig

RATE = 44_100
TINY = "control_width=16 encoder_widths=[8,8,8,16] stack_width=8 stack_dilations=[1,2]".split()
OPTIONS = [*"--steps 3 --batch 2 --threads 1 --json".split(), *(w for c in TINY for w in ("--model", c))]
FEW = ["--descriptors", "loudness,brightness"]


def write_tone(path: Path, f0_hz: float, seconds: float) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    t = np.arange(int(seconds * RATE)) / RATE
    tone = sum(np.sin(2 * np.pi * f0_hz * k * t) / k for k in range(1, 6))
    noise = np.random.default_rng(0).standard_normal(len(t))
    sf.write(path, (0.1 * tone + 0.01 * noise) * np.exp(-t), RATE)


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
    assert "warm-up: the learning rate rises" in said and "from scratch: no instrument here" in said
    assert made["from"] == "scratch" and made["steps"] == 3 and "none is held out" in made["not_measured"]
    manifest = read_manifest(output)
    assert manifest.title == "One" and manifest.pitched and manifest.scores == {}
    assert RunConfig.read(tmp_path / "one.work" / "run").crop_frames == 256


def test_half_a_second_trains_on_shorter_crops(library, tmp_path, neurorack):
    write_tone(tmp_path / "sounds" / "hit.wav", 180, 0.5)
    made = json.loads(neurorack("new", tmp_path / "sounds", "-o", tmp_path / "hit.nrk", *FEW, *OPTIONS))
    config = RunConfig.read(tmp_path / "hit.work" / "run")
    assert 64 <= config.crop_frames < 128 and made["controls"] == ["loudness", "brightness"]


def test_stopped_anywhere_the_same_command_goes_on(library, tmp_path, neurorack, capsys):
    for i in range(10):
        write_tone(tmp_path / "sounds" / f"{i}.wav", 150 + 20 * i, 1.2)
    output, work = tmp_path / "tones.nrk", tmp_path / "tones.work"
    command = ["new", tmp_path / "sounds", "-o", output, "--limit", 2, *FEW, *OPTIONS]
    made = json.loads(neurorack(*command))
    assert made["not_measured"] or made["control"]
    trained = (work / "run" / NAME).read_bytes()

    # Done: nothing is done again.
    before = output.read_bytes()
    assert json.loads(neurorack(*command)) == made
    assert output.read_bytes() == before and (work / "run" / NAME).read_bytes() == trained

    # The instrument was lost, and the recordings are gone.
    output.unlink()
    shutil.move(tmp_path / "sounds", tmp_path / "elsewhere")
    assert json.loads(neurorack(*command, "--title", "Tones"))["steps"] == 3
    assert read_manifest(output).title == "Tones" and (work / "run" / NAME).read_bytes() == trained

    # Stopped before the first step of training, and while preparing.
    (work / "run" / NAME).unlink()
    output.unlink()
    neurorack(*command)
    assert load_checkpoint(work / "run" / NAME, {})["step"] == 3
    shutil.rmtree(work / "run")
    output.unlink()
    shutil.move(tmp_path / "elsewhere", tmp_path / "sounds")
    (work / "corpus" / "corpus.json").unlink()
    neurorack(*command)
    assert (work / "run" / NAME).exists() and output.exists()

    # New recordings are named, and not mixed in; another folder or other options are refused.
    write_tone(tmp_path / "sounds" / "late.wav", 400, 1.0)
    capsys.readouterr()
    neurorack(*command)
    assert "not taken up: 1, like late.wav; give another --work" in capsys.readouterr().err
    write_tone(tmp_path / "others" / "0.wav", 400, 1.0)
    with pytest.raises(NeurorackError, match=r"begun with .*sounds, not .*others: .*another --work"):
        neurorack("new", tmp_path / "others", *command[2:])
    with pytest.raises(NeurorackError, match=r"begun with --steps 3, not --steps 4"):
        neurorack(*command, "--steps", 4)
    with pytest.raises(NeurorackError, match="exists already"):
        neurorack(*command, "--work", tmp_path / "fresh")

    # The next instrument begins with the nearest, this one; and may be told to begin with a given one.
    os.replace(output, library / "tones.nrk")
    more = ["new", tmp_path / "others", *FEW, *OPTIONS, "-o"]
    made = json.loads(neurorack(*more, tmp_path / "more.nrk"))
    assert made["from"] == "tones" and "begins with tones" in capsys.readouterr().err
    with pytest.raises(NeurorackError, match=r"winds has other controls \(loudness"):
        neurorack(*more, tmp_path / "third.nrk", "--from", "winds")
    made = json.loads(neurorack(*more, tmp_path / "third.nrk", "--from", work / "run"))
    assert made["from"] == "run"


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
