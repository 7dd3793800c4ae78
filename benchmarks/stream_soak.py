"""Does an instrument keep up inside a JACK callback, with torch absent, without dropping a block?

Starts JACK's dummy server (44 100 Hz, 128 samples), connects a client that runs encoder, descriptors and
decoder through ONNX Runtime in every callback, and beside it a client that does nothing, as a yardstick of
the machine. Prints JSON: blocks, dropped blocks (xruns the server reports, and frames the clock skipped),
render times.

    python benchmarks/stream_soak.py INSTRUMENT --minutes 10

Needs jackd and the package JACK-Client (in the [dev] extra).
"""

import argparse
import gc
import json
import os
import shutil
import subprocess
import sys
import time

import jack
import numpy as np

from neurorack.core.timebase import DEFAULT_SAMPLE_RATE
from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.frame import ControlFrame, Source
from neurorack.play.engine.timing import machine

SERVER = "neurorack-soak"


class Client:
    """A JACK client that counts its callbacks, the frames the clock skipped between them, and xruns."""

    def __init__(self, name: str, capacity: int) -> None:
        self.client = jack.Client(name, servername=SERVER, no_start_server=True)
        self.seconds = np.zeros(capacity, np.float32)
        self.cpu = np.zeros(capacity, np.float32)
        self.blocks = self.skipped = self.xruns = 0
        self._expected: int | None = None
        self.client.set_process_callback(self._process)
        self.client.set_xrun_callback(self._xrun)

    def _xrun(self, _delay: float) -> None:
        self.xruns += 1

    def _process(self, frames: int) -> None:
        start, cpu = time.perf_counter(), time.thread_time()
        now = self.client.last_frame_time
        if self._expected is not None:
            late = (now - self._expected + 2**31) % 2**32 - 2**31
            self.skipped += max(late, 0) // frames
        self._expected = (now + frames) % 2**32
        self.render(frames)
        if self.blocks < len(self.seconds):
            self.seconds[self.blocks] = time.perf_counter() - start
            self.cpu[self.blocks] = time.thread_time() - cpu
        self.blocks += 1

    def render(self, frames: int) -> None:
        """What a block costs; a silent client does nothing."""

    def report(self, block_s: float) -> dict[str, object]:
        """Counts, and real-time factors of the callback."""
        kept = min(self.blocks, len(self.seconds))
        load, own = self.seconds[:kept] / block_s, self.cpu[:kept] / block_s
        median, p99, p999 = (float(v) for v in np.percentile(load, (50, 99, 99.9)))
        cpu = {f"p{q}": float(v) for q, v in zip((50, 99), np.percentile(own, (50, 99)), strict=True)}
        return {
            "blocks": self.blocks,
            "skipped_blocks": self.skipped,
            "xruns": self.xruns,
            "rtf": {"median": median, "p99": p99, "p999": p999, "worst": float(load.max())},
            "rtf_cpu_only": cpu,
            "over_budget": int((load > 1.0).sum()),
        }


class Player(Client):
    """Live transfer: what comes in (a note of our own making, drawn in advance) goes through the
    instrument.
    """

    def __init__(self, capacity: int, engine: Engine) -> None:
        super().__init__("player", capacity)
        self.port = self.client.outports.register("out")
        self.engine = engine
        self.frame = ControlFrame(gate=True, source=Source.LIVE)
        time_s = np.arange(engine.sample_rate) / engine.sample_rate
        tone = sum(np.sin(2 * np.pi * 220 * k * time_s) / k for k in range(1, 9))
        self.note = (0.1 * tone * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * time_s))).astype(np.float32)
        self.position = 0
        self.loudest = 0.0

    def render(self, frames: int) -> None:
        position = self.position % (len(self.note) - frames)
        sound = self.engine.render(frames, self.frame, self.note[position : position + frames])[0]
        self.position += frames
        self.port.get_array()[:] = sound
        self.loudest = max(self.loudest, float(sound.max()))


def start_server(rate: int, block: int) -> subprocess.Popen:
    """JACK's dummy server, real-time priority where the system allows it."""
    jackd = shutil.which("jackd")
    if jackd is None:
        raise SystemExit("jackd is not installed: install JACK (on Debian: apt install jackd2).")
    realtime = "-R" if hasattr(os, "geteuid") and os.geteuid() == 0 else "-r"
    command = [jackd, "-n", SERVER, realtime, "-d", "dummy", "-r", str(rate), "-p", str(block)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def soak(instrument: str, minutes: float, block: int) -> dict[str, object]:
    """Run both clients for `minutes`; returns the report."""
    loaded = load_instrument(instrument)
    if loaded.sample_rate != DEFAULT_SAMPLE_RATE:
        print(f"note: {loaded.name} runs at {loaded.sample_rate} Hz", file=sys.stderr)
    capacity = int(minutes * 60 * loaded.sample_rate / block) + 1000
    server = start_server(loaded.sample_rate, block)
    host = machine()
    try:
        time.sleep(1.5)
        silent, player = Client("silent", capacity), Player(capacity, Engine(loaded))
        gc.collect()
        gc.freeze()
        gc.disable()
        with silent.client, player.client:
            time.sleep(minutes * 60)
        telemetry = player.engine.telemetry
        block_s = block / loaded.sample_rate
        return {
            "instrument": loaded.name,
            "minutes": minutes,
            "block": block,
            "torch_loaded": "torch" in sys.modules,
            "player": player.report(block_s),
            "silent": silent.report(block_s),
            "loudest": player.loudest,
            "non_finite_frames": telemetry.non_finite,
            "machine": {**host, "load_average_after": machine()["load_average"]},
        }
    finally:
        server.terminate()
        server.wait(10)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instrument", help="name of an instrument, or a .nrk file")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--block", type=int, default=128)
    given = parser.parse_args()
    print(json.dumps(soak(given.instrument, given.minutes, given.block), indent=1))


if __name__ == "__main__":
    main()
