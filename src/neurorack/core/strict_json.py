"""JSON from strangers: parsed without surprises, then read field by field; complaints name the path."""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from neurorack.core.errors import NeurorackError

MAX_BYTES = 8 * 2**20
MAX_DEPTH = 32
MAX_KEY = 200
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
"""Control characters (but for tab and new line) and lone surrogates: they could steer a terminal."""


def _refuse_constant(text: str) -> NoReturn:
    raise NeurorackError(f"it holds {text}, which is not JSON; write a finite number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    out = dict(pairs)
    if len(out) != len(pairs):
        raise NeurorackError("it names a field twice; keep one of them")
    return out


def parse(data: bytes) -> Any:
    """UTF-8 JSON -> Python values. Refuses NaN, infinities, repeated fields, broken text and deep nesting."""
    if len(data) > MAX_BYTES:
        raise NeurorackError(f"it is larger than {MAX_BYTES // 2**20} MB; shorten its lists")
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise NeurorackError(f"it is not valid JSON ({error}); write the file again") from error
    _check_tree(value, "", 0)
    return value


def _check_tree(value: Any, path: str, depth: int) -> None:
    """Refuse numbers beyond float64 (1e999 parses as infinity) and nesting that would exhaust a stack."""
    if depth > MAX_DEPTH:
        raise NeurorackError(f"{path}: nested deeper than {MAX_DEPTH} levels; flatten it")
    if isinstance(value, str) and _UNPRINTABLE.search(value):
        raise NeurorackError(f"{path}: must be printable text")
    if isinstance(value, float) and not math.isfinite(value):
        raise NeurorackError(f"{path}: must be a finite number")
    if isinstance(value, dict):
        for key, item in value.items():
            if not key.isprintable() or len(key) > MAX_KEY:
                raise NeurorackError(f"{path or 'the top level'}: has a field with an unusable name")
            _check_tree(item, f"{path}.{key}" if path else key, depth + 1)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _check_tree(item, f"{path}[{index}]", depth + 1)


@dataclass(frozen=True)
class Field:
    """A parsed value together with where it stands, e.g. `controls[2].low`."""

    value: Any
    path: str = ""

    def fail(self, expected: str) -> NoReturn:
        shown = repr(self.value)
        shown = shown if len(shown) <= 40 else shown[:37] + "..."
        raise NeurorackError(f"{self.path or 'the top level'} must be {expected}, not {shown}")

    def get(self, key: str) -> "Field":
        """The member `key` of an object; it must exist."""
        if not isinstance(self.value, dict):
            self.fail("an object")
        path = f"{self.path}.{key}" if self.path else key
        if key not in self.value:
            raise NeurorackError(f"{path} is missing")
        return Field(self.value[key], path)

    def has(self, key: str) -> bool:
        return isinstance(self.value, dict) and key in self.value

    def members(self) -> Iterator[tuple[str, "Field"]]:
        """Names and values of an object."""
        if not isinstance(self.value, dict):
            self.fail("an object")
        for key in self.value:
            yield key, self.get(key)

    def items(self, least: int = 0, most: int = 100_000) -> list["Field"]:
        """Elements of a list whose length lies in [least, most]."""
        if not isinstance(self.value, list):
            self.fail("a list")
        if not least <= len(self.value) <= most:
            size = f"{least}" if least == most else f"{least} to {most}"
            raise NeurorackError(f"{self.path} must have {size} elements, not {len(self.value)}")
        return [Field(item, f"{self.path}[{index}]") for index, item in enumerate(self.value)]

    def text(self, least: int = 0, most: int = 20_000) -> str:
        if not isinstance(self.value, str) or not least <= len(self.value) <= most:
            self.fail(f"text of {least} to {most} characters")
        return self.value

    def matching(self, pattern: str, what: str) -> str:
        """Text that matches the whole regular expression `pattern`."""
        if not isinstance(self.value, str) or not re.fullmatch(pattern, self.value):
            self.fail(what)
        return self.value

    def integer(self, low: int, high: int) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int) or not low <= self.value <= high:
            self.fail(f"a whole number from {low} to {high}")
        return self.value

    def number(self, low: float = -1e12, high: float = 1e12) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.fail("a number")
        if not low <= self.value <= high:
            self.fail(f"a number from {low:g} to {high:g}")
        return float(self.value)

    def boolean(self) -> bool:
        if not isinstance(self.value, bool):
            self.fail("true or false")
        return self.value

    def table(self) -> dict[str, Any]:
        """A free-form object."""
        if not isinstance(self.value, dict):
            self.fail("an object")
        return self.value
