"""Meter: the engine listens to itself through the instrument's own descriptor graphs, four frames at a time.

Measuring four frames at once costs little more than one; the slow graph runs one frame later than the fast,
so that no single block pays for both.
"""

import numpy as np

from neurorack.core.timebase import SLOW_EVERY, WINDOW
from neurorack.play.engine.graphs import Graphs
from neurorack.play.engine.streams import VOICED

QUEUE_FRAMES = 12


class Meter:
    """Measured physical controls [C] of the output, updated every fourth frame."""

    def __init__(self, graphs: Graphs, columns: np.ndarray, defaults: np.ndarray) -> None:
        m = graphs.manifest
        self._hop = m.hop
        self._fast = graphs.stream("descriptors", 1, (SLOW_EVERY,))
        self._slow = graphs.stream("descriptors_slow", 1, (1,)) if graphs.slow else None
        self._fast_rows, self._slow_rows = graphs.fast, graphs.slow
        self._columns = columns
        self._values = np.array([d.default for d in m.measured], np.float32)
        self._defaults = self._values.copy()
        names = [d.name for d in m.measured]
        self._pitch = names.index("pitch") if {"pitch", "periodicity"} <= set(names) else -1
        self._periodicity = names.index("periodicity") if self._pitch >= 0 else -1
        self._audio = np.zeros((1, SLOW_EVERY * m.hop), np.float32)
        self._queue = np.zeros((QUEUE_FRAMES, m.hop), np.float32)
        self._waiting = 0
        self._slow_due = False
        self._fed = 0
        self.physical = defaults.astype(np.float32).copy()

    @property
    def ready(self) -> bool:
        """Whether a full window of sound has been heard since the last reset."""
        return self._fed >= WINDOW // self._hop

    def reset(self) -> None:
        """Forget the sound heard so far; the values stand until new ones come."""
        self._fast.reset()
        if self._slow is not None:
            self._slow.reset()
        self._waiting, self._fed, self._slow_due = 0, 0, False

    def feed(self, frame: np.ndarray, busy: bool = False) -> bool:
        """Hear one frame [hop]; True if values have changed.

        At most one graph runs a frame, and none while `busy` (the live input's slow graph has its turn)
        unless the queue is full: every block of a live transfer then costs about the same.
        """
        if self._waiting == QUEUE_FRAMES:
            busy = False
        else:
            self._queue[self._waiting] = frame
            self._waiting += 1
            self._fed += 1
        if busy:
            return False
        if self._slow_due and self._slow is not None:
            self._slow.inputs(1)["audio"][:] = self._audio
            self._take_slow(self._slow.run(1)["values"][0, :, 0])
            self._slow_due = False
        elif self._waiting >= SLOW_EVERY:
            self._audio[0] = self._queue[:SLOW_EVERY].reshape(-1)
            self._queue[:-SLOW_EVERY] = self._queue[SLOW_EVERY:].copy()
            self._waiting -= SLOW_EVERY
            self._fast.inputs(SLOW_EVERY)["audio"][:] = self._audio
            fresh = self._fast.run(SLOW_EVERY)["values"][0, :, -1]
            self._values[self._fast_rows] = np.where(np.isfinite(fresh), fresh, self._values[self._fast_rows])
            self._slow_due = self._slow is not None
        else:
            return False
        np.take(self._values, self._columns, out=self.physical)
        return True

    def _take_slow(self, fresh: np.ndarray) -> None:
        held = self._values[self._pitch] if self._pitch >= 0 else np.float32(0)
        self._values[self._slow_rows] = np.where(np.isfinite(fresh), fresh, self._values[self._slow_rows])
        if self._pitch >= 0 and not self._values[self._periodicity] >= VOICED:
            self._values[self._pitch] = held
