"""What the trainer draws: frames alike, or every folder as often as any other."""

from dataclasses import dataclass

import numpy as np
import pytest
import torch

from neurorack.core.normaliser import Normaliser
from neurorack.core.timebase import HOP
from neurorack.learn.train.batches import Tape


@dataclass
class Recording:
    """So many frames of one value: a recording that can be told from others wherever it is cut."""

    shelf: str
    frames: int
    value: float


class Shelves:
    """A corpus as the tape reads one."""

    outputs = ("loudness",)

    def __init__(self, *recordings: Recording) -> None:
        self.recordings = recordings

    def split(self, name: str) -> tuple[Recording, ...]:
        return self.recordings

    def features(self, file: Recording) -> np.ndarray:
        return np.full((file.frames, 1), 100 * file.value - 50, np.float32)

    def audio(self, file: Recording) -> np.ndarray:
        return np.full(file.frames * HOP, file.value, np.float32)


@pytest.mark.parametrize(("balanced", "share"), [(False, 0.02), (True, 0.5)])
def test_a_small_folder_is_heard_as_often_as_a_large_one_if_asked(balanced: bool, share: float) -> None:
    # Not in order of folders: the tape has to bring them together.
    corpus = Shelves(
        Recording("long", 9000, 0.2),
        Recording("short", 400, 0.8),
        Recording("long", 9000, 0.2),
    )
    normaliser = {"loudness": Normaliser(tuple(np.linspace(-60, 40, 65)))}
    tape = Tape(corpus, "train", ("loudness",), normaliser, torch.device("cpu"), balanced)  # type: ignore[arg-type]
    for splices in (0.0, 1.0):
        drawn = tape.batch(4000, 16, 4, splices, torch.Generator().manual_seed(2)).audio
        last = (drawn[:, -1] > 0.5).float().mean()
        # Where places are joined, the second is a file's start: alike means one of three files.
        wanted = share if balanced or not splices else 1 / 3
        assert float(last) == pytest.approx(wanted, abs=0.04)
