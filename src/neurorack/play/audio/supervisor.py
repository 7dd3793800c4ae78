"""The supervisor keeps the audio and the ears process alive: starts them, notices when one dies or hangs.

Everything the performer set lies in the bridge, so a new process goes on where the old one stopped.
"""

import threading
import time
from dataclasses import replace

from neurorack.play.audio.backend import AudioOptions
from neurorack.play.audio.child import Child
from neurorack.play.audio.ears import run_ears_process
from neurorack.play.audio.process import run_audio_process
from neurorack.play.control.bridge import Bridge
from neurorack.play.control.records import RUNNING, STARTING, Command, Status, from_record, to_record

HANG_S = 4.0
START_HANG_S = 60.0
EARS_HANG_S = 15.0
SPARE_AFTER_S = 3.0
"""Once it sounds for so long, a spare audio process is prepared, for which nobody should have to wait."""
QUICK_DEATHS_TO_FALL_BACK = 3


class Supervisor:
    """Owns the processes that make and hear the sound. `poll` is to be called a few times a second.

    `status` is the newest the audio process told; `restarts` counts how often it had to be started again:
    notes that were held then are to be played again, once `running` is true.
    """

    def __init__(self, bridge: Bridge, options: AudioOptions) -> None:
        self.bridge = bridge
        self.status = Status()
        self.restarts = 0
        self.note = ""
        self._options = options
        self._audio = Child("audio", run_audio_process)
        self._ears = Child("ears", run_ears_process)
        self._beat = -1
        self._beat_at = 0.0
        self._measured = -1
        self._measured_at = 0.0
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
        return self._audio.pid

    @property
    def ears_pid(self) -> int:
        """Process id of the ears process, 0 when none runs."""
        return self._ears.pid

    @property
    def running(self) -> bool:
        """Whether sound is being rendered."""
        return self.pid != 0 and self.status.pid == self.pid and self.status.state == RUNNING

    def start(self) -> None:
        """Start the audio process (the ears follow once it sounds); returns at once."""
        self._audio.start(self.bridge.address, self._options)
        self._beat, self._beat_at = -1, time.monotonic()

    def poll(self) -> bool:
        """Read the newest status; start again what died or hangs. True if the sound had to be."""
        with self._lock:
            restarted = self._poll_audio()
            self._poll_ears()
            return restarted

    def _poll_audio(self) -> bool:
        record = self.bridge.status.read()
        if record is not None:
            self.status = from_record(Status, record)
        now, pid = time.monotonic(), self.pid
        mine = pid != 0 and self.status.pid == pid
        if mine and self.status.beat != self._beat:
            self._beat, self._beat_at = self.status.beat, now
        patience = HANG_S if mine and self.status.state == RUNNING else START_HANG_S
        if pid and now - self._beat_at < patience:
            if self.running and now - self._audio.started_at > SPARE_AFTER_S:
                self._audio.prepare()
            return False
        if not self._audio.due():
            return False
        self._restart()
        return True

    def _poll_ears(self) -> None:
        """Nobody but the performer's eyes depends on the ears, so they wait until the sound has begun."""
        now, measured = time.monotonic(), self.bridge.measured.published
        if measured != self._measured:
            self._measured, self._measured_at = measured, now
        if self._ears.pid:
            if now - max(self._measured_at, self._ears.started_at) > EARS_HANG_S:
                self._ears.end()
        elif self.running and (self._ears.started_at == 0.0 or self._ears.due()):
            self._ears.start(self.bridge.address)

    def restart(self) -> None:
        """End the audio process, if it runs, and start another with the same state."""
        with self._lock:
            self._restart()

    def _restart(self) -> None:
        self._audio.end()
        clocked = self._options.backend in ("browser", "null")
        if not clocked and self._audio.quick_deaths >= QUICK_DEATHS_TO_FALL_BACK:
            self._options = replace(self._options, backend="browser", device=None, input=None)
            self.note = "The sound card failed again and again: the sound comes from this page."
        self.restarts += 1
        self.status = replace(self.status, state=STARTING)
        self.start()

    def stop(self) -> None:
        """End the processes for good."""
        with self._lock:
            self._ears.end()
            self._audio.end_spare()
            self._audio.end()
