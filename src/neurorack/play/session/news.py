"""News: what everybody who listens is told, and what waits to be told at the next tick."""

from collections.abc import Callable
from typing import Any

Subscriber = Callable[[str, dict[str, Any]], None]
"""Called with a kind (hello, state, library, known, telemetry, display, notice) and its data."""


class News:
    """All methods belong to the event loop's thread."""

    def __init__(self) -> None:
        self._subscribers: dict[Subscriber, Callable[[], bool]] = {}
        self._marked = {"state", "library"}

    @property
    def looked_at(self) -> bool:
        """Whether anybody looks: what changes all the time need not be measured nor drawn for nobody."""
        return any(looks() for looks in self._subscribers.values())

    def subscribe(
        self, subscriber: Subscriber, looks: Callable[[], bool] = lambda: True
    ) -> Callable[[], None]:
        """`subscriber` gets all news from now on; returns how to end that. looks: whether it has any use for
        telemetry and display now.
        """
        self._subscribers[subscriber] = looks

        def end() -> None:
            self._subscribers.pop(subscriber, None)

        return end

    def emit(self, kind: str, data: dict[str, Any]) -> None:
        """Tell everybody now."""
        for subscriber in list(self._subscribers):
            subscriber(kind, data)

    def tell(self, text: str, level: str = "error") -> None:
        """A sentence for the performer; level: info, warn, error."""
        self.emit("notice", {"level": level, "text": text})

    def state_changes(self) -> None:
        """Something that only listeners show changed: they are told at the next tick."""
        self._marked.add("state")

    def library_changes(self) -> None:
        """Clips, presets, tunings or takes changed: likewise."""
        self._marked.add("library")

    def due(self, kind: str) -> bool:
        """Whether "state" or "library" changed since this was last asked."""
        if kind not in self._marked:
            return False
        self._marked.remove(kind)
        return True
