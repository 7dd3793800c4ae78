"""What must not stop the sound: a card that vanishes, a block that cannot be rendered, ears that die."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from jack_rig import sounding, wait_for, write_frame

from neurorack.core.errors import NeurorackError
from neurorack.play.audio.backend import AudioOptions, Drops
from neurorack.play.audio.clocked import ClockedBackend
from neurorack.play.audio.cv import CV_NOTE
from neurorack.play.audio.outlet import Outlet, Tap
from neurorack.play.audio.renderer import FAILURES_TO_GIVE_UP, Renderer
from neurorack.play.control.bridge import Bridge
from neurorack.play.control.record_ring import RecordReader
from neurorack.play.control.ring import RingReader
from neurorack.play.engine.events import Event, Kind, event_to_record
from neurorack.play.engine.frame import ControlFrame, Measured, Telemetry


class CountingEngine:
    """Its sound counts samples, so that a gap or an overlap shows; it fails when told to."""

    sample_rate = 44_100

    def __init__(self) -> None:
        self.telemetry = Telemetry()
        self.position = 0
        self.fails = False
        self.given: list[tuple[ControlFrame, np.ndarray | None, list[Event]]] = []

    def render(self, n, frame, audio_in=None, events=()):
        self.given.append((frame, audio_in, list(events)))
        if self.fails:
            raise ValueError("the graph does not run")
        self.position += n
        return np.tile(np.arange(self.position - n, self.position, dtype=np.float32), (2, 1))

    @property
    def rows(self):
        return np.full((1, 3), self.position, np.float32), np.ones(1, np.float32), self.position // 128

    def snapshot(self):
        return {"position": np.array(self.position)}


class _Stalling(ClockedBackend):
    """A card whose callback stops without a word when it is told to."""

    def __init__(self, sample_rate: int, block: int, drops: Drops) -> None:
        super().__init__("sounddevice", sample_rate, block, drops)
        self._stalled = threading.Event()

    def stall(self) -> None:
        self._stalled.set()

    def start(self, render) -> None:
        def ask(count, audio_in=None, events=()):
            while self._stalled.is_set() and not self._stopping.is_set():
                time.sleep(0.01)
            return render(count, audio_in, events)

        super().start(ask)


@pytest.fixture
def bridge():
    bridge = Bridge.create()
    yield bridge
    bridge.close()


def _watch(outlet: Outlet, happened, what: str) -> None:
    def look() -> bool:
        outlet.watch()
        return happened()

    wait_for(look, what, 20.0)


@pytest.mark.parametrize("way", ["fails", "falls silent"])
def test_a_card_that_vanishes_is_replaced_and_taken_back(bridge, monkeypatch, way):
    monkeypatch.setattr("neurorack.play.audio.outlet.RETRY_S", 0.2)
    engine, drops, there, cards = CountingEngine(), Drops(), [True], []

    def open_backend(name, again, block):
        if name != "sounddevice":
            return ClockedBackend(name, 44_100, 128, drops)
        if not there[0]:
            raise NeurorackError("There is no sound card.")
        cards.append(_Stalling(44_100, 128, drops))
        return cards[-1]

    renderer = Renderer(engine, bridge, drops)
    reader = RingReader(bridge.output)
    outlet = Outlet(AudioOptions("", "sounddevice"), open_backend, renderer, renderer.later, drops)
    try:
        assert outlet.backend is cards[0] and not outlet.note
        wait_for(lambda: engine.position > 1000, "sound")
        there[0] = False
        if way == "fails":
            cards[0].failure = NeurorackError("The card was pulled out.")
        else:
            cards[0].stall()
        _watch(outlet, lambda: outlet.backend.name == "browser", "the fallback")
        assert "until it is back" in outlet.note
        before = engine.position
        _watch(outlet, lambda: engine.position > before + 10_000, "sound from the fallback")
        assert any(e == Event(Kind.NOTE_OFF, CV_NOTE) for _, _, events in engine.given for e in events)
        there[0] = True
        _watch(outlet, lambda: outlet.backend.name == "sounddevice", "the card again")
        before = engine.position
        _watch(outlet, lambda: engine.position > before + 1000, "sound from the card")
        assert not outlet.note
    finally:
        outlet.stop()
    sound = reader.read(reader.available())
    np.testing.assert_array_equal(sound[0], np.arange(sound.shape[1]))  # the engine never noticed


def test_a_backend_that_wakes_up_late_gets_silence():
    tap = Tap(lambda n, audio_in=None, events=(): np.ones((2, n), np.float32))
    assert not tap(8).any()
    tap.open()
    assert tap(8).all()
    tap.close()
    assert not tap(8).any() and tap.asked == 3


def test_a_block_that_cannot_be_rendered_is_silent_and_counted(bridge):
    engine, drops = CountingEngine(), Drops()
    renderer = Renderer(engine, bridge, drops)
    renderer(128)
    engine.fails = True
    assert not renderer(128).any() and drops.failed == 1 and "does not run" in drops.why
    assert renderer.failure is None and bridge.output.written == 256
    engine.fails = False
    assert renderer(128)[0, -1] == 255
    engine.fails = True
    for _ in range(FAILURES_TO_GIVE_UP):
        renderer(16)
    assert isinstance(renderer.failure, ValueError)


def test_the_journal_tells_what_every_block_was_rendered_from(bridge):
    engine = CountingEngine()
    renderer = Renderer(engine, bridge, Drops())
    journal, rows = RecordReader(bridge.journal), RecordReader(bridge.rows)
    events, frames = RecordReader(bridge.events_used), RecordReader(bridge.frames_used)
    renderer(128)
    bridge.events.write(event_to_record(Event(Kind.NOTE_ON, 5, 220.0, 0.5)))
    frame = ControlFrame(velocity=0.25, anchor=3)
    write_frame(bridge, frame)
    order = renderer.order_snapshot()
    renderer(64, np.full(64, 0.5, np.float32), [Event(Kind.NOTE_ON, CV_NOTE, 0.0, -1.0, offset=9)])
    renderer(32)
    assert order.done and order.sample == 128 and order.state["position"] == 128
    told = journal.read()
    assert told["start"].tolist() == [0, 128, 192] and told["samples"].tolist() == [128, 64, 32]
    assert told["frame"].tolist() == [1, 2, 2] and told["events"].tolist() == [0, 2, 2]
    assert told["heard"].tolist() == [0, 64, 64]
    assert frames.read()["anchor"].tolist() == [0, 3]
    used = events.read()
    assert used["note"].tolist() == [5, CV_NOTE] and used["b"].tolist() == [0.5, 0.25]
    assert used["offset"].tolist() == [0, 9]
    assert engine.given[1][0].anchor == 3 and engine.given[1][1][0] == 0.5 and engine.given[2][1] is None
    assert rows.read()["row"][:, 2].tolist() == [128.0, 192.0, 224.0]


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX, not on Windows")
def test_ears_that_die_are_missed_by_nobody(tiny_nrk):
    with sounding(tiny_nrk, backend="null") as supervisor:
        bridge = supervisor.bridge
        write_frame(bridge, ControlFrame(gate=True, f0_hz=220.0))

        def measuring() -> bool:
            record = bridge.measured.read()
            return record is not None and Measured.read_from(record).measuring

        wait_for(measuring, "measurements")
        ears = supervisor.ears_pid
        os.kill(ears, signal.SIGKILL)
        wait_for(lambda: supervisor.ears_pid not in (0, ears), "other ears")
        wait_for(measuring, "measurements again")
        assert supervisor.restarts == 0 and supervisor.running and supervisor.status.dropped_failed == 0
