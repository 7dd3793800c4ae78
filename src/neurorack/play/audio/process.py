"""The audio process: an engine, a backend that asks it for blocks, and two threads that mostly sleep.

It is spawned (never forked), so that it begins with nothing but what it imports here: no web server, no
event loop. The main thread watches the backend and the main process; the keeper loads and prepares things.
"""

import contextlib
import multiprocessing
import signal
import sys
import time

from neurorack.core.errors import NeurorackError
from neurorack.play.audio.backend import AudioOptions, Drops
from neurorack.play.audio.cores import take_sound_core
from neurorack.play.audio.garbage import freeze_garbage
from neurorack.play.audio.keeper import Keeper, newest_command, wanted_clips
from neurorack.play.audio.open_backend import opener
from neurorack.play.audio.outlet import Outlet
from neurorack.play.audio.priority import KEEPING_PRIORITY, raise_process_priority, raise_thread_priority
from neurorack.play.audio.renderer import Renderer
from neurorack.play.audio.tell_volts import Listening
from neurorack.play.control.bridge import Bridge, BridgeAddress
from neurorack.play.control.records import FAILED, RUNNING, Command, Status, from_record, to_record
from neurorack.play.engine.engine import Engine, load_instrument
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import ControlFrame, Source
from neurorack.play.engine.params import MONO_RETRIGGER

TICK_S = 0.05
FAILED_EXIT = 3
WARM_BLOCKS = 16


def run_audio_process(address: BridgeAddress, options: AudioOptions) -> None:
    """Entry point of the spawned process; returns when the main process is gone or asks it to end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole terminal; the supervisor ends us
    sys.setswitchinterval(0.0001)  # the keeper must let go of the interpreter within a part of a block
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
    raise_process_priority()  # at once: after a crash, a busy machine must not hold up the sound's return
    raise_thread_priority(KEEPING_PRIORITY)
    take_sound_core()
    command = newest_command(bridge) or Command(0, options.instrument)
    engine = _load(command, status)
    _warm(engine, options.block)
    drops = Drops(status.dropped_late, status.dropped_device, status.dropped_failed, status.why)
    listening = Listening(bridge.measured, lambda: engine.telemetry.gate)
    listening.follow(engine.instrument.controls)
    renderer = Renderer(engine, bridge, drops)
    keeper = Keeper(engine, renderer, bridge, listening, status, command)
    freeze_garbage()
    open_backend = opener(options, engine.sample_rate, drops, listening)
    outlet = Outlet(options, open_backend, renderer, renderer.later, drops)
    keeper.start()
    status.state = RUNNING
    parent = multiprocessing.parent_process()
    try:
        while parent is None or parent.is_alive():
            outlet.watch()
            failure = keeper.failure or renderer.failure
            if failure is not None:
                raise failure
            _tell(status, engine, renderer, outlet, drops)
            status.voltages = int(listening.wanted and outlet.backend.name in ("jack", "sounddevice"))
            bridge.status.write(to_record(status))
            time.sleep(TICK_S)
    finally:
        outlet.stop()
        keeper.stop()


def _load(command: Command, status: Status) -> Engine:
    """An engine as the command wants it; without its clips if they are faulty."""
    instrument = load_instrument(command.instrument)
    try:
        clips = wanted_clips(command, instrument)
    except NeurorackError as error:
        clips, status.error = instrument.clips, str(error)
    status.instrument, status.clips, status.command = command.instrument, command.clips, command.number
    return Engine(instrument, clips)


def _warm(engine: Engine, block: int) -> None:
    """What is done for the first time takes longest: do it before anybody waits for it.

    A note, one that takes its place, live input, the prior; then everything is as it was.
    """
    before = engine.snapshot()
    for source in (Source.HOLD, Source.LIVE, Source.PRIOR):
        frame = ControlFrame(source=source, voice_mode=MONO_RETRIGGER)  # type: ignore[call-arg]
        for n in range(WARM_BLOCKS):
            played = [Event(Kind.NOTE_ON, n, 220.0, 0.8)] if n % 4 == 0 else []
            engine.render(block, frame, None, played)
    engine.restore(before)


def _tell(status: Status, engine: Engine, renderer: Renderer, outlet: Outlet, drops: Drops) -> None:
    """What the status says of the sound at this moment."""
    backend = outlet.backend
    status.beat, status.note = renderer.blocks, f"{outlet.note} {renderer.note}".strip()
    status.dropped_late, status.dropped_device = drops.late, drops.device
    status.dropped_failed, status.why = drops.failed, drops.why
    status.dropped = drops.late + drops.device + drops.failed
    status.backend, status.device, status.block = backend.name, backend.device, backend.block
    status.inputs, status.outputs = backend.inputs, backend.outputs
    status.sample_rate, status.device_rate = engine.sample_rate, backend.device_rate
    held = engine.latency_samples + outlet.ahead_samples
    own_s = backend.block / backend.device_rate + held / engine.sample_rate
    status.latency_s = own_s + backend.latency_s
