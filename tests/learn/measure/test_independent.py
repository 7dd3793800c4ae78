"""The scorer's own measures: known sounds, published values, and that nothing is shared with the
instrument's."""

import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest
from scipy.signal import butter, sosfilt

from neurorack.learn.measure import booming, independent

RATE = 44_100
T = np.arange(RATE) / RATE


def middle(audio: np.ndarray, name: str) -> float:
    return float(np.median(independent.measure(audio, RATE, [name])[name][40:-40]))


def tone(f0_hz: float, partials: int = 1, tilt: float = 1.0) -> np.ndarray:
    return 0.2 * sum(np.cos(2 * np.pi * f0_hz * k * T) / k**tilt for k in range(1, partials + 1))


def test_known_sounds():
    noise = 0.1 * np.random.default_rng(0).standard_normal(RATE)
    assert middle(0.5 * np.sin(2 * np.pi * 441 * T), "loudness") == pytest.approx(-9.03, abs=0.02)
    assert middle(tone(2000), "brightness") == pytest.approx(2000, rel=0.02)
    assert middle(tone(220, 20), "pitch") == pytest.approx(220, rel=5e-4)
    assert middle(tone(110, 20), "noisiness") < 0.05 < 0.4 < middle(noise, "noisiness")
    hiss = tone(500, 8) + 1e-3 * noise
    assert abs(middle(hiss, "noisiness") - middle(tone(500, 8), "noisiness")) < 0.02
    low, high = (sosfilt(butter(4, f, fs=RATE, output="sos"), noise) for f in (150, 6000))
    assert middle(low, "boominess") > middle(high, "boominess") + 10
    assert middle(0.1 * low, "boominess") == pytest.approx(middle(low, "boominess"), abs=0.3)


@pytest.mark.filterwarnings("ignore:n_fft=")
def test_silence_short_and_broken_sounds_stay_finite():
    for audio in (np.zeros(4096), np.full(4096, np.nan), np.ones(4096), np.zeros(128)):
        curves = independent.measure(audio, RATE, independent.KNOWN)
        assert all(len(c) == len(audio) // 128 + 1 and np.isfinite(c).all() for c in curves.values())
    with pytest.raises(KeyError, match="roughness"):
        independent.measure(np.zeros(4096), RATE, ["roughness"])


def test_a_1_khz_tone_of_60_db_has_4_sone():
    """By definition of the sone (40 dB is 1, and 10 dB double it)."""
    amplitude = np.sqrt(2) * 10 ** ((60 - booming.FULL_SCALE_DB_SPL) / 20)
    windowed = amplitude * np.sin(2 * np.pi * 1000 * T[:2048]) * np.hanning(2048)
    power = 2 * np.abs(np.fft.rfft(windowed)) ** 2 / (2048 * np.sum(np.hanning(2048) ** 2))
    levels_db = 10 * np.log10(booming.band_matrix(2048, RATE) @ power + 1e-12) + booming.FULL_SCALE_DB_SPL
    pattern = booming.specific_loudness(booming.core_loudness(levels_db[:, None]))
    assert 0.1 * pattern.sum() == pytest.approx(4.0, rel=0.08)


def test_booming_matches_the_published_model():
    mosqito = import_module("mosqito.sq_metrics.loudness.loudness_zwst._main_loudness")
    slopes = import_module("mosqito.sq_metrics.loudness.loudness_zwst._calc_slopes")
    levels_db = np.random.default_rng(1).uniform(10, 90, (28, 12))
    core = mosqito._main_loudness(levels_db.copy(), "free")
    assert np.allclose(core[:20], booming.core_loudness(levels_db), atol=1e-9)
    _, specific = slopes._calc_slopes(core)
    ours = booming.specific_loudness(core[:20])
    assert np.abs(specific - ours).max() < 0.2
    reference, got = booming.booming_index(specific), booming.booming_index(ours)
    assert np.allclose(reference, got, rtol=0.03)


def test_nothing_is_shared_with_what_is_judged():
    code = (
        "import sys, neurorack.learn.measure.independent, neurorack.learn.measure.control;"
        "bad = [m for m in sys.modules if m == 'torch' or m.startswith(('neurorack.learn.descriptors',"
        "'neurorack.learn.model', 'neurorack.play'))]; sys.exit(str(bad) if bad else 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
