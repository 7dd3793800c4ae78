"""Attribute transfer: one sound's timbre moves with another's loudness.

python examples/attribute_transfer.py pad.wav drums.wav Winds out.wav
"""

import sys

import soundfile as sf

import neurorack

source, other, name, target = sys.argv[1:5]
instrument = neurorack.load(name)
sound = instrument.transfer(*sf.read(source), sources={"loudness": sf.read(other)})
sf.write(target, sound, instrument.sample_rate)
