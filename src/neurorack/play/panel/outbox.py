"""Outbox: what waits to be sent to one page, so that a slow one holds up nobody."""

import asyncio
from collections import deque

MAX_NEWS = 256


class Outbox:
    """News in order; of state, telemetry and display only the newest."""

    def __init__(self) -> None:
        self._news: deque[str] = deque()
        self._newest: dict[str, str] = {}
        self._ready = asyncio.Event()
        self.overrun = False

    def put(self, kind: str, text: str) -> None:
        """`text` waits; "news" must arrive, of every other kind the newest replaces the one before."""
        if kind != "news":
            self._newest[kind] = text
        elif len(self._news) >= MAX_NEWS:
            self.overrun = True
        else:
            self._news.append(text)
        self._ready.set()

    async def take(self) -> list[str]:
        """Everything that waits; waits until there is something."""
        await self._ready.wait()
        self._ready.clear()
        batch = [*self._news, *self._newest.values()]
        self._news.clear()
        self._newest.clear()
        return batch
