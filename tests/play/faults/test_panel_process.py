"""The web server dies, or two pages play at once: the sound and the performance do not mind."""

import asyncio
import os
import signal
import socket
import sys
import time
from pathlib import Path

import pytest
from pythonosc.osc_message_builder import OscMessageBuilder

sys.path.insert(0, str(Path(__file__).parent))

from panel_hand import join, playing, sounds


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_web_server_comes_back_while_the_sound_goes_on(tmp_path, tiny_nrk):
    async def act(player):
        async with join(player) as hand:
            await hand.say("latch", on=True)
            await hand.say("control", name="brightness", value=0.6)
            before = await sounds(hand)
            port = hand.told["telemetry"]["status"]["osc"]
            rate, hop = hand.told["telemetry"]["status"]["sample_rate"], 128
            began = time.monotonic()
            os.kill(player.told["panel_pid"], signal.SIGKILL)
        # OSC, which the session itself hears, does not need the web server.
        osc = OscMessageBuilder("/neurorack/param/life")
        osc.add_arg(0.75)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.sendto(osc.build().dgram, ("127.0.0.1", port))
        await asyncio.sleep(0.2)
        async with join(player) as hand:
            lost_s = time.monotonic() - began
            state = hand.told["hello"]["state"]
            assert state["latched"] and state["asked"] == {"brightness": 0.6}
            assert state["numbers"]["life"] == pytest.approx(0.75)
            after = await sounds(hand, before)
            # The frames of the time without a panel were rendered (half of them at least: tests' machines are
            # busy), not skipped.
            assert after - before > 0.5 * lost_s * rate / hop

    with playing(tmp_path, str(tiny_nrk), "--backend", "null", "--osc", "0") as player:
        asyncio.run(act(player))


def test_two_panels_move_one_performance_and_each_lets_go_of_its_own_keys(tmp_path, tiny_nrk):
    async def act(player):
        async with join(player) as one:
            async with join(player) as other:
                await one.say("control", name="brightness", value=0.25)
                await other.until_state(lambda s: s["asked"].get("brightness") == 0.25)
                for place in range(40):  # both turn the same knob at once
                    await one.say("set", name="life", value=place / 100)
                    await other.say("set", name="life", value=1.0 - place / 100)
                await one.say("note", on=True, midi=60)
                await other.say("note", on=True, midi=67)
                states = [await hand.until_state(lambda s: len(s["notes"]) == 2) for hand in (one, other)]
                assert states[0] == states[1]
                assert states[0]["numbers"]["life"] in (0.39, 0.61)
                await sounds(other)
            state = await one.until_state(lambda s: s["notes"] == [60])
            assert state["gate"]
            await one.say("note", on=False, midi=60)
            await one.until_state(lambda s: not s["gate"])

    with playing(tmp_path, str(tiny_nrk), "--backend", "null") as player:
        asyncio.run(act(player))
