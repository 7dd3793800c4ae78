"""Every OSC address: what it takes, what it says to the hub, and how it is described to those who ask.

An address' arguments become the same JSON that a panel sends, and pass the same check, so that OSC can do
nothing that a panel cannot.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from neurorack.play.control import messages as m
from neurorack.play.control.message_parser import BadMessage, parse
from neurorack.play.engine.params import EXTERNALS, MOD_SOURCES, PARAM_BY_NAME, ROUTE_CURVES, ROUTES

ROOT = "/neurorack"
Arguments = Sequence[Any]
Build = Callable[[Arguments], dict[str, Any]]


@dataclass(frozen=True)
class Address:
    """`path` after ROOT; `types` as OSC writes them, optional ones after a bar: "if|f".

    `build` makes the message's JSON of the arguments; `about` is one sentence; `low`, `high`, `choices`
    describe the first argument where that makes sense.
    """

    path: str
    types: str
    build: Build
    about: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def message(self, arguments: Arguments) -> m.Message:
        """The checked message; BadMessage where the arguments are wrong."""
        needed, _, more = self.types.partition("|")
        if not (self.types.endswith("*") or len(needed) <= len(arguments) <= len(needed) + len(more)):
            raise BadMessage("another number of arguments")
        try:
            text = json.dumps(self.build(arguments))
        except (TypeError, ValueError, OverflowError, IndexError) as error:
            raise BadMessage("arguments of another type") from error
        return parse(text)


def _whole(value: Any) -> Any:
    """A whole number that came as a float is one: many controllers send nothing but floats."""
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 2**31 else value


def _on(value: Any) -> Any:
    """True and false may come as numbers."""
    return value if isinstance(value, bool) else float(value) >= 0.5


def _fields(kind: str, *names: str, **how: Callable[[Any], Any]) -> Build:
    """A message whose fields are the arguments in order."""

    def build(arguments: Arguments) -> dict[str, Any]:
        given = zip(names, arguments, strict=False)
        return {"type": kind, **{name: how.get(name, _same)(value) for name, value in given}}

    return build


def _same(value: Any) -> Any:
    return value


def _note(arguments: Arguments) -> dict[str, Any]:
    velocity = float(arguments[1]) if len(arguments) > 1 else 1.0
    return {"type": "note", "on": velocity > 0.0, "midi": _whole(arguments[0]), "velocity": velocity}


def _tone(arguments: Arguments) -> dict[str, Any]:
    name = "id" if isinstance(arguments[0], str) else "anchor"
    return {"type": "morph_to", name: _whole(arguments[0])}


def _path(arguments: Arguments) -> dict[str, Any]:
    return {"type": "path", "points": [round(float(x), 6) for x in arguments]}


_FIXED = (
    Address("/note", "i|f", _note, "A key (60 is C4) and its velocity 0..1; 0 lets go.", 0, 127),
    Address("/gate", "i", _fields("gate", "on", on=_on), "The gate button: 1 sounds, 0 releases.", 0, 1),
    Address("/latch", "i", _fields("latch", "on", on=_on), "Play (1) and stop (0).", 0, 1),
    Address("/bend", "f|i", _fields("bend", "semitones", "midi", midi=_whole),
            "Semitones added to all keys, or to the one named.", -96, 96),
    Address("/pressure", "f|i", _fields("pressure", "value", "midi", midi=_whole),
            "Aftertouch of all keys, or of the one named.", 0, 1),
    Address("/timbre", "f|i", _fields("timbre", "value", "midi", midi=_whole),
            "Third axis of all keys, or of the one named.", 0, 1),
    Address("/source", "s", _fields("source", "value"), "Where the tone comes from.",
            choices=tuple(m.SOURCES)),
    Address("/anchor", "i", _fields("anchor", "index", index=_whole), "The tone that is held.", 0),
    Address("/clip", "s", _fields("clip", "id"), "The clip that plays, by its id."),
    Address("/clip/rename", "ss", _fields("clip_rename", "id", "name"), "Renames a clip of your own."),
    Address("/clip/delete", "s", _fields("clip_delete", "id"), "Deletes a clip of your own."),
    Address("/other", "s", _fields("other", "id"), "The clip that gives the controls of origin other."),
    Address("/morph_to", "i", _tone, "The second tone: an anchor's number, or a clip's id as a string."),
    Address("/path", "f*", _path, "The path on the map: x0 y0 x1 y1 … (32 points at most); none clears it.",
            0, 1),
    Address("/route", "issf|fsf", _fields("route", "slot", "source", "target", "amount", "offset", "curve",
            "slew_s", slot=_whole),
            f"Modulation: slot, source ({', '.join(MOD_SOURCES[1:])}), target, amount, offset, curve "
            f"({', '.join(ROUTE_CURVES)}), slew in s.", 0, ROUTES - 1),
    Address("/unroute", "i", _fields("unroute", "slot", slot=_whole), "Empties a slot.", 0, ROUTES - 1),
    Address("/transport", "i", _fields("transport", "on", on=_on), "Starts or stops the clock.", 0, 1),
    Address("/tap", "", _fields("tap"), "One tap of the tempo."),
    Address("/keep", "|f", _fields("keep", "seconds"),
            "Makes a clip of the last seconds (0: since the last silence).", 0, 60),
    Address("/preset/load", "s|f", _fields("preset_load", "name", "seconds"),
            "Recalls a preset, gliding there over the seconds given."),
    Address("/preset/save", "s", _fields("preset_save", "name"), "Saves what is set under a name."),
    Address("/preset/delete", "s", _fields("preset_delete", "name"), "Deletes a preset of your own."),
    Address("/preset/morph", "ssf", _fields("preset_morph", "a", "b", "position"),
            "Between two presets: 0 is the first, 1 the second."),
    Address("/randomise", "s", _fields("randomise", "distance"), "Another patch.", choices=m.DISTANCES),
    Address("/take_me_there", "", _fields("take_me_there"), "Glides to a part of the map not yet played."),
    Address("/undo", "", _fields("undo"), "Takes the last change back."),
    Address("/redo", "", _fields("redo"), "Does it again."),
    Address("/record", "i", _fields("record", "on", on=_on), "Starts or stops recording.", 0, 1),
    Address("/learn", "s", _fields("learn", "target"),
            "The next MIDI controller that moves is to move this parameter or control."),
    Address("/unlearn", "s", _fields("unlearn", "target"), "No MIDI controller moves it any more."),
    Address("/tuning", "s", _fields("tuning", "name"), "A tuning of the library; an empty name is equal."),
    Address("/instrument", "s", _fields("instrument", "name"), "Another instrument."),
    Address("/reseed", "", _fields("reseed"), "Another random path."),
    Address("/panic", "", _fields("panic"), "Silence now."),
)  # fmt: skip


def addresses(controls: Sequence[dict[str, Any]]) -> dict[str, Address]:
    """Path (after ROOT) -> Address, for an instrument with these controls (the hello's)."""
    table = {address.path: address for address in _FIXED}
    for name in PARAM_BY_NAME:
        for address in _param(name):
            table[address.path] = address
    for name in EXTERNALS:
        path = f"/external/{name}"
        table[path] = Address(path, "f", _named("external", name), f"The modulation source {name}.", -1, 1)
    for control in controls:
        for address in _control(control["name"], control["label"]):
            table[address.path] = address
    return table


def _named(kind: str, name: str, **how: Callable[[Any], Any]) -> Build:
    value = how.get("value", _same)
    return lambda arguments: {"type": kind, "name": name, "value": value(arguments[0])}


def _param(name: str) -> list[Address]:
    spec = PARAM_BY_NAME[name]

    def value(given: Any) -> Any:
        if isinstance(given, str):
            if given not in spec.choices:
                raise ValueError
            return spec.choices.index(given)
        return given

    def travel(given: Any) -> Any:
        if not isinstance(given, int | float) or given != given:
            raise ValueError
        return spec.from_travel(given)

    about = " ".join(
        part for part in (f"{spec.label}{f' in {spec.unit}' if spec.unit else ''}.", spec.about) if part
    )
    path = f"/param/{name}"
    return [
        Address(
            path, "f", _named("set", name, value=value), about, spec.low, spec.high, choices=spec.choices
        ),
        Address(
            f"{path}/travel", "f", _named("set", name, value=travel), f"{spec.label}, as a knob turns.", 0, 1
        ),
    ]


def _control(name: str, label: str) -> list[Address]:
    path = f"/control/{name}"
    return [
        Address(path, "f", _named("control", name), f"Holds {label}; -1..1 is the corpus' range.", -1, 1),
        Address(
            f"{path}/release", "", lambda _: {"type": "release", "name": name}, f"{label} follows its origin."
        ),
        Address(
            f"{path}/origin",
            "s",
            _named("origin", name),
            f"Where {label} comes from while it is not held.",
            choices=tuple(m.ORIGINS),
        ),
        Address(f"{path}/offset", "f", _named("offset", name), f"Added to {label}'s origin.", -2, 2),
        Address(f"{path}/scale", "f", _named("scale", name), f"Times {label}'s origin.", -4, 4),
    ]
