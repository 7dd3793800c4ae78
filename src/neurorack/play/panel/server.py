"""The panel's web server: static files and three sockets, on this machine only."""

import asyncio
import errno
import importlib.resources
import socket
import weakref
from pathlib import Path

from aiohttp import web

from neurorack.core.errors import NeurorackError
from neurorack.play.panel.hub import Hub
from neurorack.play.panel.security import guard, new_token
from neurorack.play.panel.sockets import audio_socket, control_socket, input_socket

HOST = "127.0.0.1"


def bind(port: int) -> socket.socket:
    """A socket bound to 127.0.0.1:`port` (0: any free port); NeurorackError if it is taken or forbidden."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):  # Windows: SO_REUSEADDR would share the port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, port))
        listener.listen(64)
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            taken = error.errno == errno.EADDRINUSE
            what = "is taken (is another neurorack playing?)" if taken else "is reserved"
            raise NeurorackError(f"Port {port} {what}: choose another with --port, or 0 for any.") from error
        raise
    return listener


class PanelServer:
    """Serves the panel of `hub` on a bound socket. `url` holds the token."""

    def __init__(self, hub: Hub, listener: socket.socket) -> None:
        self.token = new_token()
        self.port = listener.getsockname()[1]
        self.url = f"http://{HOST}:{self.port}/?token={self.token}"
        self._listener = listener
        app = web.Application(
            middlewares=[guard(self.token, lambda: f"neurorack_{self.port}")],
            client_max_size=4096,
        )
        app["hub"] = hub
        app["input_owner"] = [None]
        app["sockets"] = weakref.WeakSet()
        app.on_shutdown.append(_close_sockets)
        app.router.add_get("/ws", control_socket)
        app.router.add_get("/audio", audio_socket)
        app.router.add_get("/input", input_socket)
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
