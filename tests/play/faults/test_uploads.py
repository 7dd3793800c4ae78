"""Files that are none of what they claim, dropped on the panel: one sentence each, and the sound goes on."""

import asyncio
import io
import sys
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import soundfile as sf

sys.path.insert(0, str(Path(__file__).parent))

from panel_hand import join, playing, sounds

RATE = 22_050


def _wav(samples, subtype="FLOAT") -> bytes:
    file = io.BytesIO()
    sf.write(file, samples, RATE, format="WAV", subtype=subtype)
    return file.getvalue()


def _tone(seconds=0.6) -> np.ndarray:
    return (0.2 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def _bad_files(nrk: Path):
    """(path of the request, body) of what must be refused."""
    hole = _tone()
    hole[100] = np.nan
    lying = bytearray(_wav(_tone(0.001)))
    lying[40:44] = b"\xff\xff\xff\x7f"
    instrument = nrk.read_bytes()
    return {
        "nothing": ("/sounds", b""),
        "random bytes": ("/sounds", np.random.default_rng(1).bytes(5000)),
        "a header alone": ("/sounds", _wav(_tone())[:44]),
        "a size that is not there": ("/sounds", bytes(lying)),
        "not a number in it": ("/sounds", _wav(hole)),
        "too short": ("/sounds", _wav(_tone(0.01))),
        "half an instrument": ("/instruments", instrument[: len(instrument) // 2]),
        "a spoilt instrument": ("/instruments", instrument[:2000] + b"\0" * 64 + instrument[2064:]),
        "no instrument": ("/instruments", b"PK\x03\x04" + b"\0" * 100),
        "half a tuning": ("/tunings", b"! x.scl\n!\nhalf\n 12\n 100."),
        "no tuning": ("/tunings", b"\xff\xfe\0\0" * 50),
    }


def test_files_that_are_not_what_they_claim(tmp_path, tiny_nrk):
    async def act(player):
        headers = {"Origin": player.origin}
        async with join(player) as hand, aiohttp.ClientSession(player.origin, headers=headers) as session:
            query = {"name": "dropped", "token": player.token}
            await hand.say("latch", on=True)
            frames = await sounds(hand)
            instruments = len(hand.told["hello"]["instruments"])
            for what, (path, body) in _bad_files(tiny_nrk).items():
                async with session.post(path, params=query, data=body) as answer:
                    told = await answer.json()
                    assert answer.status == 400, f"{what} was taken: {told}"
                    assert 10 < len(told["error"]) < 300 and "Traceback" not in told["error"], what
                frames = await sounds(hand, frames)
            assert not [c for c in hand.told["library"]["clips"] if c["own"]]
            assert len(hand.told["hello"]["instruments"]) == instruments
            async with session.post("/sounds", params=query, data=_wav(_tone())) as answer:
                assert answer.status == 200
            await hand.until("library", lambda told: [c for c in told["clips"] if c["own"]])
            await sounds(hand, frames)

    with playing(tmp_path, str(tiny_nrk), "--backend", "null") as player:
        asyncio.run(act(player))
    assert not list((tmp_path / "instruments").glob("*.nrk"))


@pytest.mark.parametrize("path", ["/sounds", "/instruments", "/tunings"])
def test_uploads_of_strangers_are_refused(tmp_path, tiny_nrk, path):
    async def act(player):
        foreign = {"Origin": "http://example.com"}
        async with aiohttp.ClientSession(player.origin) as session:
            for headers, query in (({}, {}), (foreign, {"token": player.token})):
                async with session.post(path, params=query, headers=headers, data=b"x") as answer:
                    assert answer.status in (401, 403)

    with playing(tmp_path, str(tiny_nrk), "--backend", "null") as player:
        asyncio.run(act(player))
