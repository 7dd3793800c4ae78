"""The audio process: an engine, a backend that asks it for blocks, and a main thread that mostly sleeps.

It is spawned (never forked), so that it begins with nothing but what it imports here: no web server, no
event loop. Its main thread looks twenty times a second whether another instrument is wanted and whether the
main process is still there; loading happens on that thread while the sound goes on.
"""

import contextlib
import gc
import multiprocessing
import signal
import sys
import time

from neurorack.core.errors import NeurorackError
from neurorack.play.audio.backend import AudioOptions, Drops
from neurorack.play.audio.choose import start_backend
from neurorack.play.audio.priority import KEEPING_PRIORITY, raise_process_priority, raise_thread_priority
from neurorack.play.audio.renderer import Renderer
from neurorack.play.control.bridge import Bridge, BridgeAddress
from neurorack.play.control.records import FAILED, RUNNING, Command, Status, from_record, to_record
from neurorack.play.engine.engine import Engine, load_instrument

TICK_S = 0.05
FAILED_EXIT = 3


def run_audio_process(address: BridgeAddress, options: AudioOptions) -> None:
    """Entry point of the spawned process; returns when the main process is gone or asks it to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the supervisor ends us
    sys.setswitchinterval(0.0005)
    bridge = Bridge.attach(address)
    previous = bridge.status.read()
    status = from_record(Status, previous) if previous is not None else Status()
    status.pid, status.error, status.note = multiprocessing.current_process().pid or 0, "", ""
    try:
        _play(bridge, options, status)
    except BaseException as error:
        status.state = FAILED
        status.error = str(error) if isinstance(error, NeurorackError) else f"The sound stopped: {error!r}."
        bridge.status.write(to_record(status))
        sys.exit(FAILED_EXIT)
    finally:
        with contextlib.suppress(BufferError):
            bridge.close()


def _play(bridge: Bridge, options: AudioOptions, status: Status) -> None:
    command = _newest_command(bridge) or Command(0, options.instrument)
    instrument = load_instrument(command.instrument)
    engine = Engine(instrument)
    drops = Drops(status.dropped_late, status.dropped_device, status.dropped_failed, status.why)
    renderer = Renderer(engine, bridge, drops)
    _freeze_garbage()
    raise_process_priority()
    raise_thread_priority(KEEPING_PRIORITY)
    backend, status.note = start_backend(options, instrument.sample_rate, drops, renderer)

    def tell() -> None:
        status.beat = renderer.blocks
        status.dropped = drops.late + drops.device + drops.failed
        status.dropped_late, status.dropped_device = drops.late, drops.device
        status.dropped_failed, status.why = drops.failed, drops.why
        own_s = options.block / instrument.sample_rate + engine.latency_samples / instrument.sample_rate
        status.latency_s = own_s + backend.latency_s
        bridge.status.write(to_record(status))

    status.state, status.backend, status.device = RUNNING, backend.name, backend.device
    status.sample_rate, status.device_rate = instrument.sample_rate, backend.device_rate
    status.block, status.instrument, status.command = options.block, command.instrument, command.number
    tell()
    parent = multiprocessing.parent_process()
    try:
        while parent is None or parent.is_alive():
            if backend.failure is not None:
                raise backend.failure
            wanted = _newest_command(bridge)
            if wanted is not None and wanted.number > status.command:
                _swap(engine, wanted, status)
            tell()
            time.sleep(TICK_S)
    finally:
        backend.stop()


def _newest_command(bridge: Bridge) -> Command | None:
    record = bridge.command.read()
    return None if record is None else from_record(Command, record)


def _swap(engine: Engine, command: Command, status: Status) -> None:
    """Load another instrument and cross-fade to it; a faulty one changes nothing but the status."""
    try:
        if command.instrument != status.instrument:
            engine.swap(load_instrument(command.instrument))
            _freeze_garbage()
        status.instrument, status.error = command.instrument, ""
    except NeurorackError as error:
        status.error = str(error)
    status.command = command.number


def _freeze_garbage() -> None:
    """Keep the collector from ever walking the heap in the middle of a block: rendering makes no cycles."""
    gc.enable()
    gc.collect()
    gc.freeze()
    gc.disable()
