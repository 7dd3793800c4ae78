"""Patch: everything a preset stores, by names, so that it outlives reordered tables and other instruments.

A patch is immutable; `with_message` gives the patch after one gesture. What the hands are doing at this very
moment (keys, gates) is not part of it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neurorack.core.manifest import Manifest
from neurorack.core.normaliser import OVERSHOOT
from neurorack.core.strict_json import Field
from neurorack.play.control import messages as m
from neurorack.play.engine.frame import MAX_CONTROLS, MAX_PATH, ControlFrame
from neurorack.play.engine.params import (
    CONTROL_TARGET,
    MOD_INDEX,
    MOD_SOURCES,
    PARAM_BY_NAME,
    PARAM_INDEX,
    PARAMS,
    ROUTE_CURVES,
    ROUTES,
)

DEFAULTS = {spec.name: spec.default for spec in PARAMS}
OFFSET_RANGE, SCALE_RANGE = 2.0, 4.0
MOST_CONTROLS = 256
"""Most controls a patch may name (of several instruments)."""


@dataclass(frozen=True)
class Patch:
    """What is set. Dicts are replaced, never changed.

    asked: held controls, normalised; one that is not here follows its origin. origin, offset, scale: as in
    ControlFrame, only what differs from source, 0 and 1. numbers: every one of PARAMS. clip, other,
    morph_clip: ids of clips ("": none). routes: by slot.
    """

    source: str = "hold"
    anchor: int = 0
    clip: str = ""
    other: str = ""
    morph_anchor: int = 1
    morph_clip: str = ""
    asked: dict[str, float] = field(default_factory=dict)
    origin: dict[str, str] = field(default_factory=dict)
    offset: dict[str, float] = field(default_factory=dict)
    scale: dict[str, float] = field(default_factory=dict)
    numbers: dict[str, float] = field(default_factory=lambda: dict(DEFAULTS))
    routes: dict[int, m.Route] = field(default_factory=dict)
    path: tuple[float, ...] = ()
    seed: int = 0
    tuning: str = ""

    def with_message(self, message: m.Message) -> "Patch":
        """The patch after `message`; the same patch when it changes nothing here."""
        match message:
            case m.SetControl(name, value):
                return replace(self, asked=_with(self.asked, name, value))
            case m.ReleaseControl(name):
                return replace(self, asked=_without(self.asked, name))
            case m.SetOrigin(name, value):
                neutral = value == "source"
                origin = _without(self.origin, name) if neutral else _with(self.origin, name, value)
                return replace(self, origin=origin)
            case m.SetOffset(name, value):
                offset = _with(self.offset, name, value) if value else _without(self.offset, name)
                return replace(self, offset=offset)
            case m.SetScale(name, value):
                scale = _without(self.scale, name) if value == 1.0 else _with(self.scale, name, value)
                return replace(self, scale=scale)
            case m.SetNumber(name, value):
                return replace(self, numbers=self.numbers | {name: value})
            case m.SetSource(value):
                return replace(self, source=value)
            case m.SetAnchor(index):
                return replace(self, anchor=index)
            case m.SetClip(clip):
                return replace(self, clip=clip)
            case m.SetOther(clip):
                return replace(self, other=clip)
            case m.MorphTo(anchor, clip):
                return replace(self, morph_anchor=anchor, morph_clip=clip)
            case m.SetPath(points):
                return replace(self, path=points)
            case m.Route(slot):
                return replace(self, routes=self.routes | {slot: message})
            case m.Unroute(slot):
                return replace(self, routes={k: r for k, r in self.routes.items() if k != slot})
            case m.SetTuning(name):
                return replace(self, tuning=name)
            case m.Reseed():
                return replace(self, seed=(self.seed + 1) % 2**31)
        return self

    def frame(self, manifest: Manifest, place_of: Callable[[str], int]) -> ControlFrame:
        """The frame that says this to the engine, with closed gate. Controls that the instrument lacks are
        left out; `place_of` gives a clip's place in the engine's clips from its id, -1 if it is not there.
        """
        rows = {control.name: i for i, control in enumerate(manifest.controls[:MAX_CONTROLS])}
        frame = ControlFrame(
            source=int(m.SOURCES[self.source]),
            anchor=self.anchor,
            clip=max(0, place_of(self.clip)),
            other_clip=max(0, place_of(self.other)),
            morph_anchor=self.morph_anchor,
            morph_clip=place_of(self.morph_clip) if self.morph_clip else -1,
            seed=self.seed,
            path_points=len(self.path) // 2,
            **self.numbers,  # type: ignore[arg-type]
        )
        for name, row in rows.items():
            if name in self.asked:
                frame.asked[row], frame.held[row] = self.asked[name], True
            frame.origin[row] = int(m.ORIGINS[self.origin.get(name, "source")])
            frame.offset[row] = self.offset.get(name, 0.0)
            frame.scale[row] = self.scale.get(name, 1.0)
        for slot, route in self.routes.items():
            target = PARAM_INDEX.get(route.target)
            if target is None:
                if route.target not in rows:
                    continue
                target = CONTROL_TARGET + rows[route.target]
            frame.route_source[slot], frame.route_target[slot] = MOD_INDEX[route.source], target
            frame.route_amount[slot], frame.route_offset[slot] = route.amount, route.offset
            frame.route_curve[slot] = ROUTE_CURVES.index(route.curve)
            frame.route_slew_s[slot] = route.slew_s
        frame.path[: len(self.path)] = np.asarray(self.path, np.float32)
        return frame

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON, as a panel sees them and a preset stores them."""
        return {
            "source": self.source,
            "anchor": self.anchor,
            "clip": self.clip,
            "other": self.other,
            "morph_to": {"anchor": self.morph_anchor, "id": self.morph_clip},
            "asked": self.asked,
            "origin": self.origin,
            "offset": self.offset,
            "scale": self.scale,
            "numbers": self.numbers,
            "routes": [vars(self.routes[slot]) for slot in sorted(self.routes)],
            "path": list(self.path),
            "seed": self.seed,
            "tuning": self.tuning,
        }

    @classmethod
    def from_field(cls, root: Field) -> "Patch":
        """The patch a preset holds. What is missing stands at its default; parameters this version does not
        know are left out. Raises NeurorackError that names the first field that is wrong.
        """
        members = dict(root.members())

        def table(name: str, read: Callable[[Field], Any]) -> dict[str, Any]:
            if name not in members:
                return {}
            items = dict(members[name].members())
            if len(items) > MOST_CONTROLS:
                members[name].fail(f"at most {MOST_CONTROLS} entries")
            return {_name(key, members[name]): read(item) for key, item in items.items()}

        def text(name: str) -> str:
            return _short(members[name]) if name in members else ""

        def whole(name: str, default: int, high: int) -> int:
            return members[name].integer(0, high) if name in members else default

        numbers = table("numbers", Field.number)
        routes = [_route(item) for item in members["routes"].items(0, ROUTES)] if "routes" in members else []
        path = (
            [p.number(0.0, 1.0) for p in members["path"].items(0, 2 * MAX_PATH)] if "path" in members else []
        )
        if len(path) % 2:
            members["path"].fail("pairs of numbers")
        morph = members.get("morph_to", Field({}))
        return cls(
            source=_one_of(members["source"], m.SOURCES) if "source" in members else "hold",
            anchor=whole("anchor", 0, 2**20),
            clip=text("clip"),
            other=text("other"),
            morph_anchor=morph.get("anchor").integer(0, 2**20) if morph.has("anchor") else 1,
            morph_clip=_short(morph.get("id")) if morph.has("id") else "",
            asked=table("asked", lambda item: item.number(-OVERSHOOT, OVERSHOOT)),
            origin=table("origin", lambda item: _one_of(item, m.ORIGINS)),
            offset=table("offset", lambda item: item.number(-OFFSET_RANGE, OFFSET_RANGE)),
            scale=table("scale", lambda item: item.number(-SCALE_RANGE, SCALE_RANGE)),
            numbers=DEFAULTS
            | {name: PARAM_BY_NAME[name].clamp(x) for name, x in numbers.items() if name in PARAM_BY_NAME},
            routes={route.slot: route for route in routes},
            path=tuple(path),
            seed=whole("seed", 0, 2**31 - 1),
            tuning=text("tuning"),
        )


def _with(table: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    return table | {name: value}


def _without(table: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != name}


def _short(item: Field) -> str:
    text = item.text(0, m.MAX_NAME)
    if not text.isprintable():
        item.fail("printable text")
    return text


def _name(key: str, table: Field) -> str:
    if not 0 < len(key) <= m.MAX_NAME or not key.isprintable():
        table.fail("an object with short names")
    return key


def _one_of(item: Field, choices: Any) -> str:
    if not isinstance(item.value, str) or item.value not in choices:
        item.fail(f"one of {', '.join(choices)}")
    return item.value


def _route(item: Field) -> m.Route:
    return m.Route(
        slot=item.get("slot").integer(0, ROUTES - 1),
        source=_one_of(item.get("source"), MOD_SOURCES),
        target=_short(item.get("target")),
        amount=item.get("amount").number(-1.0, 1.0),
        offset=item.get("offset").number(-1.0, 1.0) if item.has("offset") else 0.0,
        curve=_one_of(item.get("curve"), ROUTE_CURVES) if item.has("curve") else "linear",
        slew_s=item.get("slew_s").number(0.0, 10.0) if item.has("slew_s") else 0.0,
    )
