"""Note starts: a bundled instrument begins as it goes on, whatever its pitch, velocity and attack."""

import numpy as np
import pytest

from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import ControlFrame
from neurorack.play.engine.lead_in import LEAD_FRAMES, SHORT_LEAD_FRAMES
from neurorack.play.engine.params import MONO_RETRIGGER


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine(load_instrument("winds"))


def _note(engine: Engine, f0_hz: float, velocity: float, attack_s: float) -> np.ndarray:
    """A note from silence: 240 frames from its start on."""
    frame = ControlFrame(life=0.0, attack_s=attack_s, seed=5)
    engine.render(128 * 150, ControlFrame(life=0.0, panic=engine.telemetry.notes + 1))
    return engine.render(128 * 240, frame, None, [Event(Kind.NOTE_ON, 1, f0_hz, velocity)])[0]


@pytest.mark.parametrize("attack_s", [0.002, 0.008, 0.05])
@pytest.mark.parametrize("velocity", [0.3, 1.0])
def test_no_note_starts_with_a_spike(engine, attack_s, velocity):
    for f0_hz in (65.4, 73.4, 130.8, 220.0, 440.0, 880.0):
        sound = _note(engine, f0_hz, velocity, attack_s)
        head, steady = sound[: 128 * 60], sound[128 * 60 :]
        case = (f0_hz, velocity, attack_s)
        assert np.abs(head).max() < 1.25 * np.abs(steady).max(), case
        # The second difference shows what is broadband: a click is tens of times what the tone has.
        assert np.abs(np.diff(head, 2)).max() < 1.6 * np.abs(np.diff(steady, 2)).max(), case
        # It opens within its attack: never louder before than the straight line allows, then as it goes on.
        opening = np.abs(sound[: round(attack_s * 44_100)])
        line = (np.arange(len(opening)) + 129.0) / len(opening)
        assert np.all(opening <= 1.25 * np.abs(steady).max() * line), case
        after = sound[128 * 4 + round(attack_s * 44_100) :][: 128 * 24]
        ratio_db = 10.0 * np.log10(np.mean(np.square(after)) / np.mean(np.square(steady)))
        assert abs(ratio_db) < 3.0, case


def test_the_same_note_starts_the_same_after_others(engine):
    first = _note(engine, 220.0, 0.8, 0.008)
    _note(engine, 523.0, 0.5, 0.05)
    assert _note(engine, 220.0, 0.8, 0.008) == pytest.approx(first, abs=1e-6)


@pytest.mark.parametrize("before_hz", [110.0, 330.0])
def test_a_note_that_takes_the_place_of_another_starts_without_a_spike(engine, before_hz):
    frame = ControlFrame(life=0.0, attack_s=0.008, seed=5, voice_mode=MONO_RETRIGGER)
    for f0_hz in (65.4, 73.4, 130.8, 220.0, 440.0, 880.0):
        _note(engine, before_hz, 1.0, 0.008)
        sound = engine.render(128 * 240, frame, None, [Event(Kind.NOTE_ON, 2, f0_hz, 0.8)])[0]
        head, steady = sound[128 : 128 * 60], sound[128 * 60 :]  # the other fades within 128 samples
        assert np.abs(head).max() < 1.25 * np.abs(steady).max(), f0_hz
        assert np.abs(np.diff(head, 2)).max() < 1.6 * np.abs(np.diff(steady, 2)).max(), f0_hz


def test_a_note_replaced_within_its_first_frame_leaves_nothing(engine):
    frame = ControlFrame(life=0.0, seed=5, voice_mode=MONO_RETRIGGER)
    short, long = (
        Event(Kind.NOTE_ON, 1, 700.0, 1.0, offset=3),
        Event(Kind.NOTE_ON, 2, 220.0, 0.8, offset=90),
    )
    sounds = []
    for events in ([short, long], [long]):
        _note(engine, 110.0, 1.0, 0.008)
        engine.render(128 * 2, frame, None, [Event(Kind.ALL_OFF)])
        engine.render(128 * 400, frame)
        sounds.append(engine.render(128 * 20, frame, None, events))
    assert np.abs(sounds[0]).max() > 0.01
    assert np.array_equal(*sounds)


@pytest.mark.parametrize("name", ["winds", "skins"])
def test_bundled_instruments_start_notes_the_quick_way(name):
    """The player knows their decoders' states (docs/nrk-format.md), so that few unheard frames suffice."""
    assert load_instrument(name).lead_in.frames == (LEAD_FRAMES, SHORT_LEAD_FRAMES)


def test_a_note_begins_at_its_own_pitch(engine):
    """Between two of the pitches that an anchor has been played at, its state is a mixture of both."""
    leads = engine.instrument.lead_in
    row = engine.instrument.map.pitch
    controls = engine.instrument.anchors_controls[5].copy()
    found = []
    for pitch in (0.0, 0.25, 0.5, 1.25):
        controls[row] = pitch
        found.append(leads.begin(controls))
    low, middle, high, beyond = found
    assert not np.allclose(low, high, atol=1e-3)
    assert middle == pytest.approx(0.5 * (low + high), rel=1e-6, abs=1e-5)
    controls[row] = 1.0
    assert np.array_equal(leads.begin(controls), beyond)
