"""Another patch by chance: near is a neighbour of this one, far is anywhere the corpus has been.

Far draws the descriptors from the corpus' own support (so that results are as spread as the corpus) and its
tones from the instrument's anchors and clips; it leaves alone what a performer sets for a room or a keyboard
(level, tuning, tempo, voices) and never listens to the input, which may be silent.
"""

from dataclasses import replace

import numpy as np

from neurorack.core.manifest import Manifest
from neurorack.core.normaliser import OVERSHOOT
from neurorack.play.control import messages as m
from neurorack.play.engine.params import PARAM_BY_NAME
from neurorack.play.session.patch import Patch

NEAR_STEP = 0.07
"""Standard deviation of a near step, in knob travel (controls: twice that, their range is -1..1)."""
NEAR_SHARE = 0.4
"""Share of the numbers that a near step moves."""
NEIGHBOURS = 6
AUDIBLE_DB = -44.0
"""Least loudness a far patch asks for, dB re full scale: what is softer is lost in a room."""
MOVED = (
    "life", "morph", "glide_s", "attack_s", "release_s", "wander_rate_hz", "wander_depth", "clip_speed",
    "map_x", "map_y", "map_radius", "map_rate_hz", "lfo1_rate_hz", "lfo2_rate_hz", "lfo3_rate_hz",
    "rand1_rate_hz", "rand2_rate_hz", "env1_attack_s", "env1_decay_s", "env1_sustain",
)  # fmt: skip
SOURCES = (("hold", 0.35), ("wander", 0.25), ("map", 0.2), ("clip", 0.2))
MODULATORS = ("lfo1", "lfo2", "lfo4", "rand1", "rand2", "env1")


def audible(support: np.ndarray, manifest: Manifest) -> np.ndarray:
    """The rows of the corpus' support [M, C] that are loud enough to be asked for."""
    if not manifest.gained:
        return support
    row = manifest.control_index("loudness")
    least = float(manifest.controls[row].normaliser.to_control(np.array(AUDIBLE_DB)))
    loud = support[support[:, row] >= least]
    return loud if len(loud) else support


def near(patch: Patch, anchors: np.ndarray, rng: np.random.Generator) -> Patch:
    """A small step away from `patch`. anchors: [N, Z + C], the instrument's."""
    numbers = dict(patch.numbers)
    for name in MOVED:
        if rng.random() < NEAR_SHARE:
            spec = PARAM_BY_NAME[name]
            numbers[name] = spec.from_travel(spec.to_travel(numbers[name]) + rng.normal(0.0, NEAR_STEP))
    asked = {
        name: float(np.clip(value + rng.normal(0.0, 2.0 * NEAR_STEP), -OVERSHOOT, OVERSHOOT))
        for name, value in patch.asked.items()
    }
    routes = {
        slot: replace(route, amount=float(np.clip(route.amount + rng.normal(0.0, NEAR_STEP), -1.0, 1.0)))
        for slot, route in patch.routes.items()
    }
    return replace(
        patch,
        numbers=numbers,
        asked=asked,
        routes=routes,
        anchor=_neighbour(patch.anchor, anchors, rng),
        morph_anchor=_neighbour(patch.morph_anchor, anchors, rng),
        seed=int(rng.integers(2**31)),
    )


def far(
    patch: Patch,
    names: tuple[str, ...],
    anchors: np.ndarray,
    support: np.ndarray,
    clips: list[str],
    rng: np.random.Generator,
) -> Patch:
    """A patch from anywhere. names: the controls; support: [M, C], controls of the corpus that are `audible`;
    clips: ids.
    """
    kinds, shares = zip(*(s for s in SOURCES if clips or s[0] != "clip"), strict=True)
    source = str(rng.choice(kinds, p=np.array(shares) / sum(shares)))
    row = dict(zip(names, support[rng.integers(len(support))].tolist(), strict=True))
    # A held tone has no life of its own in its descriptors: hold all of them; else let some follow it.
    held = set(names) if source in ("hold", "map") else {n for n in names if rng.random() < 0.6}
    held |= {"loudness"} & set(names)
    numbers = dict(patch.numbers)
    for name in MOVED:
        spec = PARAM_BY_NAME[name]
        numbers[name] = spec.from_travel(float(rng.beta(1.6, 1.6)))
    numbers["morph"] = 0.0 if rng.random() < 0.5 else float(rng.random())
    numbers["clip_speed"] = float(rng.choice((-1.0, 0.25, 0.5, 1.0, 1.0, 1.0)))
    numbers["map_motion"] = float(rng.integers(2))
    numbers["clip_mode"] = 0.0
    # Attack and release stay within what a hand can play.
    numbers["attack_s"], numbers["release_s"] = min(numbers["attack_s"], 0.4), min(numbers["release_s"], 3.0)
    return replace(
        patch,
        source=source,
        anchor=int(rng.integers(len(anchors))),
        morph_anchor=int(rng.integers(len(anchors))),
        morph_clip="",
        clip=str(rng.choice(clips)) if clips else "",
        asked={name: float(row[name]) for name in names if name in held},
        origin={},
        offset={},
        scale={},
        numbers=numbers,
        routes=_modulation(names, rng),
        path=(),
        seed=int(rng.integers(2**31)),
    )


def _modulation(names: tuple[str, ...], rng: np.random.Generator) -> dict[int, m.Route]:
    """Up to three gentle routes; loudness is moved least, so that nothing falls silent."""
    routes = {}
    for slot in range(int(rng.integers(4))):
        target = str(rng.choice([*names, "morph", "map_x", "map_y"]))
        most = {"loudness": 0.1, "pitch": 0.04}.get(target, 0.35)
        routes[slot] = m.Route(slot, str(rng.choice(MODULATORS)), target, float(rng.uniform(-most, most)))
    return routes


def _neighbour(anchor: int, anchors: np.ndarray, rng: np.random.Generator) -> int:
    here = anchors[anchor % len(anchors)]
    nearest = np.argsort(np.linalg.norm(anchors - here, axis=1))[: NEIGHBOURS + 1]
    return int(rng.choice(nearest))
