"""Starting and continuing runs: what `neurorack train` does once its options are read."""

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from neurorack.core.errors import NeurorackError
from neurorack.learn.corpus import Corpus
from neurorack.learn.model.config import CRITICS, DECODERS, PUBLISHED_ARMS, Arm, ModelConfig, make_config
from neurorack.learn.model.published.corpus_facts import corpus_facts
from neurorack.learn.train.batches import fit_normalisers
from neurorack.learn.train.checkpoint import NAME
from neurorack.learn.train.display import Display
from neurorack.learn.train.loop import Trainer
from neurorack.learn.train.material import check_memory, fitting_crop, open_corpus, same_corpus
from neurorack.learn.train.monitor import METRICS
from neurorack.learn.train.objective import lag_frames
from neurorack.learn.train.origin import begin
from neurorack.learn.train.published import published_changes
from neurorack.learn.train.run import RUN_FILE, RunConfig

NOT_CONTROLS = ("periodicity",)
"""Columns that are measured for other purposes and are no control of their own."""


def new_run(
    run: Path,
    corpus_path: Path,
    *,
    size: str,
    arm: Arm,
    minutes: float | None,
    steps: int | None,
    batch: int,
    crop_frames: int,
    learning_rate: float,
    adversarial: bool | None,
    seed: int,
    weights: dict[str, float],
    changes: dict[str, object],
    controls: tuple[str, ...] = (),
    origin: Path | None = None,
    new_code: bool = False,
    keep_code: bool = False,
    balance: bool = False,
) -> RunConfig:
    """Make the folder of a new run; NeurorackError if it already holds one, or the corpus is too short."""
    if keep_code and (new_code or not origin):
        raise NeurorackError("--keep-code needs the code of an instrument: give --from, and not --new-code.")
    if (run / RUN_FILE).exists():
        raise NeurorackError(f"{run} already holds a run: continue it with --resume, or give another folder.")
    corpus = Corpus.open(corpus_path)
    if not corpus.split("train"):
        raise NeurorackError(f"{corpus_path} has nothing to train on: prepare it from more recordings.")
    names = controls or tuple(n for n in corpus.outputs if n not in NOT_CONTROLS)
    for name in names:
        corpus.column(name)
    if arm in PUBLISHED_ARMS:
        changes = published_changes(arm, size, names) | changes
    model = _config(size, names, corpus.sample_rate, changes)
    normalisers = fit_normalisers(corpus, names)
    asked_for = arm in PUBLISHED_ARMS or model.decoder == "published"
    run.mkdir(parents=True, exist_ok=True)
    files = corpus.descriptor_files(run / "descriptors")
    if adversarial is None:
        # The judges more than double a step: worth it where steps are cheap.
        adversarial = torch.cuda.is_available()
    config = RunConfig(
        corpus=str(corpus_path.resolve()),
        model=model,
        size=size,
        arm=arm,
        descriptors=corpus.descriptor_names(),
        descriptor_files=files,
        normalisers={k: list(v.knots) for k, v in normalisers.items()},
        minutes=minutes,
        steps=steps,
        batch=batch,
        crop_frames=crop_frames,
        learning_rate=learning_rate,
        adversarial=adversarial,
        seed=seed,
        weights=weights,
        published=corpus_facts(corpus, normalisers) if asked_for else {},
        origin=str(origin.resolve()) if origin else "",
        new_code=new_code,
        keep_code=keep_code,
        balance=balance,
    )
    lags = lag_frames(config)
    frames = sum(file.frames for file in corpus.split("train"))
    fitting_crop(config, frames, max(lags[name] for name in names))  # refuse too little before a run begins
    config.write(run)
    return config


def _config(size: str, names: tuple[str, ...], sample_rate: int, changes: dict[str, object]) -> ModelConfig:
    fields = {k: tuple(v) if isinstance(v, list) else v for k, v in changes.items()}
    try:
        config = make_config(size, names, sample_rate, **fields)
    except TypeError:
        known = ", ".join(ModelConfig.__dataclass_fields__)
        raise NeurorackError(f"--model knows {known}; not {', '.join(changes)}.") from None
    if config.decoder not in DECODERS or config.critic not in CRITICS:
        raise NeurorackError(
            f"--model decoder= is one of {', '.join(DECODERS)}; critic= is one of {', '.join(CRITICS)}."
        )
    return config


def parse_changes(pairs: Sequence[str]) -> dict[str, Any]:
    """--model NAME=VALUE, a number, a word, true, false or a list; NeurorackError where it is none."""
    changes: dict[str, Any] = {}
    for pair in pairs:
        name, _, value = pair.partition("=")
        try:
            word = value.replace("-", "").isalpha() and value not in ("true", "false")
            parsed = value if word else json.loads(value)
        except ValueError:
            raise NeurorackError(
                f"--model {pair!r} is not NAME=VALUE with a number, a word or a list like [1,2,4]."
            ) from None
        changes[name] = parsed
    return changes


def make_fabric(accelerator: str, devices: str, strategy: str) -> Fabric:
    """Fabric for this machine. Mixed precision is the model's own affair (streaming.MixedPrecision)."""
    gpu = accelerator in ("cuda", "gpu") or (accelerator == "auto" and torch.cuda.is_available())
    count: int | str = int(devices) if devices.isdigit() else devices
    if count == "auto" and not gpu:
        count = 1
    return Fabric(accelerator=accelerator, devices=count, strategy=strategy)  # type: ignore[arg-type]


def take_up(run: Path, corpus_path: Path) -> RunConfig:
    """The configuration of a run to be continued. Where its corpus is not at its place any more,
    `corpus_path` is taken if that holds the same recordings; NeurorackError if it holds others.
    """
    config = RunConfig.read(run)
    if (Path(config.corpus) / "corpus.json").exists() or not (corpus_path / "corpus.json").exists():
        return config
    if not same_corpus(config, Corpus.open(corpus_path)):
        raise NeurorackError(
            f"{corpus_path} holds other recordings than those {run} was trained on: give its own corpus, or "
            f"begin a run of its own with --from {run}."
        )
    return replace(config, corpus=str(corpus_path.resolve()))


def train(
    run: Path,
    config: RunConfig,
    *,
    resume: bool,
    fabric: Fabric,
    quiet: bool = False,
    precision: str = "auto",
    checkpoint_every_s: float = 60.0,
    evaluate_every_s: float = 120.0,
    display: Display | None = None,
) -> None:
    """Train a run to its end. With `resume`, from its checkpoint where there is one. `display`: where to show
    progress, if another than its own.
    """
    if fabric.device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
    bf16 = precision == "bf16" or (precision == "auto" and fabric.device.type == "cuda")
    check_memory(open_corpus(config), len(config.model.controls))
    trainer = Trainer(run, config, fabric, quiet, bf16, display)
    try:
        if fabric.is_global_zero and trainer.config != RunConfig.read(run):
            trainer.config.write(run)  # a crop that fits, or a corpus that has moved
        if resume and (run / NAME).exists():
            trainer.keeping.load()
        else:
            begin(trainer)
        if trainer.monitor and resume:
            _forget(run, trainer.clock.step)
            trainer.monitor.remember()
        trainer.fit(checkpoint_every_s, evaluate_every_s)
    finally:
        if trainer.monitor:
            trainer.monitor.close()


def _forget(run: Path, step: int) -> None:
    """Set aside or drop what was logged after the checkpoint: those steps will be taken again."""
    if not step and (run / METRICS).exists():
        os.replace(run / METRICS, run / "metrics.before-restart.jsonl")
        shutil.rmtree(run / "tensorboard", ignore_errors=True)
    _forget_after(run / METRICS, step)


def _forget_after(metrics: Path, step: int) -> None:
    """Drop lines logged after the checkpoint: those steps will be taken again."""
    if not metrics.exists():
        return
    kept = []
    for line in metrics.read_text("utf-8").splitlines():
        try:
            if json.loads(line)["step"] <= step:
                kept.append(line)
        except (ValueError, KeyError):
            continue  # a line cut short by the kill
    metrics.write_text("".join(f"{line}\n" for line in kept), "utf-8")
