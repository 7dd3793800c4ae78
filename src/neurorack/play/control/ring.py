"""AudioRing: a single-producer ring of audio in shared memory whose writer never waits.

The writer runs freely and publishes how many samples it has ever written; each reader keeps its own place,
notices when it has been lapped, and skips to what is still there. So a stalled reader can never hold up the
sound, and any number of readers may listen.
"""

import numpy as np

from neurorack.play.control.fence import Fence

_HEADER = 64


class AudioRing:
    """Audio of `channels` channels, the last `capacity` samples of it. `buffer` begins as zeros."""

    def __init__(self, buffer: memoryview, channels: int, capacity: int) -> None:
        self.channels = channels
        self.capacity = capacity
        self._written = np.frombuffer(buffer, np.uint64, 1)
        data = np.frombuffer(buffer, np.float32, channels * capacity, _HEADER)
        self._data = data.reshape(capacity, channels)
        self._fence = Fence()

    @staticmethod
    def nbytes(channels: int, capacity: int) -> int:
        """Bytes of shared memory a ring needs."""
        return _HEADER + 4 * channels * capacity

    @property
    def written(self) -> int:
        """Samples ever written."""
        return int(self._written[0])

    def write(self, audio: np.ndarray) -> None:
        """Append float32 [channels, n], n at most half the capacity."""
        start = self.written
        count = audio.shape[1]
        at = start % self.capacity
        first = min(count, self.capacity - at)
        self._data[at : at + first] = audio.T[:first]
        if first < count:
            self._data[: count - first] = audio.T[first:]
        self._fence()
        self._written[0] = start + count

    def copy(self, start: int, count: int) -> np.ndarray:
        """Samples [start, start + count), float32 [channels, count]; the caller knows that they are there."""
        at = start % self.capacity
        first = min(count, self.capacity - at)
        out = np.empty((self.channels, count), np.float32)
        out[:, :first] = self._data[at : at + first].T
        if first < count:
            out[:, first:] = self._data[: count - first].T
        return out

    def release(self) -> None:
        """Let go of the memory, so that its owner can close it."""
        del self._written, self._data


class RingReader:
    """One reader's place in a ring. `skipped` counts the samples it came too late for.

    max_behind: samples a reader may fall behind before it goes on with the newest, for one to whom old sound
    is worth nothing; by default, as much as the ring still holds for certain.
    """

    def __init__(self, ring: AudioRing, max_behind: int | None = None) -> None:
        self._ring = ring
        self._most = ring.capacity // 2 if max_behind is None else min(max_behind, ring.capacity // 2)
        # After being lapped the next writes must not lap it again; who wants the newest starts at the writer.
        self._resume = ring.capacity // 4 if max_behind is None else 0
        self.position = ring.written
        self.skipped = 0

    def available(self) -> int:
        """Samples that wait to be read."""
        written = self._ring.written
        behind = written - self.position
        if behind < 0 or behind > self._most:
            resume = max(0, written - self._resume)
            self.skipped += max(0, resume - self.position)
            self.position = resume
            behind = written - resume
        return behind

    def read(self, count: int) -> np.ndarray | None:
        """The next `count` samples, float32 [channels, count], or None while there are fewer."""
        if self.available() < count:
            return None
        audio = self._ring.copy(self.position, count)
        self.position += count
        return audio

    def seek_behind(self, count: int) -> None:
        """Move to `count` samples behind the writer."""
        self.position = max(0, self._ring.written - count)
