"""Tuning: which pitch each key has; and the library of Scala tunings, bundled and the player's own."""

import importlib.resources
import math
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.library import home_dir
from neurorack.core.scala import A4_HZ, A4_KEY, MAX_BYTES, Mapping, Scale, parse_kbm, parse_scl

LOWEST_HZ, HIGHEST_HZ = 4.0, 20_000.0
EQUAL = ""
"""Name of the tuning that needs no file: twelve equal steps, A4 = 440 Hz."""


def equal_hz(midi: float) -> float:
    """Hz of a key (69 is A4) in twelve equal steps; fractions lie between the keys."""
    return A4_HZ * 2.0 ** ((midi - A4_KEY) / 12.0)


@dataclass(frozen=True)
class Tuning:
    """A scale on the keys."""

    name: str
    scale: Scale
    mapping: Mapping = field(default_factory=Mapping)

    def f0_hz(self, midi: float) -> float:
        """Hz of a key; between two keys, equally far between their pitches. Always 4..20000 Hz.

        A key that the mapping leaves out sounds like the next one below that it has (none: above).
        """
        low = math.floor(midi)
        cents = self._cents(low)
        if midi != low:
            cents += (midi - low) * (self._cents(low + 1) - cents)
        octaves = (cents - self._cents(self.mapping.reference)) / 1200.0
        return min(
            max(self.mapping.reference_hz * 2.0 ** min(max(octaves, -20.0), 20.0), LOWEST_HZ), HIGHEST_HZ
        )

    def plays(self, key: int) -> bool:
        """Whether the mapping has that key."""
        return self.mapping.first <= key <= self.mapping.last and self._degree(key) is not None

    def _cents(self, key: int) -> float:
        """Cents above degree 0 of a key, or of the nearest below (then above) that is mapped."""
        around = len(self.mapping.degrees)
        for near in (*range(key, key - around - 1, -1), *range(key + 1, key + around + 1)):
            degree = self._degree(near)
            if degree is not None:
                return self.scale.degree_cents(degree[0]) + degree[1]
        return 0.0

    def _degree(self, key: int) -> tuple[int, float] | None:
        """Degree of the scale, and cents of the pattern's repetitions; None: unmapped."""
        mapping = self.mapping
        if not mapping.degrees:
            return key - mapping.middle, 0.0
        repetition, place = divmod(key - mapping.middle, len(mapping.degrees))
        degree = mapping.degrees[place]
        if degree is None:
            return None
        repeat = mapping.repeat or len(self.scale.cents)
        return degree, repetition * self.scale.degree_cents(repeat)


def bundled_dir() -> Path:
    """Folder of the tunings that came with the package."""
    return Path(str(importlib.resources.files("neurorack").joinpath("play", "tunings")))


def user_dir() -> Path:
    """Folder of the player's own tunings: NAME.scl, and NAME.kbm beside it if there is one."""
    return home_dir() / "tunings"


def tunings() -> list[str]:
    """Names of all tunings, by name; the player's own win over bundled ones."""
    return sorted({path.stem for path in _files()}, key=str.casefold)


def load_tuning(name: str) -> Tuning | None:
    """The tuning of that name; None for "", equal temperament. NeurorackError if it cannot be used."""
    if name == EQUAL:
        return None
    path = next((path for path in _files() if path.stem == name), None)
    if path is None:
        raise NeurorackError(f"There is no tuning {name!r}: put {name}.scl into {user_dir()}.")
    try:
        scale = parse_scl(_text(path))
        beside = path.with_suffix(".kbm")
        return Tuning(name, scale, parse_kbm(_text(beside)) if beside.is_file() else Mapping())
    except NeurorackError as error:
        raise NeurorackError(f"{path.name}: {error}") from error


def save_tuning(name: str, data: bytes) -> str:
    """Keep a .scl that was dropped on the panel in the player's folder; its name there.

    Raises NeurorackError when it is no scale, or cannot be written.
    """
    parse_scl(_decoded(data))
    plain = unicodedata.normalize("NFC", re.sub(r"\.scl$", "", name, flags=re.IGNORECASE))
    plain = "".join(c if c.isalnum() or c in " -_()+,'" else "-" for c in plain).strip(" -")[:48].strip()
    if not plain:
        raise NeurorackError("The tuning needs a name with letters in it: rename the file.")
    try:
        with atomic_write(user_dir() / f"{plain}.scl") as file:
            file.write(data)
    except OSError as error:
        raise NeurorackError(f"The tuning cannot be kept ({error}): make room in {user_dir()}.") from error
    return plain


def _files() -> Iterator[Path]:
    for folder in (user_dir(), bundled_dir()):
        try:
            yield from (p for p in sorted(folder.iterdir()) if p.suffix == ".scl" and p.name[0] != ".")
        except OSError:
            continue


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return _decoded(file.read(MAX_BYTES + 1))
    except OSError as error:
        raise NeurorackError(f"it cannot be read ({error}).") from error


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("latin-1")  # the format's old 8-bit text
