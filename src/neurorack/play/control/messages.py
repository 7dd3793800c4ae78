"""What a panel may say, strictly checked: text in, a small frozen dataclass out, or BadMessage.

Numbers are finite and in range, names are short, unknown types and unknown keys are refused, and nothing here
knows or touches the sound. The same messages will serve OSC and MIDI learn.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from neurorack.core.normaliser import OVERSHOOT
from neurorack.play.engine.frame import ENGINE_SPECS, Source

MAX_BYTES = 2048
MAX_NAME = 64
SPECS = {spec.name: spec for spec in ENGINE_SPECS}
SOURCES = {source.name.lower(): source for source in Source}


class BadMessage(ValueError):
    """The message is refused; the text says why."""


@dataclass(frozen=True)
class SetControl:
    """Hold a descriptor control at `value`, normalised."""

    name: str
    value: float


@dataclass(frozen=True)
class ReleaseControl:
    """Let a descriptor control follow the source again."""

    name: str


@dataclass(frozen=True)
class SetNumber:
    """Set one of the engine's numbers (ENGINE_SPECS), in its unit."""

    name: str
    value: float


@dataclass(frozen=True)
class Gate:
    """A hand on the gate: sounds while on. Takes over from a latched Play."""

    on: bool


@dataclass(frozen=True)
class Latch:
    """Play and stop: sounds until told otherwise."""

    on: bool


@dataclass(frozen=True)
class Note:
    """A key, as MIDI numbers it."""

    on: bool
    midi: int
    velocity: float = 1.0


@dataclass(frozen=True)
class SetSource:
    """Where the sound's identity comes from: hold, wander, clip, live."""

    value: str


@dataclass(frozen=True)
class SetAnchor:
    """Which tone is held."""

    index: int


@dataclass(frozen=True)
class SetClip:
    """Which latent clip plays."""

    index: int


@dataclass(frozen=True)
class SetInstrument:
    """Play another instrument."""

    name: str


@dataclass(frozen=True)
class Reseed:
    """Another random path."""


@dataclass(frozen=True)
class Panic:
    """Silence now; every stream starts afresh."""


@dataclass(frozen=True)
class Ping:
    """Asks for a pong with the same time in it."""

    time: float


Message = (
    SetControl
    | ReleaseControl
    | SetNumber
    | Gate
    | Latch
    | Note
    | SetSource
    | SetAnchor
    | SetClip
    | SetInstrument
    | Reseed
    | Panic
    | Ping
)

TYPES: dict[str, type] = {
    "control": SetControl,
    "release": ReleaseControl,
    "set": SetNumber,
    "gate": Gate,
    "latch": Latch,
    "note": Note,
    "source": SetSource,
    "anchor": SetAnchor,
    "clip": SetClip,
    "instrument": SetInstrument,
    "reseed": Reseed,
    "panic": Panic,
    "ping": Ping,
}


def parse(text: str) -> Message:
    """The message that `text` (JSON: an object with "type" and the fields above) says; else BadMessage."""
    if len(text) > MAX_BYTES:
        raise BadMessage(f"longer than {MAX_BYTES} characters")
    try:
        data = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BadMessage("not JSON") from error
    if not isinstance(data, dict):
        raise BadMessage("not an object")
    kind = data.pop("type", None)
    if not isinstance(kind, str) or kind not in TYPES:
        raise BadMessage("unknown type")
    known = {f.name: f for f in fields(TYPES[kind])}
    if not data.keys() <= known.keys():
        raise BadMessage("unknown key")
    try:
        message = TYPES[kind](**{name: _CHECKS[known[name].type](value) for name, value in data.items()})
    except TypeError as error:
        raise BadMessage("a key is missing") from error
    return _in_range(message)


def _in_range(message: Any) -> Message:
    if isinstance(message, SetControl):
        return SetControl(message.name, min(max(message.value, -OVERSHOOT), OVERSHOOT))
    if isinstance(message, SetNumber):
        if message.name not in SPECS:
            raise BadMessage("unknown number")
        return SetNumber(message.name, SPECS[message.name].clamp(message.value))
    if isinstance(message, Note) and not (0 <= message.midi <= 127 and 0.0 <= message.velocity <= 1.0):
        raise BadMessage("note out of range")
    if isinstance(message, SetSource) and message.value not in SOURCES:
        raise BadMessage("unknown source")
    if isinstance(message, SetAnchor | SetClip) and not 0 <= message.index < 2**20:
        raise BadMessage("index out of range")
    return message


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
    if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME:
        raise BadMessage("not a short name")
    return value


_CHECKS: dict[Any, Callable[[Any], Any]] = {float: _number, int: _integer, bool: _boolean, str: _name}
