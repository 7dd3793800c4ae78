"""RecordRing: a single-producer queue of fixed-size records in shared memory whose writer never waits.

As in AudioRing, the writer publishes how many records it has ever written and each reader keeps its own
place; one that falls a whole ring behind loses the oldest and counts them.
"""

import numpy as np

from neurorack.play.control.fence import Fence

_HEADER = 64


class RecordRing:
    """The last `capacity` records of `dtype`. `buffer` begins as zeros."""

    def __init__(self, buffer: memoryview, dtype: np.dtype, capacity: int) -> None:
        self.dtype = np.dtype(dtype)
        self.capacity = capacity
        self._written = np.frombuffer(buffer, np.uint64, 1)
        self._records = np.frombuffer(buffer, self.dtype, capacity, _HEADER)
        self._fence = Fence()

    @staticmethod
    def nbytes(dtype: np.dtype, capacity: int) -> int:
        """Bytes of shared memory a ring needs."""
        return _HEADER + capacity * np.dtype(dtype).itemsize

    @property
    def written(self) -> int:
        """Records ever written."""
        return int(self._written[0])

    def write(self, record: np.ndarray) -> None:
        """Append one record (0-d array of the dtype)."""
        count = self.written
        self._records[count % self.capacity] = record
        self._fence()
        self._written[0] = count + 1

    def copy(self, start: int, stop: int) -> np.ndarray:
        """Records [start, stop); the caller knows that they are there."""
        return self._records[np.arange(start, stop) % self.capacity]

    def release(self) -> None:
        """Let go of the memory, so that its owner can close it."""
        del self._written, self._records


class RecordReader:
    """One reader's place in a RecordRing. `lost` counts the records it came too late for."""

    def __init__(self, ring: RecordRing) -> None:
        self._ring = ring
        self.position = ring.written
        self.lost = 0

    def read(self) -> np.ndarray | None:
        """Every record not yet read, [n] of the dtype, or None while there is none."""
        written = self._ring.written
        if written == self.position:
            return None
        # The oldest eighth may be overwritten while it is copied: leave it out.
        oldest = written - self._ring.capacity + self._ring.capacity // 8
        if self.position < oldest:
            self.lost += oldest - self.position
            self.position = oldest
        records = self._ring.copy(self.position, written)
        self.position = written
        return records
