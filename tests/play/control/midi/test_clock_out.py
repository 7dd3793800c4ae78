"""The clock that goes out: steady between late tellings, right in phase, 24 pulses a beat."""

import random
import threading
import time

import numpy as np
import pytest

from neurorack.core.errors import NeurorackError
from neurorack.play.control.midi.clock_out import Beats, ClockOut, open_output


def test_late_and_uneven_tellings_make_a_steady_beat():
    """Telemetry is up to 30 ms late, unevenly: the beat strays by far less, and stays right."""
    rng, beats = random.Random(3), Beats()
    errors = []
    for i in range(1500):
        now = i / 30 + rng.uniform(0, 0.002)
        beats.tell((now - rng.uniform(0.002, 0.03)) * 2.0, 120.0, now)
        errors.append(beats.at(now) / 2.0 - now)
    late = np.array(errors[300:])
    assert np.ptp(late) < 0.006 and -0.012 < late.mean() < 0.0
    step = np.abs(np.diff(late))
    assert step.max() < 0.004 and np.median(step) < 0.0005
    assert beats.tell(0.0, 120.0, 51.0)  # started anew
    assert beats.at(51.0) == 0.0
    for nonsense in ((float("nan"), 120.0), (1.0, 0.0), (1.0, float("inf"))):
        assert not beats.tell(*nonsense, 51.1)


def test_pulses_of_a_running_clock():
    sent, enough = [], threading.Event()

    def send(message):
        sent.append(message)
        if len(sent) > 60:
            enough.set()

    clock = ClockOut(send)
    began = time.perf_counter()
    while not enough.is_set() and time.perf_counter() - began < 20:
        now = time.perf_counter() - began
        clock.follow(now * 4.0, 240.0, True)
        enough.wait(1 / 30)
    clock.close()
    assert enough.is_set() and sent[0] == [0xFA] and sent[-1] == [0xFC]
    assert all(message == [0xF8] for message in sent[1:-1])


def test_a_missing_output_is_one_sentence():
    with pytest.raises(NeurorackError, match="no output is called 'nowhere'"):
        open_output("nowhere")
