"""Making: `neurorack new` as a process of its own, with the lowest priority, and what it tells of its way."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE_S = 5.0
"""How long it may take to end when it is told to."""
NICENESS = 19
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
MOST_TEXT = 500


def new_command(folder: Path, output: Path, minutes: float, title: str, work: Path) -> list[str]:
    """The arguments of `neurorack` that make the instrument."""
    return ["new", str(folder), "-o", str(output), "--minutes", f"{minutes:g}", "--title", title,
            "--work", str(work)]  # fmt: skip


class Making:
    """One process at most. `changed()` is called whenever there is news of it.

    It ends with the player: it has a process group of its own that is ended, and where the player is killed,
    it finds nobody to tell its progress to, and ends.
    """

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self.niceness = NICENESS
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._last = ""
        self._told: dict[str, Any] = {}

    @property
    def pid(self) -> int:
        """Of the process; 0 while there is none."""
        return self._process.pid if self._process is not None else 0

    def as_dict(self) -> dict[str, Any]:
        """step, stage, share, line as `neurorack new --progress json` tells them, and the last thing said."""
        return dict(self._told)

    async def run(self, arguments: list[str]) -> str | None:
        """Make it; what went wrong, in a sentence, "" if nothing did, None if it was stopped.

        Cancelling ends the process.
        """
        self._stopping, self._last = False, ""
        self._told = {"step": "", "stage": "starting", "share": 0.0, "line": "", "said": ""}
        self._process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "neurorack.cli.main", *arguments, "--progress", "json"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env=_environment(), limit=2**20, **_apart(),
        )  # fmt: skip
        _yielding(process.pid, self.niceness)
        self._changed()
        try:
            assert process.stderr is not None
            while True:
                try:
                    line = await process.stderr.readline()
                except ValueError:  # longer than any line of ours
                    continue
                if not line:
                    break
                self._take(line.decode("utf-8", "replace").strip())
            code = await process.wait()
        except asyncio.CancelledError:
            self.end()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), PATIENCE_S)
            raise
        finally:
            self._process = None
            self._changed()
        if self._stopping:
            return None
        return "" if code == 0 else self._why(code)

    def _take(self, line: str) -> None:
        try:
            told = json.loads(line)
            assert isinstance(told, dict)
        except (ValueError, AssertionError):
            if line and not self._last.startswith("Error: "):
                self._last = line[:MOST_TEXT]
            return
        if isinstance(told.get("say"), str):
            self._told["said"] = told["say"][:MOST_TEXT]
        elif isinstance(told.get("share"), int | float):
            self._told |= {"share": min(max(float(told["share"]), 0.0), 1.0)}
            self._told |= {name: str(told.get(name, ""))[:MOST_TEXT] for name in ("step", "stage")}
            # Figures for those who train stand after two spaces.
            self._told["line"] = str(told.get("line", "")).partition("  ")[0][:MOST_TEXT]
        self._changed()

    def _why(self, code: int) -> str:
        if code == -getattr(signal, "SIGKILL", 9):
            return "The system ended it, most likely for want of memory: close other programs and go on."
        return self._last.removeprefix("Error: ") or f"It ended without a word (code {code})."

    async def stop(self) -> None:
        """End it; what it has so far is kept, and the same command goes on with it."""
        process = self._process
        if process is None:
            return
        self._stopping = True
        _signal(process.pid, "SIGTERM")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), PATIENCE_S)
        if process.returncode is None:
            _signal(process.pid, "SIGKILL")

    def end(self) -> None:
        """End it now, with everything that it has started: the session ends."""
        if self._process is not None and self._process.returncode is None:
            _signal(self._process.pid, "SIGKILL")


def _environment() -> dict[str, str]:
    """Ours, with as many threads as there are cores beside the sound's: the player has set one for itself."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 2) - 1
    return os.environ | dict.fromkeys(THREADS, str(max(1, cores))) | {"PYTHONUNBUFFERED": "1"}


def _apart() -> dict[str, Any]:
    """A process group of its own, so that Ctrl-C in the terminal is the player's alone."""
    if sys.platform == "win32":
        return {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.IDLE_PRIORITY_CLASS}
    return {"start_new_session": True}


def _yielding(pid: int, niceness: int) -> None:
    """Let it run after others; what it starts inherits that."""
    if hasattr(os, "setpriority"):
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PGRP, pid, niceness)


def _signal(pid: int, name: str) -> None:
    """To the process and all that it has started."""
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(pid, getattr(signal, name))
        else:
            os.kill(pid, signal.SIGTERM)
