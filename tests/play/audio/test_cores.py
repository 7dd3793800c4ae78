"""The sound has a core to itself, where there is more than one."""

import json
import os
import subprocess
import sys

import pytest

from neurorack.play.audio.cores import others, parse_list, siblings

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
    rest, sound = json.loads(told.stdout)
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) > 1:
        free = [core for core in cores if core not in siblings(cores[-1])]
        assert (rest, sound) == (free or cores[:-1], cores[-1:])
    else:
        assert rest == sound == cores


@pytest.mark.parametrize(
    ("cores", "told", "left"),
    [
        ([0, 1], "0-1", [0]),  # two threads of one core: there is no other
        ([0, 1, 2, 3], "1,3", [0, 2]),
        ([0, 1, 2, 3], "2-3", [0, 1]),
        ([0, 1, 2, 3], "3", [0, 1, 2]),
        ([2, 3], "3,7", [2]),
    ],
)
def test_the_other_threads_of_the_sounds_core_are_left_alone_too(cores, told, left) -> None:
    assert others(cores, parse_list(told)) == left
