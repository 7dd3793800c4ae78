"""Diversity: an instrument that plays one sound is flat, one that plays its corpus is not."""

import numpy as np
import pytest
from small_corpus import make_corpus, wandering

from neurorack.core.nrk import read_nrk
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.measure.diversity import (
    Cloud,
    Ruler,
    Window,
    density_and_coverage,
    diversity,
    play_blindly,
    rare_recall,
    vendi,
)
from neurorack.learn.measure.realism import WINDOW_FRAMES, Reference, embed
from neurorack.learn.measure.render import Renderer

RATE = 44_100
SIZE = WINDOW_FRAMES * 128


def notes(first: int, count: int) -> np.ndarray:
    return np.stack([wandering(i, 0.51, RATE)[:SIZE] for i in range(first, first + count)])


@pytest.fixture(scope="module")
def corpus_sounds():
    return notes(0, 32)


@pytest.fixture(scope="module")
def reference(corpus_sounds):
    return Reference.of_windows(np.concatenate([embed(s, RATE) for s in corpus_sounds]))


@pytest.fixture(scope="module")
def ruler(corpus_sounds, reference):
    return Ruler.of(Cloud.of(corpus_sounds, reference, RATE))


def test_vendi_counts_clearly_different_points():
    rng = np.random.default_rng(0)
    pair = np.repeat([[0.0, 0.0], [100.0, 0.0]], 10, axis=0)
    assert vendi(np.zeros((20, 2)), 1.0) == pytest.approx(1.0)
    assert vendi(pair, 1.0) == pytest.approx(2.0)
    assert vendi(rng.normal(size=(20, 2)) * 1e4, 1.0) == pytest.approx(20.0, rel=0.01)


def test_coverage_sees_what_is_left_out_and_density_what_strays():
    rng = np.random.default_rng(0)
    real = np.concatenate([rng.normal(size=(50, 2)), rng.normal(size=(50, 2)) + 100])
    density, coverage = density_and_coverage(real, real + 0.01)
    assert density > 0.8 and coverage > 0.95
    density, coverage = density_and_coverage(real, rng.normal(size=(100, 2)))  # one of two kinds
    assert density > 0.7 and 0.4 < coverage < 0.52
    assert density_and_coverage(real, real + 1000) == (0.0, 0.0)


def test_an_instrument_stuck_on_one_sound_is_flat(corpus_sounds, reference, ruler):
    rng = np.random.default_rng(1)
    one = corpus_sounds[3] + 1e-4 * rng.standard_normal(corpus_sounds.shape).astype(np.float32)
    stuck = ruler.row(Cloud.of(one, reference, RATE))
    other = ruler.row(Cloud.of(notes(100, 32), reference, RATE))
    assert stuck["vendi"] < 1.2 and stuck["vendi_descriptors"] < 1.2 < other["vendi_descriptors"]
    assert stuck["vendi"] < 0.2 * other["vendi"] and stuck["volume"] < 0.5 * other["volume"]
    assert stuck["coverage"] < 0.4 < 0.7 < other["coverage"]
    # All it plays is in the corpus: density and "beyond" alone would praise it.
    assert stuck["density"] > 0.5 and stuck["beyond"] < 0.1


def test_noise_is_beyond_the_corpus(reference, ruler):
    hiss = 0.1 * np.random.default_rng(2).standard_normal((8, SIZE)).astype(np.float32)
    row = ruler.row(Cloud.of(hiss, reference, RATE))
    assert row["beyond"] > 0.9 and row["volume"] < 0.05 and row["coverage_descriptors"] < 0.1


def test_rare_recordings_are_known_from_a_copy_and_lost_in_the_common_sound():
    rng = np.random.default_rng(4)
    t = np.arange(SIZE) / RATE
    noise = rng.standard_normal((28, SIZE))
    common = notes(7, 1)[0] + 0.003 * rng.uniform(0.5, 2, (27, 1)) * noise[:27]
    odd = [0.1 * noise[27], 0.2 * np.sin(2 * np.pi * 3000 * t), 0.5 * (np.arange(SIZE) % 4000 < 9)]
    sounds = [s.astype(np.float32) for s in (*common, *odd)]
    windows = [Window(s, s[:0], str(i)) for i, s in enumerate(sounds)]
    reference = Reference.of_windows(np.concatenate([embed(s, RATE) for s in sounds]))
    copied = rare_recall(windows, lambda w: w.audio, reference, RATE)
    assert copied["recall"] == copied["typical"] == 1.0
    # What is rare becomes the common sound, all else is kept.
    dull = rare_recall(windows, lambda w: w.audio if int(w.group) < 27 else sounds[0], reference, RATE)
    assert dull["recall"] == 0.0 and dull["typical"] == 1.0
    assert dull["rare"] == 3 and dull["chance"] == pytest.approx(1 / 30)
    assert rare_recall(windows[:2], lambda w: w.audio, reference, RATE) == {}


def test_the_hand_made_instrument_is_played_with_all_its_knobs(tiny_nrk, tmp_path):
    archive = read_nrk(tiny_nrk)
    corpus = Corpus.open(make_corpus(tmp_path / "corpus", tests=14, train=14, seconds=0.6))
    found = np.concatenate([embed(corpus.audio(f), RATE) for f in corpus.split("train")])
    renderer, reference = Renderer(archive), Reference.of_windows(found)
    sounds = play_blindly(archive, renderer, 6, seed=3)
    assert sounds.shape == (6, SIZE) and np.isfinite(sounds).all()
    assert np.array_equal(sounds, play_blindly(archive, renderer, 6, seed=3))
    levels = 20 * np.log10(np.sqrt(np.mean(sounds**2, axis=1)) + 1e-9)
    assert np.ptp(levels) > 10  # the loudness knob is among them
    row = diversity(archive, renderer, corpus, reference, count=7)
    assert row["sounds"] == 7 and 1 < row["vendi"] <= 7 and row["corpus"]["coverage"] > 0.5
    assert {"recall", "typical", "chance"} <= set(row["rare"])
    assert diversity(archive, renderer, corpus, reference, count=5) == {}
