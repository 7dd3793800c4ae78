"""The sound has a core to itself, where there is more than one."""

import json
import os
import subprocess
import sys

TRY = """
import json, os, subprocess, sys
from neurorack.play.audio.cores import leave_sound_core, take_sound_core
if sys.argv[1:]:
    take_sound_core()
    print(json.dumps(sorted(os.sched_getaffinity(0))))
else:
    leave_sound_core()
    again = [sys.executable, "-c", os.environ["TRY"], "child"]
    child = subprocess.run(again, capture_output=True, check=True)
    print(json.dumps([sorted(os.sched_getaffinity(0)), json.loads(child.stdout)]))
"""


def test_others_leave_the_core_that_the_sound_takes() -> None:
    if not hasattr(os, "sched_getaffinity"):  # macOS and Windows do not let us choose
        return
    told = subprocess.run(
        [sys.executable, "-c", TRY], capture_output=True, check=True, env={**os.environ, "TRY": TRY}
    )
    others, sound = json.loads(told.stdout)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        assert (others, sound) == (cores[:-1], cores[-1:])
    else:
        assert others == sound == cores
