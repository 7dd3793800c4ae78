"""A panel of the tests' own: speaks to a running player as the page does, and keeps what it was told."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp

sys.path.insert(0, str(Path(__file__).parents[1] / "panel"))

from playing import Player, playing

__all__ = ["Hand", "Player", "join", "playing", "sounds"]

PATIENCE_S = 20.0


class Hand:
    """One connected panel. `told` holds the newest message of each type, `notices` all notices."""

    def __init__(self, socket: Any) -> None:
        self.socket = socket
        self.told: dict[str, dict[str, Any]] = {}
        self.notices: list[str] = []
        self._news = asyncio.Event()

    async def say(self, kind: str, **fields: Any) -> None:
        """Send one message."""
        await self.socket.send_str(json.dumps({"type": kind, **fields}))

    async def until(
        self, kind: str, accept: Callable[[dict[str, Any]], Any], patience_s: float = PATIENCE_S
    ) -> dict[str, Any]:
        """The newest message of a type, once `accept` is true of it."""
        end = time.monotonic() + patience_s
        while kind not in self.told or not accept(self.told[kind]):
            left = end - time.monotonic()
            assert left > 0 and not self.socket.closed, f"never so: {kind}, {self.told.get(kind)}"
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), min(left, 0.5))
        return self.told[kind]

    async def until_state(self, accept: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """The performance's state, once `accept` is true of it."""
        return (await self.until("state", lambda message: accept(message["state"])))["state"]

    async def listen(self) -> None:
        """Take in what the player tells, until the connection ends."""
        async for packet in self.socket:
            message = json.loads(packet.data)
            self.told[message["type"]] = message
            if message["type"] == "hello":
                self.told["state"] = {"state": message["state"]}
                self.told["library"] = {"type": "library"} | message.get("library", {})
            elif message["type"] == "notice":
                self.notices.append(message["text"])
            self._news.set()


@contextlib.asynccontextmanager
async def join(player: Player, patience_s: float = PATIENCE_S) -> AsyncIterator[Hand]:
    """A connected panel; waits for a server that is just being started again."""
    address = f"{player.origin}/ws?token={player.token}"
    async with aiohttp.ClientSession(headers={"Origin": player.origin}) as session:
        end = time.monotonic() + patience_s
        while True:
            try:
                socket = await session.ws_connect(address, max_msg_size=0)
                break
            except aiohttp.ClientError:
                assert time.monotonic() < end, "no panel answers"
                await asyncio.sleep(0.05)
        hand = Hand(socket)
        listening = asyncio.create_task(hand.listen())
        try:
            await hand.until("hello", lambda message: message["instrument"])
            yield hand
        finally:
            listening.cancel()
            await socket.close()


async def sounds(hand: Hand, after: int = 0) -> int:
    """Wait until a block beyond latent frame `after` is heard; its number. Nothing senseless was rendered."""
    told = await hand.until("telemetry", lambda t: t["frames"] > after and t["level_db"] > -60)
    assert told["non_finite"] == 0 and told["status"]["running"] and told["status"]["restarts"] == 0
    return told["frames"]
