"""The noise stream is the one that docs/nrk-format.md specifies, at any cut, and it is white."""

import numpy as np

from neurorack.core.noise import white


def test_the_values_of_the_specification():
    np.testing.assert_allclose(white(0, 0, 4), [1.8627201, 0.00915718, -0.9422178, 0.58486354], rtol=1e-6)
    np.testing.assert_allclose(
        white(7, 2**32 - 2, 4), [1.9940228, 0.8635408, -0.6977024, 0.50132763], rtol=1e-6
    )


def test_any_cut_gives_the_same_stream():
    whole = white(3, 1000, 5000)
    cuts = np.concatenate([white(3, 1000, 1), white(3, 1001, 127), white(3, 1128, 4872)])
    np.testing.assert_array_equal(cuts, whole)


def test_it_is_white_and_seeds_differ():
    x, y = white(1, 0, 2**18), white(2, 0, 2**18)
    assert abs(x.mean()) < 0.01 and abs(x.var() - 1) < 0.01
    assert all(abs(np.mean(x[:-lag] * x[lag:])) < 0.01 for lag in (1, 2, 64, 128, 4096))
    assert abs(np.mean(x * y)) < 0.01
