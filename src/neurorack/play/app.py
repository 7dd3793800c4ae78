"""`neurorack play`, wired: the session in this process, the sound and the web server in others."""

import asyncio
import contextlib
import os
import signal
import socket
import sys
import webbrowser
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from neurorack.core.errors import NeurorackError
from neurorack.core.library import find, installed
from neurorack.core.nrk import Archive, read_nrk
from neurorack.play.audio.backend import AheadChoice, AudioOptions, BackendName
from neurorack.play.audio.cores import leave_sound_core
from neurorack.play.audio.supervisor import Supervisor
from neurorack.play.control.bridge import Bridge
from neurorack.play.control.inputs import InputOptions, start_inputs
from neurorack.play.panel.address import HOST, bind, lan_address, new_token
from neurorack.play.panel.link import PanelLink
from neurorack.play.panel.process import PanelOptions
from neurorack.play.session.hub import Hub
from neurorack.play.session.requests import answer

READY_PATIENCE_S = 60.0
FAVOURITE = "winds"
"""The bundled instrument that sounds when none is named."""

LONGEST_BLOCK = 512
"""Up to where blocks grow that nobody has fixed, while a card keeps losing them late."""


@dataclass(frozen=True)
class PlayOptions:
    """What the command line asks for."""

    name: str | None = None
    port: int = 7373
    browser: bool = True
    backend: BackendName = "auto"
    device: str | None = None
    block: int | None = None
    """Samples of a block; None: AudioOptions' own, and longer where a card keeps losing them."""
    ahead: AheadChoice = "auto"
    """Whether the sound is made a block ahead; auto: once blocks are lost late."""
    lan: bool = False
    """Let other machines open the panel."""
    input: str | None = None
    """Sound card to listen to."""
    cv_in: str = ""
    cv_out: str = ""
    inputs: InputOptions = field(default_factory=InputOptions)


@dataclass(frozen=True)
class Playing:
    """What is told once the panel can be opened."""

    url: str
    port: int
    pid: int
    audio_pid: int
    panel_pid: int
    instrument: str
    backend: str
    device: str
    sample_rate: int
    device_rate: int
    block: int
    latency_s: float
    midi: list[str]
    osc: int
    note: str


def choose(name: str | None) -> Path:
    """The .nrk to start with; NeurorackError when there is none."""
    if name is not None:
        return find(name)
    usable = [entry for entry in installed() if not entry.fault]
    if not usable:
        raise NeurorackError(
            "No instrument is installed: give a .nrk file (neurorack play NAME.nrk), or train one."
        )
    usable.sort(key=lambda entry: (entry.name.casefold() != FAVOURITE, entry.bundled))
    return usable[0].path


def play(options: PlayOptions, tell: Callable[[Playing], None]) -> None:
    """Play until Ctrl-C or SIGTERM; `tell` is called once, as soon as sound is being rendered.

    Raises NeurorackError when the instrument cannot be played or the port is taken.
    """
    path = choose(options.name)
    archive = read_nrk(path)
    listener = bind(options.port, options.lan)
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        stack.callback(listener.close)
        _one_thread_each()
        bridge = Bridge.create()
        stack.callback(bridge.close)
        audio = AudioOptions(
            str(path.resolve()), options.backend, options.device, options.block or AudioOptions.block,
            0 if options.block else LONGEST_BLOCK, options.ahead, options.input, options.cv_in,
            options.cv_out,
        )  # fmt: skip
        leave_sound_core()
        supervisor = Supervisor(bridge, audio)
        stack.callback(supervisor.stop)
        supervisor.start()
        asyncio.run(_serve(supervisor, archive, path, listener, options, tell))


async def _serve(
    supervisor: Supervisor,
    archive: Archive,
    path: Path,
    listener: socket.socket,
    options: PlayOptions,
    tell: Callable[[Playing], None],
) -> None:
    stop = _stop_on_signals()
    hub = Hub(supervisor, archive, path)
    port, token = listener.getsockname()[1], new_token()
    panel = PanelOptions(token, options.lan, str(hub.home / "takes"), str(hub.home / "material"))
    link = PanelLink(hub, listener, panel, lambda said: answer(hub, said))
    url = f"http://{lan_address() if options.lan else HOST}:{port}/?token={token}"
    work = asyncio.create_task(hub.run())
    serving = asyncio.create_task(link.run())
    async with contextlib.AsyncExitStack() as stack:
        for task in (work, serving):
            stack.push_async_callback(_cancelled, task)
        inputs = await stack.enter_async_context(start_inputs(hub, options.inputs))
        if options.browser and _has_screen():
            asyncio.get_running_loop().run_in_executor(None, webbrowser.open, url)
        await _until_sounding(supervisor, work, stop)
        status = supervisor.status
        tell(
            Playing(
                url=url,
                port=port,
                pid=os.getpid(),
                audio_pid=supervisor.pid,
                panel_pid=link.pid,
                instrument=hub.archive.manifest.name,
                backend=status.backend,
                device=status.device,
                sample_rate=status.sample_rate,
                device_rate=status.device_rate,
                block=status.block,
                latency_s=status.latency_s,
                midi=inputs.midi,
                osc=inputs.osc,
                note=hub.note,
            )
        )
        waiting = asyncio.create_task(stop.wait())
        await asyncio.wait({work, serving, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        for task in (work, serving):
            if task.done():
                task.result()


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, Exception):
        await task


async def _until_sounding(supervisor: Supervisor, work: asyncio.Task[None], stop: asyncio.Event) -> None:
    """Wait for the audio process; NeurorackError if it fails from the very start."""
    until = asyncio.get_running_loop().time() + READY_PATIENCE_S
    while not supervisor.running and not stop.is_set():
        if work.done():
            work.result()
        if supervisor.restarts >= 3 or asyncio.get_running_loop().time() > until:
            why = supervisor.status.error or "the audio process does not start"
            raise NeurorackError(f"No sound: {why}".rstrip(".") + ".")
        await asyncio.sleep(0.02)


def _stop_on_signals() -> asyncio.Event:
    """An event that Ctrl-C, SIGTERM and a closed terminal set (Windows: Ctrl-C is a KeyboardInterrupt)."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, AttributeError):
            loop.add_signal_handler(getattr(signal, name), stop.set)
    return stop


def _has_screen() -> bool:
    """Whether a window can open; without one, Linux would start a text browser in this very terminal."""
    shown = any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER", "WSL_DISTRO_NAME"))
    return shown or not sys.platform.startswith("linux")


def _one_thread_each() -> None:
    """Number crunching in the spawned process must not start thread pools."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"):
        os.environ.setdefault(name, "1")
