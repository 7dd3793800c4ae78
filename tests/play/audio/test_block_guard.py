"""Where blocks are lost because they come late, sound is made ahead, then a card gets longer ones."""

import sys
import time
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from jack_rig import RATE, jack_server, wait_for

from neurorack.play.audio.backend import AudioOptions, Drops
from neurorack.play.audio.block_guard import AHEAD_PATIENCE, PATIENCE, SETTLING_S, SPAN_S, BlockGuard
from neurorack.play.audio.card import import_sounddevice
from neurorack.play.audio.open_backend import opener
from neurorack.play.audio.outlet import Outlet

_losses = st.lists(st.tuples(st.floats(0.0, 20.0), st.integers(0, 3)), max_size=40)


@settings(deadline=None)
@given(_losses, st.sampled_from([16, 128, 256, 512]), st.sampled_from([0, 128, 256, 512]))
def test_never_without_many_losses_lately_and_never_beyond_the_longest(losses, block, longest):
    guard, late, now_s, since = BlockGuard(block, longest), 0, 100.0, []
    guard.opened(now_s)
    guard.look(late, now_s)
    opened_s = now_s
    for pause_s, new in losses:
        now_s, late = now_s + pause_s, late + new
        if new and now_s >= opened_s + SETTLING_S:
            since.append((now_s, new))
        guard.look(late, now_s)
        recent = sum(count for at_s, count in since if at_s >= now_s - SPAN_S)
        assert guard.ahead_is_due == (recent > AHEAD_PATIENCE)
        assert guard.longer_is_due == (recent > PATIENCE and 2 * guard.block <= longest)
        if guard.longer_is_due:
            before = guard.block
            assert f"{2 * before} samples" in guard.lengthen() and guard.block == 2 * before <= longest
            guard.opened(now_s)
            opened_s, since = now_s, []


def test_a_real_card_is_made_ahead_for_and_then_opened_again_with_longer_blocks(monkeypatch):
    monkeypatch.setattr("neurorack.play.audio.block_guard.SETTLING_S", 0.0)
    counts: list[int] = []

    def render(count, audio_in=None, events=()):
        counts.append(count)
        return np.zeros((2, count), np.float32)

    with jack_server(monkeypatch):  # PortAudio calls JACK's dummy the card "system"
        options = AudioOptions("", "sounddevice", "system", longest_block=256)
        drops = Drops()  # of its own: what a busy machine really loses is not counted here
        outlet = Outlet(options, opener(options, RATE, Drops(), None), render, lambda events: None, drops)

        def lose(count: int) -> None:
            drops.late += count
            time.sleep(0.01)
            outlet.watch()

        try:
            wait_for(lambda: counts, "a block")
            assert outlet.backend.name == "sounddevice", outlet.note
            assert set(counts) == {128} and outlet.ahead_samples == 0
            outlet.watch()
            lose(AHEAD_PATIENCE)
            assert not outlet.note
            lose(1)
            wait_for(lambda: outlet.ahead_samples == 128, "sound made ahead")
            assert "2.9 ms later" in outlet.note and outlet.backend.block == 128
            lose(PATIENCE)
            assert outlet.backend.block == 128
            lose(1)
            assert outlet.backend.block == 256 and "256 samples" in outlet.note
            counts.clear()
            wait_for(lambda: counts and outlet.ahead_samples == 256, "a longer block, made ahead")
            assert set(counts) == {256}
            lose(PATIENCE + 1)
            assert outlet.backend.block == 256, "never beyond the longest"
        finally:
            outlet.stop()
            # PortAudio aborts the process that ends it after its JACK server has gone.
            import_sounddevice()._terminate()
    import_sounddevice()._initialize()
