"""What a user asks of a control: amounts with units, curves over time. Parsers of `--set`, `--offset`,
`--curve`.

An amount without a unit is a knob's travel 0..1 in the corpus's own distribution (0.8 = as bright as the
brightest fifth of the corpus begins); with a unit it is physical: "1200Hz", "1.2kHz", "-20dB", "A3" (a
note, for pitch), or "25raw" for descriptors that have no unit. Offsets take travel ("+0.2"), the unit
("+3dB") or, for descriptors in Hz, semitones ("+7st").
"""

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest import Control

Kind = Literal["travel", "physical", "semitones"]

KNOWN = (
    "loudness", "brightness", "noisiness", "boominess", "pitch", "periodicity", "bandwidth", "rolloff",
    "sharpness", "roughness",
)  # fmt: skip
"""Descriptors that instruments may or may not have: asking for one that is absent is not an error."""

_NUMBER = re.compile(r"^\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*([a-zA-Z%]*)\s*$")
_NOTE = re.compile(r"^\s*([A-Ga-g])([#b]?)(-?\d)\s*$")
_SEMITONE = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


@dataclass(frozen=True)
class Amount:
    """A value of one control; `kind` says in what: knob travel, the control's unit, or (offsets)
    semitones.
    """

    value: float
    kind: Kind = "travel"


@dataclass(frozen=True)
class Curve:
    """A control over time: straight lines between (times_s, values), the ends held.

    times_s: strictly increasing, seconds from the start of the sound; values: travel 0..1 or physical.
    """

    times_s: np.ndarray
    values: np.ndarray
    kind: Kind = "travel"

    def __post_init__(self) -> None:
        times = np.asarray(self.times_s, np.float64)
        values = np.asarray(self.values, np.float64)
        if times.ndim != 1 or times.shape != values.shape or times.size == 0:
            raise NeurorackError("A curve needs as many times as values, at least one of each.")
        if not (np.isfinite(times).all() and np.isfinite(values).all()):
            raise NeurorackError("A curve holds values that are not numbers: remove them.")
        if np.any(np.diff(times) <= 0):
            raise NeurorackError(
                "A curve's times must increase from row to row: sort them and remove repeats."
            )
        if self.kind == "travel" and (values.min() < 0 or values.max() > 1):
            raise NeurorackError(
                "A curve in knob travel must stay within 0..1: name its unit if it is physical."
            )
        object.__setattr__(self, "times_s", times)
        object.__setattr__(self, "values", values)

    def at(self, times_s: np.ndarray) -> np.ndarray:
        """Values at `times_s`."""
        return np.interp(times_s, self.times_s, self.values)


def note_to_hz(text: str) -> float | None:
    """ "A3" -> 220.0, "F#2", "Bb4"; None if it is no note name. Middle C is C4, A4 is 440 Hz."""
    match = _NOTE.match(text)
    if not match:
        return None
    letter, accidental, octave = match.groups()
    semitones = _SEMITONE[letter.upper()] + {"#": 1, "b": -1, "": 0}[accidental] + 12 * (int(octave) + 1)
    return 440.0 * 2.0 ** ((semitones - 69) / 12.0)


def _units_of(control: Control) -> dict[str, float]:
    """Suffixes the control understands, lower case, and the factor to its own unit."""
    units = {"raw": 1.0}
    if control.unit:
        units[control.unit.lower()] = 1.0
    if control.unit.lower() == "hz":
        units["khz"] = 1000.0
    return units


def _bad(control: Control, text: str, why: str) -> NeurorackError:
    unit = f" or a value like {control.default:.4g}{control.unit or 'raw'}"
    return NeurorackError(f"{control.name}={text.strip()} {why}: give knob travel 0..1{unit}.")


def parse_amount(text: str, control: Control) -> Amount:
    """Parse what follows `control=`. Raises NeurorackError with one sentence that says what is accepted."""
    if control.name == "pitch" and (hz := note_to_hz(text)) is not None:
        return Amount(hz, "physical")
    match = _NUMBER.match(text)
    if not match:
        raise _bad(control, text, "is not a number")
    value, unit = float(match[1]), match[2].lower()
    if not math.isfinite(value):
        raise _bad(control, text, "is not a finite number")
    if not unit:
        if not 0.0 <= value <= 1.0:
            raise _bad(control, text, "is outside a knob's travel")
        return Amount(value)
    units = _units_of(control)
    if unit not in units:
        raise _bad(control, text, f"has a unit that {control.name} does not understand")
    value *= units[unit]
    if control.unit.lower() == "hz" and value <= 0:
        raise _bad(control, text, "must be above zero")
    return Amount(value, "physical")


def parse_offset(text: str, control: Control) -> Amount:
    """Parse an offset: "+0.2" (travel), "-3dB", "+7st"."""
    match = _NUMBER.match(text)
    if not match or not math.isfinite(float(match[1])):
        raise _bad(control, text, "is not an offset")
    value, unit = float(match[1]), match[2].lower()
    if not unit:
        if not -1.0 <= value <= 1.0:
            raise NeurorackError(
                f"{control.name}={text.strip()} moves further than a knob's travel: stay in ±1."
            )
        return Amount(value)
    if unit == "st" and control.unit.lower() == "hz":
        return Amount(value, "semitones")
    units = _units_of(control)
    if unit not in units:
        raise _bad(control, text, f"has a unit that {control.name} does not understand")
    return Amount(value * units[unit], "physical")


def read_curve(path: Path | str, control: Control) -> Curve:
    """Read a CSV of rows `time_s,value`. A header's second cell names the unit ("dB", "Hz", "raw", "travel").

    Without a header, or with any other word, values are knob travel 0..1. Blank lines and # comments are
    skipped.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise NeurorackError(f"The curve {path} cannot be read as text: check the path.") from error
    rows = [
        r for r in csv.reader(text.splitlines()) if r and r[0].strip() and not r[0].lstrip().startswith("#")
    ]
    kind: Kind = "travel"
    factor = 1.0
    if rows and len(rows[0]) >= 2 and not _NUMBER.match(rows[0][0]):
        unit = rows[0][1].strip().lower().removeprefix("value_")
        units = _units_of(control)
        if unit in units:
            kind, factor = "physical", units[unit]
        elif unit not in ("travel", "value", control.name):
            accepted = ", ".join(["travel", *units])
            raise NeurorackError(
                f"The curve {path} names the unit {unit!r}: {control.name} takes {accepted}."
            )
        rows = rows[1:]
    if not rows:
        raise NeurorackError(f"The curve {path} has no rows: write lines of time_s,value.")
    try:
        pairs = np.array([[float(r[0]), float(r[1])] for r in rows])
    except (ValueError, IndexError) as error:
        raise NeurorackError(
            f"The curve {path} has a row that is not time_s,value: two numbers a line."
        ) from error
    try:
        return Curve(pairs[:, 0], pairs[:, 1] * factor, kind)
    except NeurorackError as error:
        raise NeurorackError(f"{path}: {error}") from error


def split_assignment(text: str, option: str) -> tuple[str, str]:
    """ "brightness=0.8" -> ("brightness", "0.8")."""
    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise NeurorackError(f"{option} {text!r} is not of the form NAME=VALUE.")
    return name.strip().lower(), value.strip()


def present(
    names: Mapping[str, object] | list[str], available: tuple[str, ...]
) -> tuple[list[str], list[str]]:
    """Split `names` into those the instrument has and messages about known ones it lacks.

    Raises NeurorackError for a name that no instrument knows.
    """
    kept, notes = [], []
    for name in names:
        if name in available:
            kept.append(name)
        elif name in KNOWN:
            notes.append(f"{name} is ignored: this instrument has {', '.join(available)}.")
        else:
            raise NeurorackError(
                f"There is no descriptor {name!r}: this instrument has {', '.join(available)}."
            )
    return kept, notes
