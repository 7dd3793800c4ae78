"""The small display: every situation as its stored picture, the same pixels on an OLED, nothing breaks it.

NEURORACK_GOLDEN=write pytest tests/play/rack    draws the stored pictures anew; look at them
"""

import io
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from luma.core.device import dummy
from PIL import Image

from neurorack.play.rack.display import HEIGHT, WIDTH, display_png, render_display
from neurorack.play.rack.font import GLYPHS, fitted, text_pixels, text_width

sys.path.insert(0, str(Path(__file__).parent))

from scenes import INSTRUMENT, SCENES, STATE, TELEMETRY

GOLDEN = Path(__file__).parent / "golden"

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=40),
    st.sampled_from(["日本語" * 60, "hold", "clip", "map", "live", "brightness", "\ud800", "a\nb\x00c"]),
)
JUNK = st.recursive(
    ODD,
    lambda inner: st.lists(inner, max_size=6) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def _pixels(bits: bytes) -> np.ndarray:
    return np.unpackbits(np.frombuffer(bits, np.uint8)).reshape(HEIGHT, WIDTH).astype(bool)


@pytest.mark.parametrize("name", SCENES)
def test_every_situation_looks_as_stored(name):
    drawn = _pixels(render_display(*SCENES[name]))
    stored = GOLDEN / f"{name}.png"
    if os.environ.get("NEURORACK_GOLDEN") == "write":
        stored.write_bytes(display_png(render_display(*SCENES[name]), scale=1))
    with Image.open(stored) as picture:
        np.testing.assert_array_equal(drawn, np.asarray(picture.convert("1")))


def test_an_oled_shows_the_same_pixels():
    device = dummy(width=WIDTH, height=HEIGHT, mode="1")
    bits = render_display(*SCENES["play"])
    device.display(Image.frombytes("1", (WIDTH, HEIGHT), bits))
    np.testing.assert_array_equal(np.asarray(device.image.convert("1")), _pixels(bits))


def test_a_png_enlarges_every_pixel():
    bits = render_display(*SCENES["fault"])
    with Image.open(io.BytesIO(display_png(bits, scale=3))) as picture:
        large = np.asarray(picture.convert("1"))
    np.testing.assert_array_equal(large, np.kron(_pixels(bits), np.ones((3, 3), bool)))


def _spoilt(good: dict):
    """`good` with some of its values replaced by anything, or anything at all."""
    return st.dictionaries(st.sampled_from([*good, "touched", "kept", "clips"]), JUNK).map(
        lambda changes: good | changes
    )


@settings(max_examples=300, deadline=None)
@given(_spoilt(STATE) | JUNK, _spoilt(TELEMETRY) | JUNK, _spoilt(INSTRUMENT) | JUNK)
def test_no_value_breaks_it(state, telemetry, instrument):
    before = json.dumps([state, telemetry, instrument], default=repr)
    bits = render_display(state, telemetry, instrument)
    assert isinstance(bits, bytes) and len(bits) == WIDTH * HEIGHT // 8
    assert json.dumps([state, telemetry, instrument], default=repr) == before
    assert render_display(state, telemetry, instrument) == bits


@settings(deadline=None)
@given(st.text(max_size=40), st.integers(0, 140), st.sampled_from([1, 2, 4]))
def test_text_keeps_to_its_width(text, width, scale):
    cut = fitted(text, width, scale)
    assert text_pixels(cut, scale).shape[1] == text_width(cut, scale) <= width


def test_letters_differ_and_digits_stay_in_their_columns():
    known = {glyph.tobytes() + bytes(glyph.shape) for glyph in GLYPHS.values()}
    assert len(known) == len(GLYPHS)
    assert {chr(code) for code in range(33, 127)} <= GLYPHS.keys()
    assert len({text_width(str(digit)) for digit in range(10)}) == 1
