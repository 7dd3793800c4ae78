"""Streaming: a sound of any length through an instrument in blocks, in constant memory.

python examples/streaming.py long.wav Winds out.wav
"""

import sys

import soundfile as sf

import neurorack

source, name, target = sys.argv[1:4]
instrument = neurorack.load(name)
with sf.SoundFile(source) as given:
    request, notes = instrument.request(offset={"brightness": 0.2})
    stream = instrument.stream_transfer(given.samplerate, request)
    print(*notes, f"latency {stream.latency_samples} samples", sep="\n")
    with sf.SoundFile(target, "w", instrument.sample_rate, 1) as made:
        for block in given.blocks(4096, dtype="float32"):
            made.write(stream.process(block))
        made.write(stream.flush())
