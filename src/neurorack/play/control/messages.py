"""What a hand may say, strictly checked: JSON text in, a small frozen dataclass out, or BadMessage.

Panel, OSC, MIDI and presets all speak these messages. Numbers are finite and in range, names are short,
unknown types and unknown keys are refused, and nothing here knows or touches the sound.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any

from neurorack.core.normaliser import OVERSHOOT
from neurorack.play.engine.frame import MAX_PATH, Origin, Source
from neurorack.play.engine.params import (
    EXTERNALS,
    MOD_SOURCES,
    PARAM_BY_NAME,
    ROUTE_CURVES,
    ROUTES,
)

MAX_BYTES = 2048
MAX_NAME = 64
SPECS = PARAM_BY_NAME
SOURCES = {source.name.lower(): source for source in Source}
ORIGINS = {origin.name.lower(): origin for origin in Origin}
DISTANCES = ("near", "far")


class BadMessage(ValueError):
    """The message is refused; the text says why."""


@dataclass(frozen=True)
class SetControl:
    """Hold a descriptor control at `value`, normalised."""

    name: str
    value: float


@dataclass(frozen=True)
class ReleaseControl:
    """Let a descriptor control follow its origin again."""

    name: str


@dataclass(frozen=True)
class SetOrigin:
    """Where a control comes from while no hand holds it: source, other, live."""

    name: str
    value: str


@dataclass(frozen=True)
class SetOffset:
    """Added to the origin's normalised value, -2..2."""

    name: str
    value: float


@dataclass(frozen=True)
class SetScale:
    """The origin's normalised value times this, -4..4."""

    name: str
    value: float


@dataclass(frozen=True)
class SetNumber:
    """Set one of PARAMS, in its unit (a switch: an index)."""

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
class Bend:
    """Pitch bend in semitones: of one key, or (midi -1) of all."""

    semitones: float
    midi: int = -1


@dataclass(frozen=True)
class Pressure:
    """Aftertouch 0..1: of one key, or (midi -1) of all."""

    value: float
    midi: int = -1


@dataclass(frozen=True)
class Timbre:
    """MPE's third axis 0..1: of one key, or (midi -1) of all."""

    value: float
    midi: int = -1


@dataclass(frozen=True)
class External:
    """Move an outside modulation source: wheel, pedal, x, y, cv1 …"""

    name: str
    value: float


@dataclass(frozen=True)
class SetSource:
    """Where the sound's identity comes from: hold, wander, clip, live, map."""

    value: str


@dataclass(frozen=True)
class SetAnchor:
    """Which tone is held."""

    index: int


@dataclass(frozen=True)
class SetClip:
    """Which latent clip plays: its id."""

    id: str


@dataclass(frozen=True)
class SetOther:
    """Which clip gives the controls whose origin is "other": its id."""

    id: str


@dataclass(frozen=True)
class MorphTo:
    """The second tone: an anchor, or a clip by its id."""

    anchor: int = 0
    id: str = ""


@dataclass(frozen=True)
class SetPath:
    """The path on the map: x0, y0, x1, y1 …, each 0..1; none clears it."""

    points: tuple[float, ...]


@dataclass(frozen=True)
class Route:
    """Fill a slot of the modulation matrix. `target`: a parameter's or a control's name."""

    slot: int
    source: str
    target: str
    amount: float
    offset: float = 0.0
    curve: str = "linear"
    slew_s: float = 0.0


@dataclass(frozen=True)
class Unroute:
    """Empty a slot of the modulation matrix."""

    slot: int


@dataclass(frozen=True)
class Transport:
    """Start the clock from its first beat, or stop it."""

    on: bool


@dataclass(frozen=True)
class Tap:
    """One tap of the tempo."""


@dataclass(frozen=True)
class Keep:
    """Make a clip of what was played during the last seconds (0: since the last silence)."""

    seconds: float = 0.0


@dataclass(frozen=True)
class RenameClip:
    """Call one of the player's own clips another name."""

    id: str
    name: str


@dataclass(frozen=True)
class DeleteClip:
    """Delete one of the player's own clips."""

    id: str


@dataclass(frozen=True)
class PresetSave:
    """Save everything that is set under a name."""

    name: str


@dataclass(frozen=True)
class PresetLoad:
    """Recall a preset; over `seconds`, everything continuous glides there."""

    name: str
    seconds: float = 0.0


@dataclass(frozen=True)
class PresetDelete:
    """Delete one of the player's own presets."""

    name: str


@dataclass(frozen=True)
class PresetMorph:
    """Everything continuous between two presets, 0 = a, 1 = b; switches change halfway."""

    a: str
    b: str
    position: float


@dataclass(frozen=True)
class Randomise:
    """Another patch: near this one, or far."""

    distance: str


@dataclass(frozen=True)
class Undo:
    """Take the last change of the patch back."""


@dataclass(frozen=True)
class Redo:
    """Do again what was taken back."""


@dataclass(frozen=True)
class Record:
    """Record to disk: the sound and every gesture."""

    on: bool


@dataclass(frozen=True)
class Learn:
    """The next MIDI controller that moves is to move this parameter or control ("" cancels)."""

    target: str


@dataclass(frozen=True)
class Unlearn:
    """No MIDI controller moves this parameter or control any more."""

    target: str


@dataclass(frozen=True)
class SetTuning:
    """Tune the keys by a Scala file of the library; "" is equal temperament."""

    name: str


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
class Clock:
    """An outside clock: "pulse" (24 per beat), "start", "stop". MIDI says it; no text does."""

    kind: str


@dataclass(frozen=True)
class Ping:
    """Asks for a pong with the same time in it."""

    time: float


TYPES: dict[str, type] = {
    "control": SetControl,
    "release": ReleaseControl,
    "origin": SetOrigin,
    "offset": SetOffset,
    "scale": SetScale,
    "set": SetNumber,
    "gate": Gate,
    "latch": Latch,
    "note": Note,
    "bend": Bend,
    "pressure": Pressure,
    "timbre": Timbre,
    "external": External,
    "source": SetSource,
    "anchor": SetAnchor,
    "clip": SetClip,
    "other": SetOther,
    "morph_to": MorphTo,
    "path": SetPath,
    "route": Route,
    "unroute": Unroute,
    "transport": Transport,
    "tap": Tap,
    "keep": Keep,
    "clip_rename": RenameClip,
    "clip_delete": DeleteClip,
    "preset_save": PresetSave,
    "preset_load": PresetLoad,
    "preset_delete": PresetDelete,
    "preset_morph": PresetMorph,
    "randomise": Randomise,
    "undo": Undo,
    "redo": Redo,
    "record": Record,
    "learn": Learn,
    "unlearn": Unlearn,
    "tuning": SetTuning,
    "instrument": SetInstrument,
    "reseed": Reseed,
    "panic": Panic,
    "ping": Ping,
}

Message = Any
"""An instance of one of TYPES' classes."""


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
    """The message with its numbers within range; BadMessage where that makes no sense."""
    match message:
        case SetControl(name, value):
            return SetControl(name, min(max(value, -OVERSHOOT), OVERSHOOT))
        case SetOffset(name, value):
            return SetOffset(name, min(max(value, -2.0), 2.0))
        case SetScale(name, value):
            return SetScale(name, min(max(value, -4.0), 4.0))
        case SetNumber(name, value):
            _need(name in SPECS, "unknown number")
            return SetNumber(name, SPECS[name].clamp(value))
        case Note():
            _need(0 <= message.midi <= 127 and 0.0 <= message.velocity <= 1.0, "note out of range")
        case Bend():
            _need(-1 <= message.midi <= 127 and abs(message.semitones) <= 96.0, "bend out of range")
        case Pressure() | Timbre():
            _need(-1 <= message.midi <= 127 and 0.0 <= message.value <= 1.0, "out of range")
        case External(name, value):
            _need(name in EXTERNALS, "unknown source")
            return External(name, min(max(value, -1.0), 1.0))
        case SetSource(value):
            _need(value in SOURCES, "unknown source")
        case SetOrigin(_, value):
            _need(value in ORIGINS, "unknown origin")
        case SetAnchor(index):
            _need(0 <= index < 2**20, "index out of range")
        case MorphTo(anchor, _):
            _need(0 <= anchor < 2**20, "index out of range")
        case SetPath(points):
            _need(len(points) % 2 == 0 and len(points) <= 2 * MAX_PATH, "not a path")
            return SetPath(tuple(min(max(p, 0.0), 1.0) for p in points))
        case Route() | Unroute() if not 0 <= message.slot < ROUTES:
            raise BadMessage("slot out of range")
        case Route():
            _need(message.source in MOD_SOURCES and message.curve in ROUTE_CURVES, "unknown source or curve")
            _need(abs(message.amount) <= 1.0 and abs(message.offset) <= 1.0, "amount out of range")
            _need(0.0 <= message.slew_s <= 10.0, "slew out of range")
        case Keep(seconds):
            _need(0.0 <= seconds <= 60.0, "seconds out of range")
        case PresetLoad(_, seconds):
            _need(0.0 <= seconds <= 600.0, "seconds out of range")
        case PresetMorph():
            _need(0.0 <= message.position <= 1.0, "position out of range")
        case Randomise(distance):
            _need(distance in DISTANCES, "unknown distance")
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
    if not isinstance(value, str) or len(value) > MAX_NAME or not value.isprintable():
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
