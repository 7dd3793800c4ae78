"""MIDI ports through python-rtmidi: a virtual one, every input that is there, and those plugged in later.

ALSA (or the system's own MIDI on other platforms) calls from a thread of its own. JACK would call from inside
the audio graph's cycle and wait there for Python, so JACK ports are polled from a thread instead.
"""

import contextlib
import functools
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from neurorack.play.control.hands import Hub
from neurorack.play.control.midi.dispatch import Dispatcher
from neurorack.play.control.midi.inbox import Inbox
from neurorack.play.control.midi.parser import ByteParser

CLIENT = "Neurorack"
POLL_S = 0.002
"""Less than a block of 128 samples, whose MIDI JACK delivers at once. A thousand looks a second would cost a
fortieth of a processor."""
QUEUE = 8192
NOT_OURS = (CLIENT, "Midi Through")
"""Ports whose names begin so are no instruments to listen to."""


Key = tuple[int, int]
"""rtmidi's number of a MIDI system, and a number that differs when the system was started again."""


class MidiInputs:
    """Open inputs of one MIDI system. `scan()` now and then; all of it on the event loop's thread."""

    def __init__(self, hub: Hub, wanted: str, mpe: bool) -> None:
        self._hub, self._wanted, self._mpe = hub, wanted, mpe
        self._systems: dict[str, _System] = {}
        self.fault = ""
        """One sentence while there is no MIDI at all."""

    @property
    def names(self) -> list[str]:
        """Open inputs, the virtual port first."""
        return [name for system in self._systems.values() for name in system.names]

    @property
    def dropped(self) -> int:
        """Messages lost to floods."""
        return sum(system.dropped for system in self._systems.values())

    def scan(self, loop: Any) -> None:
        """Look again what there is: open what is new, close what has gone. Never raises; see `fault`."""
        try:
            import rtmidi
        except ImportError as error:
            self.fault = f"No MIDI: {error}; install python-rtmidi (it is built for Python 3.11 and 3.12)."
            return
        available = available_systems(rtmidi)
        for name, system in list(self._systems.items()):
            if available.get(name) != system.key:
                del self._systems[name]
                system.close()
        first = True
        for name, key in available.items():
            if name not in self._systems:
                with contextlib.suppress(Exception):  # whatever a driver may raise: no MIDI by that way
                    self._systems[name] = _System(rtmidi, name, key, self._hub, self._mpe, loop)
            if name in self._systems:
                self._systems[name].scan(self._wanted if first else "")
                first = False
        self.fault = "" if self._systems else "No MIDI: this system offers no MIDI driver that answers."

    def close(self) -> None:
        """Close every port and let go of its keys."""
        for system in self._systems.values():
            system.close()
        self._systems.clear()


class _System:
    """The inputs of one driver (ALSA, JACK, CoreMIDI, Windows)."""

    def __init__(self, rtmidi: Any, name: str, key: Key, hub: Hub, mpe: bool, loop: Any) -> None:
        self.key = key
        self._midi_in = functools.partial(rtmidi.MidiIn, key[0], queue_size_limit=QUEUE)
        self._polled = name == "JACK"
        self._hub, self._mpe, self._loop = hub, mpe, loop
        self._ports: dict[str, _Port] = {}
        self._seen: set[str] = set()
        """Ports that were there at the last scan."""
        self._ended = threading.Event()
        self._watch = self._midi_in(name=f"{CLIENT} watch")
        if self._polled:
            threading.Thread(target=self._poll, name="neurorack-midi", daemon=True).start()
        with contextlib.suppress(NotImplementedError, rtmidi.UnsupportedOperationError):
            self._open(CLIENT, lambda midi_in: midi_in.open_virtual_port("in"))

    @property
    def names(self) -> list[str]:
        return list(self._ports)

    @property
    def dropped(self) -> int:
        return sum(port.inbox.dropped for port in self._ports.values())

    def scan(self, wanted: str) -> None:
        """`wanted`: "all", part of a name, or "" (the virtual port only)."""
        found = [name for name in self._watch.get_ports() if not name.startswith(NOT_OURS)]
        for name in [name for name in self._ports if name != CLIENT and name not in found]:
            self._ports.pop(name).close()
        # A JACK client that is just starting shows ports that cannot be connected yet, and nobody says so.
        ready = [name for name in found if name in self._seen or not self._polled]
        self._seen = set(found)
        for name in dict.fromkeys(ready):
            if (
                name not in self._ports
                and wanted
                and (wanted == "all" or wanted.casefold() in name.casefold())
            ):
                with contextlib.suppress(Exception):  # in use by another program, or gone again
                    index = self._watch.get_ports().index(name)
                    self._open(name, functools.partial(_connect, index=index))

    def close(self) -> None:
        self._ended.set()
        for port in self._ports.values():
            port.close()
        self._ports.clear()
        with contextlib.suppress(Exception):
            self._watch.delete()

    def _open(self, name: str, connect: Callable[[Any], None]) -> None:
        midi_in = self._midi_in(name=CLIENT)
        midi_in.ignore_types(sysex=True, timing=False, active_sense=True)
        port = _Port(midi_in, Dispatcher(self._hub, self._mpe), self._loop)
        if not self._polled:
            midi_in.set_callback(port.called)
        connect(midi_in)
        self._ports[name] = port

    def _poll(self) -> None:
        while not self._ended.is_set():
            for port in list(self._ports.values()):
                port.poll()
            time.sleep(POLL_S)


class _Port:
    """One open input."""

    def __init__(self, midi_in: Any, dispatcher: Dispatcher, loop: Any) -> None:
        self._midi_in = midi_in
        self._dispatcher = dispatcher
        self._parser = ByteParser()
        self._lock = threading.Lock()
        self.inbox = Inbox(loop, self._receive, dispatcher.release)

    def called(self, event: tuple[list[int], float], _data: Any = None) -> None:
        """From the driver's thread."""
        self.inbox.put(event[0])

    def poll(self) -> None:
        """Fetch what the driver has queued."""
        with self._lock:
            while self._midi_in is not None and (event := self._midi_in.get_message()) is not None:
                self.inbox.put(event[0])

    def close(self) -> None:
        self.inbox.close()
        with self._lock, contextlib.suppress(Exception):
            midi_in, self._midi_in = self._midi_in, None
            midi_in.cancel_callback()
            time.sleep(0.002)  # a call that has begun must end before the driver waits for its thread
            midi_in.close_port()
            midi_in.delete()
        self._dispatcher.release()

    def _receive(self, data: Any) -> None:
        for message in self._parser.feed(data):
            self._dispatcher.receive(message)


def _connect(midi_in: Any, index: int) -> None:
    midi_in.open_port(index, "in")


def available_systems(rtmidi: Any) -> dict[str, Key]:
    """The MIDI systems that can answer, the one with the hardware first.

    Asking ALSA or JACK in vain writes to the terminal, each time; so look first whether they are there.
    """
    names = {
        rtmidi.API_LINUX_ALSA: "ALSA",
        rtmidi.API_UNIX_JACK: "JACK",
        rtmidi.API_MACOSX_CORE: "CoreMIDI",
        rtmidi.API_WINDOWS_MM: "Windows MIDI",
    }
    found = {names[api]: (api, 0) for api in rtmidi.get_compiled_api() if api in names}
    if sys.platform.startswith("linux"):
        if not Path("/dev/snd/seq").exists():
            found.pop("ALSA", None)
        if "JACK" in found:
            run = jack_run()
            if run:
                found["JACK"] = (rtmidi.API_UNIX_JACK, run)
            else:
                del found["JACK"]
    return found


def jack_run() -> int:
    """A number that a JACK server of this user has for its life; 0: none runs (Linux)."""
    server = os.environ.get("JACK_DEFAULT_SERVER", "default")
    try:
        return Path(f"/dev/shm/jack_{server}_{os.getuid()}_0").stat().st_mtime_ns
    except OSError:
        return 0
