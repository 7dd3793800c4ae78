"""What benchmarks of a running player share: JACK's dummy server, and `neurorack play` as users start it."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SERVER_ENV = "JACK_DEFAULT_SERVER"


@contextlib.contextmanager
def jack_server(name: str, rate: int, block: int) -> Iterator[int]:
    """JACK's dummy server under a name of its own, with real-time priority where the system allows it; its
    process id.
    """
    jackd = shutil.which("jackd")
    if jackd is None:
        raise SystemExit("jackd is not installed: install JACK (on Debian: apt install jackd2).")
    realtime = "-R" if hasattr(os, "geteuid") and os.geteuid() == 0 else "-r"
    command = [jackd, "-n", name, realtime, "-d", "dummy", "-r", str(rate), "-p", str(block)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    before = os.environ.get(SERVER_ENV)
    os.environ[SERVER_ENV] = name
    try:
        _until_serving(name, server)
        yield server.pid
    finally:
        os.environ.pop(SERVER_ENV) if before is None else os.environ.update({SERVER_ENV: before})
        server.terminate()
        server.wait(10)


def _until_serving(name: str, server: subprocess.Popen, patience_s: float = 15.0) -> None:
    import jack

    jack.set_error_function(lambda _: None)  # a server that is only starting is no error
    until = time.monotonic() + patience_s
    while True:
        with contextlib.suppress(jack.JackError):
            jack.Client("probe", servername=name, no_start_server=True).close()
            return
        if server.poll() is not None or time.monotonic() > until:
            raise SystemExit("JACK's dummy server does not start: try the command jackd -d dummy by hand.")
        time.sleep(0.1)


@dataclass(frozen=True)
class Player:
    """A running `neurorack play` and what it told when it was ready."""

    process: subprocess.Popen
    told: dict[str, Any]

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.told['port']}"

    @property
    def socket(self) -> str:
        """Address of the panel's control socket."""
        return f"{self.origin}/ws?token={self.told['url'].split('token=')[1]}"


@contextlib.contextmanager
def playing(*arguments: str) -> Iterator[Player]:
    """`neurorack play ARGUMENTS` with a home folder of its own; ended when the block is left."""
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "neurorack.cli.main", "play", "--no-browser", "--json"]
        environment = os.environ | {"NEURORACK_HOME": home}
        environment.setdefault("PYTHONPATH", str(Path(__file__).parents[1] / "src"))
        process = subprocess.Popen(
            [*command, "--port", "0", *arguments], env=environment, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        try:
            watchdog = threading.Timer(90.0, process.kill)
            watchdog.start()
            line = process.stdout.readline()
            watchdog.cancel()
            if not line:
                raise SystemExit("neurorack play did not start: its message is above.")
            yield Player(process, json.loads(line))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
            process.stdout.close()
