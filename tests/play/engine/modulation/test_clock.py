"""The clock: exact over ten minutes, in step with jittering pulses, never jumping."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.play.engine.modulation.clock import Clock
from neurorack.play.engine.modulation.lfo import TRIANGLE, Lfo
from neurorack.play.engine.params import BEATS

FRAME_S = 128 / 44100


def _follow(clock: Clock, times_s: np.ndarray, until_s: float) -> tuple[np.ndarray, np.ndarray]:
    """Beat and tempo at every frame while pulses come at `times_s`."""
    beats, tempos, due = [], [], 0
    for frame in range(int(until_s / FRAME_S)):
        now = frame * FRAME_S
        while due < len(times_s) and times_s[due] <= now:
            clock.pulse(now - times_s[due])
            due += 1
        beats.append(clock.step(100.0))
        tempos.append(clock.tempo_bpm)
    return np.array(beats), np.array(tempos)


@pytest.mark.parametrize("tempo", [100.0, 133.7])
def test_ten_minutes_end_on_the_beat(tempo):
    clock, lfo = Clock(FRAME_S), Lfo(FRAME_S)
    frames = round(600 / FRAME_S)
    for _ in range(frames):
        beat = clock.step(tempo)
        value = lfo.step(TRIANGLE, 1.0, 4, 0.0, beat)
    exact = frames * FRAME_S * tempo / 60.0
    assert abs(clock.beat - exact) < 1e-9
    turn = (exact / BEATS[4]) % 1.0
    assert abs(value - (1.0 - abs(4.0 * ((turn + 0.25) % 1.0) - 2.0))) < 1e-7


@settings(max_examples=15, deadline=None)
@given(st.floats(40.0, 250.0), st.floats(0.0, 0.002), st.integers(0, 2**31))
def test_the_tempo_follows_jittered_pulses(tempo, jitter_s, seed):
    random = np.random.default_rng(seed)
    period = 60.0 / tempo / 24.0
    jitter_s = min(jitter_s, 0.15 * period)
    ideal = 0.05 + period * np.arange(int(6.0 / period))
    clock = Clock(FRAME_S)
    clock.start()
    beats, tempos = _follow(clock, ideal + random.uniform(-jitter_s, jitter_s, len(ideal)), ideal[-1])
    late = len(tempos) // 2
    assert np.abs(tempos[late:] / tempo - 1.0).max() < 0.01 + 0.5 * jitter_s / period * 0.1
    assert abs(tempos[late:].mean() / tempo - 1.0) < 0.003
    # Beat zero is the first pulse after start, and the beat stays with the ideal pulses.
    now = (np.arange(len(beats)) + 1) * FRAME_S
    error_s = (beats[late:] - (now[late:] - ideal[0]) * tempo / 60.0) * 60.0 / tempo
    assert np.abs(error_s).max() < 0.002 + jitter_s
    steps = np.diff(beats)
    assert steps.min() >= 0.0
    assert steps[late:].max() < 1.6 * FRAME_S * tempo / 60.0


def test_a_new_tempo_is_found_within_a_beat_and_pulses_that_end_leave_the_beat_where_it_is():
    first = 0.05 + 60 / 90 / 24 * np.arange(48)
    second = first[-1] + 60 / 140 / 24 * (np.arange(96) + 1)
    clock = Clock(FRAME_S)
    beats, tempos = _follow(clock, np.concatenate([first, second]), second[-1] + 1.5)
    within = int((second[0] + 60 / 140) / FRAME_S)
    assert abs(tempos[within] - 140) < 3
    assert tempos[-1] == 100.0
    assert np.diff(beats).min() >= 0.0
    assert np.diff(beats).max() < 1.6 * FRAME_S * 160 / 60


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 9), st.floats(0.02, 1.0), st.floats(20.0, 300.0))
def test_the_gate_is_open_for_its_length_and_closes_between_notes(division, length, tempo):
    clock = Clock(FRAME_S)
    frames = int(min(4 * BEATS[division] * 60 / tempo, 20.0) / FRAME_S)
    gates = []
    for _ in range(frames):
        clock.step(tempo)
        gates.append(clock.gate(division, length))
    turns = int(clock.beat / BEATS[division])
    if length == 1.0:
        assert all(gates)
    else:
        closings = np.count_nonzero(np.diff(np.array(gates, int)) < 0)
        assert abs(closings - turns) <= 1
    clock.stop()
    assert not clock.gate(division, length)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(["step", "pulse", "start", "stop"]), max_size=200))
def test_a_restored_clock_goes_on_alike(calls):
    def play(clock: Clock, calls: list[str]) -> list[float]:
        found = []
        for call in calls:
            if call == "step":
                for _ in range(5):
                    found.append(clock.step(120.0))
            else:
                getattr(clock, call)()
            found.append(clock.tempo_bpm)
        return found

    half = len(calls) // 2
    first = Clock(FRAME_S)
    play(first, calls[:half])
    second = Clock(FRAME_S)
    second.restore(first.state())
    assert play(first, calls[half:]) == play(second, calls[half:])
