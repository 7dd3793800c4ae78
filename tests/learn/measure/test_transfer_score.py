"""Transfer judged: a copy keeps all and moves nothing; a stranger moves all and keeps nothing."""

import numpy as np
import pytest

from neurorack.core.nrk import read_nrk
from neurorack.learn.measure.realism import Reference, embed
from neurorack.learn.measure.render import Renderer
from neurorack.learn.measure.transfer import content_kept, onset_agreement, summary, timbre_moved, transferred

RATE = 44_100


def notes(seed: int, noisy: bool, starts=(0.3, 0.9, 1.6, 2.3)) -> np.ndarray:
    """Four struck notes: harmonic, or bursts of noise."""
    rng = np.random.default_rng(seed)
    n = 128 * 1034
    out = 1e-4 * rng.standard_normal(n)
    t = np.arange(n) / RATE
    for start in starts:
        f0, since = 110 * 2 ** rng.uniform(0, 2), np.maximum(t - start, 0)
        body = (
            rng.standard_normal(n)
            if noisy
            else sum(np.sin(2 * np.pi * f0 * k * since) / k for k in range(1, 9))
        )
        out += 0.1 * (t > start) * (t < start + 0.5) * np.exp(-4 * since) * body
    return out.astype(np.float32)


@pytest.fixture(scope="module")
def corpora():
    return [
        Reference.of_windows(np.concatenate([embed(notes(i, noisy), RATE) for i in range(20)]))
        for noisy in (False, True)
    ]


def test_a_copy_a_shift_and_a_stranger(corpora):
    own, other = corpora
    source = notes(100, True)
    tonal = notes(101, False)
    same = content_kept(tonal, tonal, RATE)
    assert same["loudness"] == same["onsets"] == same["pitch_within_50_cents"] == 1.0
    assert same["pitch"] == pytest.approx(1.0)
    late = content_kept(tonal, np.roll(tonal, RATE // 3), RATE)
    assert late["onsets"] < 0.5 and late["loudness"] < 0.5
    assert timbre_moved(source, RATE, own, other) < -0.2 < 0.2 < timbre_moved(tonal, RATE, own, other)
    assert onset_agreement(0 * source, 0 * source, RATE) is None
    assert timbre_moved(0 * source, RATE, own, other) is None


def test_an_instrument_plays_a_sound_and_keeps_its_level(tiny_nrk):
    source = notes(5, False)
    answer = transferred(Renderer(read_nrk(tiny_nrk)), source)
    figures = summary([content_kept(source, answer, RATE)])
    assert answer.shape == source.shape and figures["sounds"] == 1 and figures["loudness"] > 0.6
