"""A JACK server with the dummy driver, a second client that plays and records, and the sound process."""

import contextlib
import os
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from neurorack.play.audio.backend import AudioOptions
from neurorack.play.audio.jack_server import import_jack
from neurorack.play.audio.supervisor import Supervisor
from neurorack.play.control.bridge import Bridge
from neurorack.play.engine.frame import FRAME_DTYPE, ControlFrame

RATE, BLOCK = 44_100, 128
PATIENCE_S = 60.0


class Server:
    """One dummy server under a name of its own, so that tests and other programs do not meet."""

    def __init__(self) -> None:
        self.name = f"neurorack-test-{os.getpid()}"
        self._process: subprocess.Popen | None = None

    def start(self, rate: int = RATE) -> None:
        """Run it; returns when a client can join."""
        command = ["jackd", "-n", self.name, "-r", "-d", "dummy", "-r", str(rate), "-p", str(BLOCK)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        jack = import_jack()

        def joined() -> bool:
            with contextlib.suppress(jack.JackError):
                jack.Client("knock", no_start_server=True, servername=self.name).close()
                return True
            return False

        wait_for(joined, "a JACK server")

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None


def wait_for(happened, what: str, patience_s: float = PATIENCE_S) -> None:
    """Look until it has happened."""
    until = time.monotonic() + patience_s
    while not happened():
        assert time.monotonic() < until, f"never saw {what}"
        time.sleep(0.02)


@contextlib.contextmanager
def jack_server(monkeypatch) -> Iterator[Server]:
    """A running server that is this process' and its children's default."""
    if shutil.which("jackd") is None:
        pytest.skip("jackd is not installed")
    server = Server()
    monkeypatch.setenv("JACK_DEFAULT_SERVER", server.name)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def sounding(instrument: Path, **options) -> Iterator[Supervisor]:
    """The sound process, rendering, with its bridge; it is looked after as in the player."""
    bridge = Bridge.create()
    supervisor = Supervisor(bridge, AudioOptions(str(instrument), **options))
    ended = threading.Event()

    def look_after() -> None:
        while not ended.wait(0.05):
            supervisor.poll()

    keeper = threading.Thread(target=look_after, daemon=True)
    try:
        supervisor.start()
        keeper.start()
        wait_for(lambda: supervisor.running, "sound")
        yield supervisor
    finally:
        ended.set()
        keeper.join(5)
        supervisor.stop()
        bridge.close()


def write_frame(bridge: Bridge, frame: ControlFrame) -> None:
    """Give the engine this frame."""
    record = np.zeros((), FRAME_DTYPE)
    frame.write_to(record)
    bridge.frame.write(record)


class Patchbay:
    """A second client: plays one signal into each of the player's ports and records what comes out.

    The server runs freewheeling meanwhile: as fast as its clients can, and no block can be lost, so that
    every sample has its place however busy the machine is.
    """

    def __init__(self, server: Server) -> None:
        self._client = import_jack().Client("patchbay", no_start_server=True, servername=server.name)

    def play(self, signals: dict[str, np.ndarray], record: tuple[str, ...]) -> dict[str, np.ndarray]:
        """Samples into ports of the player (name -> float32 [n]); what its ports `record` gave meanwhile."""
        client = self._client
        length = max(len(s) for s in signals.values())
        ins = {name: client.inports.register(f"from_{name}") for name in record}
        outs = {name: client.outports.register(f"to_{name}") for name in signals}
        heard = {name: np.zeros(length, np.float32) for name in record}
        at = [0]
        done = threading.Event()

        def process(count: int) -> None:
            start, stop = at[0], min(at[0] + count, length)
            for name, port in outs.items():
                block = port.get_array()
                block.fill(signals[name][-1])
                block[: stop - start] = signals[name][start:stop]
            for name, port in ins.items():
                heard[name][start:stop] = port.get_array()[: stop - start]
            if flowing[0]:
                at[0] = stop
            if stop >= length:
                done.set()

        flowing = [False]
        client.set_process_callback(process)
        with client:
            for name, port in outs.items():
                client.connect(port, f"neurorack:{name}")
            for name, port in ins.items():
                client.connect(f"neurorack:{name}", port)
            client.set_freewheel(True)
            flowing[0] = True
            assert done.wait(PATIENCE_S), "the server stands still"
            client.set_freewheel(False)
        return heard
