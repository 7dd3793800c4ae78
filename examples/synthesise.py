"""Synthesis without a source: a frozen timbre swells and brightens for four seconds.

python examples/synthesise.py Winds out.wav
"""

import sys

import numpy as np
import soundfile as sf

import neurorack

name, target = sys.argv[1:3]
instrument = neurorack.load(name)
frames = round(4 * instrument.frame_rate_hz)
z = np.repeat(instrument.anchors_z[0][:, None], frames, axis=1)
controls = np.repeat(instrument.anchors_controls[0][:, None], frames, axis=1)
for control in ("loudness", "brightness"):
    if control in instrument.controls:
        controls[instrument.controls.index(control)] = np.linspace(-0.9, 0.9, frames)
sf.write(target, instrument.synthesise(z, controls=controls), instrument.sample_rate)
