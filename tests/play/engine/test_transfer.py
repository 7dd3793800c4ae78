"""Transfer: any cut gives the same sound; what is asked is what the decoder gets, when it is asked."""

import warnings

import numpy as np
import pytest

import neurorack
from neurorack.core.errors import NeurorackError
from neurorack.play.engine.requests import Curve
from neurorack.play.engine.transfer import OtherSound

RATE = 44_100
BLOCKS = (64, 65, 128, 1000, 8193)


@pytest.fixture(scope="module")
def instrument(tiny_nrk):
    return neurorack.load(tiny_nrk)


def _phrase(seconds: float, rate: int = RATE, f0: float = 220.0) -> np.ndarray:
    """Two notes with a rest between, so that levels and pitch change."""
    t = np.arange(int(seconds * rate)) / rate
    note = np.sign(np.sin(2 * np.pi * f0 * (1 + (t > seconds / 2)) * t))
    envelope = np.clip(np.minimum(t, np.abs(t - seconds / 2)) * 8, 0, 1)
    return (0.25 * note * envelope).astype(np.float32)


@pytest.mark.parametrize("rate", [RATE, 48_000])
@pytest.mark.parametrize("lookahead", [True, False])
def test_streaming_equals_offline(instrument, rate, lookahead):
    """With set, curve, offset, another sound and half insistence, for blocks of 1 to 8193 samples."""
    sound, other = _phrase(0.8, rate), _phrase(0.5, 22_050, 330.0)
    curve = Curve(np.array([0.0, 0.8]), np.array([-40.0, -12.0]), "physical")
    asked = {
        "set": {"brightness": 0.8},
        "curves": {"loudness": curve},
        "offset": {"pitch": "+7st"},
        "insist": 0.5,
    }
    whole = instrument.transfer(
        sound, rate, **asked, sources={"noisiness": (other, 22_050)}, lookahead=lookahead, seed=4
    )
    assert len(whole) == pytest.approx(len(sound) * RATE / rate, abs=1)
    assert np.abs(whole).max() > 0.01
    request, notes = instrument.request(**asked, sourced=("noisiness",))
    assert not notes
    for block in (1, *BLOCKS):
        given = sound[:2500] if block == 1 else sound
        borrowed = OtherSound((other[i : i + 777] for i in range(0, len(other), 777)), 22_050, ("noisiness",))
        stream = instrument.stream_transfer(rate, request, (borrowed,), lookahead, seed=4)
        parts = [stream.process(given[i : i + block]) for i in range(0, len(given), block)]
        parts.append(stream.flush())
        sounding = np.concatenate(parts)
        # What precedes the end of a shorter piece by more than every lag and the resampler is the same.
        same = len(whole) if block > 1 else max(0, len(sounding) - 1600)
        assert sounding[:same] == pytest.approx(whole[:same], abs=1e-4), block


def test_every_control_stands_beside_the_sound_it_describes(instrument):
    """transfer = analyse, align, synthesise, drop the latency; a level step comes out where it went in."""
    sound = _phrase(1.0)
    analysis = instrument.analyse(sound, RATE)
    direct = instrument.synthesise(analysis.z, analysis.decoder_descriptors(), seed=0)
    latency = instrument.latency_samples
    through = instrument.transfer(sound, RATE, seed=0)
    n = len(direct) - latency - 4096
    assert through[:n] == pytest.approx(direct[latency:][:n], abs=1e-4)
    again = instrument.analyse(through, RATE).descriptors["loudness"]
    heard = analysis.descriptors["loudness"] > -50
    assert np.median(np.abs(again - analysis.descriptors["loudness"])[heard[: len(again)]]) < 1.0


def test_asked_values_are_heard(instrument):
    sound = _phrase(1.0)
    level = instrument.transfer(sound, RATE, set={"loudness": "-20dB", "pitch": "A3", "noisiness": 0.0})
    heard = instrument.analyse(level, RATE).descriptors
    assert np.median(heard["loudness"][100:]) == pytest.approx(-20.0, abs=0.5)
    assert np.median(heard["pitch"][100:]) == pytest.approx(220.0, rel=0.003)
    dark, bright = (
        np.median(
            instrument.analyse(instrument.transfer(sound, RATE, set={"brightness": v}), RATE).descriptors[
                "brightness"
            ]
        )
        for v in (0.1, 0.9)
    )
    assert bright > 1.2 * dark


def test_insist_moves_the_others_but_never_pitch(instrument):
    sound = _phrase(0.5)
    rows = {}
    for insist in (0.0, 1.0):
        request, _ = instrument.request(set={"brightness": 0.95}, insist=insist)
        stream = instrument.stream_transfer(RATE, request)
        seen = []
        real = stream._decoder.process
        stream._decoder.process = lambda z, c, *rest, seen=seen, real=real: (
            seen.append(c[0].copy()),
            real(z, c, *rest),
        )[1]
        stream.process(sound)
        stream.flush()
        rows[insist] = np.concatenate(seen, axis=1)
    pitch, brightness = instrument.map.pitch, instrument.map.index("brightness")
    assert rows[0.0][brightness] == pytest.approx(rows[1.0][brightness])
    assert rows[0.0][pitch] == pytest.approx(rows[1.0][pitch])
    assert np.abs(rows[0.0] - rows[1.0]).max() > 0.02


def test_channels_rates_and_integers(instrument):
    sound = _phrase(0.3, 96_000)
    mono = instrument.transfer(sound, 96_000)
    many = instrument.transfer(np.stack([sound] * 8, axis=1), 96_000)
    whole = instrument.transfer((sound * 32767).astype(np.int16), 96_000)
    assert many == pytest.approx(mono, abs=1e-4)
    assert len(whole) == len(mono)


def test_synthesise_takes_any_form(instrument):
    z = np.zeros((instrument.manifest.latent_size, 64), np.float32)
    plain = instrument.synthesise(z)
    assert plain.shape == (64 * 128,)
    given = instrument.synthesise(z, controls=instrument.map.default_controls)
    assert plain == pytest.approx(given, abs=1e-6)
    assert not np.array_equal(plain, instrument.synthesise(z, seed=1))
    loud = instrument.synthesise(z, {"loudness": np.linspace(-50, -10, 64)})
    assert np.abs(loud[-2000:]).max() > 3 * np.abs(loud[1000:3000]).max()


@pytest.mark.parametrize(
    "call",
    [
        lambda i: i.transfer(np.zeros(0), RATE),
        lambda i: i.analyse(np.zeros((0, 2)), RATE),
        lambda i: i.transfer(np.array([0.0, np.nan]), RATE),
        lambda i: i.transfer(np.zeros((2, 9000)), RATE),
        lambda i: i.transfer(np.zeros(900), 0),
        lambda i: i.transfer(np.zeros(900), RATE, set={"brigthness": 0.5}),
        lambda i: i.transfer(np.zeros(900), RATE, insist=2.0),
        lambda i: i.transfer(
            np.zeros(900), RATE, set={"loudness": 0.5}, sources={"loudness": (np.zeros(9), RATE)}
        ),
        lambda i: i.synthesise(np.zeros((99, 4))),
        lambda i: i.synthesise(np.zeros((i.manifest.latent_size, 4)), controls=np.zeros((2, 3))),
        lambda i: i.synthesise(np.full((i.manifest.latent_size, 4), np.nan)),
        lambda i: neurorack.load("no such instrument"),
    ],
)
def test_bad_requests_are_one_sentence(instrument, call):
    with pytest.raises(NeurorackError):
        call(instrument)


def test_a_control_the_instrument_lacks_is_named_and_left_out(tiny_unpitched_nrk):
    drum = neurorack.load(tiny_unpitched_nrk)
    sound = _phrase(0.2)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with_pitch = drum.transfer(sound, RATE, set={"pitch": "A3"})
    assert any("pitch is ignored" in str(w.message) for w in caught)
    assert np.array_equal(with_pitch, drum.transfer(sound, RATE))
