"""Progress for programs: JSON by the line, thinned out, and an end where nobody reads."""

import json
import subprocess
import sys

import pytest

from neurorack.learn.train.display import JsonDisplay

FOREVER = """
from neurorack.learn.train.display import JsonDisplay
display = JsonDisplay()
while True:
    display.say("still here")
"""


def test_every_stage_is_told_and_shares_at_most_once_a_second(capsys):
    display = JsonDisplay()
    display.step = "2/4 train: "
    for percent in range(100):
        display.update(percent / 100, "spectral", "12:30 left")
    display.update(0.5, "critic ramps in")
    display.update(1.0, "critic ramps in")
    display.say('It says "ä".')
    display.mention("for a log")
    display.close()
    told = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert told[0] == {"step": "2/4 train", "stage": "spectral", "share": 0.0, "line": "12:30 left"}
    assert [line["share"] for line in told[1:-2] if line["stage"] != "spectral"] == [0.5, 1.0]
    assert len(told) <= 6 and told[-2:] == [{"say": 'It says "ä".'}, {"mention": "for a log"}]


def test_it_ends_with_whoever_watches():
    process = subprocess.Popen([sys.executable, "-c", FOREVER], stderr=subprocess.PIPE)
    try:
        assert json.loads(process.stderr.readline()) == {"say": "still here"}
        process.stderr.close()
        assert process.wait(20) != 0
    except subprocess.TimeoutExpired:
        pytest.fail("it goes on with nobody there")
    finally:
        process.kill()
