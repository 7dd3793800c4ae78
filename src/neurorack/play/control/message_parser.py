"""JSON text in, a checked message out, or BadMessage.

Numbers are finite and in range, names are short, unknown types and unknown keys are refused.
"""

import json
import math
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from neurorack.core.normaliser import OVERSHOOT
from neurorack.play.control import messages as m
from neurorack.play.engine.frame import MAX_PATH
from neurorack.play.engine.params import EXTERNALS, MOD_SOURCES, PARAM_BY_NAME, ROUTE_CURVES, ROUTES

MAX_BYTES = 2048


class BadMessage(ValueError):
    """The message is refused; the text says why."""


def parse(text: str) -> m.Message:
    """The message that `text` (JSON: an object of "type" and that message's fields) says; else BadMessage."""
    if len(text) > MAX_BYTES:
        raise BadMessage(f"longer than {MAX_BYTES} characters")
    try:
        data = _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise BadMessage("not JSON") from error
    if not isinstance(data, dict):
        raise BadMessage("not an object")
    kind = data.pop("type", None)
    if not isinstance(kind, str) or kind not in m.TYPES:
        raise BadMessage("unknown type")
    known = _KNOWN[kind]
    if not data.keys() <= known.keys():
        raise BadMessage("unknown key")
    try:
        message = m.TYPES[kind](**{name: known[name](value) for name, value in data.items()})
    except TypeError as error:
        raise BadMessage("a key is missing") from error
    return _in_range(message)


def _in_range(message: Any) -> m.Message:
    """The message with its numbers within range; BadMessage where that makes no sense."""
    match message:
        case m.SetControl(name, value):
            return m.SetControl(name, min(max(value, -OVERSHOOT), OVERSHOOT))
        case m.SetOffset(name, value):
            return m.SetOffset(name, min(max(value, -2.0), 2.0))
        case m.SetScale(name, value):
            return m.SetScale(name, min(max(value, -4.0), 4.0))
        case m.SetNumber(name, value):
            _need(name in PARAM_BY_NAME, "unknown number")
            return m.SetNumber(name, PARAM_BY_NAME[name].clamp(value))
        case m.Note():
            _need(0 <= message.midi <= 127 and 0.0 <= message.velocity <= 1.0, "note out of range")
        case m.Bend():
            _need(-1 <= message.midi <= 127 and abs(message.semitones) <= 96.0, "bend out of range")
        case m.Pressure() | m.Timbre():
            _need(-1 <= message.midi <= 127 and 0.0 <= message.value <= 1.0, "out of range")
        case m.External(name, value):
            _need(name in EXTERNALS, "unknown source")
            return m.External(name, min(max(value, -1.0), 1.0))
        case m.SetSource(value):
            _need(value in m.SOURCES, "unknown source")
        case m.SetOrigin(_, value):
            _need(value in m.ORIGINS, "unknown origin")
        case m.SetAnchor(index):
            _need(0 <= index < 2**20, "index out of range")
        case m.MorphTo(anchor, _):
            _need(0 <= anchor < 2**20, "index out of range")
        case m.SetPath(points):
            _need(len(points) % 2 == 0 and len(points) <= 2 * MAX_PATH, "not a path")
            return m.SetPath(tuple(min(max(p, 0.0), 1.0) for p in points))
        case m.Route() | m.Unroute() if not 0 <= message.slot < ROUTES:
            raise BadMessage("slot out of range")
        case m.Route():
            _need(message.source in MOD_SOURCES and message.curve in ROUTE_CURVES, "unknown source or curve")
            _need(abs(message.amount) <= 1.0 and abs(message.offset) <= 1.0, "amount out of range")
            _need(0.0 <= message.slew_s <= 10.0, "slew out of range")
        case m.Keep(seconds):
            _need(0.0 <= seconds <= 60.0, "seconds out of range")
        case m.Make(_, minutes):
            _need(m.LEAST_MINUTES <= minutes <= m.MOST_MINUTES, "minutes out of range")
        case m.PresetLoad(_, seconds):
            _need(0.0 <= seconds <= 600.0, "seconds out of range")
        case m.PresetMorph():
            _need(0.0 <= message.position <= 1.0, "position out of range")
        case m.Randomise(distance):
            _need(distance in m.DISTANCES, "unknown distance")
    return message


def _need(condition: bool, complaint: str) -> None:
    if not condition:
        raise BadMessage(complaint)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no number here")


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadMessage("not a number")
    try:
        value = float(value)
    except OverflowError as error:
        raise BadMessage("number too large") from error
    if not math.isfinite(value):
        raise BadMessage("not a finite number")
    return value


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadMessage("not a whole number")
    return value


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise BadMessage("not true or false")
    return value


def _name(value: Any) -> str:
    if not isinstance(value, str) or len(value) > m.MAX_NAME or not value.isprintable():
        raise BadMessage("not a short name")
    return value


def _numbers(value: Any) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) > 256:
        raise BadMessage("not a short list")
    return tuple(_number(item) for item in value)


_CHECKS: dict[Any, Callable[[Any], Any]] = {
    float: _number,
    int: _integer,
    bool: _boolean,
    str: _name,
    tuple[float, ...]: _numbers,
}

_KNOWN = {kind: {f.name: _CHECKS[f.type] for f in fields(of)} for kind, of in m.TYPES.items()}
"""How each key of each type is checked."""
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
"""Made once: making one takes as long as reading a message."""
