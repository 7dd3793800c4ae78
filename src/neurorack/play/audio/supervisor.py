"""The supervisor keeps an audio process alive: starts it, notices when it dies or hangs, starts it again.

Everything the performer set lies in the bridge, so a new process goes on where the old one stopped.
"""

import contextlib
import multiprocessing
import threading
import time
from dataclasses import replace

from neurorack.play.audio.backend import AudioOptions
from neurorack.play.audio.process import run_audio_process
from neurorack.play.control.bridge import Bridge
from neurorack.play.control.records import RUNNING, STARTING, Command, Status, from_record, to_record

HANG_S = 4.0
START_HANG_S = 60.0
QUICK_DEATH_S = 10.0
QUICK_DEATHS_TO_FALL_BACK = 3


class Supervisor:
    """Owns the audio process. `poll` is to be called a few times a second.

    `status` is the newest the process told; `restarts` counts how often it had to be started again.
    """

    def __init__(self, bridge: Bridge, options: AudioOptions) -> None:
        self.bridge = bridge
        self.status = Status()
        self.restarts = 0
        self.note = ""
        self._options = options
        self._context = multiprocessing.get_context("spawn")
        self._process: multiprocessing.process.BaseProcess | None = None
        self._started_at = 0.0
        self._beat = -1
        self._beat_at = 0.0
        self._quick_deaths = 0
        self._restart_at = 0.0
        self._lock = threading.Lock()
        self._command = Command()
        self.command(options.instrument)

    def command(
        self, instrument: str | None = None, clips: str | None = None, snapshot: str | None = None
    ) -> int:
        """Ask for an instrument, latent clips, a snapshot (paths, see Command); None leaves each as it is.

        Returns the command's number: it is done, or refused, when Status.command (for a snapshot:
        Status.snapshot) has reached it.
        """
        last, number = self._command, self._command.number + 1
        self._command = Command(
            number,
            last.instrument if instrument is None else instrument,
            last.clips if clips is None else clips,
            last.snapshot if snapshot is None else snapshot,
            last.snapshot_number if snapshot is None else number,
        )
        self.bridge.command.write(to_record(self._command))
        return number

    @property
    def pid(self) -> int:
        """Process id of the audio process, 0 when none runs."""
        return (self._process.pid or 0) if self._process and self._process.is_alive() else 0

    @property
    def running(self) -> bool:
        """Whether sound is being rendered."""
        return self.pid != 0 and self.status.pid == self.pid and self.status.state == RUNNING

    def start(self) -> None:
        """Start the audio process; returns at once."""
        process = self._context.Process(
            target=run_audio_process, args=(self.bridge.address, self._options), name="audio", daemon=True
        )
        process.start()
        self._process = process
        self._started_at = self._beat_at = time.monotonic()
        self._beat = -1
        self._restart_at = 0.0

    def poll(self) -> bool:
        """Read the newest status; start the process again if it died or hangs. True if it had to."""
        with self._lock:
            return self._poll()

    def _poll(self) -> bool:
        record = self.bridge.status.read()
        if record is not None:
            self.status = from_record(Status, record)
        now = time.monotonic()
        mine = self._process is not None and self.status.pid == self._process.pid
        if mine and self.status.beat != self._beat:
            self._beat, self._beat_at = self.status.beat, now
        patience = HANG_S if mine and self.status.state == RUNNING else START_HANG_S
        alive = self._process is not None and self._process.is_alive()
        if alive and now - self._beat_at < patience:
            return False
        if self._restart_at == 0.0:  # first seen dead: at once, unless it dies as soon as it starts
            quick = now - self._started_at < QUICK_DEATH_S
            self._quick_deaths = self._quick_deaths + 1 if quick else 0
            self._restart_at = now + min(8.0, 0.5 * max(0, self._quick_deaths - 1))
        if now < self._restart_at:
            return False
        self._restart()
        return True

    def restart(self) -> None:
        """End the process, if it runs, and start another with the same state."""
        with self._lock:
            self._restart()

    def _restart(self) -> None:
        self._end()
        carded = self._options.backend in ("auto", "sounddevice")
        if carded and self._quick_deaths >= QUICK_DEATHS_TO_FALL_BACK:
            self._options = replace(self._options, backend="browser", device=None)
            self.note = "The sound card failed again and again: the sound comes from this page."
        self.restarts += 1
        self.status = replace(self.status, state=STARTING)
        self.start()

    def stop(self) -> None:
        """End the process for good."""
        with self._lock:
            self._end()
        self._process = None

    def _end(self) -> None:
        process = self._process
        if process is None:
            return
        with contextlib.suppress(Exception):
            if process.is_alive():
                process.terminate()
                process.join(1.0)
            if process.is_alive():
                process.kill()
                process.join(1.0)
            process.close()
