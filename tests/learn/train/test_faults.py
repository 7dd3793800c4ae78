"""Training under injected faults: weights that are no numbers, silence, damaged and moved corpora, a full
disk.
"""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from small_disk import small_disk

from neurorack.core.errors import NeurorackError
from neurorack.learn.corpus import Corpus
from neurorack.learn.corpus.prepare import Options, prepare
from neurorack.learn.train.checkpoint import NAME
from neurorack.learn.train.loop import AUDIBLE, Trainer, generator_for
from neurorack.learn.train.material import LEAST_CROP, check_memory, fitting_crop, memory_bytes
from neurorack.learn.train.origin import begin
from neurorack.learn.train.run import RunConfig
from neurorack.learn.train.start import make_fabric, new_run, take_up, train

RATE = 44_100
TINY = {"control_width": 16, "encoder_widths": [8, 8, 8, 16], "stack_width": 8, "stack_dilations": [1, 2]}


def write_tones(folder: Path, count: int, silence_s: float = 0.0) -> None:
    """Decaying tones of half a second, each before so much silence."""
    folder.mkdir(parents=True)
    t = np.arange(RATE // 2) / RATE
    for i in range(count):
        tone = 0.3 * np.sin(2 * np.pi * (200 + 60 * i) * t) * np.exp(-3 * t)
        sf.write(folder / f"{i}.wav", np.concatenate([tone, np.zeros(int(silence_s * RATE))]), RATE)


def prepared(folder: Path, count: int = 6, silence_s: float = 0.0) -> Path:
    write_tones(folder / "sounds", count, silence_s)
    options = Options(descriptors=("loudness", "brightness"), shares=(1.0, 0.0, 0.0), workers=1)
    prepare(folder / "sounds", folder / "corpus", options)
    return folder / "corpus"


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    return prepared(tmp_path_factory.mktemp("tones"))


def trainer_for(corpus: Path, run: Path, steps: int = 10) -> Trainer:
    torch.set_num_threads(1)
    config = new_run(
        run, corpus, size="rack", arm="fader", minutes=None, steps=steps, batch=2, crop_frames=64,
        learning_rate=1e-3, adversarial=False, seed=0, weights={"critic_warm": 0.0}, changes=dict(TINY),
    )  # fmt: skip
    trainer = Trainer(run, config, make_fabric("cpu", "1", "auto"), quiet=True)
    begin(trainer)
    return trainer


def poison(trainer: Trainer, steps: range) -> None:
    """Weights of the decoder become NaN just before these steps."""

    def strike(*_: object) -> None:
        if trainer.clock.step in steps:
            next(trainer.model.decoder.parameters()).data.fill_(torch.nan)

    trainer.objective.register_forward_pre_hook(strike)


def extra(run: Path) -> dict:
    with safe_open(str(run / NAME), framework="pt") as file:
        return json.loads(file.metadata()["extra"])


def all_finite(run: Path) -> bool:
    return all(bool(torch.isfinite(v).all()) for v in load_file(run / NAME).values())


def test_weights_that_are_no_numbers_are_those_of_the_checkpoint_again(corpus, tmp_path, capsys):
    run = tmp_path / "run"
    trainer = trainer_for(corpus, run)
    poison(trainer, range(3, 4))
    trainer.fit(1e9, 1e9)
    said = capsys.readouterr().err
    assert "no number for 5 steps" in said and "from what it was at step 0, at half" in said
    assert extra(run)["step"] == 10 and extra(run)["slower"] == 0.5 and all_finite(run)


def test_where_going_back_does_not_help_it_stops_and_what_was_learnt_stays(corpus, tmp_path):
    run = tmp_path / "run"
    trainer = trainer_for(corpus, run, steps=60)
    poison(trainer, range(2, 60))
    with pytest.raises(NeurorackError, match=r"going back did not help.*until step \d+ is in .*lower --lr"):
        trainer.fit(0.0, 1e9)
    assert all_finite(run) and trainer.clock.step < 40


def test_what_was_stopped_after_going_back_ends_as_if_it_had_not_been_stopped(corpus, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    for run in (whole, stopped):
        trainer = trainer_for(corpus, run, steps=9)
        poison(trainer, range(1, 2))  # back at step 5, from then on at half the learning rate
        if run == stopped:

            def stop(*_: object, trainer: Trainer = trainer) -> None:
                if trainer.clock.step == 7:
                    raise KeyboardInterrupt

            trainer.objective.register_forward_pre_hook(stop)
            with pytest.raises(KeyboardInterrupt):
                trainer.fit(0.0, 1e9)
            assert extra(run)["step"] == 7 and extra(run)["slower"] == 0.5
            train(run, take_up(run, corpus), resume=True, fabric=make_fabric("cpu", "1", "auto"), quiet=True)
        else:
            trainer.fit(0.0, 1e9)
    a, b = load_file(whole / NAME), load_file(stopped / NAME)
    assert a.keys() == b.keys() and all(torch.allclose(a[k], b[k], atol=1e-6) for k in a)


def test_a_poisoned_checkpoint_is_refused(corpus, tmp_path):
    trainer = trainer_for(corpus, tmp_path / "run")
    trainer.keeping.save()
    weights = load_file(tmp_path / "run" / NAME)
    with safe_open(str(tmp_path / "run" / NAME), framework="pt") as file:
        told = file.metadata()
    from safetensors.torch import save_file

    key = next(k for k in weights if k.startswith("module.model.decoder"))
    save_file({**weights, key: weights[key] * torch.nan}, tmp_path / "run" / NAME, told)
    with pytest.raises(NeurorackError, match="no numbers"):
        trainer.keeping.load()


def test_batches_of_silence_are_drawn_again(tmp_path, capsys):
    trainer = trainer_for(prepared(tmp_path, 4, silence_s=3.0), tmp_path / "run", steps=1)
    assert 0.7 < trainer.silent < 0.95

    def loudest(draw) -> list[float]:
        return [float(draw(generator_for(0, i, 0)).audio.abs().max()) for i in range(40)]

    plain = loudest(lambda random: trainer.tape.batch(2, 64, trainer.objective.margin, 0.3, random))
    assert min(plain) < AUDIBLE
    assert min(loudest(trainer._draw)) > AUDIBLE
    trainer.fit(1e9, 1e9)
    assert "of the training split is silence" in capsys.readouterr().err


def test_damaged_descriptors_are_found_before_training(corpus, tmp_path):
    broken = tmp_path / "corpus"
    shutil.copytree(corpus, broken)
    values = np.fromfile(broken / "features.f32", "<f4")
    values[100:120] = np.nan
    values.tofile(broken / "features.f32")
    with pytest.raises(NeurorackError, match=r"features\.f32 is damaged"):
        trainer_for(broken, tmp_path / "run")


def test_a_corpus_that_has_moved_is_asked_for_and_found_again(corpus, tmp_path):
    old, run = tmp_path / "old", tmp_path / "run"
    shutil.copytree(corpus, old)
    trainer_for(old, run)
    old.rename(tmp_path / "new")
    config = take_up(run, old)
    with pytest.raises(NeurorackError, match=r"not at .*old any more: put it back, or say where"):
        Trainer(run, config, make_fabric("cpu", "1", "auto"), quiet=True)
    assert take_up(run, tmp_path / "new").corpus == str((tmp_path / "new").resolve())
    with pytest.raises(NeurorackError, match="other recordings than those"):
        take_up(run, prepared(tmp_path / "others", 2))


def test_crops_fit_what_there_is(corpus, tmp_path):
    config = trainer_for(corpus, tmp_path / "run").config
    whole = fitting_crop(config, 10_000, 40)
    assert whole == config
    long = RunConfig(**{**vars(config), "crop_frames": 256})
    assert fitting_crop(long, 600, 40) == long
    assert fitting_crop(long, 440, 40).crop_frames == 200
    assert fitting_crop(long, LEAST_CROP + 41, 40).crop_frames == LEAST_CROP
    with pytest.raises(NeurorackError, match=r"holds 0\.30 s of sound and training needs at least 0\.30 s"):
        fitting_crop(long, LEAST_CROP + 40, 40)


def test_the_memory_it_takes_is_known_beforehand(corpus, tmp_path):
    tape = trainer_for(corpus, tmp_path / "run").tape
    opened = Corpus.open(corpus)
    lasting, reading = memory_bytes(opened, tape.controls.shape[1])
    held = tape.audio.nbytes + tape.controls.nbytes
    assert held <= lasting < 1.1 * held and lasting < reading < 3 * lasting
    check_memory(opened, 2)
    opened.files = tuple(replace(file, frames=10**11) for file in opened.files)
    if sys.platform == "linux":
        with pytest.raises(NeurorackError, match="GB of memory while it is read, and"):
            check_memory(opened, 2)


@pytest.mark.skipif(
    sys.platform != "linux", reason="macOS and Windows have no file systems of one process' own"
)
def test_a_full_disk_costs_no_checkpoint(corpus, tmp_path, neurorack):
    """One whole checkpoint fits on the disk, a second one beside it does not."""
    disk, saved = tmp_path / "disk", tmp_path / "saved"
    options = "--steps 4 --batch 2 --crop 64 --threads 1 --quiet --accelerator cpu".split()
    model = [word for name, value in TINY.items() for word in ("--model", f"{name}={json.dumps(value)}")]
    train = [sys.executable, "-m", "neurorack.cli.main", "train", str(corpus), "-o", str(disk / "run")]
    keep = ["sh", "-c", '"$@"; code=$?; cp -r "$0" ' + str(saved) + "; exit $code", str(disk / "run")]
    command = [*small_disk(disk, 4), *keep, *train, *options, *model, "--checkpoint-every", "0"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2, done.stderr
    kept = extra(saved)["step"]
    assert kept < 4 and f"until step {kept} is safe. Training goes on" in done.stderr
    assert done.stderr.splitlines()[-1].startswith("Error: The disk that holds")
    assert "go on with --resume" in done.stderr and "Traceback" not in done.stderr
    assert all_finite(saved) and not list(saved.glob(".*"))
    neurorack("train", corpus, "-o", saved, "--resume", "--quiet", "--accelerator", "cpu")
    assert extra(saved)["step"] == 4
