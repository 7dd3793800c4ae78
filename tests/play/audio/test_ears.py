"""The ears, on a real instrument: what they tell is what the same sound measures, wherever they begin."""

import numpy as np
import pytest

from neurorack.core.library import find
from neurorack.play.audio.ears import FOR_EYES, FOR_VOLTAGES, MAX_BEHIND_S, WINDOW_FRAMES, Ears
from neurorack.play.control.bridge import EYES_DTYPE, Bridge
from neurorack.play.control.records import Status, to_record
from neurorack.play.engine.frame import Measured
from neurorack.play.engine.instrument import load_instrument
from neurorack.play.engine.streams import DescriptorStream

RATE, HOP = 44_100, 128


class Listener:
    """Ears that are called by hand, over a bridge that is written by hand."""

    def __init__(self, bridge: Bridge) -> None:
        path = str(find("winds"))
        self.bridge, self.status = bridge, Status(instrument=path)
        bridge.status.write(to_record(self.status))
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

    def look(self, eyes: bool, voltages: bool = False) -> None:
        """Whether anybody looks, and whether output voltages are taken."""
        self.bridge.eyes.write(np.array((eyes,), EYES_DTYPE))
        self.status.voltages = int(voltages)
        self.bridge.status.write(to_record(self.status))

    def calls(self) -> int:
        """How often there was enough to hear."""
        count = 0
        while self.ears.listen():
            count += 1
        return count

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
    listener.play(_tone(0.036))
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
    assert calls < behind / (16 * HOP)
    assert 0 <= listener.sound.shape[1] - listener.told().sample < FOR_EYES * HOP


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


def test_nothing_is_measured_for_nobody_and_the_first_look_is_right(listener):
    listener.look(False)
    for _ in range(20):
        listener.play(_tone(0.1))
        assert listener.calls() == 0
    assert listener.told().sample == 0 and not listener.told().measuring
    listener.look(True)
    listener.ears.listen()  # too late for what nobody looked at
    listener.play(_tone(0.036))
    assert listener.ears.listen() and listener.told().measuring
    _agrees(listener)


def test_voltages_are_told_more_often_than_eyes(listener):
    for eyes, voltages, frames in (
        (True, False, FOR_EYES),
        (True, True, FOR_VOLTAGES),
        (False, True, FOR_VOLTAGES),
    ):
        listener.look(eyes, voltages)
        listener.calls()
        calls = 0
        for _ in range(12 * 8):
            listener.play(_tone(0.012))  # four frames
            calls += listener.calls()
        assert calls == pytest.approx(12 * 8 * 4 / frames, abs=1)
        _agrees(listener)


def test_silence_is_not_measured_again_and_again(listener):
    runs = []
    run = listener.ears._stream.fast.run
    listener.ears._stream.fast.run = lambda steps: runs.append(steps) or run(steps)
    silence = np.zeros(FOR_EYES * HOP)
    for _ in range(20):
        listener.play(silence)
        assert listener.ears.listen()
    assert WINDOW_FRAMES <= sum(runs) <= 2 * WINDOW_FRAMES
    listener.play(_tone(0.3))
    listener.calls()
    assert listener.told().measuring
    _agrees(listener)
