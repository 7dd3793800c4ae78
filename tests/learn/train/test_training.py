"""Runs: exact resume after a kill, two processes, and the losses' own promises."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load, load_file

from neurorack.core.errors import NeurorackError
from neurorack.core.library import bundled_dir
from neurorack.core.normaliser import Normaliser
from neurorack.core.nrk import read_nrk
from neurorack.learn.model.critic import confusion_loss, critic_loss
from neurorack.learn.model.latent import spread_loss
from neurorack.learn.train.checkpoint import NAME, load_checkpoint
from neurorack.learn.train.counterfactual import Measuring, make_requests
from neurorack.learn.train.schedule import Clock

FEW = "--batch 2 --crop 64 --threads 1 --quiet --accelerator cpu --evaluate-every 1e9".split()
TINY = "control_width=16 encoder_widths=[8,8,8,16] stack_width=8 stack_dilations=[1,2]".split()
SMALL = [*FEW, *(word for change in TINY for word in ("--model", change))]


def train_command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "neurorack.cli.main", "train", *map(str, arguments)]


def losses(run: Path) -> dict[int, float]:
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    return {line["step"]: line["total"] for line in lines if "total" in line}


def test_a_killed_run_resumes_on_the_same_loss_curve(small_corpus: Path, tmp_path: Path, neurorack) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    neurorack("train", small_corpus, "-o", whole, "--steps", 60, *SMALL)
    process = subprocess.Popen(
        train_command(small_corpus, "-o", killed, "--steps", 60, "--checkpoint-every", 0, *SMALL)
    )
    deadline = time.monotonic() + 120
    while not (killed / "metrics.jsonl").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    process.wait()
    at = load_steps(killed)
    assert 0 < at < 60
    neurorack("train", small_corpus, "-o", killed, "--resume", *SMALL)
    assert losses(killed).keys() == losses(whole).keys()
    for step, loss in losses(whole).items():
        assert losses(killed)[step] == pytest.approx(loss, rel=1e-6)
    a, b = load_file(whole / NAME), load_file(killed / NAME)
    assert all(torch.allclose(a[k], b[k], atol=1e-6) for k in a)


def load_steps(run: Path) -> int:
    from safetensors import safe_open

    with safe_open(str(run / NAME), framework="pt") as file:
        return json.loads(file.metadata()["extra"])["step"]


def test_a_strong_critic_does_not_silence_the_code(small_corpus: Path, tmp_path: Path, neurorack) -> None:
    run = tmp_path / "run"
    strong = ["--weight", "fader=3", "--weight", "critic_warm=0", "--weight", "ramp=0.01"]
    neurorack("train", small_corpus, "-o", run, "--steps", 60, *strong, *SMALL)
    lines = [json.loads(line) for line in (run / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert [line["spread"] for line in lines if "spread" in line][-1] < 0.5
    tuned = tmp_path / "tuned"
    neurorack("train", small_corpus, "-o", tuned, "--steps", 1, "--from", run, "--lr", 0, *SMALL)
    before, after = load_file(run / NAME), load_file(tuned / NAME)
    assert all(torch.equal(v, after[k]) for k, v in before.items() if k.startswith("module.ema.decoder"))
    played = tmp_path / "played"
    neurorack("train", small_corpus, "-o", played, "--steps", 1, "--from", "Skins", "--lr", 0, *FEW)
    weights = load(read_nrk(bundled_dir() / "skins.nrk").member("weights.safetensors"))
    after = load_file(played / NAME)
    decoder = {k: v for k, v in weights.items() if k.startswith("decoder.")}
    assert decoder and all(torch.equal(v, after[f"module.ema.{k}"]) for k, v in decoder.items())
    with pytest.raises(NeurorackError, match="no instrument 'nobody'"):
        neurorack("train", small_corpus, "-o", tmp_path / "other", "--steps", 1, "--from", "nobody", *FEW)
    with pytest.raises(NeurorackError, match="another shape"):
        neurorack("train", small_corpus, "-o", tmp_path / "other", "--steps", 1, "--from", run, *FEW)


def test_a_kept_code_stays_as_it_is_while_the_decoder_learns(
    small_corpus: Path, tmp_path: Path, neurorack
) -> None:
    first, kept = tmp_path / "first", tmp_path / "kept"
    with pytest.raises(NeurorackError, match="--from"):
        neurorack("train", small_corpus, "-o", kept, "--steps", 20, "--keep-code", *SMALL)
    neurorack("train", small_corpus, "-o", first, "--steps", 20, *SMALL)
    neurorack("train", small_corpus, "-o", kept, "--steps", 20, "--keep-code", "--from", first, *SMALL)
    before, after = load_file(first / NAME), load_file(kept / NAME)
    encoder = [k for k in before if k.startswith("module.ema.encoder")]
    decoder = [k for k in before if k.startswith("module.ema.decoder")]
    assert encoder and all(torch.equal(before[k], after[k]) for k in encoder)
    assert any(not torch.equal(before[k], after[k]) for k in decoder)
    lines = [json.loads(line) for line in (kept / "metrics.jsonl").read_text("utf-8").splitlines()]
    assert "confusion" not in lines[0] and "control" in lines[0]


def test_spread_counts_shrunken_and_equal_axes() -> None:
    random = torch.Generator().manual_seed(0)
    mean, everywhere = torch.randn(4, 6, 200, generator=random), torch.ones(4, 1, 200)
    assert spread_loss(mean, everywhere) < 0.05
    assert spread_loss(0.01 * mean, everywhere) > 0.9
    assert spread_loss(mean[:, :1].expand(-1, 6, -1), everywhere) > 0.4
    assert spread_loss(mean, 0 * everywhere) == 0


def test_two_processes_train_as_one(small_corpus: Path, tmp_path: Path) -> None:
    run = tmp_path / "two"
    command = train_command(
        small_corpus,
        "-o",
        run,
        "--steps",
        4,
        "--devices",
        2,
        "--strategy",
        "ddp",
        "--precision",
        "bf16",
        "--weight",
        "counterfactual_every=1",
        "--adversarial",
        *SMALL,
    )
    subprocess.run(command, check=True, timeout=240)
    assert load_steps(run) == 4


def test_a_torn_checkpoint_is_refused_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00{}torn")
    with pytest.raises(NeurorackError, match="train again"):
        load_checkpoint(tmp_path / NAME, {})
    with pytest.raises(NeurorackError, match="does not exist"):
        load_checkpoint(tmp_path / "none" / NAME, {})


def test_the_confusion_target_is_bounded_and_the_critic_learns_what_is_there() -> None:
    torch.manual_seed(0)
    weight = torch.ones(2, 1, 50)
    assert float(confusion_loss(torch.zeros(2, 3, 16, 50), weight)) == pytest.approx(0, abs=1e-5)
    sure = torch.zeros(2, 3, 16, 50)
    sure[:, :, 4] = 1e4
    assert float(confusion_loss(sure, weight)) == pytest.approx(1, abs=1e-5)
    controls = torch.full((2, 3, 50), -1 + 2 * 4.5 / 16)
    assert float(critic_loss(sure, controls, weight)) < 1e-3
    silent = torch.zeros(2, 1, 50)
    assert float(confusion_loss(sure, silent)) == pytest.approx(1, abs=1e-5)
    assert float(critic_loss(sure, controls, silent)) == 0


def test_the_differentiable_normaliser_is_the_one_the_player_uses() -> None:
    random = np.random.default_rng(0)
    normaliser = Normaliser.fit(random.lognormal(size=5000))
    measuring = Measuring([normaliser])
    low, high = normaliser.knots[0], normaliser.knots[-1]
    values = torch.linspace(low, high, 1000, requires_grad=True)
    control = measuring(values[None, None])
    assert (
        np.abs(control[0, 0].detach().numpy() - normaliser.to_control(values.detach().numpy())).max() < 1e-4
    )
    control.sum().backward()
    assert (
        values.grad is not None and bool((values.grad >= 0).all()) and bool(torch.isfinite(values.grad).all())
    )
    physical = measuring.physical(torch.linspace(-1, 1, 99)[None], 0)[0].numpy()
    assert np.abs(physical - normaliser.to_physical(np.linspace(-1, 1, 99))).max() < 1e-4 * high


def test_requests_move_only_what_the_mask_names() -> None:
    generator = torch.Generator().manual_seed(0)
    controls, donors = torch.rand(32, 4, 60), torch.rand(32, 4, 60)
    requests, mask = make_requests(controls, donors, generator)
    still = ~mask.expand_as(requests)
    assert torch.equal(requests[still], controls[still])
    assert mask.any() and still.any() and requests.abs().max() <= 1.1


def test_the_clock_fits_minutes_and_steps() -> None:
    clock = Clock(minutes=None, steps=10)
    for _ in range(10):
        assert clock.progress < 1
        clock.tick()
    assert clock.progress == 1
    assert Clock(minutes=1, steps=None, elapsed_s=30).progress == pytest.approx(0.5)
