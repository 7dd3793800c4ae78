"""Notes by events: each begins at its own sample, and three of them sound together.

python examples/play_events.py Winds out.wav
"""

import sys

import numpy as np
import soundfile as sf

import neurorack
from neurorack.play.engine.engine import Engine
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import ControlFrame
from neurorack.play.engine.params import POLY

BLOCK = 128
name, target = sys.argv[1:3]
engine = Engine(neurorack.load(name))
frame = ControlFrame(voice_mode=POLY, voices=3, release_s=0.4)
events: dict[int, list[Event]] = {}


def at(sample: int, kind: Kind, note: int, f0_hz: float = 0.0, velocity: float = 0.0) -> None:
    """Put an event into the block that its sample lies in."""
    event = Event(kind, note, f0_hz, velocity, offset=sample % BLOCK)
    events.setdefault(sample // BLOCK, []).append(event)


for step, (key, f0_hz) in enumerate(((60, 261.63), (64, 329.63), (67, 392.0))):
    at(1000 + 10_001 * step, Kind.NOTE_ON, key, f0_hz, velocity=0.4 + 0.3 * step)
    at(88_200, Kind.NOTE_OFF, key)
blocks = [engine.render(BLOCK, frame, events=events.get(n, ())) for n in range(88_200 // BLOCK + 350)]
sf.write(target, np.concatenate(blocks, axis=1).T, engine.sample_rate)
print(f"The first note sounds at sample {1000 + engine.latency_samples}.")
