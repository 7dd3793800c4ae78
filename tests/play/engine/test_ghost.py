"""What a voice still says where another note takes its place: it goes on as it was, and is gone in 3 ms."""

import numpy as np
import pytest

from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import ControlFrame
from neurorack.play.engine.ghost import FADE_SAMPLES, HEARD, Ghost, going_on, stretch
from neurorack.play.engine.params import MONO_RETRIGGER

RATE = 44_100.0


def _tone(f0_hz: float, count: int) -> np.ndarray:
    time = np.arange(count) / RATE
    return sum(np.sin(2 * np.pi * f0_hz * h * time + h) / h for h in range(1, 12)).astype(np.float32)


@pytest.mark.parametrize("f0_hz", [47.0, 65.4, 220.3, 523.25, 1760.0])
def test_a_tone_goes_on_as_itself(f0_hz):
    whole = _tone(f0_hz, HEARD + 255)
    sound = going_on(whole[:HEARD], stretch(whole[:HEARD], 255), 255)
    error = sound - whole[HEARD:]
    assert np.sqrt(np.mean(error**2)) < 0.05 * np.std(whole)
    joined = np.concatenate([whole[:HEARD], sound])
    assert np.abs(np.diff(joined, 2))[HEARD - 4 : HEARD + 4].max() < 1.2 * np.abs(np.diff(whole, 2)).max()


def test_noise_goes_on_without_a_step():
    heard = np.cumsum(np.random.default_rng(1).standard_normal(HEARD)).astype(np.float32)
    sound = going_on(heard, stretch(heard, 255), 255)
    assert abs(sound[0] - heard[-1]) < np.abs(np.diff(heard)).max()


@pytest.mark.parametrize("sample", [0, 1, 77, 127])
def test_it_fades_from_its_sample_on(sample):
    ghost, heard = Ghost(128), _tone(220.0, HEARD)
    ghost.haunt(heard, sample)
    whole = np.concatenate([ghost.next(), ghost.next()])
    assert ghost.gone
    assert np.array_equal(whole[:sample], going_on(heard, stretch(heard, 128 + sample), sample))
    assert np.abs(whole[sample + FADE_SAMPLES - 4 : sample + FADE_SAMPLES]).max() < 0.01
    assert not whole[sample + FADE_SAMPLES :].any()


def test_a_snapshot_keeps_it(tiny_nrk):
    instrument = load_instrument(tiny_nrk)
    frame = ControlFrame(voice_mode=MONO_RETRIGGER)
    engine, other = Engine(instrument), Engine(instrument)
    engine.render(128 * 40, frame, None, [Event(Kind.NOTE_ON, 1, 220.0, 1.0)])
    engine.render(128, frame, None, [Event(Kind.NOTE_ON, 2, 440.0, 1.0, offset=100)])
    state = engine.snapshot()
    assert np.any(state["part.ghost0.sound"])
    other.restore(state)
    assert np.array_equal(engine.render(1000, frame), other.render(1000, frame))
    assert "part.ghost0.sound" not in engine.snapshot()
