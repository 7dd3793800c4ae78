"""Whatever comes over the socket is either a checked message or BadMessage, and the frame stays sane."""

import json
import math
from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.core.nrk import read_manifest
from neurorack.play.control import messages as m
from neurorack.play.control.performance import Performance

NAMES = ["brightness", "pitch", "loudness", "nonsense", "level_db", "insist", "", "x" * 80, "velocity"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(NAMES),
    st.sampled_from(["hold", "wander", "clip", "live"]),
    st.text(max_size=8),
)
KEYS = ["name", "value", "on", "midi", "velocity", "index", "time", "extra"]
MESSAGES = st.dictionaries(st.sampled_from(KEYS), SCALARS, max_size=4).flatmap(
    lambda body: st.sampled_from([*m.TYPES, "evil", ""]).map(lambda kind: {"type": kind, **body})
)


@pytest.fixture(scope="module")
def manifest(tiny_nrk):
    return read_manifest(tiny_nrk)


@given(
    st.one_of(
        st.text(),
        st.binary().map(lambda b: b.decode("latin1")),
        st.recursive(SCALARS, st.lists).map(json.dumps),
    )
)
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_message_or_refused(text):
    try:
        m.parse(text)
    except m.BadMessage:
        pass


@pytest.mark.parametrize(
    "text",
    [
        '{"type":"control","name":"brightness","value":NaN}',
        '{"type":"control","name":"brightness","value":1e999}',
        '{"type":"control","name":"brightness","value":true}',
        '{"type":"control","name":"brightness"}',
        '{"type":"control","name":"brightness","value":0,"more":1}',
        '{"type":"set","name":"__class__","value":0}',
        '{"type":"note","on":true,"midi":128}',
        '{"type":"note","on":true,"midi":' + "9" * 400 + "}",
        '{"type":"source","value":"LIVE; rm"}',
        "[" * 2000,
        '{"type":"ping","time":' + "1" * 3000 + "}",
        "null",
    ],
)
def test_nonsense_is_refused(text):
    with pytest.raises(m.BadMessage):
        m.parse(text)


@given(st.lists(st.tuples(st.integers(1, 3), MESSAGES), max_size=40))
@settings(max_examples=150, deadline=None)
def test_no_message_brings_the_frame_out_of_its_ranges(manifest, said):
    performance = Performance(manifest)
    for hand, body in said:
        try:
            message = m.parse(json.dumps(body))
        except m.BadMessage:
            continue
        performance.apply(hand, message)
    frame = performance.frame()
    assert np.isfinite(frame.asked).all() and np.abs(frame.asked).max() <= 1.25
    assert 0.0 <= frame.f0_hz < 13_000
    for name, spec in m.SPECS.items():
        assert spec.low <= getattr(frame, name) <= spec.high and math.isfinite(getattr(frame, name))
    json.dumps(performance.as_dict(), allow_nan=False)
    for hand in (1, 2, 3):
        performance.leave(hand)
    assert performance.frame().gate == performance.latched


def test_hands_gate_and_notes(manifest):
    p = Performance(manifest)
    assert not p.frame().gate
    p.apply(1, m.Latch(True))
    assert p.frame().gate
    p.apply(1, m.Note(True, 69, 0.5))
    assert p.frame().f0_hz == pytest.approx(440.0) and p.frame().velocity == 0.5
    p.apply(1, m.Note(True, 57))
    assert p.frame().f0_hz == pytest.approx(220.0)
    p.apply(1, m.Note(False, 57))
    assert p.frame().f0_hz == pytest.approx(440.0)  # back to the key that is still down
    p.apply(1, m.Note(False, 69))
    assert p.frame().gate  # the latch goes on
    p.apply(2, m.Gate(True))
    assert p.frame().gate and not p.latched  # the hand takes over
    p.leave(2)
    assert not p.frame().gate
    p.apply(1, m.SetControl("pitch", 0.3))
    assert p.frame().f0_hz == 0.0  # the knob takes over from the keys
    index = manifest.control_index("pitch")
    assert p.frame().held[index] and p.frame().asked[index] == pytest.approx(0.3)
    p.apply(1, m.ReleaseControl("pitch"))
    assert not p.frame().held.any()
    p.apply(1, m.Latch(True))
    p.apply(1, m.Panic())
    assert not p.frame().gate and p.frame().panic == 1


def test_every_message_survives_the_wire():
    examples = [m.SetControl("a", 0.5), m.Note(True, 60, 0.7), m.SetSource("clip"), m.Panic(), m.SetAnchor(3)]
    names = {kind: name for name, kind in m.TYPES.items()}
    for message in examples:
        assert m.parse(json.dumps({"type": names[type(message)], **asdict(message)})) == message
