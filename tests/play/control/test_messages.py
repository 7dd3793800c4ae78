"""Whatever comes over a socket is either a checked message or BadMessage; every message survives the wire."""

import json
from dataclasses import asdict, fields

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.play.control import messages as m
from neurorack.play.control.message_parser import BadMessage, parse
from neurorack.play.engine.params import EXTERNALS, MOD_SOURCES, PARAMS, ROUTE_CURVES, ROUTES

NAMES = ["brightness", "pitch", "loudness", "nonsense", "level_db", "insist", "", "x" * 80, "velocity"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(NAMES),
    st.sampled_from(["hold", "wander", "clip", "live", "other", "near", "lfo1", "linear"]),
    st.text(max_size=8),
    st.lists(st.floats(), max_size=4),
)
KEYS = sorted({f.name for kind in m.TYPES.values() for f in fields(kind)} | {"extra"})
BODIES = st.dictionaries(st.sampled_from(KEYS), SCALARS, max_size=5).flatmap(
    lambda body: st.sampled_from([*m.TYPES, "evil", ""]).map(lambda kind: {"type": kind, **body})
)

TEXT = st.text(st.characters(codec="utf-8", categories=("L", "N", "P")), max_size=m.MAX_NAME)
UNIT = st.floats(0.0, 1.0)
KEY = st.integers(0, 127)
BY_TYPE = {float: st.floats(-1e6, 1e6), int: st.integers(0, 1000), bool: st.booleans(), str: TEXT}
SPECIAL = {
    m.SetControl: {"value": st.floats(-1.25, 1.25)},
    m.SetOrigin: {"value": st.sampled_from(sorted(m.ORIGINS))},
    m.SetOffset: {"value": st.floats(-2.0, 2.0)},
    m.SetScale: {"value": st.floats(-4.0, 4.0)},
    m.Note: {"midi": KEY, "velocity": UNIT},
    m.Bend: {"semitones": st.floats(-96.0, 96.0), "midi": st.integers(-1, 127)},
    m.Pressure: {"value": UNIT, "midi": st.integers(-1, 127)},
    m.Timbre: {"value": UNIT, "midi": st.integers(-1, 127)},
    m.External: {"name": st.sampled_from(EXTERNALS), "value": st.floats(-1.0, 1.0)},
    m.SetSource: {"value": st.sampled_from(sorted(m.SOURCES))},
    m.SetPath: {"points": st.lists(UNIT, max_size=32).map(lambda p: tuple(p + p))},
    m.Route: {
        "slot": st.integers(0, ROUTES - 1),
        "source": st.sampled_from(MOD_SOURCES),
        "amount": st.floats(-1.0, 1.0),
        "offset": st.floats(-1.0, 1.0),
        "curve": st.sampled_from(ROUTE_CURVES),
        "slew_s": st.floats(0.0, 10.0),
    },
    m.Unroute: {"slot": st.integers(0, ROUTES - 1)},
    m.Keep: {"seconds": st.floats(0.0, 60.0)},
    m.PresetLoad: {"seconds": st.floats(0.0, 600.0)},
    m.Make: {"minutes": st.floats(m.LEAST_MINUTES, m.MOST_MINUTES)},
    m.PresetMorph: {"position": UNIT},
    m.Randomise: {"distance": st.sampled_from(m.DISTANCES)},
}


def valid(kind: type) -> st.SearchStrategy:
    """Valid messages of one kind."""
    if kind is m.SetNumber:
        return st.sampled_from(PARAMS).flatmap(
            lambda s: st.floats(s.low, s.high).map(lambda x: m.SetNumber(s.name, s.clamp(x)))
        )
    special = SPECIAL.get(kind, {})
    return st.builds(kind, **{f.name: special.get(f.name, BY_TYPE.get(f.type)) for f in fields(kind)})


@given(st.one_of(*(valid(kind) for kind in m.TYPES.values())))
@settings(max_examples=600, deadline=None)
def test_every_message_survives_the_wire(message):
    names = {kind: name for name, kind in m.TYPES.items()}
    assert parse(json.dumps({"type": names[type(message)], **asdict(message)})) == message


@given(
    st.one_of(
        st.text(),
        st.binary().map(lambda b: b.decode("latin1")),
        st.recursive(SCALARS, st.lists).map(json.dumps),
        BODIES.map(json.dumps),
    )
)
@settings(max_examples=600, deadline=None)
def test_any_text_is_a_message_or_refused(text):
    try:
        parse(text)
    except BadMessage:
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
        '{"type":"make","set":"voice","minutes":0}',
        '{"type":"make","set":"voice"}',
        '{"type":"material_delete","set":["voice"]}',
        '{"type":"path","points":[0.5]}',
        '{"type":"route","slot":16,"source":"lfo1","target":"life","amount":0}',
        '{"type":"clock","kind":"pulse"}',
        "[" * 2000,
        '{"type":"ping","time":' + "1" * 3000 + "}",
        "null",
    ],
)
def test_nonsense_is_refused(text):
    with pytest.raises(BadMessage):
        parse(text)
