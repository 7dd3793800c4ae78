"""The keeper: carries out what takes long (loading, preparing, writing) while the sound goes on."""

import threading
import time
from pathlib import Path

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write, write_fault
from neurorack.play.audio.clip_file import read_clips
from neurorack.play.audio.garbage import freeze_garbage
from neurorack.play.audio.priority import KEEPING_PRIORITY, raise_thread_priority
from neurorack.play.audio.renderer import Renderer
from neurorack.play.audio.tell_volts import Listening
from neurorack.play.control.bridge import Bridge
from neurorack.play.control.records import Command, Status, from_record
from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.instrument import Instrument

TICK_S = 0.05
SNAPSHOT_PATIENCE_S = 2.0


def newest_command(bridge: Bridge) -> Command | None:
    """The last command, if it has not been read yet."""
    record = bridge.command.read()
    return None if record is None else from_record(Command, record)


def wanted_clips(command: Command, instrument: Instrument) -> list[np.ndarray]:
    """The clips to play on `instrument`: those of the command, else the instrument's own."""
    if not command.clips:
        return instrument.clips
    return read_clips(command.clips, instrument.manifest.latent_size + len(instrument.controls))


class Keeper:
    """Works on a thread of its own; tells what it did in `status` (written to the bridge by another).

    command: the newest so far; what it asks to be loaded has been.
    """

    def __init__(
        self,
        engine: Engine,
        renderer: Renderer,
        bridge: Bridge,
        listening: Listening,
        status: Status,
        command: Command,
    ) -> None:
        self._engine = engine
        self._renderer = renderer
        self._bridge = bridge
        self._listening = listening
        self._status = status
        self._command = command
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="keeper", daemon=True)
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Begin to look, twenty times a second, for something to do."""
        self._thread.start()

    def stop(self) -> None:
        """Waits for what is being done."""
        self._stopping.set()
        self._thread.join(5.0)

    def _run(self) -> None:
        # An ordinary thread could be set aside while it holds the interpreter's lock: the sound would wait.
        raise_thread_priority(KEEPING_PRIORITY)
        try:
            while not self._stopping.wait(TICK_S):
                self.look()
        except BaseException as error:  # the process must learn of it, whatever it is
            self.failure = error

    def look(self) -> None:
        """Do what there is to do now."""
        command = self._command = newest_command(self._bridge) or self._command
        if command.number > self._status.command:
            self._load(command)
        if command.snapshot and command.snapshot_number > self._status.snapshot:
            self._save_snapshot(command)

    def _load(self, command: Command) -> None:
        """Another instrument or other clips; faulty ones change nothing but the status."""
        status, engine = self._status, self._engine
        try:
            if command.instrument != status.instrument:
                instrument = load_instrument(command.instrument)
                engine.swap(instrument, wanted_clips(command, instrument))
                self._listening.follow(instrument.controls)
                freeze_garbage()
            elif command.clips != status.clips:
                engine.set_clips(wanted_clips(command, engine.instrument))
            status.instrument, status.clips, status.error = command.instrument, command.clips, ""
        except NeurorackError as error:
            status.error = str(error)
        status.command = command.number

    def _save_snapshot(self, command: Command) -> None:
        status, order = self._status, self._renderer.order_snapshot()
        until = time.monotonic() + SNAPSHOT_PATIENCE_S
        while not order.done and time.monotonic() < until:
            time.sleep(0.002)
        try:
            if not order.done or order.failure is not None:
                raise NeurorackError(f"The engine's state cannot be read ({order.failure or 'no sound'}).")
            with atomic_write(command.snapshot) as file:
                np.savez(file, **order.state)  # type: ignore[arg-type]
            status.snapshot_sample = order.sample
        except (NeurorackError, OSError) as error:
            status.snapshot_sample = -1
            folder = Path(command.snapshot).parent.parent
            status.error = (
                write_fault("A recording", folder, error) if isinstance(error, OSError) else str(error)
            )
        status.snapshot = command.snapshot_number
