"""An instrument made from the session: the real `neurorack new`, stopped, gone on with, refused."""

import asyncio
import contextlib
import importlib.util
import os
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from neurorack.core.nrk import read_manifest
from neurorack.play.control import messages as m
from neurorack.play.session.gathering import Gathering
from neurorack.play.session.making import NICENESS
from neurorack.play.session.news import News

pytestmark = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs the learning half")
RATE = 44_100
PATIENCE_S = 120.0


class Bench:
    """A gathering with one sound of a second and a half, and the notices it gave."""

    def __init__(self, home) -> None:
        self.news, self.notices, self.refreshed = News(), [], 0
        self.news.subscribe(
            lambda kind, data: self.notices.append(data["text"]) if kind == "notice" else None
        )
        self.gathering = Gathering(home / "material", home / "instruments", self.news, self._refresh)
        model = "control_width=16 encoder_widths=[8,8,8,16] stack_width=8 stack_dilations=[1,2]"
        self.gathering.options = (
            # Loudness alone obeys by construction: training must do with nothing to score. (Least to export.)
            *"--descriptors loudness --batch 2 --threads 1".split(),
            *(word for change in model.split() for word in ("--model", change)),
        )
        self.gathering.making.niceness = 0  # on a machine that is busy with other tests, lowest is never
        self.home = home

    async def _refresh(self) -> None:
        self.refreshed += 1

    async def add(self, seconds: float) -> str:
        return await self.gathering.add("", "A tone", "tone", self.tone(seconds))

    def tone(self, seconds: float) -> Path:
        t = np.arange(int(seconds * RATE)) / RATE
        tone = sum(np.sin(2 * np.pi * 220 * k * t) / k for k in range(1, 6))
        noise = np.random.default_rng(0).standard_normal(len(t))
        path = self.home / ".upload-a"
        sf.write(path, (0.1 * tone + 0.01 * noise) * np.exp(-2 * t), RATE, format="WAV")
        return path

    async def until(self, accept) -> dict:
        end = time.monotonic() + PATIENCE_S
        while not accept(told := self.gathering.as_dict() or {}):
            assert time.monotonic() < end, told
            await asyncio.sleep(0.02)
        return told


@pytest.fixture
def bench(tmp_path, monkeypatch):
    monkeypatch.setenv("NEURORACK_HOME", str(tmp_path))
    return Bench(tmp_path)


def test_made_stopped_and_gone_on_with(bench):
    async def act() -> None:
        gathering = bench.gathering
        identity = await bench.add(1.5)
        order = m.Make(identity, 0.01)
        making = asyncio.create_task(gathering.carry_out(order))
        told = await bench.until(lambda told: told.get("step", "").startswith("1/4 prepare"))
        assert told["set"] == identity and told["title"] == "A tone"
        await gathering.carry_out(m.MakeStop())
        await making
        assert gathering.as_dict() is None and "stopped" in bench.notices[-1]
        assert not gathering.rows()["sets"][0]["instrument"]

        making = asyncio.create_task(gathering.carry_out(order))
        await bench.until(lambda told: told.get("step") == "2/4 train" and told["said"])
        await making
        (row,) = gathering.rows()["sets"]
        assert row["instrument"] == "a-tone" and row["begun"] and not row["fault"], bench.notices
        assert bench.refreshed == 1 and "is made" in bench.notices[-1]

    asyncio.run(act())
    manifest = read_manifest(bench.home / "instruments" / "a-tone.nrk")
    assert manifest.title == "A tone" and manifest.name == "a-tone"
    assert [control.name for control in manifest.controls] == ["loudness"]


def test_what_went_wrong_is_told_in_its_last_sentence(bench):
    async def act() -> None:
        identity = await bench.add(0.1)
        await bench.gathering.carry_out(m.Make(identity, 0.01))
        (row,) = bench.gathering.rows()["sets"]
        assert (
            row["fault"].endswith(".")
            and row["fault"] in bench.notices[-1]
            and "Traceback" not in row["fault"]
        )
        assert not row["instrument"] and not row["begun"]
        assert await bench.gathering.add(identity, "", "more", bench.tone(1.0)) == identity

    asyncio.run(act())


def test_it_yields_to_everything_and_ends_with_the_session(bench):
    async def act() -> int:
        identity = await bench.add(1.5)
        bench.gathering.making.niceness = NICENESS
        making = asyncio.create_task(bench.gathering.carry_out(m.Make(identity, 1.0)))
        await bench.until(lambda told: "stage" in told and bench.gathering.making.pid)
        pid = bench.gathering.making.pid
        assert os.getpriority(os.PRIO_PROCESS, pid) == NICENESS
        making.cancel()
        bench.gathering.close()
        with contextlib.suppress(asyncio.CancelledError):
            await making
        return pid

    pid = asyncio.run(act())
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
