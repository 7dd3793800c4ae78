"""What a run is trained on: finding its corpus again, crops that fit it, how much of it is silence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from neurorack.core.errors import NeurorackError
from neurorack.core.timebase import HOP
from neurorack.learn.corpus import Corpus
from neurorack.learn.train.batches import AUDIBLE, Tape, fit_normalisers
from neurorack.learn.train.run import RunConfig

LEAST_CROP = 64
"""Frames: what the longest analysis window and the streams' warming up need, and a little sound."""

SILENT_PEAK = int(AUDIBLE * 32767)
"""Largest int16 sample of a silent frame."""


def open_corpus(config: RunConfig) -> Corpus:
    """The corpus of a run; NeurorackError that says what to do where it is gone or no longer whole."""
    path = Path(config.corpus)
    if not (path / "corpus.json").exists():
        raise NeurorackError(
            f"The corpus of this run is not at {path} any more: put it back, or say where it is now with "
            "`neurorack train CORPUS -o RUN --resume`."
        )
    return Corpus.open(path)


def same_corpus(config: RunConfig, corpus: Corpus) -> bool:
    """Whether a corpus found elsewhere is the one a run began with: the descriptors of its training split are
    distributed just as they were.
    """
    names = config.model.controls
    if corpus.sample_rate != config.model.sample_rate or not set(names) <= set(corpus.outputs):
        return False
    found = fit_normalisers(corpus, names)
    return same_knots({n: found[n].knots for n in names}, config.normalisers, names)


def same_knots(
    one: Mapping[str, Sequence[float]], other: Mapping[str, Sequence[float]], names: Iterable[str]
) -> bool:
    """Whether two sets of normalisers' knots are the same for these controls, to rounding."""
    return all(np.allclose(one[n], other[n], rtol=1e-4, atol=1e-6) for n in names)


def memory_bytes(corpus: Corpus, controls: int) -> tuple[int, int]:
    """Memory that the training split takes while it trains, and at most while it is read."""
    frames = sum(file.frames for file in corpus.split("train"))
    lasting = frames * (2 * HOP + 4 * controls + 4)
    return lasting, lasting + frames * (2 * HOP + 8 * len(corpus.outputs) + 4 * controls)


def check_memory(corpus: Corpus, controls: int) -> None:
    """NeurorackError where the training split does not fit into the memory that is free (where the system
    tells)."""
    _, needed = memory_bytes(corpus, controls)
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        free = next(1024 * int(line.split()[1]) for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return
    if needed > free:
        raise NeurorackError(
            f"The training split takes {needed / 1e9:.1f} GB of memory while it is read, and "
            f"{free / 1e9:.1f} GB are free: close other programs, or prepare fewer recordings (--exclude)."
        )


def fitting_crop(config: RunConfig, frames: int, margin: int) -> RunConfig:
    """The configuration with a crop that a training split of `frames` frames has room for: half of it at
    most, so that crops differ. `margin`: frames of controls needed beyond a crop. NeurorackError where even
    the shortest crop does not fit.
    """
    if frames <= LEAST_CROP + margin:
        rate = config.model.sample_rate
        raise NeurorackError(
            f"The training split holds {frames * HOP / rate:.2f} s of sound and training needs at least "
            f"{(LEAST_CROP + margin + 1) * HOP / rate:.2f} s: add recordings."
        )
    if frames > 2 * config.crop_frames + margin:
        return config
    crop = max(LEAST_CROP, (frames - margin) // 2)
    return replace(config, crop_frames=min(config.crop_frames, crop))


def silent_share(tape: Tape) -> float:
    """Share of the frames of a split that are silence; NeurorackError where all are, or where the descriptors
    are damaged.
    """
    if not bool(torch.isfinite(tape.controls).all()):
        raise NeurorackError(
            "The corpus holds descriptors that are no numbers: its features.f32 is damaged. Delete the "
            "corpus and run `neurorack prepare` again."
        )
    audible = (tape.audio.amax(1) > SILENT_PEAK) | (tape.audio.amin(1) < -SILENT_PEAK)
    share = 1.0 - float(audible.float().mean())
    if share == 1.0:
        raise NeurorackError(
            "The training split is silence (peaks below -60 dBFS): choose louder recordings, or other groups."
        )
    return share
