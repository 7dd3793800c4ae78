"""Reading a prepared corpus: memory-mapped audio and features that many workers can share."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.timebase import HOP
from neurorack.learn.corpus.groups import SPLITS

CORPUS_VERSION = 1
PARTS = ".neurorack-parts"
"""Folder inside a corpus where an unfinished run keeps its work."""


@dataclass(frozen=True)
class CorpusFile:
    """One recording. Samples [start_sample, start_sample + samples) of the corpus, whole frames.

    `samples` counts the zeros that pad the last frame; `seconds` is the recording's own length. `gain_db` is
    what it was turned down by to fit full scale.
    """

    path: str
    group: str
    split: str
    start_sample: int
    samples: int
    start_frame: int
    frames: int
    seconds: float
    gain_db: float = 0.0
    key: str = ""
    digest: str = ""

    @property
    def shelf(self) -> str:
        """The outermost folder that it lies in; empty: none."""
        folder, slash, _ = self.path.partition("/")
        return folder if slash else ""


class Corpus:
    """A folder made by `neurorack prepare`. Cheap to open and to pickle: maps are opened on first use.

    Attributes: `path`; `sample_rate` Hz; `hop`; `outputs`, the names of the feature columns; `specs`, one
    dictionary per column (name, label, unit, scale, slow, lag_frames, default); `descriptors`, each with
    name, outputs, options, source; `files`; `skipped` [{path, why}]; `options`, what prepare was asked.
    """

    def __init__(self, path: Path, document: dict[str, Any]) -> None:
        self.path = path
        self.sample_rate: int = document["sample_rate"]
        self.hop: int = document["hop"]
        self.descriptors: list[dict[str, Any]] = document["descriptors"]
        self.outputs: list[str] = list(document["outputs"])
        self.specs: list[dict[str, Any]] = document["specs"]
        self.files: tuple[CorpusFile, ...] = tuple(CorpusFile(**entry) for entry in document["files"])
        self.skipped: list[dict[str, str]] = document["skipped"]
        self.options: dict[str, Any] = document["options"]

    @classmethod
    def open(cls, path: Path | str) -> "Corpus":
        """Open and check a corpus; NeurorackError where it is missing, unfinished or damaged."""
        path = Path(path)
        try:
            document = json.loads((path / "corpus.json").read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            started = (path / PARTS).is_dir()
            raise NeurorackError(
                f"{path} is an unfinished corpus: run the same `neurorack prepare` again, it continues"
                if started
                else f"{path} is not a corpus: make one with `neurorack prepare FOLDER -o {path}`"
            ) from error
        except (OSError, ValueError) as error:
            raise NeurorackError(
                f"{path / 'corpus.json'} cannot be read ({error}): run `neurorack prepare` again"
            ) from error
        if not isinstance(document, dict) or document.get("version") != CORPUS_VERSION:
            raise NeurorackError(
                f"{path} was made by another version of Neurorack: run `neurorack prepare` again"
            )
        try:
            corpus = cls(path, document)
        except (KeyError, TypeError) as error:
            raise NeurorackError(
                f"{path / 'corpus.json'} is incomplete ({error}): run `neurorack prepare` again"
            ) from error
        if corpus.hop != HOP:
            raise NeurorackError(f"{path} has a hop of {corpus.hop} samples, this Neurorack uses {HOP}")
        frames = sum(file.frames for file in corpus.files)
        for name, size in (("audio.i16", 2 * HOP), ("features.f32", 4 * len(corpus.outputs))):
            part = path / name
            if not part.is_file() or part.stat().st_size != frames * size:
                raise NeurorackError(f"{part} is missing or damaged: run `neurorack prepare` again")
        return corpus

    def __getstate__(self) -> dict[str, Any]:
        """Maps are left behind, so that worker processes open their own."""
        return {k: v for k, v in self.__dict__.items() if k not in ("all_audio", "all_features")}

    @cached_property
    def all_audio(self) -> np.ndarray:
        """Every recording one after another: read-only int16 map [total_frames * HOP]."""
        return np.memmap(self.path / "audio.i16", dtype="<i2", mode="r")

    @cached_property
    def all_features(self) -> np.ndarray:
        """Every frame's descriptors in physical units: read-only float32 map [total_frames, D]."""
        flat = np.memmap(self.path / "features.f32", dtype="<f4", mode="r")
        return flat.reshape(-1, len(self.outputs))

    def split(self, name: str) -> tuple[CorpusFile, ...]:
        """The files of "train", "validation" or "test", in corpus order; may be empty in a tiny corpus."""
        if name not in SPLITS:
            raise NeurorackError(f"There is no split {name!r}: choose one of {', '.join(SPLITS)}")
        return tuple(file for file in self.files if file.split == name)

    def audio(self, file: CorpusFile, start_frame: int = 0, frames: int | None = None) -> np.ndarray:
        """Samples of a file as float32 in [-1, 1): whole, or `frames` frames from `start_frame` of it."""
        first, last = self._span(file, start_frame, frames)
        return self.all_audio[first * HOP : last * HOP].astype(np.float32) / np.float32(32768.0)

    def features(self, file: CorpusFile, start_frame: int = 0, frames: int | None = None) -> np.ndarray:
        """Descriptors of a file, float32 [T, D] in physical units, columns in the order of `outputs`."""
        first, last = self._span(file, start_frame, frames)
        return np.array(self.all_features[first:last], dtype=np.float32)

    def column(self, output: str) -> int:
        """Index of a feature column by name."""
        if output not in self.outputs:
            raise NeurorackError(
                f"{self.path} has no descriptor {output!r}, only {', '.join(self.outputs)}: "
                "run `neurorack prepare` again with it among --descriptors"
            )
        return self.outputs.index(output)

    @staticmethod
    def _span(file: CorpusFile, start_frame: int, frames: int | None) -> tuple[int, int]:
        stop = file.frames if frames is None else start_frame + frames
        if not 0 <= start_frame <= stop <= file.frames:
            raise ValueError(f"frames [{start_frame}, {stop}) lie outside {file.path} ({file.frames} frames)")
        return file.start_frame + start_frame, file.start_frame + stop

    def descriptor_names(self) -> list[str]:
        """Names of the built-in descriptors this corpus was measured with, to give to `descriptors.build`."""
        return [d["name"] for d in self.descriptors if not d["source"]]

    def descriptor_files(self, folder: Path | str) -> list[str]:
        """Write the recorded sources of the user's own descriptors into `folder`; FILE:CLASS for each."""
        specs = []
        for index, descriptor in enumerate(d for d in self.descriptors if d["source"]):
            file, name = descriptor["options"]["file"], descriptor["options"]["class"]
            target = Path(folder) / f"{index}_{Path(file).name}"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(descriptor["source"], encoding="utf-8")
            specs.append(f"{target}:{name}")
        return specs
