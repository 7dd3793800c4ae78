"""Support: the shaded range is the slice of what the score calls feasible."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import cKDTree

from neurorack.play.engine.support import LEAST_REACH, Support

POINTS = np.random.default_rng(0).uniform(-1, 1, (300, 3)).astype(np.float32)
RADIUS = 0.2


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(-1, 1), min_size=3, max_size=3), st.integers(0, 2))
def test_the_range_is_where_requests_begin_and_end_to_be_feasible(at, row):
    low, high = Support(POINTS, RADIUS).reachable(np.array(at))
    line = np.repeat(np.array(at)[None], 2001, axis=0)
    line[:, row] = np.linspace(-1, 1, 2001)
    feasible = np.isfinite(cKDTree(POINTS).query(line, distance_upper_bound=RADIUS)[0])
    assert np.all((-1 <= low) & (low < high) & (high <= 1))
    if np.count_nonzero(feasible) > 40:
        assert low[row] == pytest.approx(line[feasible, row].min(), abs=2e-3)
        assert high[row] == pytest.approx(line[feasible, row].max(), abs=2e-3)


def test_far_from_every_sound_it_is_what_the_nearest_has():
    support = Support(np.array([[0.5, 0.0], [-0.5, 0.1]], np.float32), 0.05)
    low, high = support.reachable(np.array([0.0, -0.9]))
    assert low[0] == pytest.approx(0.5) and high[0] == pytest.approx(0.5 + LEAST_REACH)


def test_a_control_does_not_bound_itself():
    support = Support(POINTS, 0.6)
    low, high = support.reachable(np.zeros(3))
    again = support.reachable(np.array([0.9, 0.0, 0.0]))
    assert (low[0], high[0]) == (again[0][0], again[1][0])


def test_what_is_drawn_nearer_ends_where_requests_begin_to_be_feasible():
    support, free = Support(POINTS, RADIUS), np.array([True, True, False])
    rng, tree = np.random.default_rng(1), cKDTree(POINTS)
    far = [c for c in rng.uniform(-1.2, 1.2, (200, 3)) if tree.query(c)[0] > RADIUS]
    assert len(far) > 50
    for c in far:
        near = support.nearer(c, free)
        assert near[2] == pytest.approx(c[2])
        goal = POINTS[tree.query(c)[1]]
        fixed = abs(goal[2] - c[2])  # the part of the distance that may not change
        assert np.linalg.norm(goal - near) == pytest.approx(max(RADIUS, fixed), abs=1e-4)
        way = np.cross((near - c)[:2], (goal - c)[:2])
        assert abs(way) < 1e-4  # straight
    for c in POINTS[:20] + 0.05:
        np.testing.assert_array_equal(support.nearer(c, free), c)


def test_a_row_apart_neither_counts_nor_moves():
    support = Support(POINTS, RADIUS)
    at = POINTS[7] + np.array([5.0, 0.0, 0.0], np.float32)
    np.testing.assert_array_equal(support.nearer(at, np.array([False, True, True]), apart=0), at)
