"""Timbre transfer: hear a recording in an instrument's voice, brighter, and a fifth up.

python examples/transfer.py voice.wav Winds out.wav
"""

import sys

import soundfile as sf

import neurorack

source, name, target = sys.argv[1:4]
instrument = neurorack.load(name)
audio, rate = sf.read(source)
offset = {"pitch": "+7st"} if "pitch" in instrument.controls else {}
sound = instrument.transfer(audio, rate, set={"brightness": 0.8}, offset=offset, insist=0.5)
sf.write(target, sound, instrument.sample_rate)
