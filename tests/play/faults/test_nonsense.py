"""Floods of nonsense by WebSocket, OSC and MIDI while it plays: the sound goes on, gestures still arrive."""

import asyncio
import contextlib
import json
import random
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from panel_hand import join, playing, sounds

SERVER = "neurorack-faults"
TEXTS = (
    "",
    "{",
    "null",
    '{"type":"set"}',
    '{"type":"set","name":"life","value":NaN}',
    '{"type":"set","name":"life","value":1e999}',
    '{"type":"note","on":1,"midi":' + "9" * 400 + "}",
    '{"type":"control","name":"brightness","value":0.5,"more":1}',
    "[" * 1000,
    "x" * 4000,
    '{"type":"path","points":[' + "0," * 200 + "0]}",
    json.dumps({"type": "preset_load", "name": "../../../etc/passwd"}),
    json.dumps({"type": "instrument", "name": "\u202e" * 64}),
    json.dumps({"type": "clip", "id": "no such clip"}),
    json.dumps({"type": "route", "slot": 99, "source": "lfo1", "target": "life", "amount": 1}),
    json.dumps({"type": "route", "slot": 1, "source": "lfo1", "target": "no such thing", "amount": 1}),
    json.dumps({"type": "control", "name": "\ud800", "value": 0}),
)


async def _flood_socket(player, rng, seconds):
    """Nonsense texts and bytes; connects again whenever the player has had enough."""
    until = time.monotonic() + seconds
    async with aiohttp.ClientSession(headers={"Origin": player.origin}) as session:
        while time.monotonic() < until:
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                panel = await session.ws_connect(f"{player.origin}/ws?token={player.token}", max_msg_size=0)
                while time.monotonic() < until and not panel.closed:
                    if rng.random() < 0.2:
                        await panel.send_bytes(rng.randbytes(rng.randrange(600)))
                    else:
                        await panel.send_str(rng.choice(TEXTS))
                    await asyncio.sleep(0.001)
                await panel.close()


async def _flood_osc(port, rng, seconds):
    """Random bytes, and packets that are nearly OSC."""
    heads = (
        b"",
        b"#bundle\0",
        b"/neurorack/note\0\0",
        b"/neurorack/param/life\0\0\0,f\0\0",
        b"/\0\0\0,",
        b",",
    )
    until = time.monotonic() + seconds
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect(("127.0.0.1", port))
        while time.monotonic() < until:
            for _ in range(20):
                with contextlib.suppress(ConnectionError):
                    udp.send(rng.choice(heads) + rng.randbytes(rng.randrange(64)))
            await asyncio.sleep(0.01)


async def _goes_on(hand):
    """It sounds, and a gesture is obeyed and heard of, in the middle of whatever else happens."""
    frames = await sounds(hand)
    for value in (0.8, -0.4):
        await hand.say("control", name="brightness", value=value)
        await hand.until_state(lambda s, value=value: s["asked"].get("brightness") == value)
        frames = await sounds(hand, frames)


def test_sockets_and_osc_full_of_nonsense(tmp_path, tiny_nrk):
    rng = random.Random(3)

    async def act(player):
        async with join(player) as hand:
            await hand.say("latch", on=True)
            port = (await hand.until("telemetry", lambda t: t["status"].get("osc")))["status"]["osc"]
            floods = [_flood_socket(player, rng, 4.0), _flood_osc(port, rng, 4.0)]
            floods = [asyncio.create_task(flood) for flood in floods]
            while not all(flood.done() for flood in floods):
                await _goes_on(hand)
            await asyncio.gather(*floods)
            await _goes_on(hand)
            assert not hand.told["state"]["state"]["notes"]

    with playing(tmp_path, str(tiny_nrk), "--backend", "null", "--osc", "0") as player:
        asyncio.run(act(player))


@pytest.mark.skipif(shutil.which("jackd") is None, reason="no JACK here: install jackd2")
def test_midi_full_of_nonsense(tmp_path, tiny_nrk, monkeypatch):
    jack = pytest.importorskip("jack")
    pytest.importorskip("rtmidi", reason="no MIDI here: python-rtmidi has no wheel for this Python")
    monkeypatch.setenv("JACK_DEFAULT_SERVER", SERVER)
    rng = random.Random(4)

    class Port:
        """A JACK MIDI output that sends random bytes, one to three an event, every cycle while `on`."""

        def __init__(self):
            self.client = jack.Client("nonsense", servername=SERVER, no_start_server=True)
            self.port = self.client.midi_outports.register("out")
            self.on, self.sent = True, 0
            self.client.set_process_callback(self.process)

        def process(self, frames):
            self.port.clear_buffer()
            for offset in range(0, frames if self.on else 0, 32):
                with contextlib.suppress(jack.JackError):
                    self.port.write_midi_event(offset, rng.randbytes(rng.randrange(1, 4)))
                    self.sent += 1

    async def act(player):
        async with join(player) as hand:
            await hand.say("latch", on=True)
            await hand.until("telemetry", lambda t: any("nonsense" in n for n in t["status"].get("midi", ())))
            for _ in range(20):
                await _goes_on(hand)
            assert port.sent > 100
            port.on = False
            await asyncio.sleep(0.3)
            await hand.say("panic")
            await hand.until_state(lambda s: not s["notes"] and not s["gate"])

    with subprocess.Popen(
        ["jackd", "-r", "-n", SERVER, "-d", "dummy", "-r", "44100", "-p", "1024"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            jack.set_error_function(lambda _: None)
            port = _when_served(Port)
            with port.client, playing(tmp_path, str(tiny_nrk), "--backend", "null") as player:
                asyncio.run(act(player))
        finally:
            server.terminate()


def _when_served(make, patience_s=15.0):
    until = time.monotonic() + patience_s
    while True:
        try:
            return make()
        except Exception:  # the library's way to say that no server runs yet
            assert time.monotonic() < until, "JACK's dummy server does not start"
            time.sleep(0.1)
