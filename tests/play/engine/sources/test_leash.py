"""The leash: what hands do not hold stays near the corpus; nothing held: no leash."""

import numpy as np
import pytest
from tiny_prior import with_priors

from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.frame import ControlFrame, Source
from neurorack.play.engine.sources.leash import LENGTH, PULL, Leash
from neurorack.play.engine.support import Support

POINTS = np.array([[0.0, 0.0, 0.0], [0.0, 0.9, 0.9]], np.float32)
RADIUS = 0.3


def _led(controls, mask, steps=1, loudness=0):
    leash, now = Leash(Support(POINTS, RADIUS), loudness), np.array(controls, np.float32)
    for _ in range(steps):
        leash.draw_in(now, mask)
    return now


def test_it_comes_back_to_what_the_corpus_has_beside_what_is_held():
    now = _led([-1.0, 0.9, 1.25], [0, 1, 0], steps=60)
    assert now[:2] == pytest.approx([-1.0, 0.9])  # a rest stays one, and the hand's is the hand's
    assert now[2] == pytest.approx(1.0, abs=1e-3)  # the corpus's range, within the radius as it is
    near = 0.9 - LENGTH * RADIUS
    assert _led([0.0, 0.9, 0.4], [0, 1, 0], steps=60)[2] == pytest.approx(near, abs=1e-3)


def test_it_draws_and_does_not_throw():
    assert _led([0.0, 0.9, 1.25], [0, 1, 0])[2] == pytest.approx(1.25 - PULL * 0.25)


@pytest.mark.parametrize("mask", [[0, 0, 0], [1, 1, 1], [0, 1, 1]])
def test_what_no_hand_touches_and_what_hands_hold_is_as_it_was(mask):
    np.testing.assert_array_equal(_led([-1.0, 1.25, -1.25], mask), np.float32([-1.0, 1.25, -1.25]))


def test_in_an_engine_a_prior_that_leaves_the_corpus_is_kept_while_a_hand_holds(tiny_nrk, tmp_path):
    instrument = load_instrument(with_priors(tiny_nrk, tmp_path / "playing.nrk"))
    loudness, held = (instrument.map.index(n) for n in ("loudness", "brightness"))
    others = [i for i in range(instrument.map.size) if i not in (loudness, held)]
    # All that this corpus has sounds like 0.8 everywhere; the prior goes to 0.
    instrument.support = Support(np.full((1, instrument.map.size), 0.8, np.float32), RADIUS)

    def mean(hold: bool) -> float:
        engine = Engine(instrument)
        frame = ControlFrame(gate=True, source=Source.PRIOR, seed=3, life=0.0)
        frame.asked[held], frame.held[held] = 0.8, hold
        found = []
        for _ in range(100):
            engine.render(8 * 128, frame)
            controls = engine.rows[0][:, instrument.manifest.latent_size :]
            found.append(controls[:, others].mean())
        return float(np.mean(found[50:]))

    assert abs(mean(hold=False)) < 0.2
    assert mean(hold=True) > 0.4
