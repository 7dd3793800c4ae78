"""Hands, keys and gates; and that no sequence of messages brings the frame out of its ranges."""

import asyncio
import json
import math

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_messages import valid

from neurorack.play.control import messages as m
from neurorack.play.engine.events import Kind
from neurorack.play.engine.frame import TELEMETRY_DTYPE, Telemetry
from neurorack.play.engine.params import MOD_INDEX, PARAM_BY_NAME
from neurorack.play.session.framing import SHORTEST_S
from neurorack.play.session.performance import note_number

SLOW = (
    *(m.PresetSave, m.PresetDelete, m.Keep, m.RenameClip, m.DeleteClip, m.Record, m.SetInstrument),
    *(m.MaterialTitle, m.MaterialDelete, m.Make, m.MakeStop),
)
"""What needs a running loop."""
QUICK = [kind for kind in m.TYPES.values() if kind not in SLOW]


@given(said=st.lists(st.tuples(st.integers(1, 3), st.one_of(*(valid(k) for k in QUICK))), max_size=40))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_message_brings_the_frame_out_of_its_ranges(stage, said):
    for hand, message in said:
        stage.hub.perform(hand, message)
    assert not [text for text in stage.notices if "error inside" in text]
    stage.hub.editor.tick(1e12)  # whatever glides has arrived
    stage.hub._changed()
    frame = stage.frame
    assert np.isfinite(frame.asked).all() and np.abs(frame.asked).max() <= 1.25
    assert 0.0 <= frame.f0_hz < 25_000
    for name, spec in PARAM_BY_NAME.items():
        assert spec.low <= getattr(frame, name) <= spec.high and math.isfinite(getattr(frame, name))
    json.dumps(stage.hub.state(), allow_nan=False)
    json.dumps(stage.hub.hello(), allow_nan=False)
    for hand in (1, 2, 3):
        stage.hub.leave(hand)
    assert stage.frame.gate == stage.hub.performance.latched and not stage.hub.performance.keys


def test_keys_become_events_and_the_gate_button_stays_in_the_frame(stage):
    hub = stage.hub
    hub.perform(1, m.Latch(True))
    hub.perform(1, m.Note(True, 69, 0.5))
    hub.perform(2, m.Note(True, 69, 0.6))
    first, second = stage.events()
    assert (first.kind, first.note, first.b) == (Kind.NOTE_ON, note_number(1, 69), 0.5)
    assert first.a == pytest.approx(440.0) and second.note == note_number(2, 69) != first.note
    assert stage.frame.gate and stage.frame.f0_hz == pytest.approx(440.0)
    hub.leave(1)
    assert [(e.kind, e.note) for e in stage.events()] == [(Kind.NOTE_OFF, note_number(1, 69))]
    assert hub.state()["notes"] == [69]  # the other hand still holds it
    hub.perform(3, m.Gate(True))
    assert stage.frame.gate and not hub.state()["latched"]  # the hand takes over from Play
    hub.leave(3)
    assert not stage.frame.gate
    hub.perform(2, m.SetControl("pitch", 0.3))
    assert stage.frame.f0_hz == 0.0  # the knob takes over from the keys
    hub.perform(2, m.Panic())
    assert stage.frame.panic == 1 and not hub.state()["gate"]
    assert stage.events()[-1].kind == Kind.ALL_OFF


def test_what_is_held_is_told_again_to_a_new_audio_process(stage):
    hub = stage.hub
    hub.perform(1, m.Note(True, 60))
    hub.perform(1, m.Bend(2.0, 60))
    hub.perform(1, m.External("wheel", 0.5))
    stage.events()
    hub.performance.resend()
    again = {(e.kind, e.note): e.a for e in stage.events()}
    assert again[Kind.NOTE_ON, note_number(1, 60)] == pytest.approx(261.6256, rel=1e-4)
    assert again[Kind.BEND, note_number(1, 60)] == pytest.approx(2 / 12)
    assert again[Kind.EXTERNAL, MOD_INDEX["wheel"]] == 0.5


def test_another_tuning_moves_the_keys_that_are_down(stage):
    stage.hub.perform(1, m.Note(True, 64))
    stage.events()
    stage.hub.perform(1, m.SetTuning("just-5-limit"))
    (event,) = stage.events()
    assert event.kind == Kind.PITCH and event.a / 261.6256 == pytest.approx(1.25, rel=2e-2)
    stage.hub.perform(1, m.SetTuning("no such tuning"))
    assert "no such tuning" in stage.notices[-1]


def test_taps_set_the_tempo(stage, monkeypatch):
    now = [100.0]
    monkeypatch.setattr("neurorack.play.session.hub.time.monotonic", lambda: now[0])
    for _ in range(5):
        stage.hub.perform(1, m.Tap())
        now[0] += 0.5
    assert stage.frame.tempo_bpm == pytest.approx(120.0)


def test_the_loop_tells_state_once_for_many_gestures(stage):
    told = []
    stage.hub.subscribe(lambda kind, data: told.append(data) if kind == "state" else None)

    async def until_told() -> None:
        for _ in range(500):
            if told:
                break
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)

    async def scene() -> None:
        work = asyncio.create_task(stage.hub.run())
        await until_told()
        told.clear()
        for i in range(100):
            stage.hub.perform(1, m.SetNumber("life", i / 100))
        await until_told()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    asyncio.run(scene())
    assert len(told) == 1 and told[0]["state"]["numbers"]["life"] == 0.99


def test_what_is_over_at_once_makes_no_frame_and_no_news(stage):
    told = []
    stage.hub.subscribe(lambda kind, data: told.append(kind))
    stage.hub._tick(0.0, 2)
    told.clear()
    frames = stage.bridge.frame.published
    for message in (m.Clock("pulse"), m.Bend(0.5), m.Pressure(0.5), m.Timbre(0.2), m.External("wheel", 0.3)):
        stage.hub.perform(1, message)
    stage.hub._tick(1.0, 4)
    assert len(stage.events()) == 5
    assert stage.bridge.frame.published == frames and "state" not in told
    stage.hub.perform(1, m.SetNumber("life", 0.25))
    stage.hub._tick(2.0, 6)
    assert stage.bridge.frame.published == frames + 1 and "state" in told


def test_a_note_finds_what_was_set_before_it_in_the_frame(stage):
    async def scene() -> tuple[float, float]:
        await asyncio.sleep(2 * SHORTEST_S)
        stage.hub.perform(1, m.SetNumber("life", 0.1))
        await asyncio.sleep(0.0)  # told at once …
        at_once = stage.frame.life
        stage.hub.perform(1, m.SetNumber("life", 0.9))  # … and this would wait,
        stage.hub.perform(1, m.Note(True, 60))  # but for the note
        return at_once, stage.frame.life

    assert asyncio.run(scene()) == pytest.approx((0.1, 0.9))
    assert stage.events()[-1].kind == Kind.NOTE_ON


def test_nobody_looks_until_somebody_does(stage):
    hub, bridge, looking = stage.hub, stage.bridge, [False]
    told = []
    hub._news._subscribers.clear()
    hub.subscribe(lambda kind, data: told.append(kind), lambda: looking[0])
    telemetry = np.zeros((), TELEMETRY_DTYPE)
    Telemetry().write_to(telemetry)

    def seconds_of_ticks() -> int:
        told.clear()
        for tick in range(1, 121):
            bridge.telemetry.write(telemetry)
            hub._tick(float(tick), tick)
        return told.count("telemetry")

    assert seconds_of_ticks() == 8 and not bridge.eyes.read()["look"]
    looking[0] = True
    assert seconds_of_ticks() == 60 and bridge.eyes.read()["look"]
