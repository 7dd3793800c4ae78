"""Anchors and the path among them: seeded, smooth, and exactly the anchor without life."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.play.engine.sources.anchors import Anchors, Wander

RATE_HZ = 44100 / 128


def _anchors(count: int = 32) -> Anchors:
    random = np.random.default_rng(4)
    z = random.normal(size=(count, 8)).astype(np.float32)
    return Anchors(z, random.uniform(-1, 1, (count, 3)).astype(np.float32), still=[2])


ANCHORS = _anchors()


def test_without_life_a_held_tone_is_the_anchor():
    wander = Wander(ANCHORS, RATE_HZ, 3)
    for home in (0, 5, 5, 31):
        np.testing.assert_array_equal(wander.hold(home, 0.0), ANCHORS.rows[home])


def test_life_moves_a_held_tone_by_its_share_of_the_neighbours_distance():
    wander = Wander(ANCHORS, RATE_HZ, 3)
    rows = np.array([wander.hold(7, 1.0).copy() for _ in range(round(120 * RATE_HZ))])
    spread = (rows - ANCHORS.rows[7]).std(axis=0)[:8] / ANCHORS.spread[7]
    assert np.all((0.2 < spread) & (spread < 0.5))
    moved = rows[:, 8:].std(axis=0)
    assert np.all((0.1 < moved[:2]) & (moved[:2] < 0.2))
    assert np.ptp(rows[:, 10]) == 0.0
    assert (np.abs(np.diff(rows[:, :8], axis=0)) / ANCHORS.spread[7]).max() < 0.05


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 31), st.integers(1, 80)), min_size=1, max_size=6),
    st.floats(0.1, 4.0), st.floats(0.0, 1.0), st.integers(0, 2**40),
)  # fmt: skip
def test_a_path_is_smooth_also_to_another_home(homes, rate_hz, depth, seed):
    wander = Wander(ANCHORS, RATE_HZ, seed)
    wander.restart(seed, homes[0][0])
    rows = np.array([wander.wander(h, rate_hz, depth).copy() for h, n in homes for _ in range(n)])
    widest = float(np.ptp(ANCHORS.rows, axis=0).max())
    # A segment of a Catmull-Rom curve is at most about twice as steep as its chord; the centre of a path
    # that is not gone all the way follows another home within 0.05 s.
    bound = widest * (2.5 * rate_hz / RATE_HZ + (1.0 - depth) / (0.05 * RATE_HZ) + 0.02)
    assert np.abs(np.diff(rows, axis=0)).max(initial=0.0) < bound


@pytest.mark.parametrize("count", [1, 2, 32])
def test_a_restored_path_goes_on_alike(count):
    anchors = _anchors(count)
    one, two = Wander(anchors, RATE_HZ, 1), Wander(anchors, RATE_HZ, 2)
    for n in range(700):
        one.wander(n // 300 % count, 3.0, 0.7)
    two.restore(one.state())
    for n in range(700):
        step = (lambda w: w.wander(0, 3.0, 0.7)) if n < 600 else (lambda w: w.hold(0, 0.3))
        np.testing.assert_array_equal(step(one), step(two))
    assert one.nearest() == two.nearest()
