"""Watch: looks after the audio process; when it was started again, it learns what the hands hold."""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path

from neurorack.play.audio.supervisor import Supervisor

CARRIED_OUT_S = 20.0


class Watch:
    """`tell(text, level)` gets what the performer should know; `resend()` tells the sound what is held."""

    def __init__(
        self, supervisor: Supervisor, resend: Callable[[], None], tell: Callable[[str, str], None]
    ) -> None:
        self._supervisor, self._resend, self._tell = supervisor, resend, tell
        self._told_note = ""
        self._silent = False
        """The audio process was started again and does not sound yet: then it must learn what is held."""

    @property
    def note(self) -> str:
        """What the performer should know about the sound's way."""
        return self._supervisor.note or self._supervisor.status.note

    async def look(self) -> None:
        """Start a process that ended again; tell what is new."""
        if await asyncio.to_thread(self._supervisor.poll):
            self._silent = True
            why = self._supervisor.status.error or "the audio process ended"
            self._tell(f"The sound is being started again: {why}".rstrip(".") + ".", "warn")
        if self._silent and self._supervisor.running:
            self._silent = False
            self._resend()
        if self.note != self._told_note:
            self._told_note = self.note
            if self.note:
                self._tell(self.note, "warn")

    @property
    def fault(self) -> str:
        """What the audio process complains about; mostly empty."""
        return self._supervisor.status.error

    async def play_instrument(self, path: Path, clips: str, another_rate: bool) -> bool:
        """Have another instrument played, with the clips in an .npz; True once it is.

        With another sample rate the device must be opened anew.
        """
        number = self._supervisor.command(str(path), clips=clips)
        if another_rate:
            await asyncio.to_thread(self._supervisor.restart)
            self._silent = True
        return await self._carried_out(number)

    async def play_clips(self, path: str) -> bool:
        """Have the clips in an .npz played ("": the instrument's own); True once they are."""
        return await self._carried_out(self._supervisor.command(clips=path))

    async def _carried_out(self, number: int) -> bool:
        """Wait until the audio process carried a command out; False if it refused or takes too long."""
        until = time.monotonic() + CARRIED_OUT_S
        while time.monotonic() < until:
            if self._supervisor.status.command >= number:
                return not self._supervisor.status.error
            await asyncio.sleep(0.03)
        return False
