"""A core for the sound: everything else of ours runs on the others, and leaves its caches alone.

A real-time priority gives the sound the processor when it asks for it, but not warm caches: what ran there
in between has filled them. What runs on the other threads of the same core slows it down as much; so they
are left alone too, where something is left for the others then. Only where there are two processors or more
and the system lets us choose (Linux); elsewhere, and where it refuses, nothing changes.
"""

import contextlib
import os
from pathlib import Path

_CHOSEN = "NEURORACK_SOUND_CORE"


def leave_sound_core() -> None:
    """In the main process, before others are started: choose the sound's core, and keep off it with them."""
    if not hasattr(os, "sched_getaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, others(cores, siblings(cores[-1])))
        os.environ[_CHOSEN] = str(cores[-1])


def others(cores: list[int], together: set[int]) -> list[int]:
    """The processors for everything but the sound, which has the last of `cores`, one of those that make up a
    core `together`: those of other cores; if there are none, all but the last.
    """
    return [core for core in cores if core not in together] or cores[:-1]


def siblings(core: int) -> set[int]:
    """The processors that are threads of the same core as `core`, itself among them, as Linux tells."""
    try:
        text = Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list").read_text()
        return parse_list(text) | {core}
    except (OSError, ValueError):
        return {core}


def parse_list(text: str) -> set[int]:
    """ "0-2,8" -> {0, 1, 2, 8}. Raises ValueError."""
    found: set[int] = set()
    for part in text.strip().split(","):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def take_sound_core() -> None:
    """In the audio process: run where `leave_sound_core` has made room."""
    chosen = os.environ.get(_CHOSEN, "")
    if hasattr(os, "sched_setaffinity") and chosen.isdecimal():
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {int(chosen)})
