"""The latent map: anchors where they belong, no step anywhere, and motions that never jump."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.play.engine.latent_map import LatentMap
from neurorack.play.engine.params import MAP_ORBIT, MAP_PATH, MAP_POINT
from neurorack.play.engine.sources.anchors import Anchors
from neurorack.play.engine.sources.motion import MapMotion, closed_path

FRAME_S = 128 / 44100


def _anchors(count: int) -> Anchors:
    """Three families of tones."""
    random = np.random.default_rng(count)
    centre = 4.0 * random.normal(size=(3, 8))
    z = centre[np.arange(count) % 3] + random.normal(size=(count, 8))
    return Anchors(z.astype(np.float32), random.uniform(-1, 1, (count, 5)).astype(np.float32))


MAP = LatentMap(_anchors(64))
UNIT = st.floats(0.0, 1.0)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 64, 300])
def test_every_anchor_has_its_place_and_is_found_there(count):
    anchors = _anchors(count)
    one = LatentMap(anchors)
    assert one.points.shape == (count, 2)
    assert one.points.min() >= 0.0
    assert one.points.max() <= 1.0
    np.testing.assert_array_equal(one.points, LatentMap(anchors).points)
    for n, (x, y) in enumerate(one.points.tolist()):
        np.testing.assert_array_equal(one.row_at(x, y), anchors.rows[n])
        assert one.nearest(x, y) == n
    np.testing.assert_allclose(one.place_of(anchors.rows), one.points, atol=1e-3)


def test_families_stay_together():
    anchors = _anchors(63)
    points = LatentMap(anchors).points
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distance, 9.0)
    nearest = np.argsort(distance, axis=1)[:, :4]
    assert (nearest % 3 == (np.arange(63) % 3)[:, None]).mean() > 0.85


def test_anchors_fill_the_square():
    distance = np.linalg.norm(MAP.points[:, None] - MAP.points[None], axis=-1)
    np.fill_diagonal(distance, 9.0)
    assert distance.min() > 0.3 / 8
    grid = np.stack(np.meshgrid(*[np.linspace(0.1, 0.9, 20)] * 2), axis=-1).reshape(-1, 1, 2)
    assert np.linalg.norm(grid - MAP.points[None], axis=-1).min(axis=1).max() < 0.33


@settings(max_examples=20, deadline=None)
@given(UNIT, UNIT, UNIT, UNIT)
def test_no_step_on_any_straight_line(x0, y0, x1, y1):
    steps = np.linspace(0.0, 1.0, 3000)
    rows = np.array([MAP.row_at(x0 + t * (x1 - x0), y0 + t * (y1 - y0)) for t in steps])
    length = np.hypot(x1 - x0, y1 - y0) / 3000
    widest = float(np.ptp(MAP.row_at(0.0, 0.0)[None] - _anchors(64).rows, axis=0).max())
    # Neighbours stand at least 0.3 / 8 apart: within that distance all of the range may be crossed, steeply.
    assert np.abs(np.diff(rows, axis=0)).max() <= widest * 4.0 * length / (0.3 / 8) + 1e-4


def test_a_sound_leaves_a_trace():
    rows = np.repeat(_anchors(64).rows[[4, 20, 33]], 40, axis=0)
    trace = MAP.trace(rows, 12)
    assert trace.shape == (12, 2)
    np.testing.assert_allclose(trace[[0, 6, 11]], MAP.points[[4, 20, 33]], atol=1e-3)


PATH = st.lists(st.tuples(UNIT, UNIT), min_size=0, max_size=32)
TURN = st.tuples(st.sampled_from([MAP_POINT, MAP_ORBIT, MAP_PATH]), UNIT, UNIT, st.floats(0.0, 0.5),
                 st.floats(0.01, 8.0), PATH, st.integers(1, 80))  # fmt: skip


def _move(motion: MapMotion, turns: list) -> np.ndarray:
    places = []
    for kind, x, y, radius, rate_hz, points, frames in turns:
        path = np.zeros(64, np.float32)
        path[: 2 * len(points)] = np.array(points, np.float32).ravel()
        places += [motion.step(kind, x, y, radius, rate_hz, path, len(points)) for _ in range(frames)]
    return np.array(places)


@settings(max_examples=30, deadline=None)
@given(st.lists(TURN, min_size=1, max_size=5))
def test_places_stay_in_the_square_and_never_jump(turns):
    places = _move(MapMotion(FRAME_S), turns)
    assert places.min() >= 0.0
    assert places.max() <= 1.0
    fastest = max(rate for *_, rate, _, _ in turns) * FRAME_S
    # At most: the hand's smoothing, a jump's fade, and a closed path of 32 stretches of 1.6 at most.
    bound = 1.5 * (1 - np.exp(-FRAME_S / 0.02)) + 1.5 * (1 - np.exp(-FRAME_S / 0.08)) + 52 * fastest
    assert np.abs(np.diff(places, axis=0)).max(initial=0.0) <= bound


@settings(max_examples=30, deadline=None)
@given(st.lists(TURN, min_size=1, max_size=3), st.lists(TURN, min_size=1, max_size=3))
def test_a_restored_motion_goes_on_alike(before, after):
    one, two = MapMotion(FRAME_S), MapMotion(FRAME_S)
    _move(one, before)
    two.restore(one.state())
    np.testing.assert_array_equal(_move(one, after), _move(two, after))


def test_a_path_meets_its_points_at_an_even_pace():
    points = np.array([[0.1, 0.1], [0.9, 0.2], [0.8, 0.9], [0.2, 0.6]])
    path = closed_path(points)
    pace = np.linalg.norm(np.diff(path, axis=0), axis=1)
    assert pace.max() < 1.05 * pace.min()
    for point in points:
        assert np.linalg.norm(path - point, axis=1).min() < pace.max()
    np.testing.assert_array_equal(path[0], path[-1])
