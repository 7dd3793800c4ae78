"""The ears process: hears the output through the instrument's own descriptor graphs, and tells what it hears.

It is a process of its own so that listening costs the sound as little as can be: it runs at a low priority,
hears as often as somebody looks (for eyes less often than for output voltages, and for nobody not at all),
more at a time when it falls behind, goes on with the newest sound when it cannot keep up, and the sound does
not notice if it dies. Wherever it begins it first hears what sounded just before, which the bridge still
holds: a window that is half empty would measure its own edge.
"""

import contextlib
import multiprocessing
import os
import signal
import time

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.timebase import SLOW_EVERY
from neurorack.play.control.bridge import Bridge, BridgeAddress
from neurorack.play.control.records import Status, from_record
from neurorack.play.control.ring import RingReader
from neurorack.play.engine.frame import MEASURED_DTYPE, Measured
from neurorack.play.engine.instrument import Instrument, load_instrument
from neurorack.play.engine.streams import DescriptorStream

NICENESS = 5
SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.003, 0.05
MAX_BEHIND_S = 0.5
BATCHES = (4, 12, 32)
"""Frames heard in one call: as many as wait, since many at once cost less than each alone."""
FOR_EYES, FOR_VOLTAGES = 12, 4
"""Fewest frames heard in one call: 35 ms, for panels are told thirty times a second, or 12 ms."""
WINDOW_FRAMES = 32
"""Frames the longest window of any descriptor looks back over (4096 samples)."""
SILENT_POWER = 1e-8
"""Mean square of a frame (-80 dB) below which there is nothing to measure."""
SILENT_S = 0.5
"""Without new sound for so long, nothing is being measured."""
TELL_S = 0.5
"""At least so often the value is written, which shows that the process lives."""


def run_ears_process(address: BridgeAddress) -> None:
    """Entry point of the spawned process; returns when the main process is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the supervisor ends us
    with contextlib.suppress(OSError, AttributeError):
        os.nice(NICENESS)
    bridge = Bridge.attach(address)
    parent = multiprocessing.parent_process()
    ears = Ears(bridge)
    try:
        while parent is None or parent.is_alive():
            if not ears.listen():
                time.sleep(ears.pause_s)
    finally:
        with contextlib.suppress(BufferError):
            bridge.close()


class Ears:
    """Follows the output and the instrument that plays it.

    What is told counts as measured (`measuring`) once the windows are full of sound without a break.
    """

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._record = np.zeros((), MEASURED_DTYPE)
        self._measured = Measured()
        self._path = ""
        self._instrument: Instrument | None = None
        self._stream: DescriptorStream | None = None
        self._physical = np.zeros(0, np.float32)
        self._hop = 0
        self._reader = RingReader(bridge.output)
        self._skipped = 0
        self._full = 0
        """Frames heard since the last break or silence."""
        self._silent = 0
        """Silent frames since the last sound."""
        self._seen, self._taken = True, False
        """Whether eyes look at what is told, and whether output voltages say it."""
        self.pause_s = LONGEST_PAUSE_S
        """Seconds until it is worth while to listen again, after `listen` found too little."""
        self._heard_at = self._told_at = 0.0

    def listen(self) -> bool:
        """Hear the frames that wait, as many as one call takes; False when too few have come, or nobody looks
        at what would be told.
        """
        self._follow_eyes()
        self._follow_instrument()
        now = time.monotonic()
        self.pause_s = LONGEST_PAUSE_S
        if self._stream is not None and self._instrument is not None and (self._seen or self._taken):
            waiting = self._reader.available() // self._hop
            if self._reader.skipped != self._skipped:
                self._skipped = self._reader.skipped
                self._hear_the_past()
            least = FOR_VOLTAGES if self._taken else FOR_EYES
            count = max((n for n in BATCHES if least <= n <= waiting), default=0)
            sound = self._reader.read(count * self._hop) if count else None
            if sound is not None:
                self._heard_at = now
                self._hear(sound)
                self._tell(now, self._full > WINDOW_FRAMES)
                return True
            missing_s = (least - waiting) * self._hop / self._instrument.sample_rate
            self.pause_s = min(max(missing_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
        if now - self._told_at > TELL_S:
            self._tell(now, now - self._heard_at < SILENT_S and self._full > WINDOW_FRAMES)
        return False

    def _follow_eyes(self) -> None:
        record = self._bridge.eyes.read()
        if record is not None:
            self._seen = bool(record["look"])

    def _follow_instrument(self) -> None:
        record = self._bridge.status.read()
        if record is None:
            return
        status = from_record(Status, record)
        self._taken = bool(status.voltages)
        if status.instrument in ("", self._path):
            return
        self._path = status.instrument
        self._stream, self._full = None, 0
        self._tell(time.monotonic(), False)
        with contextlib.suppress(NeurorackError):  # the audio process tells what is wrong with it
            instrument = load_instrument(self._path)
            self._stream = DescriptorStream(instrument.graphs, 1, BATCHES)
            self._instrument, self._hop = instrument, instrument.manifest.hop
            self._physical = instrument.map.defaults.astype(np.float32)
            most = int(MAX_BEHIND_S * instrument.sample_rate)
            self._reader, self._skipped = RingReader(self._bridge.output, most), 0
            self._hear_the_past()

    def _hear_the_past(self) -> None:
        """Begin anew where the reader stands, with the windows full of what sounded before."""
        assert self._stream is not None
        self._stream.reset()
        self._full = self._silent = 0
        position = self._reader.position
        frames = min(WINDOW_FRAMES, position // self._hop) // SLOW_EVERY * SLOW_EVERY
        if frames:
            count = frames * self._hop
            self._hear(self._bridge.output.copy(position - count, count))

    def _hear(self, sound: np.ndarray) -> None:
        """Whole frames [2, n]; their last values stand."""
        assert self._stream is not None and self._instrument is not None
        mono = 0.5 * (sound[0] + sound[1])
        frames = mono.reshape(-1, self._hop)
        silent = np.flatnonzero(np.einsum("ij,ij->i", frames, frames) < SILENT_POWER * self._hop)
        self._full = len(frames) - 1 - int(silent[-1]) if len(silent) else self._full + len(frames)
        self._silent = self._silent + len(frames) if len(silent) == len(frames) else 0
        if self._silent > 2 * WINDOW_FRAMES:  # the windows hold silence and nothing else: leave them so
            return
        values = self._stream.process(mono[None])[0, :, -1]
        np.take(values, self._instrument.map.columns, out=self._physical)

    def _tell(self, now: float, measuring: bool) -> None:
        measured = self._measured
        measured.measuring = measuring
        if self._stream is not None and self._instrument is not None:
            controls = self._instrument.map
            measured.controls, measured.sample = controls.size, self._reader.position
            measured.physical[: controls.size] = self._physical
            controls.all_to_control(self._physical, out=measured.normalised[: controls.size])
        measured.write_to(self._record)
        self._bridge.measured.write(self._record)
        self._told_at = now
