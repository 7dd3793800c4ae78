"""Latency of a running player on JACK's dummy server, measured by clients of the same server.

One client writes gates or bursts, another records them beside the player's output. JACK runs them in order,
in one cycle, so that what is recorded is the player's own latency; the block of the cycle is added. Gates
also go the way of the panel (a message to its socket), of OSC and of MIDI (over JACK), until they are heard
in the output. Trials during which the server lost a cycle are left out and counted: soak.py measures what is
dropped.
"""

import asyncio
import functools
import json
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import jack
import numpy as np
from flood import jack_midi_output
from latency import NOTE_S, QUICK, TRIAL_S, bursts
from onsets import Onset, find_onset, summary
from pythonosc.osc_message_builder import OscMessageBuilder
from rig import Player, jack_server, playing

from neurorack.play.engine.engine import load_instrument

SERVER = "neurorack-latency"
CLIENT = "neurorack"
GATE_LEVEL = 1.0
PRESSES = 50
_WRAP = 1 << 32


class Sender:
    """A JACK client that plays a prepared sound once it is told to."""

    def __init__(self) -> None:
        self.client = jack.Client("sender", servername=SERVER, no_start_server=True)
        self.port = self.client.outports.register("out")
        self._sound = np.zeros(0, np.float32)
        self._at = 0
        self.client.set_process_callback(self._process)

    def _process(self, frames: int) -> None:
        out = self.port.get_array()
        piece = self._sound[self._at : self._at + frames]
        out[: len(piece)] = piece
        out[len(piece) :] = 0.0
        self._at += frames

    def play(self, sound: np.ndarray) -> None:
        """Begin with the next cycle."""
        self._at, self._sound = 0, sound


class Recorder:
    """A JACK client that records what was sent and what the player made of it, sample by sample."""

    def __init__(self, seconds: float) -> None:
        self.client = jack.Client("recorder", servername=SERVER, no_start_server=True)
        self.sent, self.heard = (self.client.inports.register(n) for n in ("sent", "heard"))
        self.sound = np.zeros((2, int(seconds * self.client.samplerate)), np.float32)
        self.block = self.client.blocksize
        self.times = np.zeros(self.sound.shape[1] // self.block, np.int64)
        """JACK's frame time of the first sample of every recorded block."""
        self.count = 0
        self.client.set_process_callback(self._process)

    def _process(self, frames: int) -> None:
        at = self.count
        if at + frames <= len(self.times) * self.block:
            self.sound[0, at : at + frames] = self.sent.get_array()
            self.sound[1, at : at + frames] = self.heard.get_array()
            self.times[at // self.block] = self.client.last_frame_time
            self.count = at + frames

    def lost(self) -> np.ndarray:
        """Recorded samples before which the server lost cycles."""
        times = self.times[: self.count // self.block]
        return (np.flatnonzero(np.diff(times) % _WRAP != self.block) + 1) * self.block

    def place_of(self, frame_time: int) -> int:
        """Recorded sample at a time of JACK's frame clock."""
        since = (self.times[: self.count // self.block] - self.times[0]) % _WRAP
        asked = (frame_time - int(self.times[0])) % _WRAP
        block = int(np.searchsorted(since, asked, "right")) - 1
        return block * self.block + asked - int(since[block])


async def over_jack(instrument: str, trials: int, block: int) -> dict[str, Any]:
    """{"gate", "live", "panel", "osc", "midi": {"jack BLOCK": figures}}; how many trials were disturbed."""
    rate = load_instrument(instrument).sample_rate
    report: dict[str, Any] = {"disturbed": 0}
    with jack_server(SERVER, rate, block), playing(instrument, "--backend", "jack", "--osc", "0") as player:
        async with aiohttp.ClientSession(headers={"Origin": player.origin}) as session:
            panel = await session.ws_connect(player.socket, max_msg_size=0)
            inputs: dict[str, Any] = {}
            reading = asyncio.create_task(_read(panel, inputs))
            for name, value in QUICK.items():
                await _say(panel, type="set", name=name, value=value)
            measures = {
                "gate": ("cv_gate", _gate_train),
                "live": ("in", bursts),
            }
            for kind, (port, make) in measures.items():
                if kind == "live":
                    await _say(panel, type="source", value="live")
                    await _say(panel, type="latch", on=True)
                await asyncio.sleep(1.0)
                found, disturbed = await asyncio.to_thread(_record, player, port, make, trials, rate)
                report[kind] = {f"jack {block}": summary(found, rate, block)}
                report["disturbed"] += disturbed
            await _say(panel, type="latch", on=False)
            await _say(panel, type="source", value="hold")
            await asyncio.sleep(0.5)
            midi = jack_midi_output()
            while not inputs.get("osc") or not any("flood" in name for name in inputs["midi"]):
                await asyncio.sleep(0.1)  # the player looks for new MIDI ports every 2 s
            presses = {
                "panel": functools.partial(_say, panel, type="gate"),
                "osc": functools.partial(_press_osc, inputs["osc"]),
                "midi": functools.partial(_press_midi, midi),
            }
            for kind, press in presses.items():
                found, disturbed = await _pressed(press, min(trials, PRESSES), rate)
                report[kind] = {f"jack {block}": summary(found, rate, 0)}
                report["disturbed"] += disturbed
            reading.cancel()
            midi.delete()
    return report


def _record(player: Player, port: str, make: Any, trials: int, rate: int) -> tuple[list[Onset], int]:
    """Play a train of gates or bursts into `port`; the onsets in the output, and how many were disturbed."""
    rng = np.random.default_rng(1)
    starts = int(0.5 * rate) + np.cumsum(int(TRIAL_S * rate) + rng.integers(0, 512, trials))
    train = make(starts, rate)
    sender, recorder = Sender(), Recorder(len(train) / rate + 1.0)
    with sender.client, recorder.client:
        recorder.client.connect(f"{CLIENT}:out_left", recorder.heard)
        recorder.client.connect(sender.port, recorder.sent)
        sender.client.connect(sender.port, f"{CLIENT}:{port}")
        recorder.count = 0
        sender.play(train)
        while recorder.count + 4096 < recorder.sound.shape[1]:
            time.sleep(0.2)
            if player.process.poll() is not None:
                raise SystemExit("The player ended while it was measured.")
        sent = recorder.sound[0, : recorder.count]
    lit = np.flatnonzero(sent)
    begun = lit[np.diff(lit, prepend=-rate) > 0.5 * (TRIAL_S - NOTE_S) * rate]
    return _onsets(recorder, begun.tolist(), rate)


def _onsets(recorder: Recorder, starts: list[int], rate: int) -> tuple[list[Onset], int]:
    """The onsets of the trials that no lost cycle disturbed, and how many others there were."""
    length, lost = int(NOTE_S * rate), recorder.lost()
    heard = recorder.sound[1, : recorder.count]
    whole = [s for s in starts if s + length <= len(heard)]
    kept = [s for s in whole if not ((lost > s - 0.05 * rate) & (lost <= s + length)).any()]
    return [find_onset(heard, s, s + length) for s in kept], len(whole) - len(kept)


def _gate_train(starts: np.ndarray, rate: int) -> np.ndarray:
    train = np.zeros(int(starts[-1] + TRIAL_S * rate), np.float32)
    for start in starts:
        train[start : start + int(NOTE_S * rate)] = GATE_LEVEL
    return train


async def _pressed(press: Callable[..., Awaitable[None]], trials: int, rate: int) -> tuple[list[Onset], int]:
    """Gates by `press(on=…)`; the time until the output begins, JACK's frame clock on both ends.

    The wait for the next cycle is in the measured time, so that no block is added.
    """
    recorder = Recorder(trials * 2.5 * TRIAL_S + 3.0)
    pressed = []
    with recorder.client:
        recorder.client.connect(f"{CLIENT}:out_left", recorder.heard)
        recorder.count = 0
        await asyncio.sleep(0.5)
        rng = np.random.default_rng(2)
        for _ in range(trials):
            pressed.append(recorder.client.frame_time)
            await press(on=True)
            await asyncio.sleep(2.0 * NOTE_S)
            await press(on=False)
            await asyncio.sleep(TRIAL_S + float(rng.uniform(0.0, 0.05)))
    return _onsets(recorder, [recorder.place_of(frame) for frame in pressed], rate)


async def _say(panel: Any, **message: Any) -> None:
    await panel.send_str(json.dumps(message))


async def _press_osc(port: int, on: bool) -> None:
    osc = OscMessageBuilder("/neurorack/gate")
    osc.add_arg(int(on))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.sendto(osc.build().dgram, ("127.0.0.1", port))


async def _press_midi(output: Any, on: bool) -> None:
    output.send_message([0x90 if on else 0x80, 57, 100])


async def _read(panel: Any, inputs: dict[str, Any]) -> None:
    """Read what the player tells, as a panel must; which inputs it has."""
    async for packet in panel:
        message = json.loads(packet.data)
        if message["type"] == "telemetry":
            status = message["status"]
            inputs.update(osc=status.get("osc"), midi=status.get("midi") or [])
