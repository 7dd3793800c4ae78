"""What training notices in its own numbers, and how it says so."""

import math

import numpy as np

from neurorack.learn.train.watch import MOST_RECOVERIES, NOW, SKIPS, Watch, silence_in_words


def watched(distances, gradient=1.0):
    watch = Watch()
    return watch, [watch.step(d, gradient) for d in distances]


def test_one_bad_gradient_is_nothing_five_in_a_row_are_the_weights():
    watch, said = watched([1.0, math.nan, 1.0, math.nan, math.nan])
    assert not any(said) and not watch.steady
    _, said = watched([1.0] + [math.nan] * SKIPS)
    assert "no number" in said[-1] and not any(said[:-1])
    watch = Watch()
    assert "gradient" in [watch.step(1.0, math.inf) for _ in range(SKIPS)][-1]


def test_a_jump_that_lasts_is_a_spike_and_no_moment_for_a_checkpoint():
    random = np.random.default_rng(0)
    usual = 1 + 0.3 * random.standard_normal(300)
    watch, said = watched(usual)
    assert not any(said) and watch.steady
    assert not any(watch.step(30.0, 1.0) for _ in range(3)) and watch.steady  # a few hard batches
    said = [watch.step(4.0, 1.0) for _ in range(NOW)]
    assert "jumped from about 0.9" in next(filter(None, said)) and not watch.steady
    watch.recovered()
    assert watch.steady and not watch.exhausted
    for _ in range(MOST_RECOVERIES):
        watch.recovered()
    assert watch.exhausted


def test_learning_is_no_spike_nor_is_a_harder_stage():
    x = np.linspace(0, 1, 600)
    assert not any(watched(0.6 + 2 * np.exp(-x / 0.1))[1])
    assert not any(watched(np.where(x < 0.6, 0.7, 1.2))[1])  # judges join


def test_a_code_that_carries_nothing_is_told_once_and_not_too_soon():
    empty, full = {"stft": 0.8, "code": 0.002}, {"stft": 0.8, "code": 0.1}
    watch = Watch()
    assert not watch.look(empty, 0.0, 0.1, 5000) and not watch.look(empty, 0.0, 0.9, 50)
    assert not watch.look(empty, 0.0, 0.4, 5000) and not watch.look(full, 0.0, 0.5, 6000)
    assert not watch.look(empty, 0.0, 0.6, 7000)
    assert "0.2 % worse" in watch.look(empty, 0.0, 0.7, 8000)
    assert not watch.look(empty, 0.0, 0.8, 9000)
    shrunken = Watch()
    assert not shrunken.look(full, 0.9, 0.4, 5000) and "spread 0.90" in shrunken.look(full, 0.9, 0.5, 6000)


def test_silence_is_worth_a_word_from_half_on():
    assert silence_in_words(0.3) == "" and "62 %" in silence_in_words(0.62)
