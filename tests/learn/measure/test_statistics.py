"""Rank correlation with confounders taken out."""

import numpy as np
import pytest

from neurorack.learn.measure.statistics import bootstrap_interval, spearman

RNG = np.random.default_rng(0)


def test_partial_correlation_is_the_textbook_one():
    x, y, z = RNG.standard_normal((3, 400))
    y, x = y + z, x + z
    r = np.corrcoef([np.argsort(np.argsort(v)) for v in (x, y, z)])
    by_formula = (r[0, 1] - r[0, 2] * r[1, 2]) / np.sqrt((1 - r[0, 2] ** 2) * (1 - r[1, 2] ** 2))
    assert spearman(x, y, [z]) == pytest.approx(by_formula, abs=1e-9)
    assert spearman(x, y) > 0.3 > abs(spearman(x, y, [z]))


def test_monotone_maps_do_not_matter_and_explained_curves_score_nothing():
    x = RNG.standard_normal(300)
    assert spearman(x, np.exp(3 * x)) == pytest.approx(1.0)
    assert spearman(x, x**3, [x]) == 0.0
    assert spearman(x, np.zeros(300)) == 0.0
    assert spearman(x[:4], x[:4], [x[:4], x[:4]]) == 0.0


def test_interval_draws_whole_excerpts():
    one_loud_excerpt = [(0, 1.0)] * 50 + [(b, 0.0) for b in range(1, 6)]
    low, high = bootstrap_interval([one_loud_excerpt])
    assert low == 0.0 and high > 0.9
    low, high = bootstrap_interval([[(b, 0.5) for b in range(8)], [(b, 0.7) for b in range(8)], []])
    assert low == pytest.approx(0.6) and high == pytest.approx(0.6)
