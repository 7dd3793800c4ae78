"""The parsers of --set, --offset, --curve: right on what they accept, one sentence on the rest."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest import Control
from neurorack.play.engine.requests import (
    Amount,
    Curve,
    note_to_hz,
    parse_amount,
    parse_offset,
    read_curve,
    split_assignment,
)


def _control(name: str, unit: str, low: float, high: float) -> Control:
    knots = tuple(np.linspace(low, high, 17).tolist())
    return Control(name, name, unit, "linear", knots, low, high, 0.5 * (low + high), 4)


BRIGHTNESS = _control("brightness", "Hz", 200.0, 6000.0)
LOUDNESS = _control("loudness", "dB", -60.0, -6.0)
NOISINESS = _control("noisiness", "", 0.0, 1.0)
PITCH = _control("pitch", "Hz", 60.0, 900.0)


@given(st.floats(0.0, 1.0))
def test_a_bare_number_is_travel(value):
    assert parse_amount(repr(value), BRIGHTNESS) == Amount(value)


@given(st.floats(1e-3, 1e6), st.sampled_from(["Hz", "hz", " Hz", "kHz", "raw"]))
def test_a_unit_makes_it_physical(value, unit):
    scale = 1000.0 if unit == "kHz" else 1.0
    assert parse_amount(f"{value!r}{unit}", BRIGHTNESS) == Amount(value * scale, "physical")


@given(st.floats(-200, 50))
def test_decibels_may_be_negative(value):
    assert parse_amount(f"{value!r}dB", LOUDNESS) == Amount(value, "physical")


@settings(max_examples=300)
@given(st.text(max_size=20), st.sampled_from([BRIGHTNESS, LOUDNESS, NOISINESS, PITCH]))
def test_any_text_is_parsed_or_refused_in_one_sentence(text, control):
    for parse in (parse_amount, parse_offset):
        try:
            amount = parse(text, control)
        except NeurorackError as error:
            assert len(str(error)) < 200
        else:
            assert np.isfinite(amount.value)


@pytest.mark.parametrize(
    "text", ["2", "-0.1", "nan", "inf", "1e999Hz", "12dB", "-5Hz", "loud", "", "0.5 0.5"]
)
def test_bad_amounts(text):
    with pytest.raises(NeurorackError, match="brightness"):
        parse_amount(text, BRIGHTNESS)


def test_notes_and_offsets():
    assert parse_amount("A3", PITCH) == Amount(220.0, "physical")
    assert note_to_hz("C4") == pytest.approx(261.6256, abs=1e-3)
    assert note_to_hz("Bb2") == pytest.approx(note_to_hz("A#2"))
    assert parse_offset("+7st", PITCH) == Amount(7.0, "semitones")
    assert parse_offset("-3dB", LOUDNESS) == Amount(-3.0, "physical")
    assert parse_offset("+.2", NOISINESS) == Amount(0.2)
    with pytest.raises(NeurorackError):
        parse_offset("+7st", LOUDNESS)


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1e4), st.floats(0, 1)), min_size=1, max_size=12, unique_by=lambda p: p[0])
)
def test_curves_round_trip_through_csv(tmp_path_factory, points):
    points = sorted(points)
    path = tmp_path_factory.mktemp("curve") / "c.csv"
    path.write_text("# drawn by hand\ntime_s,value\n" + "".join(f"{t!r},{v!r}\n" for t, v in points))
    curve = read_curve(path, BRIGHTNESS)
    assert curve.kind == "travel"
    assert curve.at(np.array([t for t, _ in points])) == pytest.approx([v for _, v in points])
    assert curve.at(np.array([-1.0]))[0] == points[0][1] and curve.at(np.array([1e9]))[0] == points[-1][1]


def test_curve_units(tmp_path):
    path = tmp_path / "c.csv"
    path.write_text("time_s,kHz\n0,1\n1,2\n")
    curve = read_curve(path, BRIGHTNESS)
    assert curve.kind == "physical" and curve.at(np.array([0.5]))[0] == pytest.approx(1500.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "time_s,value\n",
        "0,dB\nx,y\n",
        "0\n",
        "0,0.1\n0,0.2\n",
        "1,0.1\n0,0.2\n",
        "0,7\n",
        "0,nan\n",
        "t,Pa\n0,1",
    ],
)
def test_bad_curves(tmp_path, text):
    path = tmp_path / "c.csv"
    path.write_text(text)
    with pytest.raises(NeurorackError, match="curve"):
        read_curve(path, BRIGHTNESS)


def test_missing_or_binary_curve(tmp_path):
    (tmp_path / "b.csv").write_bytes(b"\xff\xfe\x00\x81")
    for name in ("none.csv", "b.csv"):
        with pytest.raises(NeurorackError, match="curve"):
            read_curve(tmp_path / name, BRIGHTNESS)


def test_empty_curve_object():
    with pytest.raises(NeurorackError):
        Curve(np.zeros(0), np.zeros(0))


def test_assignments():
    assert split_assignment(" Brightness = 0.8", "--set") == ("brightness", "0.8")
    for bad in ("brightness", "=1", "brightness="):
        with pytest.raises(NeurorackError, match="--set"):
            split_assignment(bad, "--set")
