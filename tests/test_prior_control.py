"""The benchmark of held descriptors beside a prior: what its two figures tell, and what they do not."""

import sys
from pathlib import Path

import numpy as np
import pytest

KNOT = 207


@pytest.fixture(autouse=True)
def beside(monkeypatch):
    """The benchmark imports its neighbours as the script it is."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1] / "benchmarks"))
    yield
    for name in ("prior_control", "by_control"):
        sys.modules.pop(name, None)


def _asked(seed=0, frames=10_000):
    import prior_control

    return prior_control.walk(frames, 128 / 44_100, np.random.default_rng(seed))


def _judged(heard, sounds=None):
    import prior_control

    everywhere = np.ones(len(heard), bool)
    return prior_control.agreement(_asked(), heard, everywhere if sounds is None else sounds, KNOT)


def test_what_a_tone_adds_is_heard_in_places_and_not_in_movements():
    asked = _asked()
    tones = np.repeat(np.random.default_rng(1).uniform(-1, 1, 5), 2000)
    place, movement = _judged(asked + tones)
    assert place < 0.85 and movement > 0.9
    assert _judged(asked) == pytest.approx((1.0, 1.0))


@pytest.mark.parametrize("leak", [0.2, 0.3])
def test_disobedience_lowers_both_by_more_than_the_bar(leak):
    asked, others = _asked(), _asked(seed=5)
    place, movement = _judged((1 - leak) * asked + leak * others)
    assert place < 1 - 0.02 and movement < 1 - 0.02


def test_a_tone_that_does_not_answer_shows_in_movements():
    asked = _asked()
    stuck = np.where(np.arange(len(asked)) > 6000, 0.8, asked)
    assert _judged(stuck)[1] < 0.9


def test_silence_is_not_judged():
    asked = _asked()
    sounds = np.arange(len(asked)) % 1000 < 700
    assert _judged(np.where(sounds, asked, -3.0), sounds) == pytest.approx((1.0, 1.0))
    assert np.isnan(_judged(asked, np.arange(len(asked)) < 300)).all()
