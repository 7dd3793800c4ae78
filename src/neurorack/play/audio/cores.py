"""A core for the sound: everything else of ours runs on the others, and leaves its caches alone.

A real-time priority gives the sound the processor when it asks for it, but not warm caches: what ran there
in between has filled them. Only where there are two cores or more and the system lets us choose (Linux);
elsewhere, and where it refuses, nothing changes.
"""

import contextlib
import os

_CHOSEN = "NEURORACK_SOUND_CORE"


def leave_sound_core() -> None:
    """In the main process, before others are started: choose the sound's core, and keep off it with them."""
    if not hasattr(os, "sched_getaffinity"):
        return
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return
    with contextlib.suppress(OSError):
        os.sched_setaffinity(0, cores[:-1])
        os.environ[_CHOSEN] = str(cores[-1])


def take_sound_core() -> None:
    """In the audio process: run where `leave_sound_core` has made room."""
    chosen = os.environ.get(_CHOSEN, "")
    if hasattr(os, "sched_setaffinity") and chosen.isdecimal():
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {int(chosen)})
