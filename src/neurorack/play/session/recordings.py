"""Recordings: the recorder as the session uses it, and the takes there are."""

import asyncio
from pathlib import Path
from typing import Any

from neurorack.core.nrk import Archive
from neurorack.play.audio.supervisor import Supervisor
from neurorack.play.session.news import News
from neurorack.play.session.recorder import Recorder, salvage, takes


class Recordings:
    """Takes lie in `folder`. All methods belong to the event loop's thread."""

    def __init__(self, supervisor: Supervisor, folder: Path, news: News) -> None:
        self._supervisor, self._folder, self._news = supervisor, folder, news
        self._recorder = Recorder(supervisor.bridge, folder, news.tell)
        self._recorded = False
        self._takes: list[dict[str, Any]] = []

    def rows(self) -> list[dict[str, Any]]:
        """The takes as panels show them."""
        return self._takes

    def as_dict(self) -> dict[str, Any] | None:
        """The running recording, None when there is none."""
        return self._recorder.as_dict()

    async def start(self, archive: Archive) -> None:
        """Begin a take of this instrument; NeurorackError where that cannot be."""
        await self._recorder.start(self._supervisor, archive)
        self._news.state_changes()

    async def stop(self) -> None:
        """End the take."""
        await asyncio.to_thread(self._recorder.stop)
        await self._look()
        self._news.state_changes()

    async def end_for_another_instrument(self) -> None:
        """A take is of one instrument."""
        if self._recorder.running:
            await asyncio.to_thread(self._recorder.stop)
            self._news.tell("The recording has ended: another instrument begins.", "info")

    async def follow(self) -> None:
        """Show how the recording goes on, or that it ended by itself (a full disk)."""
        if self._recorder.running:
            self._recorded = True
            self._news.state_changes()
        elif self._recorded:
            self._recorded = False
            await self._look()
            self._news.state_changes()

    async def salvage(self) -> None:
        """Complete the recordings that a crash cut off."""
        for name in await asyncio.to_thread(salvage, self._folder):
            text = f"The recording {name} was cut off by a crash: what there was of it is kept."
            self._news.tell(text, "warn")
        await self._look()

    def close(self) -> None:
        """The session ends: so does the recording."""
        self._recorder.stop()

    async def _look(self) -> None:
        self._takes = await asyncio.to_thread(takes, self._folder)
        self._news.library_changes()
