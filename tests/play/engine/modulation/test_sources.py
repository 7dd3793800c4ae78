"""Modulation sources: their ranges, no steps where none belong, and states that can be put back."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.play.engine.modulation.envelope import Adsr
from neurorack.play.engine.modulation.follower import Follower
from neurorack.play.engine.modulation.lfo import SQUARE, TRIANGLE, Lfo
from neurorack.play.engine.modulation.random import RandomValue

FRAME_S = 128 / 44100


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 4), st.floats(0.01, 40.0), st.integers(0, 9), st.floats(0.0, 1.0))
def test_lfos_stay_in_range_and_move_no_faster_than_their_shape(shape, rate_hz, division, phase):
    lfo = Lfo(FRAME_S)
    values = np.array([lfo.step(shape, rate_hz, division, phase, 0.01 * n) for n in range(800)])
    assert np.abs(values).max() <= 1.0
    if shape <= TRIANGLE:
        turn = rate_hz * FRAME_S if division == 0 else 0.01 / 0.125
        assert np.abs(np.diff(values)).max() <= 2.0 * math.pi * turn + 1e-9
    else:
        # A jump of two is rounded: the first frame makes at most 1 - exp(-frame / 3 ms) of it.
        assert np.abs(np.diff(values)).max() <= 2.0 * (1.0 - math.exp(-FRAME_S / 0.003)) + 1e-9


def test_a_square_spends_half_its_time_up():
    lfo = Lfo(FRAME_S)
    values = np.array([lfo.step(SQUARE, 1.0, 0, 0.0, 0.0) for _ in range(round(10 / FRAME_S))])
    assert abs((values > 0).mean() - 0.5) < 0.01


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0.002, 0.5), st.floats(0.005, 0.5), st.floats(0.0, 1.0), st.floats(0.005, 0.5),
    st.lists(st.tuples(st.booleans(), st.integers(1, 60)), max_size=12),
)  # fmt: skip
def test_an_envelope_keeps_its_times_and_never_jumps(attack, decay, sustain, release, gates):
    envelope = Adsr(FRAME_S)
    opened = next(n for n in range(1000) if envelope.step(True, attack, decay, sustain, release) >= 1.0)
    assert abs(opened + 1 - attack / FRAME_S) <= 1.0 + 1e-6 or (opened == 0 and attack < FRAME_S)
    for _ in range(math.ceil(decay / FRAME_S)):
        envelope.step(True, attack, decay, sustain, release)
    assert abs(envelope.value - sustain) < 2e-3
    # Whatever the gate does, the value goes on from where it is.
    fastest = 1.0 - math.exp(-math.log(1000.0) * FRAME_S / min(decay, release))
    fastest = max(fastest, 1.3 * (1.0 - math.exp(-math.log(1.3 / 0.3) * FRAME_S / attack)))
    for gate, frames in gates:
        for _ in range(frames):
            before = envelope.value
            after = envelope.step(gate, attack, decay, sustain, release)
            assert 0.0 <= after <= 1.0
            assert abs(after - before) <= fastest + 1e-9


@settings(max_examples=40, deadline=None)
@given(st.floats(0.01, 40.0), st.integers(0, 9), st.floats(0.0, 1.0), st.integers(0, 2**40))
def test_random_values_are_seeded_bounded_and_restored(rate_hz, division, smooth, seed):
    one, two = RandomValue(FRAME_S, seed), RandomValue(FRAME_S, seed)
    first = [one.step(rate_hz, division, smooth, 0.01 * n) for n in range(300)]
    assert first == [two.step(rate_hz, division, smooth, 0.01 * n) for n in range(300)]
    assert max(map(abs, first)) <= 1.0
    three = RandomValue(FRAME_S, 0)
    three.restore(one.state())
    later = [one.step(rate_hz, division, smooth, 3 + 0.01 * n) for n in range(300)]
    assert later == [three.step(rate_hz, division, smooth, 3 + 0.01 * n) for n in range(300)]


def test_smooth_random_values_glide_and_steps_hold():
    glide, hold = RandomValue(FRAME_S, 1), RandomValue(FRAME_S, 1)
    frames = round(1.0 / FRAME_S)
    smooth = np.array([glide.step(2.0, 0, 1.0, 0.0) for _ in range(10 * frames)])
    steps = np.array([hold.step(2.0, 0, 0.0, 0.0) for _ in range(10 * frames)])
    assert np.abs(np.diff(smooth)).max() < 2.0 * 1.5 * 2.0 * FRAME_S * 1.01
    assert (np.diff(steps) == 0.0).mean() > 0.97
    assert len(np.unique(np.round(steps, 12))) >= 20


@given(st.floats(-80.0, 0.0), st.floats(-20.0, 40.0))
def test_the_follower_settles_on_the_level_in_db(level_db, gain_db):
    follower = Follower(FRAME_S)
    for _ in range(2000):
        follower.step(10.0 ** (level_db / 10.0), 0.01, 0.2, gain_db)
    assert abs(follower.value - min(max(1.0 + (level_db + gain_db) / 60.0, 0.0), 1.0)) < 1e-3
    assert follower.step(math.nan, 0.01, 0.2, gain_db) <= 1.0
