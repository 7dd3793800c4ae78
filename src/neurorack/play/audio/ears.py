"""The ears process: hears the output through the instrument's own descriptor graphs, and tells what it hears.

It is a process of its own so that listening never costs the sound anything: it runs at a low priority, goes
on with the newest sound when it cannot keep up, and the sound does not notice if it dies.
"""

import contextlib
import multiprocessing
import os
import signal
import time

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.play.control.bridge import Bridge, BridgeAddress
from neurorack.play.control.records import Status, from_record
from neurorack.play.control.ring import RingReader
from neurorack.play.engine.frame import MEASURED_DTYPE, Measured
from neurorack.play.engine.instrument import Instrument, load_instrument
from neurorack.play.engine.meter import Meter

NICENESS = 5
TICK_S = 0.005
MAX_BEHIND_S = 0.25
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
                time.sleep(TICK_S)
    finally:
        with contextlib.suppress(BufferError):
            bridge.close()


class Ears:
    """Follows the output and the instrument that plays it."""

    def __init__(self, bridge: Bridge) -> None:
        self._bridge = bridge
        self._record = np.zeros((), MEASURED_DTYPE)
        self._measured = Measured()
        self._path = ""
        self._instrument: Instrument | None = None
        self._meter: Meter | None = None
        self._hop = 0
        self._reader = RingReader(bridge.output)
        self._skipped = 0
        self._heard_at = self._told_at = 0.0

    def listen(self) -> bool:
        """Hear at most one frame; False when none has come."""
        self._follow_instrument()
        now = time.monotonic()
        if self._meter is not None:
            sound = self._reader.read(self._hop)
            if self._reader.skipped != self._skipped:
                self._skipped = self._reader.skipped
                self._meter.reset()
            if sound is not None:
                self._heard_at = now
                if self._meter.feed(0.5 * (sound[0] + sound[1])):
                    self._tell(now, self._meter.ready)
                return True
        if now - self._told_at > TELL_S:
            fresh = now - self._heard_at < SILENT_S
            self._tell(now, fresh and self._meter is not None and self._meter.ready)
        return False

    def _follow_instrument(self) -> None:
        record = self._bridge.status.read()
        if record is None:
            return
        status = from_record(Status, record)
        if status.instrument in ("", self._path):
            return
        self._path = status.instrument
        self._meter = None
        self._tell(time.monotonic(), False)
        with contextlib.suppress(NeurorackError):  # the audio process tells what is wrong with it
            instrument = load_instrument(self._path)
            self._meter = Meter(instrument.graphs, instrument.map.columns, instrument.map.defaults)
            self._instrument, self._hop = instrument, instrument.manifest.hop
            most = int(MAX_BEHIND_S * instrument.sample_rate)
            self._reader, self._skipped = RingReader(self._bridge.output, most), 0

    def _tell(self, now: float, measuring: bool) -> None:
        measured, meter = self._measured, self._meter
        measured.measuring = measuring
        if meter is not None and self._instrument is not None:
            controls = self._instrument.map
            measured.controls, measured.sample = controls.size, self._reader.position
            measured.physical[: controls.size] = meter.physical
            controls.all_to_control(meter.physical, out=measured.normalised[: controls.size])
        measured.write_to(self._record)
        self._bridge.measured.write(self._record)
        self._told_at = now
