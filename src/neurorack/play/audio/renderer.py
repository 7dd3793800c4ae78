"""Renderer: one block of sound. Takes what the hands did, asks the engine, tells what happened. Never waits.

A block that cannot be rendered is silent and counted; only when many in a row fail is the process given up.
"""

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from neurorack.play.audio.backend import CHANNELS, Drops
from neurorack.play.audio.live_input import LiveInput
from neurorack.play.audio.load_guard import LoadGuard
from neurorack.play.control.bridge import JOURNAL_DTYPE, MAX_ROW, ROW_DTYPE, Bridge
from neurorack.play.control.record_ring import RecordReader
from neurorack.play.engine.events import Event, event_from_record, event_to_record
from neurorack.play.engine.frame import FRAME_DTYPE, TELEMETRY_DTYPE, ControlFrame, Telemetry

TELEMETRY_EVERY_S = 0.015
FAILURES_TO_GIVE_UP = 64
"""Blocks in a row that fail before the process is started afresh (0.2 s at 128 samples)."""


class Engine(Protocol):
    """The engine, as far as the renderer knows it."""

    sample_rate: int

    @property
    def telemetry(self) -> Telemetry:
        """What the last block was."""

    def render(
        self, n: int, frame: ControlFrame, audio_in: np.ndarray | None = None, events: Sequence[Event] = ()
    ) -> np.ndarray:
        """float32 [2, n]."""

    @property
    def rows(self) -> tuple[np.ndarray, np.ndarray, int]:
        """Latent frames of the last block: rows [k, Z + C], envelopes [k], number of the first frame."""

    def snapshot(self) -> dict[str, np.ndarray]:
        """Everything the sound depends on."""


class Snapshot:
    """An order for the engine's state between two blocks: `state` and `sample` once `done`."""

    def __init__(self) -> None:
        self.state: dict[str, np.ndarray] = {}
        self.sample = 0
        """First sample of the output that was rendered after it."""
        self.failure: Exception | None = None
        self.done = False


class Renderer:
    """A Render between the bridge and the engine. `failure` is set when it is to be given up.

    `frame` is what the engine is given: what the hands asked for, less what this machine cannot render in
    time; `note` says what that is. clock: seconds, to see how long a block takes.
    """

    def __init__(
        self, engine: Engine, bridge: Bridge, drops: Drops, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        self._engine = engine
        self._bridge = bridge
        self._drops = drops
        self._clock = clock
        self._guard = LoadGuard()
        self._guarding = False
        """Whether the guard changed its mind in the last block."""
        self.frame = self._asked = ControlFrame()
        self._record = np.zeros((), FRAME_DTYPE)
        self.frame.write_to(self._record)
        self._told_frame = False
        self._events = RecordReader(bridge.events)
        self._input = LiveInput(bridge.input, engine.sample_rate)
        self._telemetry = np.zeros((), TELEMETRY_DTYPE)
        self._row = np.zeros((), ROW_DTYPE)
        self._entry = np.zeros((), JOURNAL_DTYPE)
        self._telemetry_every = int(TELEMETRY_EVERY_S * engine.sample_rate)
        self._until_telemetry = 0
        self._failures = 0
        self._order: Snapshot | None = None
        self._later: deque[Event] = deque()
        self.blocks = 0
        self.note = ""
        self.failure: Exception | None = None

    def order_snapshot(self) -> Snapshot:
        """Ask, from another thread, for the engine's state at the next block boundary."""
        self._order = Snapshot()
        return self._order

    def later(self, events: Sequence[Event]) -> None:
        """Have these events happen, from another thread, at the start of the next block."""
        self._later.extend(events)

    def __call__(
        self, count: int, audio_in: np.ndarray | None = None, events: Sequence[Event] = ()
    ) -> np.ndarray:
        """The next `count` samples, float32 [2, count]."""
        bridge = self._bridge
        if self._order is not None:
            self._take_snapshot(self._order)
        self._read_frame()
        happened = self._gather(events)
        page = self._input.read(count)
        live = audio_in if page is None else page
        start = bridge.output.written
        began = self._clock()
        try:
            audio = self._engine.render(count, self.frame, live, happened)
            self._failures = 0
        except Exception as error:
            audio = self._fail(count, error)
        self._measure(self._clock() - began, count)
        bridge.output.write(audio)
        if live is not None:
            bridge.heard.write(live[None])
        self._write_journal(start, count, happened)
        self._tell(count)
        self.blocks += 1
        return audio

    def _read_frame(self) -> None:
        record = self._bridge.frame.read()
        if record is not None:
            self._asked = ControlFrame.read_from(record)
        elif not self._guarding:
            return
        self.frame, self.note = self._guard.hold(self._asked), self._guard.note(self._asked)
        if record is not None and self.frame is self._asked:
            self._record = record
        else:
            self._record = np.zeros((), FRAME_DTYPE)
            self.frame.write_to(self._record)
        self._told_frame = False

    def _measure(self, render_s: float, count: int) -> None:
        """Let the guard see how long a block took."""
        block_s = count / self._engine.sample_rate
        self._guarding = self._guard.measure(render_s / block_s, block_s, self._asked)

    def _gather(self, events: Sequence[Event]) -> list[Event]:
        """What the hands did since the last block (at its first sample), then what the backend brings."""
        records = self._events.read()
        happened = [] if records is None else [event_from_record(record) for record in records]
        while self._later:
            happened.append(self._later.popleft())
        # A gate without a velocity of its own has that of the knob.
        happened += [replace(e, b=self.frame.velocity) if e.b < 0.0 else e for e in events]
        return happened + self._guard.releases(self._asked, happened)

    def _fail(self, count: int, error: Exception) -> np.ndarray:
        self._drops.failed += 1
        self._drops.why = f"Rendering failed: {error!r}."[:250]
        self._failures += 1
        if self._failures >= FAILURES_TO_GIVE_UP:
            self.failure = error
        return np.zeros((CHANNELS, count), np.float32)

    def _take_snapshot(self, order: Snapshot) -> None:
        self._order = None
        try:
            order.state = self._engine.snapshot()
        except Exception as error:
            order.failure = error
        order.sample = self._bridge.output.written
        self._told_frame = False  # a recorder begins here: it must find the frame in use
        order.done = True

    def _write_journal(self, start: int, count: int, happened: list[Event]) -> None:
        bridge, entry = self._bridge, self._entry
        if not self._told_frame:
            bridge.frames_used.write(self._record)
            self._told_frame = True
        for event in happened:
            bridge.events_used.write(event_to_record(event))
        entry["start"], entry["samples"] = start, count
        entry["frame"], entry["events"] = bridge.frames_used.written, bridge.events_used.written
        entry["heard"] = bridge.heard.written
        bridge.journal.write(entry)

    def _tell(self, count: int) -> None:
        rows, gates, first = self._engine.rows
        size = min(rows.shape[1], MAX_ROW)
        for i in range(len(rows)):
            self._row["frame"], self._row["gate"] = first + i, gates[i]
            self._row["row"][:size] = rows[i, :size]
            self._bridge.rows.write(self._row)
        self._until_telemetry -= count
        if self._until_telemetry <= 0:
            self._until_telemetry = self._telemetry_every
            self._engine.telemetry.write_to(self._telemetry)
            self._bridge.telemetry.write(self._telemetry)
