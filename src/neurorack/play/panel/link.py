"""PanelLink: the main process' end of the panel. The web server is a process of its own, so that whatever
becomes of it (a flood of pages, a crash, a kill) the session, the sound, MIDI and OSC go on.

Both ends speak lines over a pair of sockets. To the server: "KIND TO TEXT", with TEXT as a page is to get
it and TO a page's number (0: all pages). From it: JSON objects {"join": page}, {"say": page, "text": …},
{"leave": page}, {"ask": number, "what": …}, which `answer TO …` answers. The listening socket belongs to the
main process, so a server that is started again has the same address and pages find it again.
"""

import asyncio
import contextlib
import json
import multiprocessing
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.play.control.message_parser import BadMessage, parse
from neurorack.play.control.messages import Ping
from neurorack.play.panel.process import PanelOptions, run_panel_process
from neurorack.play.session.hub import Hub

NEWS = {"hello", "library", "notice"}
"""Kinds that must all arrive, in order."""
LONGEST_LINE = 2**20
CROWDED_BYTES = 2**20
"""Waiting bytes above which measurements are left out for a while."""
MOST_MISSED = 20
RESTART_S = (0.1, 0.5, 2.0)
ENDING_S = 2.0

Answer = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]


class PanelLink:
    """Runs the web server's process and connects it with the hub. `pid` is its process id.

    answer: what a page's requests (uploads and the like) get; a NeurorackError becomes its sentence.
    """

    def __init__(self, hub: Hub, listener: socket.socket, options: PanelOptions, answer: Answer) -> None:
        self.hub = hub
        self.pid = 0
        self.restarts = 0
        self._listener = listener
        self._options = options
        self._answer = answer
        self._writer: asyncio.StreamWriter | None = None
        self._hands: dict[int, int] = {}
        self._missed: deque[dict[str, Any]] = deque(maxlen=MOST_MISSED)
        """Notices that no page was there to read; the next one gets them."""
        self._unsubscribe = hub.subscribe(self._news, lambda: bool(self._hands))
        self._asked: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Keep a server running until cancelled."""
        try:
            while True:
                await self._serve()
                await asyncio.sleep(RESTART_S[min(self.restarts, len(RESTART_S) - 1)])
                self.restarts += 1
        finally:
            self._unsubscribe()

    async def _serve(self) -> None:
        """One life of the server process."""
        ours, theirs = socket.socketpair()
        process = multiprocessing.get_context("spawn").Process(
            target=run_panel_process,
            args=(self.hub.bridge.address, self._listener, theirs, self._options),
            name="panel",
            daemon=True,
        )
        await asyncio.to_thread(process.start)
        theirs.close()
        self.pid = process.pid or 0
        reader, self._writer = await asyncio.open_connection(sock=ours, limit=LONGEST_LINE)
        try:
            while line := await reader.readline():
                self._received(json.loads(line))
        except (ConnectionError, ValueError, asyncio.IncompleteReadError):
            pass
        finally:
            for hand in self._hands.values():
                self.hub.leave(hand)
            self._hands.clear()
            self._writer.close()
            self._writer = None
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.shield(asyncio.to_thread(_end, process))

    def _received(self, said: dict[str, Any]) -> None:
        if "say" in said:
            self._say(said["say"], said["text"])
        elif "join" in said:
            self._hands[said["join"]] = self.hub.hand()
            self._put("news", said["join"], {"type": "hello"} | self.hub.hello())
            if self.hub.note:
                note = {"type": "notice", "level": "warn", "text": self.hub.note}
                self._put("news", said["join"], note)
            while self._missed:
                self._put("news", said["join"], self._missed.popleft())
        elif "leave" in said and said["leave"] in self._hands:
            self.hub.leave(self._hands.pop(said["leave"]))
        elif "ask" in said:
            task = asyncio.get_running_loop().create_task(self._reply(said))
            self._asked.add(task)
            task.add_done_callback(self._asked.discard)

    def _say(self, page: int, text: str) -> None:
        with contextlib.suppress(BadMessage):  # the server looked at it already, and counts bad ones
            message = parse(text)
            if isinstance(message, Ping):
                self._put("news", page, {"type": "pong", "time": message.time})
            elif page in self._hands:
                self.hub.perform(self._hands[page], message)

    async def _reply(self, said: dict[str, Any]) -> None:
        try:
            data = await self._answer(said)
        except NeurorackError as error:
            data = {"error": str(error)}
        except OSError as error:
            data = {"error": f"{error.strerror or error}: free some space or check the folder."}
        self._put("answer", said["ask"], data)

    def _news(self, kind: str, data: dict[str, Any]) -> None:
        if self._hands:
            self._put("news" if kind in NEWS else kind, 0, {"type": kind} | data)
        elif kind == "notice":
            self._missed.append({"type": kind} | data)

    def _put(self, kind: str, to: int, data: dict[str, Any]) -> None:
        writer = self._writer
        if writer is None or writer.is_closing():
            return
        crowded = writer.transport.get_write_buffer_size() > CROWDED_BYTES
        if crowded and kind not in ("news", "answer"):
            return
        writer.write(f"{kind} {to} {json.dumps(data, separators=(',', ':'))}\n".encode())


def _end(process: multiprocessing.process.BaseProcess) -> None:
    """Wait for the server to end by itself (its link is closed); make it end if it does not."""
    process.join(ENDING_S)
    if process.is_alive():
        process.kill()
        process.join(ENDING_S)
    process.close()
