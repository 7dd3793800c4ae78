"""Clock out: 24 pulses a beat to a MIDI output, in step with the engine's beat, from a small thread.

Telemetry tells beat and tempo some thirty times a second and a little late, sometimes more, sometimes less.
`Beats` makes a steady clock of that: between tellings it runs at the tempo, and it follows the earliest
tellings, because lateness only ever makes a beat look smaller than it is.
"""

import contextlib
import math
import sys
import threading
import time
from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.play.audio.priority import raise_thread_priority

PULSES = 24
AHEAD, BEHIND = 0.2, 0.01
"""Share of the phase's error that is put right at a telling that is ahead of us, and behind."""
JUMP_BEATS = 0.25
"""A larger error is a new beginning."""
SPIN_S = 0.0004
"""The last stretch before a pulse is waited out awake: a sleep may end that much late."""
LEAST_BPM, MOST_BPM = 10.0, 400.0
CLOCK, START, STOP = 0xF8, 0xFA, 0xFC


class Beats:
    """A beat that runs by itself and is kept right by `tell`. Not for two threads at once."""

    def __init__(self) -> None:
        self.tempo_bpm = 0.0
        """0: nothing was told yet."""
        self._beat = self._at_s = 0.0

    def at(self, now_s: float) -> float:
        """The beat at that moment."""
        return self._beat + (now_s - self._at_s) * self.tempo_bpm / 60.0

    def when(self, beat: float) -> float:
        """The moment of that beat."""
        return self._at_s + (beat - self._beat) * 60.0 / self.tempo_bpm

    def tell(self, beat: float, tempo_bpm: float, now_s: float) -> bool:
        """What the engine said; True when the beat jumped."""
        if not (math.isfinite(beat) and LEAST_BPM <= tempo_bpm <= MOST_BPM):
            return False
        if not self.tempo_bpm:
            self._beat, self._at_s, self.tempo_bpm = beat, now_s, tempo_bpm
            return True
        mine = self.at(now_s)
        error = beat - mine
        jumped = abs(error) > JUMP_BEATS
        self._beat = beat if jumped else mine + error * (AHEAD if error > 0 else BEHIND)
        self._at_s, self.tempo_bpm = now_s, tempo_bpm
        return jumped


class ClockOut:
    """The thread and its output port. `follow` is called with every telemetry."""

    def __init__(self, send: Any) -> None:
        self._send = send
        """Called with the bytes of a message, from the thread."""
        self._beats = Beats()
        self._lock = threading.Lock()
        self._pulse: int | None = None
        """Number of the next pulse since beat 0; None: to be found anew."""
        self._running = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="neurorack-clock", daemon=True)
        # The interpreter lets a busy thread run on for 5 ms by default: too long for a pulse to wait.
        self._interval = sys.getswitchinterval()
        sys.setswitchinterval(min(self._interval, 0.0005))
        self._thread.start()

    def follow(self, beat: float, tempo_bpm: float, running: bool) -> None:
        """The engine's beat, tempo and whether the transport runs."""
        with self._lock:
            if self._beats.tell(beat, tempo_bpm, time.perf_counter()):
                self._pulse = None
            if running != self._running:
                self._running = running
                self._say([START if running else STOP])

    def close(self) -> None:
        """Stop sending."""
        self._ended.set()
        self._thread.join(1.0)
        with self._lock:
            if self._running:
                self._say([STOP])
        sys.setswitchinterval(self._interval)

    def _say(self, message: list[int]) -> None:
        with contextlib.suppress(Exception):  # the port has gone: the clock goes on and finds nobody
            self._send(message)

    def _run(self) -> None:
        raise_thread_priority()
        while not self._ended.is_set():
            with self._lock:
                due = self._due(time.perf_counter())
            if due is None:
                self._ended.wait(0.02)
                continue
            left = due - time.perf_counter()
            if left > 0.02:  # tempo and phase may change meanwhile: look again soon
                self._ended.wait(0.01)
                continue
            if left > SPIN_S:
                time.sleep(left - SPIN_S)
            while time.perf_counter() < due:
                pass
            with self._lock:
                self._say([CLOCK])
                if self._pulse is not None:
                    self._pulse += 1

    def _due(self, now_s: float) -> float | None:
        if not self._beats.tempo_bpm:
            return None
        if self._pulse is None:
            self._pulse = math.ceil(self._beats.at(now_s) * PULSES - 1e-6)
        due = self._beats.when(self._pulse / PULSES)
        if now_s - due > 0.1:  # this machine slept: no burst of pulses to catch up
            self._pulse = None
        return due


def open_output(name: str) -> Any:
    """An rtmidi output whose name contains `name`, or a virtual one called Neurorack for "virtual"."""
    try:
        import rtmidi

        from neurorack.play.control.midi.ports import CLIENT, available_systems
    except ImportError as error:
        raise NeurorackError(f"No MIDI clock: {error}; reinstall neurorack.") from error
    found: list[str] = []
    for api, _ in available_systems(rtmidi).values():
        try:
            output = rtmidi.MidiOut(api, name=f"{CLIENT} clock")
            if name == "virtual":
                return output.open_virtual_port("out")
            ports = output.get_ports()
            for index, port in enumerate(ports):
                if name.casefold() in port.casefold():
                    return output.open_port(index, "out")
            found += ports
        except Exception as error:  # a driver may raise anything; the sentence below says what to do
            found.append(f"({error})")
    there = f"there are {', '.join(found)}" if found else "there is no MIDI output"
    raise NeurorackError(f"No MIDI clock: no output is called {name!r}; {there}.")
