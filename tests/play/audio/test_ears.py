"""The ears, on a real instrument: what they tell is what the same sound measures, wherever they begin."""

import numpy as np
import pytest

from neurorack.core.library import find
from neurorack.play.audio.ears import MAX_BEHIND_S, WINDOW_FRAMES, Ears
from neurorack.play.control.bridge import Bridge
from neurorack.play.control.records import Status, to_record
from neurorack.play.engine.frame import Measured
from neurorack.play.engine.instrument import load_instrument
from neurorack.play.engine.streams import DescriptorStream

RATE, HOP = 44_100, 128


class Listener:
    """Ears that are called by hand, over a bridge that is written by hand."""

    def __init__(self, bridge: Bridge) -> None:
        path = str(find("winds"))
        bridge.status.write(to_record(Status(instrument=path)))
        self.bridge = bridge
        self.instrument = load_instrument(path)
        self.sound = np.zeros((2, 0), np.float32)
        self.ears = Ears(bridge)
        self._told = Measured()
        self.ears.listen()  # it has the instrument now

    def play(self, sound: np.ndarray) -> None:
        """Mono [n], as it leaves the engine, 256 samples at a time."""
        stereo = np.stack([1.5 * sound, 0.5 * sound]).astype(np.float32)
        self.sound = np.concatenate([self.sound, stereo], axis=1)
        for at in range(0, stereo.shape[1], 256):
            self.bridge.output.write(stereo[:, at : at + 256])

    def told(self) -> Measured:
        record = self.bridge.measured.read()
        if record is not None:
            self._told = Measured.read_from(record)
        return self._told

    def expected(self, sample: int) -> np.ndarray:
        """Normalised controls of everything played up to `sample`, by a stream that missed nothing."""
        stream = DescriptorStream(self.instrument.graphs)
        start = max(0, sample - 20 * 4096)
        values = stream.process(self.sound[:, start:sample].mean(axis=0)[None])[0, :, -1]
        return self.instrument.map.all_to_control(values[self.instrument.map.columns])


def _tone(seconds: float) -> np.ndarray:
    t = np.arange(round(seconds * RATE) // 512 * 512) / RATE
    return 0.2 * np.sin(2 * np.pi * 311 * t) + 0.1 * np.sin(2 * np.pi * 622 * t + 1)


@pytest.fixture
def listener():
    bridge = Bridge.create()
    yield Listener(bridge)
    bridge.close()


def _agrees(listener: Listener) -> None:
    told = listener.told()
    expected = listener.expected(told.sample)
    np.testing.assert_allclose(told.normalised[: told.controls], expected, atol=2e-3)


def test_after_a_gap_the_first_value_is_right_at_once(listener):
    listener.play(_tone(0.5))
    while listener.ears.listen():
        pass
    assert listener.told().measuring
    _agrees(listener)
    before = listener.told().sample
    listener.play(_tone(MAX_BEHIND_S + 1.0))  # nobody listened meanwhile
    assert not listener.ears.listen()
    listener.play(_tone(0.012))
    assert listener.ears.listen()
    told = listener.told()
    assert told.measuring and told.sample - before > RATE  # the gap was not heard …
    _agrees(listener)  # … and is not noticed: cold windows would be off by the whole range


def test_ears_that_are_a_little_behind_miss_nothing(listener):
    listener.play(_tone(0.2))
    while listener.ears.listen():
        pass
    behind = int(0.9 * MAX_BEHIND_S * RATE) // 512 * 512
    listener.play(_tone(behind / RATE))
    calls = 0
    while listener.ears.listen():
        calls += 1
        _agrees(listener)
    assert calls < behind / (16 * HOP) and listener.told().sample == listener.sound.shape[1]


def test_nothing_is_measured_until_the_windows_are_full_of_sound(listener):
    listener.play(np.zeros(2 * RATE // 512 * 512))
    listener.ears.listen()  # too late for that: it begins anew, with silence behind it
    sounds_from = listener.sound.shape[1]
    listener.play(_tone(0.3))
    true_from = None
    while listener.ears.listen():
        if listener.told().measuring and true_from is None:
            true_from = listener.told().sample
    assert true_from is not None and true_from - sounds_from > WINDOW_FRAMES * HOP
    _agrees(listener)
    listener.play(np.zeros(4096))
    while listener.ears.listen():
        pass
    assert not listener.told().measuring
