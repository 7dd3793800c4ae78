"""Reconstruction: each figure sees the fault it is for, and a copy has none."""

import numpy as np
import pytest
from scipy.ndimage import uniform_filter1d
from small_corpus import wandering

from neurorack.learn.measure.independent import loudness_db
from neurorack.learn.measure.nulls import noise_in_bands
from neurorack.learn.measure.reconstruction import (
    ReconstructionScore,
    answer_to_nothing_db,
    mel_difference_db,
    mel_distance_db,
    transient_error,
    worst_tenth,
)

RATE = 44_100


def plucks(frames: int = 688) -> np.ndarray:
    """Three plucked notes and silence between them."""
    t = np.arange(frames * 128) / RATE
    out = np.zeros(len(t))
    for start, hz in ((0.2, 220.0), (0.8, 330.0), (1.4, 262.0)):
        since = np.maximum(t - start, 0)
        tone = sum(np.sin(2 * np.pi * hz * k * since) / k for k in range(1, 12))
        out += 0.2 * (t >= start) * np.exp(-18 * since) * tone
    return out.astype(np.float32)


def scored(source: np.ndarray, answer: np.ndarray) -> dict:
    score = ReconstructionScore(RATE)
    frames = len(source) // 128
    score.add(source, answer, loudness_db(source)[:frames], loudness_db(answer)[:frames])
    return score.summary()


def test_noise_in_mel_bands_has_the_levels_and_neither_tone_nor_attack():
    source = plucks()
    answer = noise_in_bands(source, RATE, 0)
    assert len(answer) == len(source) and abs(np.corrcoef(source, answer)[0, 1]) < 0.2
    np.testing.assert_array_equal(answer, noise_in_bands(source, RATE, 0))
    assert not np.array_equal(answer, noise_in_bands(source, RATE, 1))
    assert np.abs(noise_in_bands(np.zeros(44_100, np.float32), RATE, 0)).max() == 0
    flat = np.random.default_rng(3).standard_normal(len(source)) * source.std()
    bands, noise = scored(source, answer), scored(source, flat.astype(np.float32))
    assert bands["mel"] < 0.3 * noise["mel"] and bands["mstft"] < 0.7 * noise["mstft"]
    assert bands["hnr_bias_db"] < -10 and bands["transient"] > 0.3


def test_a_copy_has_no_fault():
    row = scored(plucks(), plucks())
    assert row["mstft"] == row["mel"] == row["transient"] == row["hnr_db"] == row["mel_worst_tenth"] == 0.0
    assert row["onsets"] == 1.0 and row["silence_db"] == row["silence_source_db"] < -60


def test_soft_attacks_are_heard():
    source = plucks()
    # The same notes, each fading in over 60 ms.
    gain = np.ones(len(source))
    for start in (0.2, 0.8, 1.4):
        at = int(start * RATE)
        gain[at : at + 2646] = np.linspace(0, 1, 2646)
    soft = transient_error(source, (source * gain).astype(np.float32), RATE)
    assert 0.3 < soft and soft > 3 * transient_error(source, 0.8 * source, RATE)
    assert transient_error(np.zeros(44_032, np.float32), source[:44_032], RATE) is None


def test_hoarseness_has_a_sign():
    source = wandering(3, 2.0, RATE)
    hiss = 0.02 * np.random.default_rng(0).standard_normal(len(source)).astype(np.float32)
    hoarse, clean = source + hiss, source
    assert scored(clean, hoarse)["hnr_bias_db"] < -3 < 3 < scored(hoarse, clean)["hnr_bias_db"]


def test_a_hissing_pause_is_heard_and_so_is_an_answer_to_nothing():
    source = plucks()
    hissing = source + 0.003 * np.random.default_rng(0).standard_normal(len(source)).astype(np.float32)
    row = scored(source, hissing)
    assert row["silence_source_db"] < -60 and row["silence_db"] == pytest.approx(-50.5, abs=1)
    assert answer_to_nothing_db(np.zeros(128)) == -120 and answer_to_nothing_db(np.ones(128)) == 0


def test_one_bad_half_second_is_hidden_in_the_mean_and_seen_in_the_worst_tenth():
    source = wandering(5, 6.0, RATE)
    spoilt = source.copy()
    spoilt[22_016:44_032] = uniform_filter1d(spoilt[22_016:44_032], 64)
    row = scored(source, spoilt)
    assert row["mel_worst_tenth"] > 4 * row["mel"] > 0
    assert worst_tenth([]) is None and worst_tenth([1.0, 2.0]) == 2.0
    assert mel_distance_db(source, spoilt, RATE) == pytest.approx(row["mel"])
    assert np.median(mel_difference_db(source, 2 * source, RATE)) == pytest.approx(6.02, abs=0.01)
