"""Training sequences hold what recordings hold and, where they are clocked, keep time."""

import numpy as np
import pytest

from neurorack.learn.prior.material import Curves, Material, foreignness
from neurorack.learn.prior.phrases import Phrases

NAMES = ("loudness", "brightness", "pitch")
RATE = 43.07


def curve(index: int) -> Curves:
    """A recording whose every step can be told from every other one's: brightness counts, pitch names it."""
    length = 12 + 7 * index
    controls = np.zeros((length, 3), np.float32)
    controls[:, 0] = -1.0
    controls[2 : length - 4, 0] = 0.5
    controls[:, 1] = np.arange(length) / 100
    controls[:, 2] = index / 10 - 0.5
    sounding = np.zeros(length, bool)
    sounding[2 : length - 4] = True
    folder = "ab"[index % 2]
    return Curves(f"{folder}/{index}.wav", "train", controls, controls[:, :2] + index, sounding)


@pytest.fixture
def phrases() -> Phrases:
    curves = tuple(curve(i) for i in range(8))
    material = Material(NAMES, RATE, curves)
    return Phrases(material, curves, np.ones(2), np.random.default_rng(4))


@pytest.mark.parametrize("mode", ["free", "gated", "clocked"])
def test_no_step_is_made_of_two_recordings(phrases, mode):
    """Every real step is one recording's, and the next is its next, or the first (or silence) of another."""
    heard = set()
    for _ in range(20):
        rows = phrases.phrase(300, mode)
        index = np.rint(10 * (rows.controls[:, 2] + 0.5)).astype(int)
        step = np.rint(100 * rows.controls[:, 1]).astype(int)
        for t in range(1, 300):
            if not rows.real[t]:
                assert rows.controls[t, 0] == -1.25 and not rows.gate[t]
                continue
            source = phrases.curves[index[t]]
            assert (rows.controls[t] == source.controls[step[t]]).all()
            assert (rows.z[t] == source.z[step[t]]).all() and rows.gate[t] == source.sounding[step[t]]
            continues = rows.real[t - 1] and index[t] == index[t - 1] and step[t] == step[t - 1] + 1
            assert continues or step[t] == 0
        heard |= set(index)
    assert len(heard) > 4


def test_clocked_strokes_are_set_out_a_step_before_the_grid(phrases):
    off = []
    for _ in range(30):
        rows = phrases.phrase(400, "clocked")
        begins = np.flatnonzero(rows.gate[1:] & ~rows.gate[:-1]) + 1
        begins = begins[rows.controls[begins, 1].round(2) == 0.02]
        per_step = rows.beat[1] - rows.beat[0]
        at = (rows.beat[begins[begins > 30]] + per_step) * 4
        off += list(np.abs(at - np.rint(at)) / (4 * per_step))
    assert len(off) > 100 and max(off) <= 0.5 + 1e-6


def test_batches_are_repeatable_and_hands_hold_what_they_show(phrases):
    curves = phrases.curves
    batch = phrases.batch(24, 64)
    again = Phrases(phrases.material, curves, np.ones(2), np.random.default_rng(4)).batch(24, 64)
    assert all((getattr(batch, n) == getattr(again, n)).all() for n in vars(batch))
    assert (batch.held[batch.mask == 0] == 0).all()
    held = batch.mask[:, 1:] * batch.mask[:, :-1] > 0
    assert held.any() and (batch.previous[:, 1:][held] == batch.held[:, :-1][held]).all()
    everything, nothing = batch.mask.mean((1, 2)) == 1, batch.mask.mean((1, 2)) == 0
    assert nothing.sum() > 4 and 0 < (~everything & ~nothing).sum()
    sine, cosine = batch.clock[..., 2], batch.clock[..., 3]
    clocked = (sine**2 + cosine**2).mean(1)
    assert set(clocked.round().tolist()) == {0.0, 1.0}
    assert batch.clock[..., :2].min() >= 0 and batch.clock[..., :2].max() <= 1


def test_a_corpus_is_known_by_how_it_fills_the_controls():
    rng = np.random.default_rng(0)
    own = rng.uniform(-1, 1, (2000, 5))
    assert foreignness(own) < 0.05 < 0.3 < foreignness(np.clip(own + 1.2, -1.25, 1.25))
