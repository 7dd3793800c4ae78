"""What a hand may say: small frozen dataclasses that panel, OSC, MIDI and presets all speak.

Nothing here knows or touches the sound. `message_parser` makes them of JSON, strictly checked.
"""

from dataclasses import dataclass
from typing import Any

from neurorack.play.engine.frame import Origin, Source

SOURCES = {source.name.lower(): source for source in Source}
ORIGINS = {origin.name.lower(): origin for origin in Origin}
DISTANCES = ("near", "far")
MAX_NAME = 64
"""Characters of a name."""

LEAST_MINUTES, MOST_MINUTES = 0.01, 10_080.0
"""Of training."""

Message = Any
"""An instance of one of TYPES' classes, or of Clock."""


# Shapes that several messages share.


@dataclass(frozen=True)
class _Plain:
    pass


@dataclass(frozen=True)
class _Switch:
    on: bool


@dataclass(frozen=True)
class _Named:
    name: str


@dataclass(frozen=True)
class _NamedValue:
    name: str
    value: float


@dataclass(frozen=True)
class _OfKey:
    value: float
    midi: int = -1


@dataclass(frozen=True)
class _OfClip:
    id: str


@dataclass(frozen=True)
class _Targeted:
    target: str


# The messages.


class SetControl(_NamedValue):
    """Hold a descriptor control at `value`, normalised."""


class ReleaseControl(_Named):
    """Let a descriptor control follow its origin again."""


@dataclass(frozen=True)
class SetOrigin:
    """Where a control comes from while no hand holds it: source, other, live, prior."""

    name: str
    value: str


class SetOffset(_NamedValue):
    """Added to the origin's normalised value, -2..2."""


class SetScale(_NamedValue):
    """The origin's normalised value times this, -4..4."""


class SetNumber(_NamedValue):
    """Set one of PARAMS, in its unit (a switch: an index)."""


class Gate(_Switch):
    """A hand on the gate: sounds while on. Takes over from a latched Play."""


class Latch(_Switch):
    """Play and stop: sounds until told otherwise."""


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


class Pressure(_OfKey):
    """Aftertouch 0..1: of one key, or (midi -1) of all."""


class Timbre(_OfKey):
    """MPE's third axis 0..1: of one key, or (midi -1) of all."""


class External(_NamedValue):
    """Move an outside modulation source: wheel, pedal, x, y, cv1 …"""


@dataclass(frozen=True)
class SetSource:
    """Where the sound's identity comes from: hold, wander, clip, live, map, prior."""

    value: str


@dataclass(frozen=True)
class SetAnchor:
    """Which tone is held."""

    index: int


class SetClip(_OfClip):
    """Which latent clip plays: its id."""


class SetOther(_OfClip):
    """Which clip gives the controls whose origin is "other": its id."""


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


class Transport(_Switch):
    """Start the clock from its first beat, or stop it."""


class Tap(_Plain):
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


class DeleteClip(_OfClip):
    """Delete one of the player's own clips."""


class PresetSave(_Named):
    """Save everything that is set under a name."""


@dataclass(frozen=True)
class PresetLoad:
    """Recall a preset; over `seconds`, everything continuous glides there."""

    name: str
    seconds: float = 0.0


class PresetDelete(_Named):
    """Delete one of the player's own presets."""


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


class TakeMeThere(_Plain):
    """Go to a region of the map that this player has not been in."""


class Undo(_Plain):
    """Take the last change of the patch back."""


class Redo(_Plain):
    """Do again what was taken back."""


class Record(_Switch):
    """Record to disk: the sound and every gesture."""


class Learn(_Targeted):
    """The next MIDI controller that moves is to move this parameter or control ("" cancels)."""


class Unlearn(_Targeted):
    """No MIDI controller moves this parameter or control any more."""


class SetTuning(_Named):
    """Tune the keys by a Scala file of the library; "" is equal temperament."""


class SetInstrument(_Named):
    """Play another instrument."""


@dataclass(frozen=True)
class MaterialTitle:
    """Call the instrument that is to be made of a set of sounds so."""

    set: str
    title: str


@dataclass(frozen=True)
class MaterialDelete:
    """Delete one of a set's sounds; "": the whole set, and what was left of making it."""

    set: str
    name: str = ""


@dataclass(frozen=True)
class Make:
    """Make an instrument of a set of sounds, or go on making it. `minutes`: to train."""

    set: str
    minutes: float


class MakeStop(_Plain):
    """Stop making; it can go on later."""


class Reseed(_Plain):
    """Another random path."""


class Panic(_Plain):
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
    "take_me_there": TakeMeThere,
    "undo": Undo,
    "redo": Redo,
    "record": Record,
    "learn": Learn,
    "unlearn": Unlearn,
    "tuning": SetTuning,
    "instrument": SetInstrument,
    "material_title": MaterialTitle,
    "material_delete": MaterialDelete,
    "make": Make,
    "make_stop": MakeStop,
    "reseed": Reseed,
    "panic": Panic,
    "ping": Ping,
}
"""Each message by the "type" that its JSON has."""

MOMENTARY = (Bend, Pressure, Timbre, External, Clock)
"""What is over once the sound was told of it: nothing that is set or shown changes."""
