"""Taking values out of JSON that may lack them: a display shows what there is and never fails."""

import math
from typing import Any


def number(value: Any, default: float = 0.0, low: float = -1e9, high: float = 1e9) -> float:
    """`value` within [low, high] if it is a finite number, else `default`."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return default
    try:
        value = float(value)
    except OverflowError:
        return default
    return min(max(value, low), high) if math.isfinite(value) else default


def text(value: Any) -> str:
    """`value` if it is a text (its first 200 characters), else ""."""
    return value[:200] if isinstance(value, str) else ""


def mapping(value: Any) -> dict[str, Any]:
    """`value` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> list[Any]:
    """`value` if it is a list, else an empty one."""
    return list(value) if isinstance(value, list | tuple) else []


def at(values: Any, index: int, default: float = 0.0) -> float:
    """The number at `index` of a list, else `default`."""
    values = items(values)
    return number(values[index], default) if 0 <= index < len(values) else default
