"""Framing: when the sound learns what is set: at once, but in a flood not more often than it helps.

A frame is made and read as a whole, and the sound looks for a new one once a block. So what changes together
goes together, and a change that follows a frame within SHORTEST_S waits for the rest of that time.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

SHORTEST_S = 0.006
"""Two blocks of 128 samples."""

Later = Callable[[float, Callable[[], None]], Any]
"""Has something called after so many seconds (0: once what is being done is done)."""


class Framing:
    """`tell()` makes the newest frame known. clock, later: seconds, and the running loop's unless given."""

    def __init__(
        self,
        tell: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        later: Later | None = None,
    ) -> None:
        self._tell, self._clock, self._later = tell, clock, later
        self._told_s = -1e9
        self._due = self._waiting = False

    def change(self) -> None:
        """Something that the frame says has changed."""
        self._due = True
        if self._waiting:
            return
        later = self._later or _timer()
        if later is None:
            self.flush()
            return
        self._waiting = True
        later(max(0.0, self._told_s + SHORTEST_S - self._clock()), self._wake)

    def flush(self) -> None:
        """Tell what waits to be told now: something happens that it counts for."""
        if self._due:
            self._due = False
            self._told_s = self._clock()
            self._tell()

    def _wake(self) -> None:
        self._waiting = False
        self.flush()


def _timer() -> Later | None:
    """The running loop's; None where none runs, for then nobody would come back to what waits."""
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return None
    return lambda wait_s, act: loop.call_later(wait_s, act) if wait_s > 0.0 else loop.call_soon(act)
