"""Finding recordings in a folder, and naming the ones nobody can read."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import soundfile

from neurorack.core.errors import NeurorackError
from neurorack.learn.corpus.groups import compile_patterns

FOREIGN = (".m4a", ".aac", ".wma", ".mp4", ".ape", ".wv", ".mka", ".dsf", ".dff", ".tta", ".mpc", ".m4b")
"""Audio that libsndfile does not read; such files are named, not passed over."""


def readable_suffixes() -> frozenset[str]:
    """Suffixes of the formats this libsndfile reads, lower case with the dot."""
    names = {name.lower() for name in soundfile.available_formats()} - {
        "raw"
    }  # RAW needs facts no file gives
    return frozenset(f".{name}" for name in names | {"wave", "aif", "aifc", "oga", "opus", "snd", "mp3"})


@dataclass
class Found:
    """Relative POSIX paths, sorted. `hopeless`: path -> why it need not even be opened."""

    recordings: list[str] = field(default_factory=list)
    hopeless: dict[str, str] = field(default_factory=dict)
    excluded: list[str] = field(default_factory=list)
    other: int = 0


def scan(folder: Path, exclude: Sequence[str] = (), corpus: Path | None = None) -> Found:
    """Walk `folder` (hidden files and the corpus itself apart); NeurorackError where it is no folder."""
    if folder.is_file():
        raise NeurorackError(f"{folder} is a file: give the folder that holds your recordings")
    if not folder.is_dir():
        raise NeurorackError(f"There is no folder {folder}: give the folder that holds your recordings")
    unwanted = compile_patterns(exclude, "--exclude")
    suffixes = readable_suffixes()
    found = Found()
    own = corpus.resolve() if corpus else None
    seen: set[Path] = set()
    for base, folders, names in os.walk(folder, followlinks=True):
        here = Path(base).resolve()
        if here == own or here in seen:  # a link may lead back up
            folders.clear()
            continue
        seen.add(here)
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if name.startswith("."):
                continue
            relative = (Path(base) / name).relative_to(folder).as_posix()
            suffix = Path(name).suffix.lower()
            if suffix not in suffixes and suffix not in FOREIGN:
                found.other += 1
            elif any(expression.search(relative) for expression in unwanted):
                found.excluded.append(relative)
            elif suffix not in suffixes:
                found.hopeless[relative] = (
                    "its format is one libsndfile does not read; convert it to WAV or FLAC"
                )
            elif not (Path(base) / name).is_file():  # a pipe would be waited on for ever
                found.hopeless[relative] = "it is a link to nothing, or no ordinary file"
            else:
                found.recordings.append(relative)
    found.recordings.sort()
    return found
