"""Folders of public data sets as they are unpacked: which files belong to them, and what forms a group.

NSynth (Engel et al., 2017): any number of folders that hold examples.json and audio/NOTE.wav; a group is an
instrument, `instrument_str` in examples.json. SC09 (the digits of Speech Commands, Warden, 2018):
WORD/HASH_nohash_N.wav with WORD zero … nine; a group is a speaker, HASH. Both are recorded at 16 kHz.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from neurorack.core.errors import NeurorackError

LAYOUTS = ("nsynth", "sc09")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_UTTERANCE = re.compile(r"^([0-9a-f]+)_nohash_\d+$")


@dataclass(frozen=True)
class Arrangement:
    """`groups`: path -> group of every file that belongs to the data set; `others`: paths that do not."""

    groups: dict[str, str]
    others: list[str]


def arrange(layout: str, folder: Path, paths: Sequence[str]) -> Arrangement:
    """Groups of `paths`, relative to `folder`; NeurorackError if the folder is not laid out like that."""
    if layout not in LAYOUTS:
        raise NeurorackError(f"--layout {layout} is not known; it is one of {', '.join(LAYOUTS)}")
    found = _nsynth(folder, paths) if layout == "nsynth" else _sc09(paths)
    groups = {path: group for path, group in found.items() if group is not None}
    if not groups:
        expected = "examples.json and audio/NOTE.wav" if layout == "nsynth" else "WORD/HASH_nohash_N.wav"
        raise NeurorackError(f"{folder} is not laid out like {layout}: expected {expected}")
    return Arrangement(groups, [path for path, group in found.items() if group is None])


def _nsynth(folder: Path, paths: Sequence[str]) -> dict[str, str | None]:
    tables: dict[PurePosixPath, dict[str, Any]] = {}
    found: dict[str, str | None] = {}
    for path in paths:
        pure = PurePosixPath(path)
        found[path] = None
        if pure.parent.name != "audio":
            continue
        root = pure.parent.parent
        if root not in tables:
            tables[root] = _examples(folder / root / "examples.json")
        note = tables[root].get(pure.stem)
        if isinstance(note, dict) and isinstance(note.get("instrument_str"), str):
            found[path] = note["instrument_str"]
    return found


def _examples(file: Path) -> dict[str, Any]:
    try:
        notes = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise NeurorackError(f"{file} cannot be read ({error}): unpack NSynth again") from error
    if not isinstance(notes, dict):
        raise NeurorackError(f"{file} is not a table of notes: unpack NSynth again")
    return notes


def _sc09(paths: Sequence[str]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for path in paths:
        pure = PurePosixPath(path)
        match = _UTTERANCE.match(pure.stem)
        found[path] = match.group(1) if match and pure.parent.name in DIGITS else None
    return found
