"""Whatever comes over the socket is either a checked message or BadMessage, and the frame stays sane."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.play.control import messages as m

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
