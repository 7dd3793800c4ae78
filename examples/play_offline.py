"""The playing engine without a sound card: a scale, rendered block by block as the player does.

python examples/play_offline.py Winds out.wav
"""

import sys

import numpy as np
import soundfile as sf

import neurorack
from neurorack.play.engine.engine import Engine
from neurorack.play.engine.frame import ControlFrame, Source

name, target = sys.argv[1:3]
engine = Engine(neurorack.load(name))
frame = ControlFrame(source=Source.WANDER, release_s=0.3, width=0.5)
blocks = []
for semitone in (0, 2, 4, 5, 7, 9, 11, 12):
    frame.f0_hz = 220.0 * 2 ** (semitone / 12)
    for block in range(150):
        frame.gate = block < 120
        blocks.append(engine.render(128, frame))
sf.write(target, np.concatenate(blocks, axis=1).T, engine.sample_rate)
