"""Does the player keep up under a flood of gestures, and does its memory stay flat?

    python benchmarks/soak.py winds --minutes 10

Starts JACK's dummy server (the instrument's rate, 128 samples a block) and `neurorack play --backend jack`,
and floods panel, OSC and MIDI meanwhile (flood.py). The same soak is made twice: with the engine, and with
one that returns silence at once (probe/), which tells what the machine and everything but the sound would
have dropped. An idle JACK client runs beside both, as a yardstick of the server. Reported for each: blocks;
dropped blocks by cause (late: rendering took too long; device: the server lost time; failed: rendering
failed); computing time over sounding time of every block, and which sources played in those that took longer
than they sound; processor seconds per second of every process, of JACK's server and of the flood; private
memory of every process early on and at the end.

The flood plays notes, changes the source, routes modulation and turns every knob at random; with --everything
also polyphony and stereo, up to eight sounds at once, which not every machine can compute.
Needs jackd. A busy machine drops more: compare both soaks, and look at the load average.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import jack
import numpy as np
from processes import Meter, memory_mib, roles
from rig import Player, jack_server, playing

from neurorack.play.engine.engine import load_instrument
from neurorack.play.engine.frame import Source
from neurorack.play.engine.timing import machine

SERVER = "neurorack-soak"
HERE = Path(__file__).parent


class Idle:
    """A JACK client that does nothing but count the frames the clock skipped, and the server's xruns."""

    def __init__(self) -> None:
        self.client = jack.Client("idle", servername=SERVER, no_start_server=True)
        self.client.outports.register("out")  # with a port it is part of the graph
        self.blocks = self.skipped = self.xruns = 0
        self._expected: int | None = None
        self.client.set_process_callback(self._process)
        self.client.set_xrun_callback(self._xrun)

    def _xrun(self, _delay: float) -> None:
        self.xruns += 1

    def _process(self, frames: int) -> None:
        now = self.client.last_frame_time
        if self._expected is not None:
            late = (now - self._expected + 2**31) % 2**32 - 2**31
            self.skipped += max(late, 0) // frames
        self._expected = (now + frames) % 2**32
        self.blocks += 1

    def report(self) -> dict[str, int]:
        return {"blocks": self.blocks, "skipped_blocks": self.skipped, "xruns": self.xruns}


def soak(
    name: str, minutes: float, block: int, flood: list[str], silent: bool, ahead: str = "auto"
) -> dict[str, Any]:
    """One soak; its report."""
    rate = load_instrument(name).sample_rate
    with tempfile.TemporaryDirectory() as folder, jack_server(SERVER, rate, block) as jackd:
        times = Path(folder) / "times"
        capacity = int((60.0 * minutes + 120.0) * rate / block)
        times.write_bytes(bytes(8 + 12 * capacity))
        os.environ["SOAK_TIMES"], os.environ["SOAK_SILENT"] = str(times), "1" if silent else "0"
        os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE / "probe"), str(HERE.parent / "src")])
        idle = Idle()
        with playing(name, "--backend", "jack", "--osc", "0", "--ahead", ahead) as player, idle.client:
            return _soak(player, idle, jackd, 60.0 * minutes, block / rate, flood, times)


def _soak(
    player: Player, idle: Idle, jackd: int, seconds: float, block_s: float, flood: list[str], times: Path
) -> dict[str, Any]:
    told = _telemetry(player)
    command = [
        sys.executable,
        str(HERE / "flood.py"),
        player.socket,
        "--jack-midi",
        "--seconds",
        str(seconds),
    ]
    command += ["--osc", str(told["status"].get("osc") or 0)]
    command += flood
    flooded_until = time.monotonic() + seconds
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as flooding:
        time.sleep(min(60.0, seconds / 3.0))
        pids = roles(player.told)
        first, begun = _memory(pids), _blocks(times)
        meter = Meter(pids | {jackd: "jackd", flooding.pid: "flood"}, time.monotonic())
        time.sleep(max(0.0, flooded_until - time.monotonic()))
        spent = meter.read(time.monotonic())
        assert flooding.stdout is not None
        sent = json.loads(flooding.stdout.read() or "null")
    last = _memory(roles(player.told))
    told = _telemetry(player)
    status = told["status"]
    blocks = _blocks(times)
    load = np.asarray(blocks[:, 0], np.float64) / block_s
    return {
        "blocks": len(load),
        "dropped": {
            cause: status.get(f"dropped_{cause}", status.get("dropped"))
            for cause in ("late", "device", "failed")
        },
        "why": status.get("why", ""),
        "note": status.get("note", ""),
        "latency_s": status["latency_s"],
        "restarts": status["restarts"],
        "backend": status["backend"],
        "non_finite_frames": told["non_finite"],
        "load": dict(
            zip(
                ("median", "p99", "p999", "max"),
                np.percentile(load, (50, 99, 99.9, 100)).tolist(),
                strict=True,
            )
        ),
        "over_budget": int((load > 1.0).sum()),
        "over_budget_by": _by_kind(load, blocks),
        "blocks_at_first_memory": len(begun),
        "processor_s_per_s": spent,
        "memory_mib": {role: {"first": first.get(role), "last": size} for role, size in sorted(last.items())},
        "flood": sent,
        "midi": status.get("midi"),
        "idle_client": idle.report(),
        "machine": machine(),
    }


def _telemetry(player: Player) -> dict[str, Any]:
    """The next telemetry a panel gets."""
    import asyncio

    async def ask() -> dict[str, Any]:
        async with aiohttp.ClientSession(headers={"Origin": player.origin}) as session:
            async with session.ws_connect(player.socket, max_msg_size=0) as panel:
                while True:
                    message = json.loads((await panel.receive(30)).data)
                    if message["type"] == "telemetry":
                        return message

    return asyncio.run(ask())


def _blocks(times: Path) -> np.ndarray:
    """[n, 3]: seconds, index of the source, notes started."""
    count = int(np.fromfile(times, np.int64, 1)[0])
    return np.fromfile(times, np.float32, 3 * count, offset=8).reshape(-1, 3)


def _by_kind(load: np.ndarray, blocks: np.ndarray) -> dict[str, list[float]]:
    """Source, and "… note starts": [blocks, how many of them took longer than they sound, median load]."""
    found = {}
    for source in Source:
        for starts in (False, True):
            of = (blocks[:, 1] == int(source)) & ((blocks[:, 2] > 0) == starts)
            if of.any():
                name = source.name.lower() + (", a note starts" if starts else "")
                found[name] = [int(of.sum()), int((load[of] > 1.0).sum()), float(np.median(load[of]))]
    return found


def _memory(pids: dict[int, str]) -> dict[str, float]:
    """Private MiB of every process of the player that still runs, by its role."""
    sizes = {role: memory_mib(pid) for pid, role in pids.items()}
    return {role: size for role, size in sizes.items() if size is not None}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instrument", help="name of an instrument, or a .nrk file")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--block", type=int, default=128)
    for way in ("panel", "osc", "midi"):
        parser.add_argument(f"--{way}-per-s", type=float, default=200.0, help=f"{way} messages a second")
    parser.add_argument("--everything", action="store_true", help="turn polyphony and stereo too")
    parser.add_argument("--ahead", choices=("auto", "on", "off"), default="auto", help="as the player's")
    parser.add_argument("--only", choices=("engine", "silent"), help="one of the two soaks")
    parser.add_argument("--json", action="store_true", help="print JSON alone")
    given = parser.parse_args()
    flood = [f"--{way}-per-s={getattr(given, f'{way}_per_s')}" for way in ("panel", "osc", "midi")]
    flood += ["--everything"] if given.everything else []
    report: dict[str, Any] = {"instrument": given.instrument, "minutes": given.minutes, "block": given.block}
    report["everything"] = given.everything
    for kind in ("engine", "silent"):
        if given.only in (None, kind):
            silent = kind == "silent"
            report[kind] = soak(given.instrument, given.minutes, given.block, flood, silent, given.ahead)
    if given.json:
        print(json.dumps(report, indent=1))
    else:
        show(report)


def show(report: dict[str, Any]) -> None:
    """The figures in lines."""
    print(f"{report['instrument']}: {report['minutes']:g} minutes, {report['block']} samples a block")
    for kind in ("engine", "silent"):
        if kind not in report:
            continue
        one = report[kind]
        dropped = ", ".join(f"{count} {cause}" for cause, count in one["dropped"].items())
        load = ", ".join(f"{name} {value:.3f}" for name, value in one["load"].items())
        print(f"\n{kind}: {one['blocks']} blocks through {one['backend']}; dropped: {dropped}. {one['why']}")
        print(f"  computing over sounding time: {load}; {one['over_budget']} blocks over budget")
        for kind_of, (count, over, median) in one["over_budget_by"].items():
            print(f"    {kind_of}: {over} of {count} over budget, median {median:.3f}")
        print(f"  latency {1e3 * one['latency_s']:.1f} ms. {one['note']}")
        print(f"  restarts {one['restarts']}, senseless frames {one['non_finite_frames']}")
        sent = ", ".join(f"{way} {told['sent']}" for way, told in (one["flood"] or {}).items())
        told = sum((Counter(way.get("told")) for way in (one["flood"] or {}).values()), Counter())
        print(f"  told to panels: {', '.join(f'{kind} {count}' for kind, count in told.items())}")
        print(f"  messages: {sent}; idle client: {one['idle_client']}")
        for role, share in one["processor_s_per_s"].items():
            threads = ", ".join(f"{name} {part:.3f}" for name, part in share["threads"])
            print(f"  processor seconds per second of {role}: {share['all']:.3f} ({threads})")
        for role, mib in one["memory_mib"].items():
            print(f"  memory of {role}: {mib['first']} -> {mib['last']} MiB")
        print(f"  {json.dumps(one['machine'])}")
    if "engine" in report and "silent" in report:
        ours = report["engine"]["dropped"]["late"] + report["engine"]["dropped"]["failed"]
        theirs = sum(report["silent"]["dropped"].values())
        print(f"\nBlocks dropped by us: {ours}; dropped in all with a silent engine: {theirs}.")


if __name__ == "__main__":
    main()
