"""Analysis: what an instrument hears in a recording, a line a quarter of a second.

python examples/analyse.py voice.wav Winds
"""

import sys

import soundfile as sf

import neurorack

source, name = sys.argv[1:3]
instrument = neurorack.load(name)
heard = instrument.analyse(*sf.read(source))
units = {m.name: m.unit for m in instrument.manifest.measured}
for t in range(0, heard.frames, round(heard.frame_rate_hz / 4)):
    values = "  ".join(f"{n} {v[t]:.4g} {units[n]}".rstrip() for n, v in heard.descriptors.items())
    print(f"{t / heard.frame_rate_hz:6.2f} s  {values}")
