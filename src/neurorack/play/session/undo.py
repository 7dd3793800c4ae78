"""Undo: what was before, one step for each gesture; a knob's whole turn is one gesture."""

import time
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")

STEPS = 200
SAME_GESTURE_S = 1.0
"""Changes of the same thing that follow each other faster than this are one step."""


class History(Generic[T]):
    """Takes changes of an immutable value back and does them again."""

    def __init__(self) -> None:
        self._before: deque[T] = deque(maxlen=STEPS)
        self._after: list[T] = []
        self._thing: object = None
        self._at = 0.0

    @property
    def undoes(self) -> bool:
        """Whether there is something to take back."""
        return bool(self._before)

    @property
    def redoes(self) -> bool:
        """Whether there is something to do again."""
        return bool(self._after)

    def changed(self, before: T, thing: object, now_s: float | None = None) -> None:
        """`thing` (what was touched; compared by ==) changed the value, which was `before`."""
        now_s = time.monotonic() if now_s is None else now_s
        if thing != self._thing or now_s - self._at >= SAME_GESTURE_S:
            self._before.append(before)
        self._thing, self._at = thing, now_s
        self._after.clear()

    def undo(self, present: T) -> T:
        """The value before the last step; `present` when there is none."""
        while self._before:
            before = self._before.pop()
            if before != present:  # a gesture that ended where it began is no step
                self._after.append(present)
                self._thing = None
                return before
        return present

    def redo(self, present: T) -> T:
        """The value that the last undo took back; `present` when there is none."""
        if not self._after:
            return present
        self._before.append(present)
        self._thing = None
        return self._after.pop()

    def clear(self) -> None:
        """Forget everything."""
        self._before.clear()
        self._after.clear()
        self._thing = None
