"""Scala files: a scale (.scl) and a keyboard mapping (.kbm), read as their format says.

A scale is degrees above an implicit 1/1; its last one is the formal octave. A mapping says which key plays
which degree, and which key has which frequency.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from neurorack.core.errors import NeurorackError

MAX_BYTES = 256 * 1024
MAX_DEGREES = 1024
MAX_CENTS = 24_000.0
"""Twenty octaves: further than anybody hears."""
MAX_TERM = 2**53
A4_HZ, A4_KEY = 440.0, 69
MIDDLE_KEY = 60
MIDDLE_HZ = A4_HZ * 2.0 ** ((MIDDLE_KEY - A4_KEY) / 12.0)
_CENTS = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+)")
_RATIO = re.compile(r"([+-]?\d{1,32})\s*(?:/\s*([+-]?\d{1,32}))?")


@dataclass(frozen=True)
class Scale:
    """`cents` of degrees 1, 2 … n above degree 0; the last is the interval at which the scale repeats."""

    description: str
    cents: tuple[float, ...]

    def degree_cents(self, degree: int) -> float:
        """Cents of any degree, also below 0 and beyond the formal octave. A scale of none: always 0."""
        if not self.cents:
            return 0.0
        octave, step = divmod(degree, len(self.cents))
        return octave * self.cents[-1] + (self.cents[step - 1] if step else 0.0)


@dataclass(frozen=True)
class Mapping:
    """A keyboard mapping. `degrees[i]` is the degree that key middle + i plays (None: it plays none).

    Without `degrees` the mapping is linear: each key the next degree. `repeat` is the degree by which the
    pattern moves on when it repeats; 0 stands for the scale's formal octave.
    """

    first: int = 0
    last: int = 127
    middle: int = MIDDLE_KEY
    reference: int = MIDDLE_KEY
    reference_hz: float = MIDDLE_HZ
    repeat: int = 0
    degrees: tuple[int | None, ...] = ()


def parse_scl(text: str) -> Scale:
    """The scale in the text of a .scl file. NeurorackError says in which line what is wrong."""
    lines = _lines(text, "scale")
    _, description = next(lines, (0, None))
    if description is None:
        raise NeurorackError("The scale file is empty: its first line must be a description.")
    number, line = next(lines, (0, None))
    found = re.match(r"\s*(\d{1,6})(?=\s|!|$)", line or "")
    if found is None:
        raise NeurorackError(
            "The scale file does not say how many notes it has in its second line; add that."
        )
    count = int(found[1])
    if count > MAX_DEGREES:
        raise NeurorackError(f"The scale has {count} notes; at most {MAX_DEGREES} can be read.")
    cents: list[float] = []
    for _ in range(count):
        number, line = next(lines, (0, None))
        if line is None:
            raise NeurorackError(
                f"The scale says {count} notes but has {len(cents)}; correct its second line."
            )
        cents.append(_pitch(line, number))
    return Scale(description.strip(), tuple(cents))


def parse_kbm(text: str) -> Mapping:
    """The mapping in the text of a .kbm file. NeurorackError says in which line what is wrong."""
    lines = _lines(text, "mapping")
    size = _integer(lines, "the size of the map", 0, MAX_DEGREES)
    first = _integer(lines, "the first key", 0, 127)
    last = _integer(lines, "the last key", 0, 127)
    middle = _integer(lines, "the middle key", 0, 127)
    reference = _integer(lines, "the reference key", 0, 127)
    number, line = next(lines, (0, ""))
    found = re.match(r"\s*([+-]?(?:\d+\.?\d*|\.\d+))(?=\s|!|$)", line)
    if found is None or not 1.0 <= float(found[1]) <= 20_000.0:
        raise NeurorackError(
            f"Line {number} of the mapping must be the reference's frequency, 1 to 20000 Hz; correct it."
        )
    repeat = _integer(lines, "the degree of the formal octave", 0, MAX_DEGREES)
    degrees: list[int | None] = []
    for number, line in lines:
        if len(degrees) == size:
            break
        found_degree = re.match(r"\s*(x|-?\d{1,6})(?=\s|!|$)", line, re.IGNORECASE)
        if found_degree is None:
            raise NeurorackError(f"Line {number} of the mapping is neither a degree nor x; correct it.")
        degrees.append(None if found_degree[1] in "xX" else int(found_degree[1]))
    degrees += [None] * (size - len(degrees))  # the format lets trailing ones be left out
    return Mapping(first, last, middle, reference, float(found[1]), repeat, tuple(degrees))


def _lines(text: str, what: str) -> Iterator[tuple[int, str]]:
    """Numbered lines that are no comments."""
    if len(text) > MAX_BYTES:
        raise NeurorackError(f"The {what} file is larger than {MAX_BYTES // 1024} kB: it is no Scala file.")
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.startswith("!"):
            yield number, line


def _pitch(line: str, number: int) -> float:
    """Cents of a line: with a period cents, otherwise a ratio; what follows the value is ignored."""
    text = line.strip()
    value = _CENTS.match(text)
    if value is not None:
        cents = float(value[0])
    else:
        ratio = _RATIO.match(text)
        if ratio is None:
            raise NeurorackError(f"Line {number} of the scale is neither cents (100.0) nor a ratio (3/2).")
        above, below = int(ratio[1]), int(ratio[2] or 1)
        if not (0 < above <= MAX_TERM and 0 < below <= MAX_TERM):
            raise NeurorackError(f"Line {number} of the scale: a ratio's terms must be 1 to {MAX_TERM}.")
        cents = 1200.0 * (math.log2(above) - math.log2(below))
    if not abs(cents) <= MAX_CENTS:
        raise NeurorackError(f"Line {number} of the scale is more than {MAX_CENTS:g} cents away from 1/1.")
    return cents


def _integer(lines: Iterator[tuple[int, str]], what: str, low: int, high: int) -> int:
    number, line = next(lines, (0, ""))
    found = re.match(r"\s*(-?\d{1,6})(?=\s|!|$)", line)
    if found is None or not low <= int(found[1]) <= high:
        where = f"Line {number} of the mapping" if number else "The mapping ends too early: its next line"
        raise NeurorackError(f"{where} must be {what}, {low} to {high}; correct it.")
    return int(found[1])
