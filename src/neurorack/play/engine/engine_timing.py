"""What playing costs on this machine: real-time factors of Engine.render for each way of playing.

The real-time factor of a block is the time to compute it over the time it lasts; below 1 keeps up.
"""

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from neurorack.core.noise import white
from neurorack.play.engine.engine import Engine
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import ControlFrame, Source
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.params import MOD_INDEX, PARAM_INDEX, POLY, ROUTES
from neurorack.play.engine.timing import MIN_BLOCKS, figures, time_calls

CHORD_HZ = (110.0, 164.8, 220.0, 277.2)
SETTLE_S = 0.5
"""Rendered before the clock runs: notes have begun, a hand-over to more decoder rows has ended."""


@dataclass(frozen=True)
class Way:
    """One way of playing: what differs from a new ControlFrame, and how many keys are held."""

    frame: dict[str, Any] = field(default_factory=dict)
    notes: int = 1
    routes: int = 0


WAYS: dict[str, Way] = {
    "hold": Way(),
    "wander": Way({"source": int(Source.WANDER)}),
    "clip": Way({"source": int(Source.CLIP)}),
    "map": Way({"source": int(Source.MAP)}),
    "prior": Way({"source": int(Source.PRIOR)}),
    "live": Way({"source": int(Source.LIVE)}),
    "live, 16 routes": Way({"source": int(Source.LIVE)}, routes=ROUTES),
    "stereo": Way({"width": 0.5}),
    "2 voices": Way({"voice_mode": float(POLY), "voices": 2.0}, notes=2),
    "4 voices": Way({"voice_mode": float(POLY), "voices": 4.0}, notes=4),
    "4 voices, stereo": Way({"voice_mode": float(POLY), "voices": 4.0, "width": 0.5}, notes=4),
}
"""What `neurorack bench` measures; "live" is a whole live transfer, "prior" the instrument that plays by
itself."""


def ways_of(instrument: Instrument) -> list[str]:
    """Those of WAYS that the instrument can be played in."""
    return [way for way in WAYS if way != "prior" or instrument.manifest.prior is not None]


def engine_factors(instrument: Instrument, way: str, block: int, audio_s: float = 10.0) -> dict[str, float]:
    """{"median", "p99", "p999", "cpu"} of one of WAYS, as in timing.real_time_factors."""
    asked = WAYS[way]
    frame = replace(ControlFrame(), **asked.frame)
    _fill_routes(frame, asked.routes)
    engine = Engine(instrument)
    if int(frame.source) == Source.CLIP and not instrument.manifest.clips:
        frame.source = int(Source.WANDER)
    sound = 0.1 * white(1, 0, 64 * block).reshape(64, block)
    keys = [Event(Kind.NOTE_ON, i, CHORD_HZ[i], 1.0) for i in range(asked.notes)]
    engine.render(block, frame, sound[0], keys)
    for i in range(int(SETTLE_S * instrument.sample_rate / block) + 1):
        engine.render(block, frame, sound[i % 64])
    count = max(int(audio_s * instrument.sample_rate / block), MIN_BLOCKS)
    seconds, cpu_s = time_calls(lambda i: engine.render(block, frame, sound[i % 64]), count)
    return figures(seconds, cpu_s, block / instrument.sample_rate)


def _fill_routes(frame: ControlFrame, count: int) -> None:
    """Small movements of the first parameters that may move while a note sounds."""
    sources = [MOD_INDEX[name] for name in ("lfo1", "lfo2", "rand1", "env1", "follower")]
    targets = [PARAM_INDEX[name] for name in ("morph", "tune_cents", "lfo1_rate_hz", "level_db")]
    places = np.arange(count)
    frame.route_source[:count] = np.take(sources, places % len(sources))
    frame.route_target[:count] = np.take(targets, places % len(targets))
    frame.route_amount[:count] = 0.05
