"""Inbox: MIDI bytes from a driver's thread to the event loop, bounded whatever floods in."""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable, Sequence

CALM = 1024
"""From so many waiting messages on, only notes, the pedal and "all off" are taken."""
FULL = 4096
"""From so many on, nothing is; afterwards every key is let go, for one's end may be among the lost."""
BATCH = 128
"""Messages handled before the event loop's other work has its turn."""


class Inbox:
    """`put` may be called from any thread; `handle` gets the messages on the loop's thread.

    `lost` is called there, too, after messages were lost that should have arrived.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        handle: Callable[[Sequence[int]], None],
        lost: Callable[[], None],
    ) -> None:
        self._loop, self._handle, self._lost = loop, handle, lost
        self._waiting: deque[Sequence[int]] = deque()
        self._lock = threading.Lock()
        self._called = False
        self._overflowed = False
        self._closed = False
        self.dropped = 0
        """Messages that were not taken."""

    def put(self, message: Sequence[int]) -> None:
        """Bytes of one message."""
        with self._lock:
            if self._closed:
                return
            waiting = len(self._waiting)
            if waiting >= FULL or (waiting >= CALM and not _must_arrive(message)):
                self.dropped += 1
                self._overflowed |= waiting >= FULL
                return
            self._waiting.append(message)
            if self._called:
                return
            self._called = True
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._drain)

    def close(self) -> None:
        """Nothing is handled any more."""
        with self._lock:
            self._closed = True
            self._waiting.clear()

    def _drain(self) -> None:
        for _ in range(BATCH):
            with self._lock:
                if not self._waiting:
                    self._called = False
                    overflowed, self._overflowed = self._overflowed, False
                    break
                message = self._waiting.popleft()
            self._handle(message)
        else:
            self._loop.call_soon(self._drain)
            return
        if overflowed:
            self._lost()


def _must_arrive(message: Sequence[int]) -> bool:
    kind = message[0] & 0xF0 if message else 0
    return kind in (0x80, 0x90) or (kind == 0xB0 and len(message) > 1 and message[1] in (64, 120, 123))
