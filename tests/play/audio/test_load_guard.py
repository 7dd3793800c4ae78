"""A machine that cannot render what is asked for gets less to render, one thing at a time, and says so."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.play.audio.backend import Drops
from neurorack.play.audio.load_guard import EASY, EASY_S, MOST_VOICES, TOO_MUCH, TOO_MUCH_S, LoadGuard
from neurorack.play.audio.renderer import Renderer
from neurorack.play.control.bridge import Bridge
from neurorack.play.control.record_ring import RecordReader
from neurorack.play.engine.events import Event, Kind, event_to_record
from neurorack.play.engine.frame import FRAME_DTYPE, ControlFrame, Telemetry
from neurorack.play.engine.params import POLY

BLOCK_S = 128 / 44_100

_loads = st.lists(st.tuples(st.floats(0.0, 3.0), st.integers(1, 2000)), max_size=12)


@settings(deadline=None, max_examples=40)
@given(_loads, st.integers(0, 2), st.integers(1, MOST_VOICES), st.sampled_from([0.0, 0.5]))
def test_one_thing_at_a_time_and_never_without_a_reason(loads, mode, voices, width):
    guard, asked = LoadGuard(), ControlFrame(voice_mode=mode, voices=voices, width=width)
    since_s = 0.0
    for load, blocks in loads:
        for _ in range(blocks):
            before = min(guard.most, voices) + guard.wide
            changed = guard.measure(load, BLOCK_S, asked)
            since_s += BLOCK_S
            after = min(guard.most, voices) + guard.wide
            assert abs(after - before) <= changed
            if after < before:
                assert since_s >= 0.99 * TOO_MUCH_S and guard.most >= 1
            elif after > before:
                assert since_s >= 0.99 * EASY_S
            since_s = 0.0 if changed else since_s
            held = guard.hold(asked)
            assert 1 <= held.voices <= voices and held.width in (0.0, width)
            assert bool(guard.note(asked)) == (held is not asked)
    low = 0.9 * EASY
    for _ in range(int((MOST_VOICES + 2) * EASY_S / BLOCK_S)):
        guard.measure(low, BLOCK_S, asked)
    assert guard.hold(asked) is asked and guard.most == MOST_VOICES and not guard.note(asked)


@settings(deadline=None, max_examples=20)
@given(st.floats(EASY + 0.01, TOO_MUCH - 0.01), st.integers(1, 4))
def test_a_load_that_fits_changes_nothing(load, voices):
    guard, asked = LoadGuard(), ControlFrame(voice_mode=POLY, voices=voices)
    guard.most = 3
    assert not any(guard.measure(load, BLOCK_S, asked) for _ in range(3000))


class SlowEngine:
    """Each voice takes a third of a block's time, and twice that in stereo, on a clock of its own."""

    sample_rate = 44_100

    def __init__(self) -> None:
        self.telemetry = Telemetry()
        self.now_s = 0.0
        self.sounding: list[int] = []
        self.frames: list[ControlFrame] = []

    def render(self, n, frame, audio_in=None, events=()):
        for event in events:
            if event.kind == Kind.NOTE_ON:
                self.sounding.append(event.note)
            elif event.kind == Kind.NOTE_OFF and event.note in self.sounding:
                self.sounding.remove(event.note)
        self.frames.append(frame)
        cost = len(self.sounding) * (2.0 if frame.width > 0.0 else 1.0) / 3.0
        self.now_s += cost * n / self.sample_rate
        return np.zeros((2, n), np.float32)

    @property
    def rows(self):
        return np.zeros((0, 3), np.float32), np.zeros(0, np.float32), 0

    def snapshot(self):
        return {}


@pytest.fixture
def bridge():
    made = Bridge.create()
    yield made
    made.close()


def _write(bridge: Bridge, frame: ControlFrame) -> None:
    record = np.zeros((), FRAME_DTYPE)
    frame.write_to(record)
    bridge.frame.write(record)


def test_a_chord_too_heavy_loses_its_oldest_notes_and_the_journal_knows(bridge):
    engine = SlowEngine()
    renderer = Renderer(engine, bridge, Drops(), lambda: engine.now_s)
    frames, events = RecordReader(bridge.frames_used), RecordReader(bridge.events_used)

    def go_on(seconds: float) -> None:
        for _ in range(int(seconds / BLOCK_S)):
            renderer(128)

    _write(bridge, ControlFrame(voice_mode=POLY, voices=4, width=0.0))
    for note in range(4):
        bridge.events.write(event_to_record(Event(Kind.NOTE_ON, note, 220.0, 0.5)))
    go_on(0.2)
    assert engine.sounding == [0, 1, 2, 3] and not renderer.note
    go_on(1.2)
    assert engine.sounding == [2, 3]
    assert renderer.note == "Voices are held to 2: this machine cannot render more in time."
    assert engine.frames[-1].voices == 2.0
    bridge.events.write(event_to_record(Event(Kind.NOTE_ON, 9, 220.0, 0.5)))
    go_on(0.1)
    assert engine.sounding == [3, 9]
    _write(bridge, ControlFrame(voice_mode=POLY, voices=4, width=0.5, life=0.5))  # the hand goes on
    go_on(1.5)
    assert engine.sounding == [9] and engine.frames[-1].voices == 1.0 and engine.frames[-1].life == 0.5
    # What was rendered is what the journal tells, block by block.
    told, used = frames.read(), events.read()
    assert told["voices"].tolist()[0] == 4.0 and told["voices"].tolist()[-1] == 1.0
    assert told["width"].tolist()[-1] == engine.frames[-1].width
    assert [int(e["note"]) for e in used if e["kind"] == Kind.NOTE_OFF] == [0, 1, 2, 3]
    # Played more lightly, everything comes back.
    bridge.events.write(event_to_record(Event(Kind.NOTE_OFF, 9)))
    go_on(16.0)
    assert engine.frames[-1].voices == 4.0 and engine.frames[-1].width == 0.5 and not renderer.note
