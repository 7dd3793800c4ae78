"""Frozen sounds: each figure against sounds whose answer is known."""

import numpy as np
import pytest

from neurorack.core.nrk import read_nrk
from neurorack.core.timebase import frame_rate_hz
from neurorack.learn.measure.held import HeldTone, describe_tone, held_tone
from neurorack.learn.measure.reconstruction import mel_distance_db, mstft_distance
from neurorack.learn.measure.render import Renderer

RATE = 44_100
T = np.arange(10 * RATE) / RATE


def described(audio: np.ndarray, f0_hz: float | None = None) -> dict:
    asked = {"loudness": -20.0} | ({} if f0_hz is None else {"pitch": f0_hz})
    return describe_tone(HeldTone(audio.astype(np.float32), asked, RATE))


def test_a_buzz_at_the_frame_rate_is_found_and_partials_are_not_taken_for_it():
    tone = sum(np.sin(2 * np.pi * 110 * k * T) / k for k in range(1, 20))
    buzz = np.sin(2 * np.pi * frame_rate_hz(RATE) * 3 * T)
    clean = described(tone, 110.0)
    assert clean["comb_db"] < -80 and clean["steadiness_db"] < 0.1
    assert described(tone + 0.01 * buzz, 110.0)["comb_db"] == pytest.approx(-41.9, abs=1.0)
    assert described(np.sin(2 * np.pi * frame_rate_hz(RATE) * T), None)["comb_344_db"] == pytest.approx(
        0, abs=0.2
    )
    in_step = sum(np.sin(2 * np.pi * frame_rate_hz(RATE) * k * T) / k for k in range(1, 9))
    assert described(in_step, frame_rate_hz(RATE))["comb_db"] == -120.0
    hiss = described(np.random.default_rng(0).standard_normal(len(T)))
    assert hiss["comb_db"] < -45 and hiss["flux"] > 0.3 > clean["flux"]


@pytest.mark.parametrize("cents", [0.0, 3.0, -12.0])
def test_pitch_error_of_a_steady_tone(cents):
    f0 = 220 * 2 ** (cents / 1200)
    tone = sum(np.sin(2 * np.pi * f0 * k * T) / k for k in range(1, 9))
    noise = 0.05 * np.random.default_rng(0).standard_normal(len(T))
    assert described(tone + noise, 220.0)["pitch_cents"] == pytest.approx(cents, abs=0.2)


def test_the_hand_made_instrument_holds_a_tone_and_renders_in_step(tiny_nrk):
    archive = read_nrk(tiny_nrk)
    figures = held_tone(archive, seconds=4.0, count=2)
    assert figures["steadiness_db"] < 1.0 and len(figures["tones"]) == 2
    renderer = Renderer(archive)
    audio = (0.3 * np.sin(2 * np.pi * 220 * T[: 128 * 400])).astype(np.float32)
    analysis = renderer.analyse(audio)
    assert analysis.z.shape[1] == 402 and {len(c) for c in analysis.curves.values()} == {400}
    loud = {n: analysis.curves[n] for n in (c.name for c in archive.manifest.controls)}
    both = renderer.render(analysis.z, [loud, {**loud, "loudness": loud["loudness"] - 12}], seed=3)
    assert both.shape == (2, 128 * 400)
    levels = [10 * np.log10(np.mean(a[128 * 100 : 128 * 300] ** 2)) for a in both]
    assert levels[0] - levels[1] == pytest.approx(12, abs=1.5)
    assert np.array_equal(both[0], renderer.render(analysis.z, [loud], seed=3)[0])


def test_spectral_distances():
    rng = np.random.default_rng(0)
    a, b = 0.1 * rng.standard_normal((2, RATE)).astype(np.float32)
    assert mstft_distance(a, a) == 0.0 and mel_distance_db(a, a, RATE) == 0.0
    # Twice the amplitude: spectral convergence 1 and ln 2; in dB 6.02.
    assert mstft_distance(a, 2 * a) == pytest.approx(1 + np.log(2), abs=0.01)
    assert mel_distance_db(a, 2 * a, RATE) == pytest.approx(6.02, abs=0.01)
    assert mstft_distance(a, -a) == pytest.approx(0, abs=1e-6) and mstft_distance(a, b) > 0.5
