"""Tasks: slow work beside the event loop; what goes wrong in it becomes a sentence."""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any

from neurorack.core.errors import NeurorackError

log = logging.getLogger(__name__)


class Tasks:
    """Work that goes on until it is done or cancelled. `tell(text)` gets its complaints."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._running: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let it go on beside the loop; RuntimeError where none runs."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            work.close()
            raise
        task = loop.create_task(self._guarded(work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        task.add_done_callback(lambda _: work.close())  # a task cancelled before it began never awaited it

    def cancel(self) -> None:
        """End all of it."""
        for task in list(self._running):
            task.cancel()

    async def _guarded(self, work: Coroutine[Any, Any, Any]) -> None:
        try:
            await work
        except NeurorackError as error:
            self._tell(str(error))
        except OSError as error:
            self._tell(f"A file could not be written ({error.strerror}): free some space.")
        except Exception:
            log.exception("a task failed")
            self._tell("That did not work: an error inside Neurorack, please report it.")
