"""Scores tell good from bad where it is known which is which."""

import numpy as np
import pytest

from neurorack.learn.prior.baselines import ORDER, HoldLast, Walk
from neurorack.learn.prior.cost import step_cost
from neurorack.learn.prior.foresight import energy
from neurorack.learn.prior.likeness import Judge, correlations
from neurorack.learn.prior.material import Curves
from neurorack.learn.prior.obedience import strokes

NAMES = ("loudness", "brightness")


def notes(seed: int, count: int, decay: float = 12.0) -> list[Curves]:
    """Struck notes of random height: loudness falls, brightness follows it from where it began."""
    rng = np.random.default_rng(seed)
    found = []
    for index in range(count):
        t = np.arange(48)
        loudness = rng.uniform(0.2, 1.0) - t / decay / 2 + 0.02 * rng.standard_normal(48)
        brightness = 0.5 * loudness + rng.uniform(-0.5, 0.5) + 0.02 * rng.standard_normal(48)
        rows = np.clip(np.stack([loudness, brightness], 1), -1.25, 1.25).astype(np.float32)
        rows[0, 0] = -1.25
        found.append(Curves(f"{index}", "train", rows, rows, rows[:, 0] > -1))
    return found


def streams(curves: list[Curves], seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.stack(
        [np.concatenate([curves[i].controls for i in rng.permutation(len(curves))[:30]]) for _ in range(8)]
    )


@pytest.fixture(scope="module")
def judge() -> Judge:
    train, test = notes(0, 80), notes(1, 60)
    return Judge(NAMES, 0, streams(test, 2), streams(train, 3), train, test)


def test_parrots_leaves_and_honest_players(judge):
    honest = judge.copying(streams(notes(7, 60), 4))
    parrot = judge.copying(judge.trained)
    strange = judge.copying(streams(notes(7, 60, decay=40.0), 4))
    assert parrot["copied"] > 0.9 and parrot["nearest"] < 0.1
    assert honest["copied"] < 0.1 and honest["strange"] < 0.1 and 0.7 < honest["nearest"] < 1.4
    assert strange["strange"] > 0.9 and strange["nearest"] > 2


def test_likeness_sees_shifts_collapse_and_broken_ties(judge):
    like = judge.row(judge.trained)
    shifted = judge.row(np.clip(judge.trained + 0.3, -1.25, 1.25))
    assert (
        shifted["distribution"]["brightness"]["wasserstein"]
        > 3 * like["distribution"]["brightness"]["wasserstein"]
    )
    loose = judge.trained.copy()
    loose[..., 1] = np.roll(loose[..., 1], 500, axis=1)
    assert judge.motion(loose)["cross"] > 5 * judge.motion(judge.trained)["cross"]
    stuck = np.repeat(judge.trained[:1, :96], 15, axis=1).repeat(8, axis=0)
    assert judge.variety(stuck)["vendi"] < 0.2 * like["vendi"]
    loop = np.tile(judge.trained[:, :48], (1, 30, 1))
    assert judge.variety(loop)["repeats"] < 0.1 * like["repeats"]


def test_a_stream_that_returns_to_its_own_past_is_heard(judge):
    honest = judge.echoes(judge.trained, 3)
    loops = np.stack([np.tile(stream[:96], (15, 1)) for stream in judge.trained])
    looped = judge.echoes(loops, 3)
    assert len(honest["own"]) == len(honest["others"]) == 2
    assert all(own > 0.5 * other for own, other in zip(honest["own"], honest["others"], strict=True))
    assert all(own < 0.3 * other for own, other in zip(looped["own"], looped["others"], strict=True))


def test_drift_is_seen_and_chance_is_not(judge):
    steady = judge.drift(judge.trained)
    assert steady["last_from_first"] < 3 * steady["chance"] + 0.05
    slide = judge.trained + np.linspace(0, 0.8, judge.trained.shape[1])[None, :, None].astype(np.float32)
    assert judge.drift(slide)["last_from_first"] > 5 * steady["last_from_first"]


def test_the_energy_score_is_least_for_the_truth():
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((2000, 2))
    draws = rng.standard_normal((2000, 16, 2))
    honest = energy(draws, truth)
    for lie in (0.5 * draws, 2 * draws, draws + 0.7):
        assert energy(lie, truth) > honest + 0.01
    assert energy(np.zeros((2000, 1, 2)), truth) > honest


def test_the_matched_walk_has_the_spectrum_it_was_fitted_to():
    rng = np.random.default_rng(1)
    past, rows = np.zeros(2), []
    for _ in range(6000):
        past = np.array([[0.9, 0.0], [0.3, 0.6]]) @ past + 0.05 * rng.standard_normal(2)
        rows.append(past)
    recorded = np.array(rows)
    walk = Walk.fit([recorded], 1e-3)
    before = np.stack([recorded[i : i + ORDER] for i in range(100, 140)])
    played = walk.play(before, 600, rng, 5.0)
    difference = correlations(played.astype(np.float32)) - correlations(recorded[None].astype(np.float32))
    assert np.abs(difference[:3]).max() < 0.12
    assert walk.log_prob(recorded).mean() > HoldLast.fit([recorded], 1e-3).log_prob(recorded).mean()
    # A density: its mean log is that of the innovations it was made with.
    assert walk.log_prob(recorded).mean() == pytest.approx(-np.log(2 * np.pi * np.e * 0.05**2), abs=0.05)


def test_a_stroke_is_the_top_of_a_rise():
    loudness = np.full((1, 40), -1.0)
    loudness[0, 10:20], loudness[0, 25], loudness[0, 26:30] = np.linspace(0.8, 0.0, 10), -0.2, 0.5
    assert strokes(loudness)[1].tolist() == [10, 26]


def test_cost_times_the_graphs_themselves():
    from tiny_prior import prior_controls, prior_latent

    rows = step_cost({"prior_controls": prior_controls(5), "prior_latent": prior_latent(4, 5)}, 0.02, 300)
    both = rows["prior_controls"]["median_us"] + rows["prior_latent"]["median_us"]
    assert 2 < both < 20_000 and rows["real_time"]["median"] == pytest.approx(both / 20_000)
