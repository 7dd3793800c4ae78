"""The flattening benchmark's own instruments, on clouds and corpora whose answers are known."""

import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def beside(monkeypatch):
    """The benchmark's files import each other as the scripts they are."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in ("flattening", "flattening_report"):
        sys.modules.pop(name, None)


def cloud(at: float, count: int = 90, seed: int = 0) -> dict[str, np.ndarray]:
    points = np.random.default_rng([seed, int(10 * at) + 1000]).standard_normal((count, 4))
    points[:, 0] += at
    return {"embedding": points, "descriptors": 2 * points}


def test_clouds_of_one_distribution_are_at_no_distance():
    from flattening import energy

    one, same, other = cloud(0)["embedding"], cloud(0, seed=1)["embedding"], cloud(3, seed=2)["embedding"]
    assert abs(energy(one, same)) < 0.3 < 1 < energy(one, other)
    assert energy(one + 5, other + 5) == pytest.approx(energy(one, other))


@pytest.mark.parametrize(("pull", "seen"), [(0.0, False), (1.5, True)])
def test_an_instrument_that_was_pulled_is_seen_to_be(pull, seen):
    from flattening import drawn_in

    base, own = cloud(0, seed=3), cloud(4, seed=4)
    found = drawn_in(base, own, cloud(4 - pull, seed=5), cloud(4, seed=6), seed=0)
    for figures in found.values():
        drawn = figures["drawn_in"]
        assert drawn["low"] <= drawn["value"] <= drawn["high"]
        assert (drawn["low"] > 0) == seen
        assert figures["fresh"]["base"] > figures["fresh"]["own"]


def test_the_interval_is_as_wide_as_the_mean_varies():
    from flattening import spread

    points = np.random.default_rng(0).standard_normal(400)
    found = spread(lambda p: float(p.mean()), (points,))
    assert found["high"] - found["low"] == pytest.approx(2 * 1.96 / 20, rel=0.2)


def test_two_users_that_grew_alike_are_seen_to_have():
    from flattening import apart

    corpora = [cloud(-3, seed=7), cloud(3, seed=8)]
    as_far = apart([cloud(-3, seed=9), cloud(3, seed=10)], corpora, seed=0)["embedding"]["ratio"]
    alike = apart([cloud(-1, seed=9), cloud(1, seed=10)], corpora, seed=0)["embedding"]["ratio"]
    assert as_far["low"] < 1 < as_far["high"] and alike["high"] < 0.8


def test_what_is_rebuilt_nearer_to_the_base_is_below_one():
    from flattening import towards

    base, recorded = cloud(0, seed=3), cloud(5, seed=4)
    pulled = {space: points * 0.6 for space, points in recorded.items()}
    found = towards(base, recorded, {"tuned": recorded, "fresh": pulled}, seed=0)["embedding"]
    assert found["tuned"]["value"] == pytest.approx(1) and found["fresh"]["high"] < 0.9


def test_every_figure_of_real_instruments_reaches_the_table(small_corpus, tiny_nrk):
    from flattening import compare
    from flattening_report import markdown

    from neurorack.core.nrk import read_nrk
    from neurorack.learn.corpus import Corpus

    corpus, archive = Corpus.open(small_corpus), read_nrk(tiny_nrk)
    result = compare((archive, corpus), [(corpus, archive, archive), (corpus, archive, None)], 6, seed=0)
    assert len(result["users"]) == 2  # though their corpora have one name
    figures = next(iter(result["users"].values()))
    assert figures["played"]["embedding"]["tuned"]["base"] == pytest.approx(
        figures["null"]["embedding"]["base_played"]["base"]
    )
    table = markdown(result | {"machine": "here"})
    assert table.count("by tuning") == 2
    assert "tuned from" in table and "Two users" in table and "rebuilt by" in table
