"""A process that is to run always, and a spare one that has everything imported before it is needed."""

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection

QUICK_DEATH_S = 10.0


def _wait_and_run(go: Connection, target: Callable[..., None]) -> None:
    """Entry point of the process: waits for its arguments; ends if nobody is left to send them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the supervisor ends us
    try:
        arguments = go.recv()
    except (EOFError, OSError):
        return
    target(*arguments)


class Child:
    """One process that is to run always. Dying as soon as it starts, it is started ever less often.

    `prepare` starts a spare that has imported its modules and waits, so that the next `start` takes half the
    time. target: a function of a module, with the arguments that `start` is given.
    """

    def __init__(self, name: str, target: Callable[..., None]) -> None:
        self._name, self._target = name, target
        self._context = multiprocessing.get_context("spawn")
        self._process: multiprocessing.process.BaseProcess | None = None
        self._spare: tuple[multiprocessing.process.BaseProcess, Connection] | None = None
        self._restart_at = 0.0
        self.started_at = 0.0
        self.quick_deaths = 0

    @property
    def pid(self) -> int:
        """Process id, 0 when it does not run."""
        return (self._process.pid or 0) if self._process and self._process.is_alive() else 0

    def prepare(self) -> None:
        """See to it that a spare process waits; returns at once."""
        if self._spare is not None and self._spare[0].is_alive():
            return
        theirs, ours = self._context.Pipe(duplex=False)
        process = self._context.Process(
            target=_wait_and_run, args=(theirs, self._target), name=self._name, daemon=True
        )
        process.start()
        theirs.close()
        self._spare = process, ours

    def start(self, *arguments: object) -> None:
        """Start it; returns at once."""
        self.prepare()
        assert self._spare is not None
        process, go = self._spare
        self._spare = None
        with contextlib.suppress(OSError):  # it died meanwhile: it will be found dead
            go.send(arguments)
        go.close()
        self._process = process
        self.started_at = time.monotonic()
        self._restart_at = 0.0

    def due(self) -> bool:
        """Whether a process that has died is to be started again now: at once, unless it dies quickly."""
        now = time.monotonic()
        if self._restart_at == 0.0:
            quick = now - self.started_at < QUICK_DEATH_S
            self.quick_deaths = self.quick_deaths + 1 if quick else 0
            self._restart_at = now + min(8.0, 0.5 * max(0, self.quick_deaths - 1))
        return now >= self._restart_at

    def end(self) -> None:
        """End it, if it runs."""
        process, self._process = self._process, None
        _end(process)

    def end_spare(self) -> None:
        """End the process that waits, if one does."""
        spare, self._spare = self._spare, None
        if spare is not None:
            spare[1].close()
            _end(spare[0])


def _end(process: multiprocessing.process.BaseProcess | None) -> None:
    if process is None:
        return
    with contextlib.suppress(Exception):
        if process.is_alive():
            process.terminate()
            process.join(1.0)
        if process.is_alive():
            process.kill()
            process.join(1.0)
        process.close()
