"""The clip reader: what was recorded, without seams or jumps whatever is turned meanwhile."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.play.engine.params import CLIP_FREEZE, CLIP_LOOP, CLIP_ONE_SHOT, CLIP_SCRUB
from neurorack.play.engine.sources.clip import ClipReader

FRAMES = 300


def _clip(frames: int = FRAMES) -> np.ndarray:
    """Smooth curves that end elsewhere than they began: [3, frames]."""
    t = np.linspace(0.0, 1.0, frames)
    return np.stack([t, np.sin(7.0 * t), np.cos(20.0 * t)]).astype(np.float32)


STEEPEST = float(np.abs(np.diff(_clip(), axis=1)).max())


def test_as_recorded_backwards_and_held_at_the_end():
    clip = _clip()
    reader = ClipReader(clip)
    played = np.array([reader.read(1.0, 0.0, 1.0, CLIP_ONE_SHOT).copy() for _ in range(FRAMES + 50)])
    np.testing.assert_allclose(played[:FRAMES], clip.T, atol=1e-6)
    np.testing.assert_allclose(played[FRAMES:], np.tile(clip[:, -1], (50, 1)), atol=1e-6)
    assert reader.ended
    assert reader.position == 1.0
    reader.restart(smooth=False)
    back = np.array([reader.read(-1.0, 0.0, 1.0, CLIP_ONE_SHOT).copy() for _ in range(FRAMES)])
    np.testing.assert_allclose(back, clip.T[::-1], atol=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.floats(-2.0, 2.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_a_loop_has_no_seam(speed, start, end):
    reader = ClipReader(_clip())
    rows = np.array([reader.read(speed, start, end).copy() for _ in range(900)])
    low, high = sorted((start, end))
    # Within the cross-fade the row also moves from one end of the region towards the other.
    fade = min(24.0, max((high - low) * (FRAMES - 1), 2.0) / 4.0)
    assert (
        np.abs(np.diff(rows, axis=0)).max() <= 1.2 * abs(speed) * (2.0 * STEEPEST + 1.5 * 2.0 / fade) + 1e-5
    )
    assert rows.max() < 1.1
    assert rows.min() > -1.1


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([CLIP_LOOP, CLIP_ONE_SHOT, CLIP_SCRUB, CLIP_FREEZE]), st.floats(-1.0, 1.0),
            st.floats(0.0, 0.4), st.floats(0.6, 1.0), st.floats(0.0, 1.0), st.booleans(), st.integers(1, 60),
        ),
        min_size=1, max_size=8,
    )
)  # fmt: skip
def test_no_turn_of_any_knob_makes_a_jump(turns):
    reader = ClipReader(_clip(), 5)
    rows = []
    for mode, speed, start, end, place, restart, frames in turns:
        if restart:
            reader.restart()
        rows += [reader.read(speed, start, end, mode, place).copy() for _ in range(frames)]
    # The longest way is about 2: a fade over a jump makes at most a tenth of it a frame; a scrub moves at
    # most a seventh of 48 frames a frame.
    assert np.abs(np.diff(np.array(rows), axis=0)).max(initial=0.0) < 0.2 + 48 / 7 * STEEPEST


def test_a_frozen_place_keeps_moving_a_little():
    reader = ClipReader(_clip(), 1)
    rows, places = [], []
    for _ in range(2000):
        rows.append(reader.read(1.0, 0.0, 1.0, CLIP_FREEZE, 0.5).copy())
        places.append(reader.position * (FRAMES - 1))
    spread = np.std(places)
    assert 1.5 < spread < 8.0
    assert abs(np.mean(places) - 0.5 * (FRAMES - 1)) < 4.0
    assert len(np.unique(np.array(rows), axis=0)) > 1900


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from([CLIP_LOOP, CLIP_ONE_SHOT, CLIP_SCRUB, CLIP_FREEZE]),
    st.integers(0, 400),
    st.integers(1, 40),
)
def test_a_restored_reader_goes_on_alike(mode, before, frames):
    clip = _clip(frames)
    one = ClipReader(clip, 9)
    for _ in range(before):
        one.read(0.9, 0.1, 0.9, mode, 0.3)
    one.restart()
    two = ClipReader(clip)
    two.restore(one.state())
    for _ in range(50):
        np.testing.assert_array_equal(one.read(0.9, 0.2, 0.9, mode, 0.4), two.read(0.9, 0.2, 0.9, mode, 0.4))
    assert one.position == two.position
