"""The sound comes back when its process dies; nothing is left behind; bad starts say one sentence."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import aiohttp
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "panel"))

from playing import Player, command, environment, playing


def _alive(pid: int) -> bool:
    """Whether the process runs. A zombie does not: an orphan's parent may never collect it."""
    try:
        os.kill(pid, 0)
        stat = Path(f"/proc/{pid}/stat")
        return stat.read_text().rsplit(")", 1)[1].split()[0] not in "ZX" if Path("/proc").exists() else True
    except (ProcessLookupError, FileNotFoundError):
        return False


def _gone(pids: list[int], patience_s: float = 5.0) -> bool:
    """Whether all processes end: helpers notice that their parent has gone a moment after it has."""
    until = time.monotonic() + patience_s
    while any(_alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    return not any(_alive(pid) for pid in pids)


async def _kill_and_listen(player: Player) -> tuple[float, dict]:
    """Kill the audio process while it sounds; seconds until it sounds again, and the telemetry then."""
    async with aiohttp.ClientSession(headers={"Origin": player.origin}) as session:
        panel = await session.ws_connect(f"{player.origin}/ws?token={player.token}")
        for message in (
            {"type": "control", "name": "loudness", "value": 0.5},
            {"type": "control", "name": "brightness", "value": 0.7},
            {"type": "latch", "on": True},
        ):
            await panel.send_str(json.dumps(message))

        async def until(accept) -> dict:
            while True:
                message = json.loads((await panel.receive(30)).data)
                if message["type"] == "telemetry" and accept(message):
                    return message

        await until(lambda t: t["level_db"] > -50)
        os.kill(player.told["audio_pid"], signal.SIGKILL)
        killed = time.monotonic()
        await until(lambda t: t["status"]["restarts"] == 1 or not t["status"]["running"])
        told = await until(lambda t: t["status"]["running"] and t["level_db"] > -50)
        seconds = time.monotonic() - killed
        return seconds, await until(lambda t: t["frames"] > told["frames"] + 300)


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_a_killed_audio_process_comes_back_with_the_same_state_and_leaves_nothing(tmp_path, tiny_nrk):
    shared = Path("/dev/shm")
    before = {p.name for p in shared.glob("psm_*")} if shared.exists() else set()
    with playing(tmp_path, str(tiny_nrk), "--backend", "null") as player:
        seconds, told = asyncio.run(_kill_and_listen(player))
        assert told["asked"][1] == pytest.approx(0.7, abs=0.02)
        assert seconds < 8  # about 1 s on an idle machine; this one may be busy
        workers = _children(player.process.pid)
    assert _gone(workers)
    if shared.exists():
        assert {p.name for p in shared.glob("psm_*")} <= before


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_no_orphan_when_the_main_process_is_killed(tmp_path, tiny_nrk):
    with playing(tmp_path, str(tiny_nrk), "--backend", "null") as player:
        os.kill(player.process.pid, signal.SIGKILL)
        player.process.wait(5)
        assert _gone([player.told["audio_pid"]])
        player.process.returncode = 0


def test_a_taken_port_and_a_missing_instrument_are_one_sentence(tmp_path, tiny_nrk):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for arguments, word in (
            (["--port", port, str(tiny_nrk)], "--port"),
            (["nothing-like-it"], "nothing-like-it"),
        ):
            run = subprocess.run(
                command(*arguments), env=environment(tmp_path), capture_output=True, text=True, timeout=60
            )
            assert run.returncode == 2
            assert word in run.stderr and len(run.stderr.strip().splitlines()) == 1 and not run.stdout


def _children(pid: int) -> list[int]:
    """Child processes of `pid` (Linux; elsewhere none are found)."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat") if Path("/proc").exists() else []:
        try:
            if int(stat.read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(stat.parent.name))
        except (OSError, ValueError):
            continue
    return found
