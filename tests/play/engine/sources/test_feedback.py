"""The feedback guard: a delay line that sustains and never runs away."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.play.engine.sources.feedback import LEVEL_DB, PEAK, FeedbackGuard

RATE, HOP = 44100, 128


def _loop(
    guard: FeedbackGuard, gain: float, offset: float, amount: float, delay_s: float, frames: int
) -> np.ndarray:
    """A loop whose other half is a bare gain with an offset and a soft bound, as rude as an engine may be."""
    fed = []
    for _ in range(frames):
        back = guard.read(delay_s, amount)
        fed.append(np.zeros(HOP, np.float32) if back is None else back.copy())
        guard.write(np.tanh(gain * fed[-1] + offset).astype(np.float32))
    return np.concatenate(fed)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 100.0), st.floats(-0.5, 0.5), st.floats(0.01, 1.0), st.floats(0.01, 1.0))
def test_no_loop_runs_away(gain, offset, amount, delay_s):
    fed = _loop(FeedbackGuard(RATE, HOP), gain, offset, amount, delay_s, 1500)
    assert np.isfinite(fed).all()
    assert np.abs(fed).max() <= PEAK
    late = fed[len(fed) // 2 :]
    assert 10.0 * np.log10(np.square(late).mean() + 1e-12) < LEVEL_DB + 1.0
    if amount * gain < 0.9 and offset == 0.0:
        assert np.abs(late).max() < 1e-3


def test_a_loop_with_gain_begins_by_itself_and_stays():
    fed = _loop(FeedbackGuard(RATE, HOP), 3.0, 0.0, 1.0, 0.05, 4000)
    late = fed[len(fed) // 2 :]
    assert abs(10.0 * np.log10(np.square(late).mean()) - LEVEL_DB) < 3.0


def test_off_is_off_and_on_delays_exactly():
    guard = FeedbackGuard(RATE, HOP)
    impulse = np.zeros(HOP, np.float32)
    assert guard.read(0.1, 0.0) is None
    impulse[5] = 0.1
    guard.write(impulse)
    heard = []
    for _ in range(60):
        heard.append(guard.read(4000 / RATE, 1.0).copy())
        guard.write(np.zeros(HOP, np.float32))
    sound = np.concatenate(heard)
    # The first frame read stands `delay` after the frame that was written just before it.
    assert np.abs(sound).argmax() == 4000 - HOP + 5
    assert abs(np.abs(sound).max() - 0.1) < 2e-3


@settings(max_examples=20, deadline=None)
@given(st.lists(st.tuples(st.floats(0.01, 1.0), st.floats(0.0, 1.0)), min_size=2, max_size=8))
def test_turning_delay_and_amount_does_not_click_and_a_restored_guard_goes_on_alike(turns):
    time = np.arange(200 * HOP) / RATE
    tone = (0.05 * np.sin(2 * np.pi * 200.0 * time)).astype(np.float32).reshape(-1, HOP)
    one, fed = FeedbackGuard(RATE, HOP), []
    for n in range(200):
        delay_s, amount = turns[n * len(turns) // 200]
        if n == 120:
            two = FeedbackGuard(RATE, HOP, 9)
            two.restore(one.state())
        back = one.read(delay_s, amount)
        one.write(tone[n])
        fed.append(np.zeros(HOP, np.float32) if back is None else back.copy())
        if n >= 120:
            again = two.read(delay_s, amount)
            two.write(tone[n])
            np.testing.assert_array_equal(fed[-1], 0.0 if again is None else again)
    sound = np.concatenate(fed)
    # Half as fast again as the tone, and the step where its delayed beginning or an off delay sets in.
    steepest = 0.05 * 2 * np.pi * 200.0 / RATE
    assert np.abs(np.diff(sound)).max() < 1.6 * steepest + 0.05 / HOP * 2 + 1e-3
