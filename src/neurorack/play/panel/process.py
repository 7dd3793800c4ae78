"""The web server's process: serves pages on the listening socket, and passes lines on (see link)."""

import asyncio
import contextlib
import json
import signal
import socket
from dataclasses import dataclass
from typing import Any

from neurorack.play.control.bridge import Bridge, BridgeAddress
from neurorack.play.control.records import Status, from_record
from neurorack.play.panel.outbox import Outbox

LONGEST_LINE = 16 * 2**20
ANSWER_S = 120.0


@dataclass(frozen=True)
class PanelOptions:
    """What the server is started with.

    token: the key to the panel. lan: whether other machines may use it. takes: folder of recordings.
    material: folder of sounds that instruments are made of.
    """

    token: str
    lan: bool = False
    takes: str = ""
    material: str = ""


class Wire:
    """The server's end of the link: pages join, say and leave; news reach every page's outbox."""

    def __init__(self, bridge: Bridge, writer: asyncio.StreamWriter) -> None:
        self.bridge = bridge
        self._writer = writer
        self._pages: dict[int, Outbox] = {}
        self._questions: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._count = 0
        self._status = Status()

    def status(self) -> Status:
        """What the audio process last told of itself."""
        record = self.bridge.status.read()
        if record is not None:
            self._status = from_record(Status, record)
        return self._status

    def join(self) -> tuple[int, Outbox]:
        """A page arrives: its number and its outbox, which soon holds the welcome."""
        self._count += 1
        outbox = self._pages[self._count] = Outbox()
        self._send({"join": self._count})
        return self._count, outbox

    def leave(self, page: int) -> None:
        """A page is gone."""
        if self._pages.pop(page, None) is not None:
            self._send({"leave": page})

    def say(self, page: int, text: str) -> None:
        """Pass a page's message on."""
        self._send({"say": page, "text": text})

    async def ask(self, what: str, **more: Any) -> dict[str, Any]:
        """Ask the main process; its answer (with "error" where it refuses)."""
        self._count += 1
        number = self._count
        waiting = self._questions[number] = asyncio.get_running_loop().create_future()
        self._send({"ask": number, "what": what, **more})
        try:
            return await asyncio.wait_for(waiting, ANSWER_S)
        except TimeoutError:
            return {"error": "That takes too long: try again."}
        finally:
            del self._questions[number]

    async def listen(self, reader: asyncio.StreamReader) -> None:
        """Hand out what the main process says until it is gone."""
        while line := await reader.readline():
            kind, to, text = line.decode().rstrip("\n").split(" ", 2)
            page = int(to)
            if kind == "answer":
                if (waiting := self._questions.get(page)) and not waiting.done():
                    waiting.set_result(json.loads(text))
            elif page == 0:
                for outbox in self._pages.values():
                    outbox.put(kind, text)
            elif page in self._pages:
                self._pages[page].put(kind, text)

    def _send(self, said: dict[str, Any]) -> None:
        self._writer.write(json.dumps(said).encode() + b"\n")


def run_panel_process(
    address: BridgeAddress, listener: socket.socket, link: socket.socket, options: PanelOptions
) -> None:
    """Entry point of the spawned process; returns when the main process closes the link or is gone."""
    signal.signal(
        signal.SIGINT, signal.SIG_IGN
    )  # Ctrl-C reaches the whole terminal; the main process ends us
    bridge = Bridge.attach(address)
    try:
        asyncio.run(_serve(bridge, listener, link, options))
    finally:
        with contextlib.suppress(BufferError):
            bridge.close()


async def _serve(bridge: Bridge, listener: socket.socket, link: socket.socket, options: PanelOptions) -> None:
    from neurorack.play.panel.server import PanelServer

    reader, writer = await asyncio.open_connection(sock=link, limit=LONGEST_LINE)
    wire = Wire(bridge, writer)
    server = PanelServer(wire, listener, options)
    await server.start()
    try:
        await wire.listen(reader)
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        await server.stop()
