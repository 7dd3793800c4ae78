"""Ask the system to run the sound before other things. Being refused is normal and changes nothing else."""

import contextlib
import os
import sys

SOUND_PRIORITY, KEEPING_PRIORITY = 5, 4
NICENESS = -11


def raise_process_priority() -> None:
    """Raise the whole process: "high" on Windows, a lower niceness elsewhere."""
    if sys.platform == "win32":
        import ctypes

        high_priority_class = 0x00000080
        kernel = ctypes.windll.kernel32  # type: ignore[attr-defined]
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), high_priority_class)
        return
    with contextlib.suppress(OSError):
        os.nice(NICENESS)


def raise_thread_priority(priority: int = SOUND_PRIORITY) -> None:
    """Real-time scheduling for the calling thread on Linux (needs rtprio in limits.conf or CAP_SYS_NICE).

    Round robin at a low real-time priority: before every ordinary process, after the kernel's audio threads.
    A thread that already has one (of a JACK server that runs in real time) keeps it.
    The thread that keeps the process asks for KEEPING_PRIORITY: were it an ordinary one, it could be set
    aside while it holds the interpreter's lock, and the sound would wait for it.
    """
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError):
        if os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK != os.SCHED_OTHER:
            return
        policy = os.SCHED_RR | os.SCHED_RESET_ON_FORK
        os.sched_setscheduler(0, policy, os.sched_param(priority))
