"""Sound made a block ahead: the same, a block later, without a gap, and in time when a block is late."""

import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from jack_rig import BLOCK, RATE, Patchbay, jack_server, sounding, wait_for, write_frame

from neurorack.core.library import find
from neurorack.play.audio.ahead import FADE_SAMPLES, Ahead
from neurorack.play.engine.frame import ControlFrame


class Tone:
    """Renders a sine, and what it hears beside it; remembers what it was given."""

    def __init__(self, f0_hz: float = 440.0) -> None:
        self.f0_hz, self.sample = f0_hz, 0
        self.given: list[tuple[int, object, object]] = []

    def __call__(self, count, audio_in=None, events=()):
        self.given.append((count, audio_in, events))
        t = self.sample + np.arange(count)
        self.sample += count
        return np.tile(np.sin(2 * np.pi * self.f0_hz / RATE * t).astype(np.float32), (2, 1))


def _played(ahead: Ahead, count: int, blocks: int) -> np.ndarray:
    return np.concatenate([ahead(count) for _ in range(blocks)], axis=1)


@settings(deadline=None, max_examples=20)
@given(st.sampled_from([64, 65, 128, 1000]), st.integers(1, 20))
def test_everything_is_rendered_in_order_and_heard_a_block_later(count, before):
    tone = Tone()
    ahead = Ahead(tone)
    first = _played(ahead, count, before)
    ahead.wanted = True
    given = [(count, np.full(count, n), [n]) for n in range(6)]
    later = np.concatenate([ahead(*each) for each in given], axis=1)
    assert ahead.samples == count
    wait_for(lambda: len(tone.given) == before + 6, "the last block")
    assert [g[0] for g in tone.given] == [count] * (before + 6)
    assert all(a[1] is b[1] and a[2] is b[2] for a, b in zip(tone.given[before:], given, strict=True))
    straight = _played(Ahead(Tone()), count, before + 5)
    np.testing.assert_array_equal(first, straight[:, : before * count])
    fade = min(count, FADE_SAMPLES)
    np.testing.assert_array_equal(later[:, count + fade :], straight[:, before * count + fade :])


@pytest.mark.parametrize("f0_hz", [110.0, 440.0, 1234.5])
def test_neither_going_ahead_nor_coming_back_clicks(f0_hz):
    ahead = Ahead(Tone(f0_hz))
    steady = _played(ahead, BLOCK, 30)
    ahead.wanted = True
    heard = [steady, _played(ahead, BLOCK, 30)]
    ahead.wanted = False
    heard.append(_played(ahead, BLOCK, 30))
    assert ahead.samples == 0
    bends = np.abs(np.diff(np.concatenate(heard, axis=1)[0], 2))
    # Two sines that fade into each other bend by what one of them does, and what the fade itself adds.
    assert bends.max() < 1.5 * bends[: 20 * BLOCK].max() + (np.pi / FADE_SAMPLES) ** 2


def test_a_block_that_is_late_keeps_nobody_waiting_until_the_next_is_due():
    free, begun = threading.Event(), threading.Semaphore(0)

    def render(count, audio_in=None, events=()):
        begun.release()
        assert free.wait(60.0)
        return np.full((2, count), events[0], np.float32)

    ahead = Ahead(render)
    ahead.wanted = True
    ahead(BLOCK, None, [1.0])
    assert begun.acquire(timeout=60.0), "the block is rendered while the one before is heard"
    asked: list[np.ndarray] = []
    waiting = threading.Thread(target=lambda: asked.append(ahead(BLOCK, None, [2.0])))
    waiting.start()
    assert not asked
    free.set()
    waiting.join(60.0)
    assert asked[0][0, -1] == pytest.approx(1.0, abs=1e-3)  # what filled the gap has faded into it
    assert (ahead(BLOCK, None, [3.0]) == 2.0).all()


def test_what_goes_wrong_reaches_the_backend_and_calls_go_through_again():
    failing = [False]

    def render(count, audio_in=None, events=()):
        if failing[0]:
            raise MemoryError("no room")
        return np.ones((2, count), np.float32)

    ahead = Ahead(render)
    ahead.wanted = True
    _played(ahead, BLOCK, 3)
    failing[0] = True
    with pytest.raises(MemoryError):
        _played(ahead, BLOCK, 3)
    failing[0] = False
    assert not ahead.wanted and (_played(ahead, BLOCK, 2) == 1.0).all() and ahead.samples == 0


def test_over_jack_a_gate_sounds_exactly_a_block_later(monkeypatch):
    gate = np.zeros(300 * BLOCK, np.float32)
    gate[100 * BLOCK + 17 : 120 * BLOCK] = 0.5
    heard, latency_s = {}, {}
    for choice in ("off", "on"):
        with (
            jack_server(monkeypatch) as server,
            sounding(find("winds"), backend="jack", ahead=choice) as supervisor,
        ):
            write_frame(supervisor.bridge, ControlFrame(life=0.0, release_s=0.01))
            wait_for(lambda: supervisor.status.beat > 50, "blocks")
            heard[choice] = Patchbay(server).play({"cv_gate": gate}, ("out_left",))["out_left"]
            latency_s[choice] = supervisor.status.latency_s
    assert np.abs(heard["off"]).max() > 0.01
    np.testing.assert_allclose(heard["on"][BLOCK:], heard["off"][:-BLOCK], atol=1e-4)
    assert latency_s["on"] - latency_s["off"] == pytest.approx(BLOCK / RATE)
