"""Files that fail: a full disk while recording, a preset torn in half."""

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest
import soundfile as sf

sys.path.insert(0, str(Path(__file__).parent))

from panel_hand import join, playing, sounds
from small_disk import small_disk

from neurorack.play.session.take import read_take

LINUX = sys.platform == "linux"


@pytest.mark.skipif(not LINUX, reason="macOS and Windows have no file systems of one process' own")
def test_a_full_disk_ends_the_recording_and_nothing_else(tmp_path, tiny_nrk):
    takes = tmp_path / "takes"
    inside = small_disk(takes, 6)

    async def record(hand, seconds):
        await hand.say("record", on=True)
        await hand.until_state(lambda s: s["recording"] and s["recording"]["seconds"] >= seconds)

    async def stop(hand, count):
        await hand.say("record", on=False)
        await hand.until_state(lambda s: not s["recording"])
        await hand.until("library", lambda told: len(told["takes"]) == count)

    async def act(player):
        disk = Path(f"/proc/{player.process.pid}/root{takes}")
        async with join(player) as hand:
            await hand.say("latch", on=True)
            frames = await sounds(hand)
            await record(hand, 0.3)
            await stop(hand, 1)
            saved = {path.name: path.read_bytes() for path in disk.iterdir()}
            assert {Path(name).suffix for name in saved} == {".wav", ".nrt"}
            assert not hand.notices

            # The disk fills while it records: one sentence, and the sound goes on.
            await record(hand, 0.3)
            ballast = disk / "ballast"
            room = os.statvfs(disk)
            ballast.write_bytes(bytes(max(0, room.f_bavail * room.f_frsize - 700_000)))
            await hand.until_state(lambda s: not s["recording"])
            await hand.until("library", lambda told: len(told["takes"]) == 2)
            frames = await sounds(hand, frames)
            assert len(hand.notices) == 1 and "the disk is full: what was recorded is kept" in hand.notices[0]
            for name, data in saved.items():
                assert (disk / name).read_bytes() == data
            for path in disk.glob("*.wav"):
                sound, rate = sf.read(path)
                assert len(sound) > 0.2 * rate and abs(sound).max() > 0.001
            for path in disk.glob("*.nrt"):
                assert read_take(path).samples > 0.2 * rate
            assert len(list(disk.glob("*.wav"))) == len(list(disk.glob("*.nrt"))) == 2
            assert not list(disk.glob(".*"))

            # While it is full, recording cannot begin: one sentence, and nothing is left behind.
            before = sorted(disk.iterdir())
            room = os.statvfs(disk)
            (disk / "rest").write_bytes(bytes(room.f_bavail * room.f_frsize))
            hand.notices.clear()
            await hand.say("record", on=True)
            await hand.until("notice", lambda told: hand.notices)
            assert len(hand.notices) == 1 and "free some space" in hand.notices[0], hand.notices
            assert "Errno" not in hand.notices[0]
            (disk / "rest").unlink()
            assert sorted(disk.iterdir()) == before

            # Once there is room again, so is recording.
            ballast.unlink()
            await record(hand, 0.3)
            await stop(hand, 3)
            assert len(hand.notices) == 1
            await sounds(hand, frames)

    with playing(tmp_path, str(tiny_nrk), "--backend", "null", inside=inside) as player:
        asyncio.run(act(player))


def test_a_preset_torn_in_half_is_left_out_and_named(tmp_path, tiny_nrk):
    async def save(player):
        async with join(player) as hand:
            for name, value in (("Whole", 0.2), ("Torn", 0.7)):
                await hand.say("control", name="brightness", value=value)
                await hand.say("preset_save", name=name)
                await hand.until("library", lambda told, name=name: name in _own(told))

    async def look(player):
        async with join(player) as hand:
            assert _own(hand.told["library"]) == ["Whole"]
            await hand.say("latch", on=True)
            await sounds(hand)
            await hand.say("preset_load", name="Torn")
            await hand.until("notice", lambda told: "Torn" in told["text"])
            await hand.say("preset_load", name="Whole")
            await hand.until_state(lambda s: s["preset"] == "Whole" and s["asked"]["brightness"] == 0.2)

    with playing(tmp_path, str(tiny_nrk), "--backend", "null") as player:
        asyncio.run(save(player))
    (torn,) = [
        p for p in (tmp_path / "presets").rglob("*.json") if json.loads(p.read_text())["name"] == "Torn"
    ]
    os.truncate(torn, torn.stat().st_size // 2)
    with playing(tmp_path, str(tiny_nrk), "--backend", "null") as player:
        asyncio.run(look(player))
    assert torn.exists()  # what cannot be read is not deleted either


def _own(library) -> list[str]:
    return [preset["name"] for preset in library["presets"] if preset["own"]]


def test_a_home_whose_every_file_is_torn_in_half_still_plays(tmp_path, tiny_nrk):
    async def fill(player):
        async with join(player) as hand:
            await hand.say("latch", on=True)
            await sounds(hand)
            await hand.say("preset_save", name="One")
            await hand.until("library", lambda told: _own(told))
            await hand.say("record", on=True)
            await hand.until_state(lambda s: s["recording"] and s["recording"]["seconds"] > 0.5)
            await hand.say("record", on=False)
            await hand.until("library", lambda told: told["takes"])
            await hand.say("keep", seconds=1.0)
            await hand.until("library", lambda told: any(clip["own"] for clip in told["clips"]))

    async def look(player):
        async with join(player) as hand:
            await hand.say("latch", on=True)
            await sounds(hand)
            assert not _own(hand.told["library"]) and hand.notices
            await hand.say("keep", seconds=1.0)
            await hand.say("preset_save", name="One")
            await hand.until("library", lambda told: _own(told) == ["One"])

    with playing(tmp_path, str(tiny_nrk), "--backend", "null") as player:
        asyncio.run(fill(player))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(files) >= 4
    for path in files:
        os.truncate(path, path.stat().st_size // 2)
    (tmp_path / "midi.json").write_bytes(b'{"learned": {"life": ')
    (tmp_path / "tunings").mkdir(exist_ok=True)
    (tmp_path / "tunings" / "torn.scl").write_bytes(b"! torn.scl\n!\nhalf a tuning\n 12\n 100.")
    with playing(tmp_path, str(tiny_nrk), "--backend", "null") as player:
        asyncio.run(look(player))
