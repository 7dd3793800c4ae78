"""Breath: no note outlasts its time, a hand on its way down ends it, the same seed breathes alike."""

import numpy as np
import pytest

from neurorack.play.engine.sources.breath import (
    ENDLESS_S,
    FALL_STEPS,
    REST_STEPS,
    SHORTEST,
    SILENT,
    Breath,
)

STEP_S = 0.025


def _played(breath: Breath, steps: int, longest_s: float) -> np.ndarray:
    """Loudness over so many steps of a player who, left alone, goes on sounding and begins at once again."""
    loudness, heard = 0.3, []
    for _ in range(steps):
        held = breath.step(loudness, longest_s)
        loudness = 0.3 if held is None else held
        heard.append(loudness)
    return np.array(heard)


def _lengths(heard: np.ndarray) -> tuple[list[int], list[int]]:
    """Steps of the notes, and of the rests between them, without the first and the last of both."""
    edges = np.flatnonzero(np.diff((heard == 0.3).astype(int)))
    runs = np.diff(edges).tolist()
    rests_first = int(heard[edges[0] + 1] != 0.3)
    return runs[rests_first::2], runs[1 - rests_first :: 2]


@pytest.mark.parametrize("longest_s", [0.5, 4.0])
def test_notes_last_as_long_as_they_may_and_rests_are_short(longest_s):
    notes, rests = _lengths(_played(Breath(STEP_S), 8000, longest_s))
    longest = longest_s / STEP_S
    assert len(notes) > 20 and max(notes) <= longest and min(notes) >= SHORTEST * longest - 2
    assert max(notes) - min(notes) > 0.3 * longest, "each its own length"
    assert FALL_STEPS < min(rests) and max(rests) <= FALL_STEPS + REST_STEPS + 1


def test_a_note_falls_without_a_leap_to_silence():
    heard = _played(Breath(STEP_S), 200, 0.5)
    end = int(np.flatnonzero(heard != 0.3)[0])
    fall = heard[end - 1 : end + FALL_STEPS + 1]
    assert (np.diff(fall) < 0).all() and fall[-1] < 0.97 * SILENT
    assert np.diff(fall).min() >= 0.5 * (SILENT - 0.3) - 1e-9


def test_endless_notes_are_left_alone_and_a_limit_reaches_the_one_that_sounds():
    breath = Breath(STEP_S)
    assert (_played(breath, 3000, ENDLESS_S) == 0.3).all()
    assert (_played(breath, 45, 1.0) != 0.3).any()


def test_a_note_that_ends_by_itself_gives_the_next_one_its_whole_time():
    breath = Breath(STEP_S)
    for _ in range(15):
        assert breath.step(0.3, 1.0) is None  # 16 at the least
    assert breath.step(-1.1, 1.0) is None
    assert all(breath.step(0.3, 1.0) is None for _ in range(15))


def test_the_same_seed_breathes_alike_and_goes_on_from_its_state():
    one, other = Breath(STEP_S), Breath(STEP_S)
    for breath in (one, other):
        breath.restart(7)
    first = _played(one, 500, 1.0)
    assert np.array_equal(first, _played(other, 500, 1.0))
    kept = one.state()
    later = _played(one, 500, 1.0)
    third = Breath(STEP_S)
    third.restore(kept)
    assert np.array_equal(later, _played(third, 500, 1.0))
    third.restart(8)
    third.reset()
    assert not np.array_equal(first, _played(third, 500, 1.0))
