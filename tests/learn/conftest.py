"""A small real corpus, prepared as a user's folder would be, and the commands that work on it."""

import contextlib
import importlib
import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

RATE = 44_100


def write_sounds(folder: Path, seed: int = 0, files: int = 12) -> None:
    """Harmonic notes with breath and a decay, one file each."""
    random = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    t = np.arange(int(1.2 * RATE)) / RATE
    for index in range(files):
        f0_hz = 110 * 2 ** random.uniform(0, 2)
        partials = sum(np.cos(2 * np.pi * f0_hz * h * t) / h ** random.uniform(0.8, 2) for h in range(1, 12))
        breath = random.standard_normal(len(t)) * random.uniform(0.01, 0.3)
        envelope = np.minimum(1, t / 0.02) * np.exp(-t * random.uniform(0.5, 4))
        sf.write(folder / f"note{index}.wav", 0.1 * (partials + breath) * envelope, RATE)


@pytest.fixture(scope="session")
def small_corpus(tmp_path_factory) -> Path:
    """A prepared corpus of twelve short notes with the default descriptors."""
    from neurorack.learn.corpus.prepare import Options, prepare

    root = tmp_path_factory.mktemp("corpus")
    write_sounds(root / "sounds")
    prepare(root / "sounds", root / "corpus", Options(workers=1))
    return root / "corpus"


@pytest.fixture(scope="session")
def neurorack() -> Callable[..., str]:
    """neurorack(command, *arguments) -> what it printed; in this very process, because importing torch anew
    costs more than all the rest.
    """

    def run(command: str, *arguments: object) -> str:
        found = importlib.import_module(f"neurorack.cli.{command}").command
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            found.main([str(a) for a in arguments], standalone_mode=False)
        return printed.getvalue()

    return run


@pytest.fixture(scope="session")
def smallest() -> list[str]:
    """Options of `train` for a model that takes milliseconds a step."""
    options = "--batch 2 --crop 64 --threads 1 --quiet --accelerator cpu"
    model = ("control_width=16", "encoder_widths=[8,8,8,16]", "stack_width=8", "stack_dilations=[1,2]")
    return [*options.split(), *(word for change in model for word in ("--model", change))]
