"""Insist: the Gaussian copula's promises, for any correlation, any move."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.play.engine.insist import Coupling, to_control, to_score

inside = st.floats(-0.98, 0.98)
shares = st.floats(0.0, 1.0)


@st.composite
def couplings(draw):
    """A random correlation matrix of 2..6 controls."""
    size = draw(st.integers(2, 6))
    random = np.random.default_rng(draw(st.integers(0, 10_000)))
    factors = random.standard_normal((size, size + 1))
    covariance = factors @ factors.T + 0.05 * np.eye(size)
    scale = 1.0 / np.sqrt(np.diag(covariance))
    return Coupling(covariance * scale[:, None] * scale)


@given(st.lists(st.floats(-1.25, 1.25), min_size=1, max_size=20))
def test_scores_and_controls_are_inverse_and_rising(values):
    values = np.sort(np.array(values))
    assert to_control(to_score(values)) == pytest.approx(values, abs=1e-6)
    assert np.all(np.diff(to_score(values)) >= 0)


@settings(max_examples=60, deadline=None)
@given(couplings(), st.data())
def test_moving_one(coupling, data):
    n = coupling.size
    at = np.array(data.draw(st.lists(inside, min_size=n, max_size=n)))
    row = data.draw(st.integers(0, n - 1))
    goal = data.draw(inside)
    delta = np.array([goal - at[row]])
    held = coupling.move_others(at, [row], delta, 1.0)
    free = coupling.move_others(at, [row], delta, 0.0)
    half = coupling.move_others(at, [row], delta, data.draw(shares))
    others = np.delete(np.arange(n), row)
    # The moved control goes where it is sent, whatever the insistence; fully insisted, the others stay.
    assert held[row] == pytest.approx(goal, abs=1e-6) == pytest.approx(free[row], abs=1e-6)
    assert held[others] == pytest.approx(at[others], abs=1e-6)
    # Freed, each other control moves towards the side its correlation says, and never beyond the knob's end.
    moved = free[others] - at[others]
    expected = coupling.correlation[row, others] * np.sign(delta)
    assert np.all(moved * expected >= -1e-6)
    assert np.all(np.abs(free) <= 1.25) and np.all(np.isfinite(free))
    # In between lies between.
    low, high = np.minimum(held, free), np.maximum(held, free)
    assert np.all(half >= low - 1e-6) and np.all(half <= high + 1e-6)


@settings(max_examples=40, deadline=None)
@given(couplings(), st.integers(2, 5), shares)
def test_over_time_equals_frame_by_frame(coupling, frames, insist):
    random = np.random.default_rng(frames)
    at = random.uniform(-0.9, 0.9, (coupling.size, frames))
    delta = random.uniform(-0.5, 0.5, (1, frames))
    together = coupling.move_others(at, [0], delta, insist)
    for t in range(frames):
        assert together[:, t] == pytest.approx(
            coupling.move_others(at[:, t], [0], delta[:, t], insist), abs=1e-6
        )


def test_a_singular_coupling_is_survived():
    coupling = Coupling(np.ones((3, 3)))
    moved = coupling.move_others(np.zeros(3), [0], np.array([0.5]), 0.0)
    assert np.all(np.isfinite(moved)) and moved[1] == pytest.approx(0.5, abs=0.1)
