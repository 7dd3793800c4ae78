"""The panel's web server: static files, three sockets, sounds up and down."""

import asyncio
import importlib.resources
import socket
import weakref
from pathlib import Path

from aiohttp import web

from neurorack.play.panel.files import add_file_routes
from neurorack.play.panel.process import PanelOptions, Wire
from neurorack.play.panel.security import guard
from neurorack.play.panel.sockets import audio_socket, control_socket, input_socket

SMALL_BODY = 4096


class PanelServer:
    """Serves the panel on a bound socket."""

    def __init__(self, wire: Wire, listener: socket.socket, options: PanelOptions) -> None:
        self._listener = listener
        port = listener.getsockname()[1]
        app = web.Application(
            middlewares=[guard(options.token, lambda: f"neurorack_{port}", options.lan)],
            client_max_size=SMALL_BODY,
        )
        app["wire"] = wire
        app["input_owner"] = [None]
        app["sockets"] = weakref.WeakSet()
        app.on_shutdown.append(_close_sockets)
        app.router.add_get("/ws", control_socket)
        app.router.add_get("/audio", audio_socket)
        app.router.add_get("/input", input_socket)
        add_file_routes(app, Path(options.takes), Path(options.material) if options.material else None)
        app.router.add_get("/", self._index)
        app.router.add_get("/{name}", self._file)
        self._files = {path.name: path for path in _static().iterdir() if path.is_file()}
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handle_signals=False)

    async def start(self) -> None:
        """Begin to serve."""
        await self._runner.setup()
        await web.SockSite(self._runner, self._listener).start()

    async def stop(self) -> None:
        """Close every connection and the socket."""
        await self._runner.cleanup()
        self._listener.close()

    async def _index(self, _request: web.Request) -> web.StreamResponse:
        return web.FileResponse(self._files["index.html"])

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = self._files.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.FileResponse(path)


async def _close_sockets(app: web.Application) -> None:
    closing = [one.close(code=1001, message=b"the player ends") for one in set(app["sockets"])]
    await asyncio.wait_for(asyncio.gather(*closing, return_exceptions=True), 1.0)


def _static() -> Path:
    return Path(str(importlib.resources.files("neurorack.play.panel").joinpath("static")))
