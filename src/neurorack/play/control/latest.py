"""LatestValue: one writer, any readers, only the newest value counts; nobody ever waits.

The writer fills the slot that is not published, stamps it, and then publishes it, so a reader practically
always finds a whole value. A checksum settles the rest: a torn read (a writer two values ahead, a process
killed in mid-write) is noticed and counts as "nothing new".
"""

import zlib

import numpy as np

from neurorack.play.control.fence import Fence

_ALIGN = 64


def _slot_dtype(payload: np.dtype) -> np.dtype:
    fields = [("stamp", np.uint64), ("check", np.uint32), ("pad", np.uint32), ("data", payload)]
    slot = np.dtype(fields)
    size = -(-slot.itemsize // _ALIGN) * _ALIGN
    names, formats = [f[0] for f in fields], [f[1] for f in fields]
    return np.dtype({"names": names, "formats": formats, "offsets": [0, 8, 12, 16], "itemsize": size})


class LatestValue:
    """A structured record in shared memory that is replaced as a whole.

    `buffer`: writable memory of `nbytes(payload)` bytes that begins as zeros (meaning "nothing written yet").
    """

    def __init__(self, buffer: memoryview, payload: np.dtype) -> None:
        self.payload = np.dtype(payload)
        slot = _slot_dtype(self.payload)
        self._published = np.frombuffer(buffer, np.uint64, 1)
        self._slots = np.frombuffer(buffer, slot, 2, _ALIGN)
        raw = np.frombuffer(buffer, np.uint8, 2 * slot.itemsize, _ALIGN).reshape(2, slot.itemsize)
        self._bytes = raw[:, 16 : 16 + self.payload.itemsize]
        self._seen = 0
        self._fence = Fence()

    @staticmethod
    def nbytes(payload: np.dtype) -> int:
        """Bytes of shared memory one value needs."""
        return _ALIGN + 2 * _slot_dtype(np.dtype(payload)).itemsize

    @property
    def published(self) -> int:
        """How many values have ever been written."""
        return int(self._published[0])

    def write(self, record: np.ndarray) -> int:
        """Publish `record` (0-d array of the payload's dtype); returns its number, counted from 1."""
        number = int(self._published[0]) + 1
        row = number & 1
        slot = self._slots[row]
        slot["stamp"] = 0
        self._fence()
        slot["data"] = record
        slot["check"] = zlib.crc32(self._bytes[row], number & 0xFFFFFFFF)
        slot["stamp"] = number
        self._fence()
        self._published[0] = number
        return number

    def read(self) -> np.ndarray | None:
        """A copy of the newest value (0-d array), or None when nothing new has come since the last read."""
        number = int(self._published[0])
        if number == self._seen:
            return None
        row = number & 1
        copy = self._bytes[row].copy()
        self._fence()
        slot = self._slots[row]
        if int(slot["stamp"]) != number or int(slot["check"]) != zlib.crc32(copy, number & 0xFFFFFFFF):
            return None
        self._seen = number
        return copy.view(self.payload).reshape(())

    def release(self) -> None:
        """Let go of the memory, so that its owner can close it."""
        del self._published, self._slots, self._bytes
