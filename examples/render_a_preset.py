"""A preset, the instrument's or your own, rendered to a file: three notes, or a sound through it.

python examples/render_a_preset.py Winds "Solo Reed" out.wav
python examples/render_a_preset.py Winds "Your Breath" out.wav voice.wav
"""

import sys
from pathlib import Path

import soxr

from neurorack.core.library import find, home_dir
from neurorack.core.nrk import read_nrk
from neurorack.play.session.clips import read_sound
from neurorack.play.session.offline import parse_notes, render_patch, write_wav
from neurorack.play.session.presets import Presets

name, preset, target, *heard = sys.argv[1:]
archive = read_nrk(find(name))
patch = Presets(archive, home_dir() / "presets").get(preset).patch
rate = archive.manifest.sample_rate
if heard:
    audio, given_rate = read_sound(Path(heard[0]))
    live = soxr.resample(audio.mean(axis=1), given_rate, rate).astype("float32")
    sound = render_patch(archive, patch, [], seconds=len(live) / rate, live=live)
else:
    sound = render_patch(archive, patch, parse_notes("C3:1 E3:1 G3:2"))
write_wav(Path(target), rate, [sound])
