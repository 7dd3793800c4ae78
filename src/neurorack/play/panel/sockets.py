"""The three sockets of the panel: gestures and news, the sound to the page, the microphone from it."""

import asyncio
import contextlib
import struct
import time

import numpy as np
import soxr
from aiohttp import WSMsgType, web

from neurorack.play.control.message_parser import MAX_BYTES, BadMessage, parse
from neurorack.play.control.ring import RingReader
from neurorack.play.panel.outbox import Outbox
from neurorack.play.panel.process import Wire

MESSAGES_PER_S = 400.0
BURST = 200.0
MAX_BAD = 1000
AUDIO_EVERY_S = 0.005
MAX_INPUT_BYTES = 32_768
HEARTBEAT_S = 10.0


class Allowance:
    """A token bucket: `spend` tells how long to wait before the next message may be read, seconds."""

    def __init__(self, per_s: float = MESSAGES_PER_S, burst: float = BURST) -> None:
        self._per_s, self._burst = per_s, burst
        self._tokens, self._at = burst, time.monotonic()

    def spend(self) -> float:
        now = time.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._per_s) - 1.0
        self._at = now
        return 0.0 if self._tokens >= 0 else -self._tokens / self._per_s


async def control_socket(request: web.Request) -> web.StreamResponse:
    """Gestures in, news and telemetry out (JSON texts). A flood is slowed down, nonsense ends the socket."""
    wire: Wire = request.app["wire"]
    # Not compressed: a few kilobytes a time reach this machine or this network at once anyway.
    socket = web.WebSocketResponse(max_msg_size=2 * MAX_BYTES, heartbeat=HEARTBEAT_S, compress=False)
    await socket.prepare(request)
    request.app["sockets"].add(socket)
    page, outbox = wire.join()
    sender = asyncio.create_task(_send(socket, outbox))
    allowance, bad = Allowance(), 0
    try:
        async for packet in socket:
            try:
                if packet.type is not WSMsgType.TEXT:
                    raise BadMessage("not text")
                parse(packet.data)  # refuse nonsense here, before it costs the session anything
                wire.say(page, packet.data)
            except BadMessage:
                bad += 1
                if bad > MAX_BAD:
                    await socket.close(code=1008, message=b"too many bad messages")
                    break
            await asyncio.sleep(allowance.spend())
    finally:
        sender.cancel()
        wire.leave(page)
    return socket


async def _send(socket: web.WebSocketResponse, outbox: Outbox) -> None:
    with contextlib.suppress(ConnectionError):
        while not outbox.overrun:
            for text in await outbox.take():
                await socket.send_str(text)
        await socket.close(code=1013, message=b"too slow")


async def audio_socket(request: web.Request) -> web.StreamResponse:
    """The sound as it is rendered: packets of channels (u32), first sample (u64), float32 by channel."""
    wire: Wire = request.app["wire"]
    socket = web.WebSocketResponse(max_msg_size=16, heartbeat=HEARTBEAT_S, compress=False)
    await socket.prepare(request)
    request.app["sockets"].add(socket)
    reader = RingReader(wire.bridge.output, max_behind=_sample_rate(wire) // 2)

    async def stream() -> None:
        with contextlib.suppress(ConnectionError):
            while True:
                count = min(reader.available(), 4096)
                audio = reader.read(count) if count else None
                if audio is not None:
                    header = struct.pack("<IQ", audio.shape[0], reader.position - count)
                    await socket.send_bytes(header + audio.tobytes())
                await asyncio.sleep(AUDIO_EVERY_S)

    sender = asyncio.create_task(stream())
    try:
        async for _ in socket:
            await asyncio.sleep(0.01)
    finally:
        sender.cancel()
    return socket


async def input_socket(request: web.Request) -> web.StreamResponse:
    """The microphone: packets of float32 mono at the rate in the address' query, resampled into the ring."""
    wire: Wire = request.app["wire"]
    rate = request.query.get("rate", "")
    if not (rate.isascii() and rate.isdigit() and 8000 <= int(rate) <= 192_000):
        return web.Response(status=400, text="rate must be 8000 to 192000\n")
    socket = web.WebSocketResponse(max_msg_size=MAX_INPUT_BYTES, heartbeat=HEARTBEAT_S, compress=False)
    await socket.prepare(request)
    request.app["sockets"].add(socket)
    request.app["input_owner"][0] = socket  # the newest microphone wins
    target = _sample_rate(wire)
    resampler = soxr.ResampleStream(int(rate), target, 1, dtype="float32", quality="LQ")
    allowance = Allowance(per_s=2000.0, burst=400.0)
    async for packet in socket:
        if request.app["input_owner"][0] is not socket:
            await socket.close(code=1000, message=b"another microphone took over")
            break
        if packet.type is WSMsgType.BINARY and packet.data and len(packet.data) % 4 == 0:
            samples = np.frombuffer(packet.data, "<f4")
            samples = np.clip(np.nan_to_num(samples, posinf=0.0, neginf=0.0), -4.0, 4.0).astype(np.float32)
            if int(rate) != target:
                samples = resampler.resample_chunk(samples)
            if samples.size:
                wire.bridge.input.write(samples.reshape(1, -1))
        await asyncio.sleep(allowance.spend())
    return socket


def _sample_rate(wire: Wire) -> int:
    """The rate the sound runs at, Hz."""
    return wire.status().sample_rate or 44_100
