"""Sounds, tunings and instruments dropped on the panel; recordings and what just sounded taken from it."""

import asyncio
import contextlib
import os
import re
import tempfile
from pathlib import Path

from aiohttp import web

from neurorack.core.files import UNDER_WAY
from neurorack.play.control.bridge import CAPTURE_S
from neurorack.play.panel.process import Wire
from neurorack.play.session.wav import wav_header

MAX_UPLOAD_BYTES = {"sound": 64 * 2**20, "material": 2**30, "tuning": 2**20, "instrument": 256 * 2**20}
MAX_NAME = 64
TAKE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._\-]{0,99}\.wav")


def add_file_routes(app: web.Application, takes: Path, material: Path | None) -> None:
    """POST /sounds, /material, /tunings, /instruments; GET /keep.wav, /takes/NAME.wav, /osc."""
    app["takes"], app["material"] = takes, material
    app.router.add_post("/sounds", _sound)
    app.router.add_post("/material", _material)
    app.router.add_post("/tunings", _tuning)
    app.router.add_post("/instruments", _instrument)
    app.router.add_get("/keep.wav", _keep)
    app.router.add_get("/takes/{name}", _take)
    app.router.add_get("/osc", _osc)


async def _sound(request: web.Request) -> web.StreamResponse:
    return await _upload(request, "sound")


async def _material(request: web.Request) -> web.StreamResponse:
    """A sound to make an instrument of. Query: name, set (none: a new one) and the new set's title."""
    folder: Path | None = request.app["material"]
    if folder is None:
        raise web.HTTPNotFound
    await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
    more = {key: _short(request, key) for key in ("set", "title")}
    return await _upload(request, "material", folder, **more)


async def _tuning(request: web.Request) -> web.StreamResponse:
    return await _upload(request, "tuning")


async def _instrument(request: web.Request) -> web.StreamResponse:
    return await _upload(request, "instrument")


def _short(request: web.Request, key: str) -> str:
    """A short name out of the query."""
    return "".join(c for c in request.query.get(key, "") if c.isprintable())[:MAX_NAME].strip()


async def _upload(
    request: web.Request, what: str, folder: Path | None = None, **more: str
) -> web.StreamResponse:
    """Take the body into a temporary file (in `folder`, for the main process to move it from) and let the
    main process look at it.
    """
    name, most = _short(request, "name"), MAX_UPLOAD_BYTES[what]
    handle, path = tempfile.mkstemp(prefix=UNDER_WAY if folder else "neurorack-", dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            size = 0
            async for piece in request.content.iter_chunked(2**16):
                size += len(piece)
                if size > most:
                    refused = {"error": f"That file is larger than {most // 2**20} MB: give a shorter one."}
                    return web.json_response(refused, status=413)
                file.write(piece)
        wire: Wire = request.app["wire"]
        answer = await wire.ask(what, name=name, path=path, **more)
        return web.json_response(answer, status=400 if "error" in answer else 200)
    except ConnectionError:  # the page is gone
        raise
    except OSError as error:
        refused = {"error": f"That file could not be taken in ({error.strerror}): free some space."}
        return web.json_response(refused, status=507)
    finally:
        with contextlib.suppress(OSError):
            os.unlink(path)


async def _keep(request: web.Request) -> web.StreamResponse:
    """The last seconds that sounded, a stereo float32 WAV."""
    seconds = request.query.get("seconds", str(CAPTURE_S))
    if not re.fullmatch(r"\d{1,3}(\.\d{1,3})?", seconds) or not 0 < float(seconds) <= CAPTURE_S:
        return web.Response(status=400, text=f"seconds must be above 0 and at most {CAPTURE_S}\n")
    bridge = request.app["wire"].bridge
    written, rate = bridge.output.written, request.app["wire"].status().sample_rate or 44_100
    count = min(written, int(float(seconds) * rate))
    audio = await asyncio.to_thread(bridge.output.copy, written - count, count)
    body = wav_header(rate, audio.shape[0], count) + audio.T.tobytes()
    headers = {"Content-Disposition": 'attachment; filename="neurorack.wav"'}
    return web.Response(body=body, content_type="audio/wav", headers=headers)


async def _take(request: web.Request) -> web.StreamResponse:
    name = request.match_info["name"]
    path = request.app["takes"] / name
    if not TAKE_NAME.fullmatch(name) or not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Content-Disposition": f'attachment; filename="{name}"'})


async def _osc(request: web.Request) -> web.StreamResponse:
    """The OSC namespace as OSCQuery tells it."""
    return web.json_response(await request.app["wire"].ask("osc", host_info="HOST_INFO" in request.query))
