"""The training split on the device, and crops cut there.

Audio and features are laid end to end as frames. A crop is a row of frame indices, so that cutting a batch
is one gather
on whatever device holds the tape. Some crops splice two places (the second at a file's start): recordings
hold almost no transitions between notes, and an instrument must play them. Frames are drawn alike, or
balanced: every folder of the corpus as often as any other, however little it holds.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurorack.core.normaliser import Normaliser
from neurorack.core.timebase import HOP
from neurorack.learn.corpus import Corpus

SILENCE_DB = -60.0
"""Frames below this level count as silence: no statistics, no control loss."""

AUDIBLE = 10.0 ** (SILENCE_DB / 20.0)
"""The same level as amplitude: what a crop must reach somewhere to be learned from."""

VOICED = 0.5
"""Periodicity from which a pitch is believed."""

FADE_FRAMES = 4


@dataclass(frozen=True)
class Batch:
    """Crops of T frames: audio [B, 128 T]; controls [B, C, T + margin] normalised; f0_hz [B, 1, T +
    margin].
    """

    audio: Tensor
    controls: Tensor
    f0_hz: Tensor | None


class Tape:
    """One split of a corpus as frames: `audio` int16 [F, 128], `controls` float32 [F, C], `f0_hz` [F]."""

    def __init__(
        self,
        corpus: Corpus,
        split: str,
        names: tuple[str, ...],
        normalisers: dict[str, Normaliser],
        device: torch.device,
        balanced: bool = False,
    ) -> None:
        files = list(corpus.split(split))
        if balanced:
            files.sort(key=lambda file: file.shelf)
        audio, features, starts = [], [], []
        position = 0
        for file in files:
            starts.append(position)
            frames = np.asarray(corpus.features(file), dtype=np.float32)
            samples = np.asarray(corpus.audio(file), dtype=np.float32)[: len(frames) * HOP]
            audio.append(np.round(samples * 32767.0).clip(-32768, 32767).astype(np.int16).reshape(-1, HOP))
            features.append(frames)
            position += len(frames)
        self.frames = position
        self.starts = torch.tensor(starts, device=device)
        shelves = [at for i, at in enumerate(starts) if i == 0 or files[i].shelf != files[i - 1].shelf]
        self._shelves = torch.tensor([*shelves, position], device=device) if balanced else None
        """Where each folder begins, and where the last one ends; None: frames are drawn alike."""
        self.device = device
        self.audio = torch.from_numpy(np.concatenate(audio)).to(device)
        table = np.concatenate(features)
        column = {name: table[:, corpus.outputs.index(name)] for name in names}
        rows = [normalisers[name].to_control(column[name]) for name in names]
        self.controls = torch.from_numpy(np.stack(rows, 1)).to(device)
        sounding = (
            table[:, corpus.outputs.index("loudness")] > SILENCE_DB if "loudness" in corpus.outputs else None
        )
        self._sounding = (
            None if sounding is None or sounding.sum() < 64 else torch.from_numpy(sounding).to(device)
        )
        self.f0_hz = torch.from_numpy(column["pitch"].copy()).to(device) if "pitch" in names else None

    def sounding_controls(self) -> Tensor:
        """Normalised controls [N, C] of the frames that are no silence (all, where hardly any sounds)."""
        return self.controls if self._sounding is None else self.controls[self._sounding]

    def batch(self, size: int, frames: int, margin: int, splices: float, generator: torch.Generator) -> Batch:
        """`size` random crops; `splices` is the share that joins two places."""

        def rand(*shape: int) -> Tensor:
            return torch.rand(*shape, generator=generator).to(self.device)

        length = frames + margin
        t = torch.arange(length, device=self.device)
        if self._shelves is None:
            first = (rand(size, 1) * max(1, self.frames - length)).long()
            second = self.starts[(rand(size) * len(self.starts)).long()].unsqueeze(1)
        else:
            first = self._balanced(rand(size, 2)).clamp(max=max(0, self.frames - length)).unsqueeze(1)
            place = self._balanced(rand(size, 2))
            second = self.starts[torch.searchsorted(self.starts, place, right=True) - 1].unsqueeze(1)
        cut = (rand(size, 1) * frames * 0.8 + frames * 0.1).long()
        cut = torch.where(rand(size, 1) < splices, cut, torch.full_like(cut, length))
        index = torch.where(t < cut, first + t, second + t - cut).clamp(max=self.frames - 1)
        audio = self.audio[index[:, :frames]].float() / 32767.0
        # Fade out into the splice; files begin from silence, so nothing needs to fade in.
        fade = ((cut - t[:frames]).float() / FADE_FRAMES).clamp(0.0, 1.0)
        fade = torch.where(t[:frames] < cut, fade, torch.ones_like(fade))
        audio = audio * fade.unsqueeze(-1)
        controls = self.controls[index].transpose(1, 2)
        f0 = None if self.f0_hz is None else self.f0_hz[index].unsqueeze(1)
        return Batch(audio.flatten(1), controls.contiguous(), f0)

    def _balanced(self, random: Tensor) -> Tensor:
        """Uniform numbers [B, 2] -> frames [B]: a folder first, then a place in it."""
        assert self._shelves is not None
        shelf = (random[:, 0] * (len(self._shelves) - 1)).long()
        begin, end = self._shelves[shelf], self._shelves[shelf + 1]
        return begin + (random[:, 1] * (end - begin)).long()


def fit_normalisers(corpus: Corpus, names: tuple[str, ...]) -> dict[str, Normaliser]:
    """CDF tables of the training split, silence masked out (and, for pitch, unvoiced frames)."""
    columns = list(corpus.outputs)
    table = np.concatenate([np.asarray(corpus.features(f)) for f in corpus.split("train")])
    sounding = np.ones(len(table), dtype=bool)
    if "loudness" in columns:
        sounding = table[:, columns.index("loudness")] > SILENCE_DB
    result = {}
    for name in names:
        keep = sounding
        if name == "pitch" and "periodicity" in columns:
            keep = sounding & (table[:, columns.index("periodicity")] > VOICED)
        values = table[keep, columns.index(name)]
        result[name] = Normaliser.fit(values if len(values) > 100 else table[:, columns.index(name)])
    return result
