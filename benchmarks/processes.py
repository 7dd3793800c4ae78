"""What the processes of a running player are, and what each costs: processor seconds and private memory.

Linux counts processor time for each process and thread; unlike lateness it depends little on what else a
machine does, as long as a process gets all that it wants.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TICKS_PER_S = os.sysconf("SC_CLK_TCK")
_PARENT, _USER_TIME, _SYSTEM_TIME, _NICE = 1, 11, 12, 16
"""Fields of /proc/PID/stat behind the name, counted from 0."""


def roles(told: dict[str, Any]) -> dict[int, str]:
    """pid -> role (main, audio, panel, ears, helpers) of a player that `told` its pids when it was ready."""
    main = told["pid"]
    known = {main: "main", told["audio_pid"]: "audio", told["panel_pid"]: "panel"}
    found, helpers = {main: "main"}, 0
    usual = _nice(main)
    for pid in _children(main):
        if pid in known:
            found[pid] = known[pid]
        elif _nice(pid) > usual:  # of all of them only the ears step back
            found[pid] = "ears"
        else:
            helpers += 1
            found[pid] = f"helper {helpers}"
    return found


@dataclass(frozen=True)
class Spent:
    """Processor seconds that a process has spent so far, in all and by thread (tid -> (name, seconds))."""

    seconds: float
    threads: dict[int, tuple[str, float]]


def spent(pid: int) -> Spent | None:
    """What a process has spent since it began; None when it is gone."""
    try:
        seconds = _seconds(Path(f"/proc/{pid}/stat"))
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return None
    threads = {}
    for task in tasks:
        with contextlib.suppress(OSError):  # it ended meanwhile
            threads[int(task.name)] = ((task / "comm").read_text().strip(), _seconds(task / "stat"))
    return Spent(seconds, threads)


class Meter:
    """Processor seconds per second of some processes (pid -> role) from now until `read`."""

    def __init__(self, pids: dict[int, str], clock_s: float) -> None:
        self._pids = pids
        self._began_s = clock_s
        self._first = {pid: spent(pid) for pid in pids}

    def read(self, clock_s: float) -> dict[str, dict[str, Any]]:
        """role -> {"all": share, "threads": [(name, share)] of those that did anything, busiest first}."""
        passed_s = clock_s - self._began_s
        found = {}
        for pid, role in self._pids.items():
            first, last = self._first[pid], spent(pid)
            if first is None or last is None:
                continue
            threads = []
            for tid, (name, seconds) in last.threads.items():
                share = (seconds - first.threads.get(tid, ("", 0.0))[1]) / passed_s
                if share >= 0.0005:
                    threads.append((name, round(share, 4)))
            threads.sort(key=lambda one: -one[1])
            found[role] = {"all": round((last.seconds - first.seconds) / passed_s, 4), "threads": threads}
        return found


def memory_mib(pid: int) -> float | None:
    """Private memory of a process (not shared memory, not files); None when it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        return round(next(int(line.split()[1]) for line in lines if line.startswith("RssAnon")) / 1024, 1)
    except (OSError, StopIteration):
        return None


def _seconds(stat: Path) -> float:
    fields = stat.read_text().rsplit(")", 1)[1].split()
    return (int(fields[_USER_TIME]) + int(fields[_SYSTEM_TIME])) / TICKS_PER_S


def _nice(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[_NICE])
    except OSError:
        return 0


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[_PARENT]) == pid:
                found.append(int(stat.parent.name))
        except (OSError, ValueError):
            continue
    return sorted(found)
