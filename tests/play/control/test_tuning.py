"""Scala files as their format says, and the pitches of keys in a tuning."""

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neurorack.core.errors import NeurorackError
from neurorack.core.scala import Mapping, Scale, parse_kbm, parse_scl
from neurorack.play.control.tuning import Tuning, equal_hz, load_tuning, save_tuning, tunings, user_dir

EXAMPLE = """! meanquar.scl
!
1/4-comma meantone scale. Pietro Aaron's temperament (1523)
 12
!
 76.04900
 193.15686 cents
 310.26471
 5/4
 503.42157 E
 579.47057
 696.57843
 25/16
 889.73529
 1006.84314
 1082.89214
 2
 everything after the last pitch is ignored
"""
BUNDLED = {"12-tet", "just-5-limit", "pythagorean", "meantone", "19-tet", "bohlen-pierce"}


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURORACK_HOME", str(tmp_path))


def test_an_example_with_all_that_the_format_allows():
    scale = parse_scl(EXAMPLE)
    assert scale.description.startswith("1/4-comma") and len(scale.cents) == 12
    assert scale.cents[3] == pytest.approx(386.3137) and scale.cents[-1] == 1200.0
    assert parse_scl("\r\n0\r\n").cents == ()  # no description, no notes: 1/1 alone
    assert parse_scl("x\n3\n-5.0\n .5\n100.").cents == (-5.0, 0.5, 100.0)
    assert parse_scl("x\n 2 \n\t4/3\n2/1").cents[0] == pytest.approx(498.045)


@pytest.mark.parametrize(
    "text",
    ["", "! only\n! comments", "x\nmany\n", "x\n2\n2/1\n", "x\n1\n-3/2\n", "x\n1\n3/0\n", "x\n1\n0\n",
     "x\n1\nfifth\n", "x\n1\n\n", "x\n-1\n", "x\n99999\n", "x\n1\n99999999.0\n", "x\n1\n" + "9" * 400 + "/1"],
)  # fmt: skip
def test_a_broken_scale_is_one_sentence(text):
    with pytest.raises(NeurorackError) as caught:
        parse_scl(text)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 160


@given(
    st.text(max_size=200)
    | st.lists(st.sampled_from(["!", "x", "2", "3/2", "100.0", "0", "69", "440.0"])).map("\n".join)
)
def test_any_text_is_read_or_refused(text):
    for parse in (parse_scl, parse_kbm):
        try:
            parse(text)
        except NeurorackError:
            pass


SCALES = st.lists(st.floats(-100.0, 2000.0), max_size=24).map(lambda cents: Scale("", tuple(cents)))
MAPPINGS = st.builds(
    Mapping,
    middle=st.integers(0, 127),
    reference=st.integers(0, 127),
    reference_hz=st.floats(20.0, 2000.0),
    repeat=st.integers(0, 24),
    degrees=st.lists(st.none() | st.integers(-5, 30), max_size=16).map(tuple),
)


@given(SCALES, MAPPINGS, st.floats(0.0, 127.0))
def test_every_key_has_an_audible_pitch_and_fractions_lie_between(scale, mapping, midi):
    tuning = Tuning("", scale, mapping)
    low, high = sorted(tuning.f0_hz(key) for key in (math.floor(midi), math.floor(midi) + 1))
    assert 4.0 <= low and high <= 20_000.0
    assert low * (1 - 1e-6) <= tuning.f0_hz(midi) <= high * (1 + 1e-6)
    assert tuning.f0_hz(mapping.reference) == pytest.approx(mapping.reference_hz)


@given(SCALES.filter(lambda s: s.cents and 200 < s.cents[-1] < 2000), st.integers(30, 90))
def test_a_scale_repeats_at_its_last_degree(scale, key):
    tuning = Tuning("", scale)
    low, high = tuning.f0_hz(key), tuning.f0_hz(key + len(scale.cents))
    if 5 < low < 19_000 and 5 < high < 19_000:
        assert 1200 * math.log2(high / low) == pytest.approx(scale.cents[-1], abs=1e-6)


def test_bundled_tunings_are_what_they_are_called():
    assert BUNDLED <= set(tunings())
    assert load_tuning("") is None
    by_name = {name: load_tuning(name) for name in BUNDLED}
    for key in range(128):
        assert by_name["12-tet"].f0_hz(key) == pytest.approx(equal_hz(key))
    ratio = {n: [t.f0_hz(60 + k) / t.f0_hz(60) for k in range(20)] for n, t in by_name.items()}
    assert ratio["just-5-limit"][7] == pytest.approx(3 / 2) and ratio["just-5-limit"][4] == pytest.approx(
        5 / 4
    )
    assert ratio["pythagorean"][4] == pytest.approx(81 / 64)
    assert ratio["meantone"][4] == pytest.approx(5 / 4) and ratio["meantone"][7] == pytest.approx(5**0.25)
    assert ratio["19-tet"][19] == pytest.approx(2.0) and ratio["19-tet"][1] == pytest.approx(2 ** (1 / 19))
    assert ratio["bohlen-pierce"][13] == pytest.approx(3.0)
    assert all(a < b for ratios in ratio.values() for a, b in pairwise(ratios))


def test_a_mapping_of_white_keys():
    """The format's own idea of a mapping: seven degrees on the white keys, A4 = 440 Hz."""
    just = Scale("", tuple(1200 * math.log2(r) for r in (9 / 8, 5 / 4, 4 / 3, 3 / 2, 5 / 3, 15 / 8, 2)))
    text = "! white\n12\n0\n127\n60\n69\n440.0\n7\n0\nx\n1\nx\n2\n3\nx\n4\nx\n5\nx\n6\n"
    tuning = Tuning("", just, parse_kbm(text))
    assert tuning.f0_hz(69) == pytest.approx(440.0)
    assert tuning.f0_hz(60) == pytest.approx(264.0) and tuning.f0_hz(72) == pytest.approx(528.0)
    assert tuning.f0_hz(48) == pytest.approx(132.0)
    assert tuning.plays(60) and not tuning.plays(61)
    assert tuning.f0_hz(61) == tuning.f0_hz(60)  # like the next one below
    for broken in (text.replace("440.0", "zero"), text.replace("\n1\n", "\nhigh\n"), "12\n0"):
        with pytest.raises(NeurorackError):
            parse_kbm(broken)


def test_dropped_tunings_are_kept_under_a_plain_name_and_win_over_bundled_ones():
    assert save_tuning("../Slendro é.scl", EXAMPLE.encode("latin-1")) == "Slendro é"
    assert [path.name for path in user_dir().iterdir()] == ["Slendro é.scl"] and "Slendro é" in tunings()
    save_tuning("12-tet", b"one tone\n1\n2/1\n")
    assert load_tuning("12-tet").f0_hz(61) == pytest.approx(2 * load_tuning("12-tet").f0_hz(60))
    (user_dir() / "12-tet.kbm").write_text("0\n0\n127\n60\n60\n100.0\n0\n")
    assert load_tuning("12-tet").f0_hz(60) == pytest.approx(100.0)
    for name, data in (("x.scl", b"nonsense"), ("///", EXAMPLE.encode()), ("x", b"\xff" * 300_000)):
        with pytest.raises(NeurorackError):
            save_tuning(name, data)
    with pytest.raises(NeurorackError, match="no-such"):
        load_tuning("no-such")
