"""Variation from trigger to trigger, and the z of a dynamic layer."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from neurorack.play.engine.sources.anchors import Anchors
from neurorack.play.engine.sources.variation import MOST_LEAN, DynamicLayer, TriggerVariation


def _anchors() -> Anchors:
    """One family whose first latent axis rises with loudness (the first control)."""
    random = np.random.default_rng(8)
    controls = random.uniform(-1, 1, (48, 3)).astype(np.float32)
    z = 0.3 * random.normal(size=(48, 4)).astype(np.float32)
    z[:, 0] += 0.5 * controls[:, 0]
    return Anchors(z, controls)


ANCHORS = _anchors()
LOUDNESS_DB = -25.0 + 12.0 * ANCHORS.rows[:, 4]


def test_without_life_every_trigger_is_alike():
    variation = TriggerVariation(ANCHORS, 2, 7)
    for home in range(5):
        assert not variation.next(home, 0.0).any()
        assert variation.cents == 0.0


@given(st.integers(0, 47), st.integers(0, 2**40))
def test_variation_is_seeded_bounded_and_leaves_the_pitch_control_alone(home, seed):
    one, two = TriggerVariation(ANCHORS, 2, seed), TriggerVariation(ANCHORS, 2, seed)
    for _ in range(3):
        np.testing.assert_array_equal(one.next(home, 0.3), two.next(home, 0.3))
    two.restart(0)
    two.restore(one.state())
    assert one.cents == two.cents
    a, b = one.next(home, 1.0), two.next(home, 1.0)
    np.testing.assert_array_equal(a, b)
    assert a[4 + 2] == 0.0
    assert np.abs(a[:4]).max() <= 10.0 * ANCHORS.spread[home].max()
    assert a.any()


def test_softer_layers_lean_as_the_neighbours_do():
    layer = DynamicLayer(ANCHORS, LOUDNESS_DB, 0)
    leans = np.array([layer.lean(n, 10.0) for n in range(48)])
    assert (leans[:, 0] < 0.0).mean() > 0.9
    assert np.median(np.abs(leans[:, 0])) > 2.0 * np.median(np.abs(leans[:, 1:]))
    np.testing.assert_allclose(layer.lean(3, -10.0), -layer.lean(3, 10.0))


@given(st.integers(0, 47), st.floats(-120.0, 120.0))
def test_a_lean_is_bounded_and_smooth(anchor, drop_db):
    layer = DynamicLayer(ANCHORS, LOUDNESS_DB, 0)
    assert not layer.lean(anchor, 0.0).any()
    here, there = layer.lean(anchor, drop_db), layer.lean(anchor, drop_db + 0.1)
    assert np.all(np.abs(here) <= 1.01 * MOST_LEAN * ANCHORS.spread[anchor])
    assert np.all(np.abs(there - here) <= 0.02 * MOST_LEAN * ANCHORS.spread[anchor])
