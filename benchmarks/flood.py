"""Floods a running player with gestures by panel, OSC and MIDI, as fast as it is told to; one in a hundred is
nonsense. Used by soak.py, or by hand:

    python benchmarks/flood.py ADDRESS_OF_THE_CONTROL_SOCKET --osc 7474 --jack-midi --seconds 60

Prints JSON: how many messages went each way, how often a panel had to connect again, and how many news of
each kind it was told.
"""

import argparse
import asyncio
import contextlib
import json
import random
import socket
import time
from collections import Counter
from typing import Any

import aiohttp
from pythonosc.osc_message_builder import OscMessageBuilder

from neurorack.play.engine.params import MOD_SOURCES, PARAMS, ROUTE_CURVES

NONSENSE = 0.01
CONTROLS = ("loudness", "brightness", "boominess", "noisiness", "pitch", "no such control")
LEFT_ALONE = ["level_db", "voice_mode", "voices", "width"]
"""Parameters that the flood does not turn: silence would hide what it does, and four voices or stereo are up
to eight sounds at once, a load that a performer chooses. With --everything they are turned too."""


def gesture(rng: random.Random) -> dict[str, Any]:
    """Any gesture that changes what sounds; those that load or save files are left to other tests."""
    spec = rng.choice([s for s in PARAMS if s.name not in LEFT_ALONE])
    control = rng.choice(CONTROLS)
    note = rng.randrange(36, 84)
    return rng.choice(
        [
            {"type": "set", "name": spec.name, "value": spec.from_travel(rng.random())},
            {"type": "set", "name": spec.name, "value": spec.from_travel(rng.random())},
            {"type": "control", "name": control, "value": rng.uniform(-1.0, 1.0)},
            {"type": "release", "name": control},
            {"type": "offset", "name": control, "value": rng.uniform(-0.5, 0.5)},
            {"type": "note", "on": rng.random() < 0.5, "midi": note, "velocity": rng.random()},
            {"type": "bend", "semitones": rng.uniform(-2.0, 2.0)},
            {"type": "source", "value": rng.choice(["hold", "wander", "clip", "live", "map"])},
            {"type": "anchor", "index": rng.randrange(64)},
            {"type": "latch", "on": rng.random() < 0.9},
            {"type": "path", "points": [rng.random() for _ in range(8)]},
            {"type": "undo"},
            {
                "type": "route",
                "slot": rng.randrange(16),
                "source": rng.choice(MOD_SOURCES),
                "target": rng.choice([spec.name, control]),
                "amount": rng.uniform(-0.3, 0.3),
                "curve": rng.choice(ROUTE_CURVES),
            },
        ]
    )


async def flood_panel(address: str, per_s: float, until: float, seed: int) -> dict[str, Any]:
    """Gestures as a panel's; reads everything the player tells, as a panel must."""
    rng = random.Random(seed)
    sent = joined = 0
    told: Counter[str] = Counter()
    origin = address.split("/ws")[0]
    async with aiohttp.ClientSession(headers={"Origin": origin}) as session:
        while time.monotonic() < until:
            with contextlib.suppress(aiohttp.ClientError, ConnectionError):
                async with session.ws_connect(address, max_msg_size=0) as panel:
                    joined += 1
                    reading = asyncio.create_task(_read(panel, told))
                    while time.monotonic() < until and not panel.closed:
                        bad = rng.random() < NONSENSE
                        text = _nonsense_text(rng) if bad else json.dumps(gesture(rng))
                        await panel.send_str(text)
                        sent += 1
                        await asyncio.sleep(1.0 / per_s)
                    reading.cancel()
    return {"sent": sent, "connections": joined, "told": dict(told)}


async def flood_osc(port: int, per_s: float, until: float, seed: int) -> dict[str, int]:
    """OSC messages to parameters and controls, and random bytes, in one UDP packet each."""
    rng = random.Random(seed)
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.connect(("127.0.0.1", port))
        while time.monotonic() < until:
            if rng.random() < NONSENSE:
                packet = rng.randbytes(rng.randrange(1, 200))
            else:
                packet = osc_packet(rng)
            with contextlib.suppress(ConnectionError):
                udp.send(packet)
            sent += 1
            await asyncio.sleep(1.0 / per_s)
    return {"sent": sent}


def osc_packet(rng: random.Random) -> bytes:
    """A parameter or a control, set by OSC."""
    spec = rng.choice([s for s in PARAMS if s.name not in LEFT_ALONE])
    control = f"/neurorack/control/{rng.choice(CONTROLS)}"
    osc = OscMessageBuilder(rng.choice([f"/neurorack/param/{spec.name}/travel", control]))
    osc.add_arg(rng.random(), "f")
    return osc.build().dgram


def midi_bytes(rng: random.Random) -> list[int]:
    """A note, a controller, a bend, pressure or a tick of the clock."""
    channel = rng.randrange(16)
    data = [rng.randrange(128), rng.randrange(128)]
    return rng.choice(
        [[0x90 | channel, *data], [0x80 | channel, *data], [0xB0 | channel, *data],
         [0xE0 | channel, *data], [0xD0 | channel, data[0]], [0xF8]]
    )  # fmt: skip


async def flood_midi(output: Any, per_s: float, until: float, seed: int) -> dict[str, int]:
    """Notes, controllers, bends, clock, and single random bytes, through an rtmidi output."""
    rng = random.Random(seed)
    sent = 0
    while time.monotonic() < until:
        message = midi_bytes(rng)
        if rng.random() < NONSENSE:
            message = list(rng.randbytes(rng.randrange(1, 4)))
        with contextlib.suppress(Exception):
            output.send_message(message)
        sent += 1
        await asyncio.sleep(1.0 / per_s)
    return {"sent": sent}


def jack_midi_output() -> Any:
    """A port "flood" of JACK's MIDI system that players find by themselves."""
    import rtmidi

    output = rtmidi.MidiOut(rtmidi.API_UNIX_JACK, name="flood")
    output.open_virtual_port("out")
    return output


def _nonsense_text(rng: random.Random) -> str:
    return rng.choice(
        ["{", "[]", '{"type":"set"}', '{"type":"set","name":"life","value":NaN}', "\x00" * 50,
         json.dumps({"type": "note", "on": 1, "midi": 10**30}), "[" * 500]
    )  # fmt: skip


async def _read(panel: Any, told: Counter[str]) -> None:
    """Take what a page is told; its kind is read from its beginning, which costs no parsing."""
    async for packet in panel:
        told[packet.data[:40].split('"')[3]] += 1


async def flood(
    address: str, osc: int, midi: Any, seconds: float, panel_per_s: float, osc_per_s: float, midi_per_s: float
) -> dict[str, Any]:
    """All floods at once for `seconds`; how much went where."""
    until = time.monotonic() + seconds
    ways = {
        "panel 1": flood_panel(address, panel_per_s / 2, until, 1),
        "panel 2": flood_panel(address, panel_per_s / 2, until, 2),
    }
    if osc:
        ways["osc"] = flood_osc(osc, osc_per_s, until, 3)
    if midi is not None:
        ways["midi"] = flood_midi(midi, midi_per_s, until, 4)
    return dict(zip(ways, await asyncio.gather(*ways.values()), strict=True))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", help="of the control socket: http://127.0.0.1:PORT/ws?token=…")
    parser.add_argument("--osc", type=int, default=0, help="UDP port; 0: no OSC")
    parser.add_argument("--jack-midi", action="store_true", help="MIDI over JACK")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--everything", action="store_true", help="also voices and width")
    parser.add_argument("--panel-per-s", type=float, default=200.0)
    parser.add_argument("--osc-per-s", type=float, default=200.0)
    parser.add_argument("--midi-per-s", type=float, default=200.0)
    given = parser.parse_args()
    if given.everything:
        LEFT_ALONE[:] = ["level_db"]
    midi = jack_midi_output() if given.jack_midi else None
    rates = (given.panel_per_s, given.osc_per_s, given.midi_per_s)
    print(json.dumps(asyncio.run(flood(given.address, given.osc, midi, given.seconds, *rates))))


if __name__ == "__main__":
    main()
