"""Note starts: a bundled instrument begins as it goes on, whatever its pitch, velocity and attack."""

import numpy as np
import pytest

from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import ControlFrame


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
    for f0_hz in (65.4, 130.8, 220.0, 440.0, 880.0):
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
