"""Starts `neurorack play` as a user would: a process of its own, on any free port."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SRC = Path(__file__).parents[3] / "src"


@dataclass
class Player:
    """A running player and what it told when it was ready."""

    process: subprocess.Popen
    told: dict

    @property
    def url(self) -> str:
        return self.told["url"]

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.told['port']}"

    @property
    def token(self) -> str:
        return self.url.split("token=")[1]


def command(*arguments: str) -> list[str]:
    """The command line of `neurorack play`."""
    return [sys.executable, "-m", "neurorack.cli.main", "play", "--no-browser", "--json", *arguments]


def environment(home: Path) -> dict[str, str]:
    """An environment whose only instruments are those in `home`/instruments."""
    return os.environ | {"PYTHONPATH": str(SRC), "NEURORACK_HOME": str(home), "OMP_NUM_THREADS": "1"}


@contextlib.contextmanager
def playing(home: Path, *arguments: str, inside: Sequence[str] = ()) -> Iterator[Player]:
    """A player that is told to end, and must, when the block is left; `inside`: a command that becomes it."""
    process = subprocess.Popen(
        [*inside, *command("--port", "0", *arguments)],
        env=environment(home),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=lambda: lines.put(process.stdout.readline()), daemon=True).start()
        yield Player(process, json.loads(lines.get(timeout=60)))
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) in (0, -signal.SIGTERM if os.name == "nt" else 0)
    finally:
        if process.poll() is None:
            process.kill()
        process.stdout.close()


def until(page, expression: str, patience_s: float = 10.0) -> None:
    """Wait until a JavaScript expression is true in the page.

    (Playwright's own wait_for_function compiles text inside the page, which the panel's policy forbids.)
    """
    end = time.monotonic() + patience_s
    while not page.evaluate(f"!!({expression})"):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(40)
