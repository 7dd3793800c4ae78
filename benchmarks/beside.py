"""What everything beside the sound costs: processor seconds for each second of play, by process.

    python benchmarks/beside.py winds

Gives each process a fixed amount of work and reads the processor time that it took. In a soak on a busy
machine a process that gets no processor does less, and seems to cost less. Two pages look on, and the work of
a second is that of soak.py's flood: panel 88 and 88 gestures, OSC and MIDI 165 each.

- main: the session's ticks and the gestures, alone and with the flood; encoding what the pages are told;
- ears: measuring what sounds;
- panel: passing on to two pages what the first of these told, and their gestures back.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import random
import socket
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from flood import gesture, midi_bytes, osc_packet
from processes import spent

from neurorack.core.library import find
from neurorack.core.nrk import read_nrk
from neurorack.play.audio.backend import AudioOptions
from neurorack.play.audio.ears import Ears
from neurorack.play.audio.supervisor import Supervisor
from neurorack.play.control.bridge import Bridge
from neurorack.play.control.message_parser import BadMessage, parse
from neurorack.play.control.midi.dispatch import Dispatcher
from neurorack.play.control.midi.parser import ByteParser
from neurorack.play.control.osc.server import OscServer
from neurorack.play.control.records import RUNNING, Status, to_record
from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.frame import TELEMETRY_DTYPE, ControlFrame
from neurorack.play.engine.timing import machine
from neurorack.play.panel.process import PanelOptions, run_panel_process
from neurorack.play.session.framing import Framing
from neurorack.play.session.hub import Hub

PANEL_PER_S, OTHERS_PER_S = 176, 165
TICKS_PER_S, STEPS_PER_TICK = 60, 16
STEP = 256
"""Samples that come between two looks of the ears, about their pause."""


class Stage:
    """A hub over a real bridge, in which a real engine has sounded; no process but this one."""

    def __init__(self, bridge: Bridge, path: Path) -> None:
        self.bridge = bridge
        supervisor = Supervisor(bridge, AudioOptions(str(path)))
        supervisor.status = Status(
            instrument=str(path), state=RUNNING, backend="jack", device="JACK", sample_rate=44_100, block=128
        )
        bridge.status.write(to_record(supervisor.status))
        self.hub = Hub(supervisor, read_nrk(path), path)
        self._engine = Engine(load_instrument(str(path)))
        self._telemetry = np.zeros((), TELEMETRY_DTYPE)
        self.now_s = time.monotonic()
        self._later: list[tuple[float, Callable[[], None]]] = []
        self.hub.framing = Framing(self.hub._tell_frame, lambda: self.now_s, self._call_later)
        self.lines: list[tuple[str, str]] = []
        """What a page is told: kind, text."""
        self.hub.subscribe(self._told)

    def _told(self, kind: str, data: dict[str, Any]) -> None:
        self.lines.append((kind, json.dumps({"type": kind} | data, separators=(",", ":"))))

    def sound(self) -> np.ndarray:
        """The next STEP samples, written into the bridge; as many frames of telemetry are new."""
        audio = self._engine.render(STEP, ControlFrame(gate=True))
        self.bridge.output.write(audio)
        self._engine.telemetry.write_to(self._telemetry)
        return audio

    def _call_later(self, wait_s: float, act: Callable[[], None]) -> None:
        self._later.append((self.now_s + wait_s, act))

    def go_on(self, to_s: float) -> None:
        """Let time pass, and happen what is due."""
        due = [one for one in self._later if one[0] <= to_s]
        self._later = [one for one in self._later if one[0] > to_s]
        for self.now_s, act in due:
            act()
        self.now_s = to_s

    def tick(self, at_s: float, count: int) -> None:
        """One of the session's ticks."""
        self.go_on(at_s)
        self.bridge.telemetry.write(self._telemetry)
        self.hub._tick(at_s, count)


class Hands:
    """The gestures of soak.py's flood, in turn; making them is not counted."""

    def __init__(self, hub: Hub) -> None:
        self._random = random.Random(1)
        self._hub, self._hand = hub, hub.hand()
        self._midi, self._parser = Dispatcher(hub), ByteParser()
        self._osc = OscServer(hub)
        self._due = [0.0, 0.0, 0.0]

    def panel_text(self) -> str:
        """A page's gesture."""
        return json.dumps(gesture(self._random))

    def within(self, passed_s: float) -> list[Callable[[], None]]:
        """What every hand does in so much time, to be called."""
        found: list[Callable[[], None]] = []
        ways = (PANEL_PER_S, self._panel), (OTHERS_PER_S, self._tell_osc), (OTHERS_PER_S, self._tell_midi)
        for way, (per_s, make) in enumerate(ways):
            self._due[way] += per_s * passed_s
            while self._due[way] >= 1.0:
                self._due[way] -= 1.0
                found.append(make())
        return found

    def _panel(self) -> Callable[[], None]:
        line = json.dumps({"say": 1, "text": self.panel_text()})

        def act() -> None:
            with contextlib.suppress(BadMessage):
                self._hub.perform(self._hand, parse(json.loads(line)["text"]))

        return act

    def _tell_osc(self) -> Callable[[], None]:
        packet = osc_packet(self._random)
        return lambda: self._osc.datagram_received(packet, ("127.0.0.1", 1))

    def _tell_midi(self) -> Callable[[], None]:
        data = midi_bytes(self._random)

        def act() -> None:
            for message in self._parser.feed(data):
                self._midi.receive(message)

        return act


def of_main(stage: Stage, hands: Hands, seconds: int, flooded: bool) -> float:
    """Processor seconds of the session for a second of play."""
    spent_s, begun_s = 0.0, stage.now_s
    for tick in range(TICKS_PER_S * seconds):
        at_s, step_s = begun_s + tick / TICKS_PER_S, 1.0 / (TICKS_PER_S * STEPS_PER_TICK)
        acts = [hands.within(step_s) if flooded else [] for _ in range(STEPS_PER_TICK)]
        if tick % 2:
            stage.sound()
        began = time.process_time()
        for step, happening in enumerate(acts):
            stage.go_on(at_s + step * step_s)
            for act in happening:
                act()
        stage.tick(at_s + STEPS_PER_TICK * step_s, tick)
        spent_s += time.process_time() - began
    return spent_s / seconds


def of_ears(stage: Stage, seconds: int) -> float:
    """Processor seconds of the ears for a second of sound that somebody looks at."""
    ears = Ears(stage.bridge)
    ears.listen()
    spent_s = 0.0
    for _ in range(seconds * 44_100 // STEP):
        stage.sound()
        began = time.process_time()
        while ears.listen():
            pass
        spent_s += time.process_time() - began
    return spent_s / seconds


async def of_panel(stage: Stage, told: list[tuple[str, str]], hands: Hands, seconds: int) -> float:
    """Processor seconds of the web server's process for a second, in which two pages are told `told`."""
    listener = socket.create_server(("127.0.0.1", 0))
    ours, theirs = socket.socketpair()
    process = multiprocessing.get_context("spawn").Process(
        target=run_panel_process, args=(stage.bridge.address, listener, theirs, PanelOptions("t" * 32))
    )
    process.start()
    theirs.close()
    reader, writer = await asyncio.open_connection(sock=ours, limit=2**24)
    origin = f"http://127.0.0.1:{listener.getsockname()[1]}"
    gestures = [hands.panel_text() for _ in range(PANEL_PER_S)]
    try:
        async with aiohttp.ClientSession(headers={"Origin": origin}) as session:
            address = f"{origin}/ws?token={'t' * 32}"
            # As browsers do: they offer to take what is told compressed.
            pages = [await session.ws_connect(address, max_msg_size=0, compress=15) for _ in range(2)]
            for _ in pages:
                await reader.readline()  # they join
            first = spent(process.pid or 0)
            for _ in range(seconds):
                for kind, text in told:
                    writer.write(f"{kind} 0 {text}\n".encode())
                    for page in pages:
                        await page.receive()
                for count, text in enumerate(gestures):
                    await pages[count % 2].send_str(text)
                    await reader.readline()
            last = spent(process.pid or 0)
    finally:
        writer.close()
        await asyncio.to_thread(process.join, 5.0)
    assert first is not None and last is not None
    return (last.seconds - first.seconds) / seconds


async def measure(name: str, seconds: int) -> dict[str, Any]:
    """Every figure, by its name."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["NEURORACK_HOME"] = home
        bridge = Bridge.create()
        stage = Stage(bridge, find(name))
        hands = Hands(stage.hub)
        for _ in range(100):
            stage.sound()
        of_main(stage, hands, 1, True)  # what happens once is not counted
        found = {"main": of_main(stage, hands, seconds, False)}
        stage.lines.clear()
        frames = bridge.frame.published
        found["main, flooded"] = of_main(stage, hands, seconds, True)
        frames = (bridge.frame.published - frames) // seconds
        told = stage.lines[: len(stage.lines) // seconds]
        kinds = Counter(kind for kind, _ in told)
        found["ears"] = of_ears(stage, seconds)
        found["panel, two pages, flooded"] = await of_panel(stage, told, hands, seconds)
        stage.hub.clips.close()
        bridge.close()
    return {"processor_s_per_s": found, "told_per_s": kinds, "frames_per_s": frames, "machine": machine()}


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("instrument", help="name of an instrument, or a .nrk file")
    parser.add_argument("--seconds", type=int, default=6, help="of play")
    given = parser.parse_args()
    report = asyncio.run(measure(given.instrument, given.seconds))
    for role, share in report["processor_s_per_s"].items():
        print(f"{role}: {share:.4f}")
    told = dict(report["told_per_s"])
    print(f"a page is told in a second: {told}; the sound: {report['frames_per_s']} frames")
    print(json.dumps(report["machine"]))


if __name__ == "__main__":
    main()
