"""The OSC namespace as OSCQuery describes it: one JSON tree in which every address can be found."""

from typing import Any

from neurorack.play.control.hands import Hub
from neurorack.play.control.osc.addresses import ROOT, Address, addresses
from neurorack.play.engine.params import PARAM_BY_NAME

READ, WRITE, BOTH = 1, 2, 3
EXTENSIONS = {"ACCESS": True, "VALUE": True, "RANGE": True, "DESCRIPTION": True}
ASKING = {
    "/ping": ("", "Answered by /neurorack/pong with all addresses."),
    "/state": ("", "Answered by the value of every address that has one."),
    "/subscribe": ("i", "Measurements and changes are sent to this port (none: the sender's own)."),
    "/unsubscribe": ("i", "Ends that."),
}
"""Addresses that the server itself answers: types and description."""
TOLD = {
    "/level_db": ("f", "Level of the output, dB re full scale."),
    "/f0_hz": ("f", "Pitch that sounds, Hz; 0: none."),
    "/voices": ("i", "Voices that sound."),
    "/beat": ("f", "Beats since the clock started."),
    "/tempo_bpm": ("f", "Tempo of the clock."),
    "/position": ("f", "Place in the clip, 0..1."),
}
"""Measurements with an address of their own; each is the field of that name in the telemetry."""


def host_info(port: int) -> dict[str, Any]:
    """OSCQuery's HOST_INFO; `port`: where OSC is listened to by UDP."""
    return {"NAME": "Neurorack", "OSC_PORT": port, "OSC_TRANSPORT": "UDP", "EXTENSIONS": EXTENSIONS}


def namespace(hub: Hub) -> dict[str, Any]:
    """The whole tree from "/" on, with the present values."""
    root = _container("/")
    values = values_of(hub)
    controls = hub.instrument()["controls"]
    for address in addresses(controls).values():
        node = _node(address)
        if address.path in values:
            node |= {"ACCESS": BOTH, "VALUE": [values[address.path]]}
        _hang(root, ROOT + address.path, node)
    for path, (types, about) in ASKING.items():
        _hang(root, ROOT + path, {"TYPE": types, "ACCESS": WRITE, "DESCRIPTION": about})
    for path, (types, about) in TOLD.items():
        _hang(root, ROOT + path, {"TYPE": types, "ACCESS": READ, "DESCRIPTION": about})
    for control in controls:
        for kind in ("measured", "asked"):
            about = (
                f"{control['label']} as {'heard' if kind == 'measured' else 'asked'}: -1..1, and in its unit."
            )
            node = {"TYPE": "ff", "ACCESS": READ, "DESCRIPTION": about}
            _hang(root, f"{ROOT}/{kind}/{control['name']}", node)
        about = f"{control['label']} as the prior would play it: -1..1."
        _hang(root, f"{ROOT}/proposed/{control['name']}", {"TYPE": "f", "ACCESS": READ, "DESCRIPTION": about})
    return root


def values_of(hub: Hub) -> dict[str, Any]:
    """Path (after ROOT) -> present value, of every address that has one."""
    state = hub.state()
    values: dict[str, Any] = {}
    for name, value in state["numbers"].items():
        values[f"/param/{name}"] = float(value)
        values[f"/param/{name}/travel"] = PARAM_BY_NAME[name].to_travel(value)
    for kind, default in (("asked", None), ("origin", "source"), ("offset", 0.0), ("scale", 1.0)):
        given = state.get(kind, {})
        for control in hub.instrument()["controls"]:
            value = given.get(control["name"], default)
            if value is not None:
                values[f"/control/{control['name']}" + ("" if kind == "asked" else f"/{kind}")] = value
    for name in ("source", "anchor", "clip", "other", "tuning"):
        if state.get(name) is not None:
            values[f"/{name}"] = state[name]
    for name, key in (("gate", "gate"), ("latch", "latched"), ("transport", "transport")):
        values[f"/{name}"] = int(bool(state.get(key)))
    values["/instrument"] = hub.instrument()["name"]
    return values


def _node(address: Address) -> dict[str, Any]:
    node: dict[str, Any] = {
        "TYPE": address.types.replace("|", "").replace("*", ""),
        "ACCESS": WRITE,
        "DESCRIPTION": address.about,
    }
    limits: dict[str, Any] = {}
    if address.low is not None:
        limits["MIN"] = address.low
    if address.high is not None:
        limits["MAX"] = address.high
    if address.choices:
        limits["VALS"] = list(range(len(address.choices))) if "f" in address.types else list(address.choices)
    if limits:
        node["RANGE"] = [limits]
    if address.choices and "f" in address.types:
        node["DESCRIPTION"] += f" Choices: {', '.join(address.choices)}."
    return node


def _container(path: str) -> dict[str, Any]:
    return {"FULL_PATH": path, "ACCESS": 0, "CONTENTS": {}}


def _hang(root: dict[str, Any], path: str, node: dict[str, Any]) -> None:
    """Put a node at its place; one that has children already keeps them."""
    parent, steps = root, path.strip("/").split("/")
    for depth, step in enumerate(steps):
        contents = parent.setdefault("CONTENTS", {})
        if depth == len(steps) - 1:
            contents[step] = {"FULL_PATH": path, **contents.get(step, {}), **node}
        else:
            parent = contents.setdefault(step, _container("/" + "/".join(steps[: depth + 1])))
