"""A real player records, keeps and takes sounds in; what it recorded is rendered again, bit by bit."""

import asyncio
import io
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import numpy as np
import pytest
import soundfile
from playing import SRC, Player, environment, playing

from neurorack.core.errors import NeurorackError
from neurorack.play.control.bridge import JOURNAL_DTYPE
from neurorack.play.engine.frame import FRAME_DTYPE, ControlFrame
from neurorack.play.session.capture import sounding_span
from neurorack.play.session.recorder import salvage
from neurorack.play.session.take import read_take
from neurorack.play.session.wav import WavFile


class Page:
    """A panel without pictures: what it was told last, by type."""

    def __init__(self, player: Player, session: aiohttp.ClientSession) -> None:
        self._player, self._session = player, session
        self.told: dict[str, dict] = {}
        self.notices: list[str] = []

    async def __aenter__(self) -> "Page":
        address = f"{self._player.origin}/ws?token={self._player.token}"
        self._socket = await self._session.ws_connect(address, max_msg_size=2**24)
        await self.until(lambda: "telemetry" in self.told)
        return self

    async def __aexit__(self, *error: object) -> None:
        await self._socket.close()

    async def say(self, kind: str, **more: object) -> None:
        await self._socket.send_str(json.dumps({"type": kind, **more}))

    async def listen(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            try:
                message = json.loads((await self._socket.receive(left)).data)
            except TimeoutError:
                return
            self.told[message["type"]] = message
            if message["type"] == "notice":  # one follows another faster than they are looked at
                self.notices.append(message["text"])

    async def until(self, condition, patience_s: float = 30.0) -> None:
        end = time.monotonic() + patience_s
        while not condition():
            assert time.monotonic() < end, "never true"
            await self.listen(0.05)

    @property
    def state(self) -> dict:
        return self.told["state"]["state"] if "state" in self.told else self.told["hello"]["state"]

    @property
    def library(self) -> dict:
        return self.told.get("library", self.told["hello"]["library"])

    async def post(self, path: str, body: bytes) -> tuple[int, dict]:
        address = f"{self._player.origin}{path}&token={self._player.token}"
        async with self._session.post(address, data=body) as answer:
            return answer.status, await answer.json()

    async def input(self, rate: int) -> aiohttp.ClientWebSocketResponse:
        """A microphone of this page."""
        address = f"{self._player.origin}/input?rate={rate}&token={self._player.token}"
        return await self._session.ws_connect(address)

    async def get(self, path: str) -> bytes:
        async with self._session.get(f"{self._player.origin}{path}?token={self._player.token}") as answer:
            assert answer.status == 200
            return await answer.read()


def perform(player: Player, scene) -> None:
    """Run `scene(page)` on one page of the player."""

    async def run() -> None:
        async with (
            aiohttp.ClientSession(headers={"Origin": player.origin}) as session,
            Page(player, session) as page,
        ):
            await scene(page)

    asyncio.run(run())


@pytest.fixture(scope="module")
def player(home):
    with playing(home, "tiny", "--backend", "null", "--osc", "0", "--midi", "none") as running:
        yield running


def beep() -> bytes:
    file = io.BytesIO()
    t = np.arange(24_000) / 48_000
    soundfile.write(file, np.stack([np.sin(2 * np.pi * 330 * t)] * 2, 1) * 0.3, 48_000, format="WAV")
    return file.getvalue()


def render(home: Path, *arguments: object) -> subprocess.CompletedProcess:
    words = [sys.executable, "-m", "neurorack.cli.main", "render", *map(str, arguments)]
    return subprocess.run(words, env=environment(home), cwd=SRC, capture_output=True, text=True)


def test_a_take_comes_out_again_bit_by_bit(player, home):
    async def scene(page: Page) -> None:
        status, answer = await page.post("/sounds?name=beep.wav", beep())
        assert status == 200
        await page.until(lambda: any(c["id"] == answer["id"] and c["ready"] for c in page.library["clips"]))
        await page.say("record", on=True)
        await page.until(lambda: page.state["recording"])
        for midi in (60, 52, 64):
            await page.say("note", on=True, midi=midi, velocity=0.6)
            for i in range(5):
                await page.say("control", name="brightness", value=i / 5 - 0.5)
                await page.listen(0.03)
            await page.say("source", value="wander" if midi == 52 else "clip")
            await page.say("clip", id=answer["id"])
            await page.listen(0.2)
            await page.say("note", on=False, midi=midi)
        await page.say("record", on=False)
        await page.until(lambda: page.library["takes"] and not page.state["recording"])
        await page.until(lambda: list((home / "takes").glob("*.nrt")))
        name = page.library["takes"][0]["name"]
        heard, rate = soundfile.read(io.BytesIO(await page.get(f"/takes/{name}.wav")), always_2d=True)
        assert rate == 44_100 and len(heard) / rate > 0.9 and np.abs(heard).max() > 1e-3

    perform(player, scene)
    (take,) = (home / "takes").glob("*.nrt")
    checked = render(home, take, "--check", "-o", home / "again.wav")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    again = soundfile.read(home / "again.wav", dtype="float32")[0]
    recorded = soundfile.read(take.with_suffix(".wav"), dtype="float32")[0]
    assert np.array_equal(again, recorded[: len(again)]) and len(again) >= len(recorded) - 4096
    # One sample changed on disk is found, and named.
    recorded[12_345] += 0.25
    soundfile.write(home / "takes" / "other.wav", recorded, 44_100, subtype="FLOAT")
    shutil.copy(take, home / "takes" / "other.nrt")
    checked = render(home, home / "takes" / "other.nrt", "--check")
    assert checked.returncode == 1 and "12345" in checked.stdout


def test_what_was_played_becomes_a_clip(player):
    async def scene(page: Page) -> None:
        await page.say("source", value="hold")
        await page.say("control", name="loudness", value=0.8)
        await page.listen(0.8)
        await page.say("note", on=True, midi=57)
        await page.listen(0.6)
        await page.say("note", on=False, midi=57)
        await page.listen(0.3)
        before = {clip["id"] for clip in page.library["clips"]}
        await page.say("keep")
        await page.until(lambda: {clip["id"] for clip in page.library["clips"]} - before)
        (kept,) = [clip for clip in page.library["clips"] if clip["id"] not in before]
        assert kept["own"] and 0.3 < kept["seconds"] < 1.5  # this note, not the silence before it
        assert len(kept["wave"]) == 48 and max(kept["wave"]) == 255 and kept["trace"]
        await page.say("clip_rename", id=kept["id"], name="A note")
        await page.until(lambda: any(clip["title"] == "A note" for clip in page.library["clips"]))
        await page.say("release", name="loudness")  # it has to come from the clip
        await page.say("clip", id=kept["id"])
        await page.say("source", value="clip")
        await page.say("latch", on=True)
        await page.until(lambda: page.told["telemetry"]["level_db"] > -50)
        await page.say("latch", on=False)
        await page.say("clip_delete", id=kept["id"])
        await page.until(lambda: {clip["id"] for clip in page.library["clips"]} == before)

    perform(player, scene)


def test_what_is_no_sound_is_refused_with_a_sentence(player):
    async def scene(page: Page) -> None:
        bad = beep()
        for body in (b"", b"RIFF" + b"\0" * 500, bad[:60], b"<html>" * 100):
            status, answer = await page.post("/sounds?name=bad.wav", body)
            assert status == 400 and answer["error"].endswith(".")
        status, answer = await page.post("/tunings?name=bad.scl", b"no scale")
        assert status == 400
        status, answer = await page.post("/instruments?name=bad.nrk", b"PK no")
        assert status == 400

    perform(player, scene)


def test_silence_ends_what_is_kept():
    sounds = np.zeros(1000, bool)
    sounds[100:200] = sounds[300:350] = sounds[352:600] = True
    assert sounding_span(sounds, 0.003, since_silence=False) == (100, 600)
    assert sounding_span(sounds, 0.003, since_silence=True) == (100, 600)  # 0.3 s is no silence
    assert sounding_span(sounds, 0.006, since_silence=True) == (300, 600)
    assert sounding_span(np.zeros(10, bool), 0.003, since_silence=True) == (0, 0)


def test_a_recording_cut_off_by_a_crash_is_completed(tmp_path):
    """What a killed player leaves: a WAV with an old header, streams that may end within a record."""
    wav = WavFile(tmp_path / "x.wav", 44_100, 2)
    wav.write(np.full((2, 1000), 0.5, np.float32))
    part = tmp_path / ".x.part"
    part.mkdir()
    head = {"neurorack_part": 1, "instrument": "tiny", "encoding": "e", "sample_rate": 44_100, "rows": 9}
    head |= {"start": 640, "base": {"journal": 0, "frames": 3, "events": 0, "heard": 0}}
    (part / "part.json").write_text(json.dumps(head))
    journal = np.zeros(4, JOURNAL_DTYPE)
    journal["start"], journal["samples"], journal["frame"] = 128 * np.arange(4, 8), 128, (4, 5, 5, 6)
    (part / "journal.bin").write_bytes(journal.tobytes() + b"cut")
    record = np.zeros((), FRAME_DTYPE)
    ControlFrame(life=0.75).write_to(record)
    (part / "frames.bin").write_bytes(record.tobytes() * 2 + record.tobytes()[:9])
    (part / "events.bin").write_bytes(b"")
    (part / "heard.bin").write_bytes(b"")
    np.savez(part / "state.npz", **{"a/b": np.arange(3)})
    past = time.time() - 60
    __import__("os").utime(part / "journal.bin", (past, past))
    assert salvage(tmp_path) == ["x"]
    assert soundfile.info(tmp_path / "x.wav").frames == 1000 and not part.exists()
    take = read_take(tmp_path / "x.nrt")
    assert take.blocks.tolist() == [[128, 2, 0, 0], [128, 2, 0, 0]]  # the last block's frame was lost
    assert take.frames["life"].tolist() == [0.75, 0.75] and take.state["a/b"].tolist() == [0, 1, 2]


@pytest.mark.parametrize("cut", [0, 10, 1000, -1])
def test_a_take_that_is_no_take_is_refused(tmp_path, cut):
    path = tmp_path / "x.nrt"
    path.write_bytes((b"PK\x03\x04" + bytes(range(256)) * 8)[:cut])
    with pytest.raises(NeurorackError):
        read_take(path)


def test_chords_in_stereo_over_a_microphone_come_out_again_bit_by_bit(player, home):
    before = set((home / "takes").glob("*.nrt"))
    hum = (0.2 * np.sin(np.arange(4410) * 0.05)).astype("<f4").tobytes()

    async def scene(page: Page) -> None:
        await page.say("set", name="voice_mode", value=2)
        await page.say("set", name="width", value=0.7)
        await page.say("source", value="live")
        microphone = await page.input(44_100)
        await page.say("record", on=True)
        await page.until(lambda: page.state["recording"])
        for midi in (48, 55, 60, 64, 67):
            await page.say("note", on=True, midi=midi, velocity=0.7)
            await microphone.send_bytes(hum[:16_384])
            await page.listen(0.15)
        await microphone.close()
        await page.listen(0.3)
        for midi in (48, 55, 60, 64, 67):
            await page.say("note", on=False, midi=midi)
        await page.say("record", on=False)
        await page.until(lambda: set((home / "takes").glob("*.nrt")) - before)
        await page.say("set", name="voice_mode", value=0)

    perform(player, scene)
    (path,) = set((home / "takes").glob("*.nrt")) - before
    take = read_take(path)
    assert len(take.heard) > 4000 and take.frames["width"].max() > 0.5 and not take.changed
    checked = render(home, path, "--check")
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_take_says_that_the_clips_changed_during_it(player, home):
    before = set((home / "takes").glob("*.nrt"))

    async def scene(page: Page) -> None:
        await page.say("source", value="clip")
        await page.say("latch", on=True)
        await page.say("record", on=True)
        await page.until(lambda: page.state["recording"])
        status, answer = await page.post("/sounds?name=new.wav", beep())
        assert status == 200
        await page.until(lambda: any(c["id"] == answer["id"] and c["ready"] for c in page.library["clips"]))
        await page.say("clip", id=answer["id"])
        # Not by the clock: the audio process takes the clip when it can, and the recorder sees it then.
        await page.until(lambda: any("clips changed" in said for said in page.notices))
        await page.say("record", on=False)
        await page.until(lambda: set((home / "takes").glob("*.nrt")) - before)
        await page.say("latch", on=False)

    perform(player, scene)
    (path,) = set((home / "takes").glob("*.nrt")) - before
    assert read_take(path).changed
    checked = render(home, path, "--check")
    assert checked.returncode == 1 and "the clips were changed while it was recorded" in checked.stdout
