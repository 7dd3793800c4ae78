"""A knob's travel: each figure against sounds made to have it, and the hand-made instrument from end
to end."""

import numpy as np
import pytest
import small_corpus

from neurorack.core.nrk import read_nrk
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.measure import sweeps
from neurorack.learn.measure.excerpts import Excerpt
from neurorack.learn.measure.score import sweep_into
from neurorack.learn.measure.subject import sources_without_model

RATE = 44_100
N = 128 * 1034
T = np.arange(N) / RATE


def tone(f0_hz: float = 220.0) -> np.ndarray:
    return 0.05 * sum(np.sin(2 * np.pi * f0_hz * k * T) / k for k in range(1, 20))


@pytest.fixture(scope="module")
def scene():
    excerpts = [
        Excerpt(small_corpus.wandering(i, 2.5, RATE), (f"{i}",), frozenset({f"{i}"})) for i in range(3)
    ]
    vocabulary, sources = sources_without_model(excerpts, RATE)
    return vocabulary, sweeps.Ranges.of(sources, vocabulary)


def judged(scene, gain_db: np.ndarray, audio: np.ndarray | None = None, click: float = 1.0):
    vocabulary, ranges = scene
    ramp = np.concatenate([np.full(138, -0.9), np.linspace(-0.9, 0.9, 1034 - 138)])
    sound = (tone() if audio is None else audio) * 10 ** (
        np.interp(T, np.linspace(0, T[-1], 1034), gain_db) / 20
    )
    still = {"loudness": -20.0, "pitch": 220.0}
    return sweeps._judge(sound.astype(np.float32), 138, ramp, "loudness", vocabulary, ranges, still, click)


def test_a_wide_even_sweep_a_stuck_one_and_a_jump(scene):
    low, high = scene[1].ends["loudness"]
    start = 20 * np.log10(np.sqrt(np.mean(tone() ** 2)))
    ramp = np.concatenate([np.full(138, low), np.linspace(low, high, 1034 - 138)]) - start
    even = judged(scene, ramp).figures
    assert even["span"] > 0.9 and even["monotone"] > 0.99
    assert even["jump"] < 2.5 * even["even_jump"] and even["pitch_cents"] < 10
    assert even["leak"]["brightness"] < 0.1
    stuck = judged(scene, np.full(1034, low - start)).figures
    assert stuck["span"] < 0.1
    leap = judged(scene, np.where(np.arange(1034) < 600, low, high) - start).figures
    assert leap["jump"] > 0.4 and leap["span"] > 0.9


def test_a_click_is_told_from_a_tone():
    clicked = tone()
    clicked[N // 2] += 0.2
    assert sweeps.click_ratio(tone()) < 1.3 < 3 < sweeps.click_ratio(clicked)
    assert sweeps.click_ratio(np.zeros(100)) == 1.0 and np.isfinite(sweeps.click_ratio(np.zeros(9999)))


def test_an_instrument_is_swept_drawn_and_tabled(tiny_nrk, tmp_path):
    corpus = Corpus.open(small_corpus.make_corpus(tmp_path / "corpus"))
    figures, drawn = sweep_into(read_nrk(tiny_nrk), corpus, tmp_path, limit=3, count=2, seconds=2.0)
    assert set(figures) == {"loudness", "brightness", "boominess", "noisiness"}
    assert figures["loudness"]["span"] > 0.5 and figures["loudness"]["monotone"] > 0.9
    assert figures["brightness"]["anchors"] == 2 and (tmp_path / "sweeps.json").exists()
    assert {p.name for p in drawn} == {f"sweep_{n}.png" for n in figures}
    table = sweeps.markdown(figures)
    assert table.count("\n") == 5 and "| brightness |" in table
