"""Hub: the panels that are connected, the performance they share, and the bridge to the sound.

Messages change the performance; a change is written to the bridge at once and told to all panels. Every
panel has a small outbox of its own: news in order, and only the newest telemetry, so that a slow one holds up
nobody.
"""

import asyncio
import json
import time
from collections import deque
from dataclasses import asdict
from pathlib import Path

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.nrk import Archive, read_nrk
from neurorack.play.audio.supervisor import Supervisor
from neurorack.play.control import messages as m
from neurorack.play.control.performance import Performance
from neurorack.play.engine.frame import FRAME_DTYPE
from neurorack.play.panel.description import Catalogue, describe, specs
from neurorack.play.panel.spectrum import WINDOW, Spectrum
from neurorack.play.panel.telemetry import TelemetryText

TELEMETRY_S = 1 / 30
POLL_S = 0.1
MAX_NEWS = 256


class Outbox:
    """What waits to be sent to one panel."""

    def __init__(self) -> None:
        self._news: deque[str] = deque()
        self._telemetry: str | None = None
        self._state: str | None = None
        self._ready = asyncio.Event()
        self.overrun = False

    def news(self, text: str) -> None:
        """Something that must arrive, in order."""
        if len(self._news) >= MAX_NEWS:
            self.overrun = True
            return
        self._news.append(text)
        self._ready.set()

    def state(self, text: str) -> None:
        """The performance; only the newest matters."""
        self._state = text
        self._ready.set()

    def telemetry(self, text: str) -> None:
        """Measurements; only the newest matter."""
        self._telemetry = text
        self._ready.set()

    async def take(self) -> list[str]:
        """Everything that waits; waits until there is something."""
        await self._ready.wait()
        self._ready.clear()
        batch = list(self._news)
        self._news.clear()
        for text in (self._state, self._telemetry):
            if text is not None:
                batch.append(text)
        self._state = self._telemetry = None
        return batch


class Hub:
    """Connects panels, performance, bridge and supervisor."""

    def __init__(self, supervisor: Supervisor, archive: Archive, path: Path) -> None:
        self.supervisor = supervisor
        self.bridge = supervisor.bridge
        self.performance = Performance(archive.manifest)
        self.catalogue = Catalogue(path, archive.manifest)
        self.path = path
        self._instrument = describe(archive)
        self._panels: dict[int, Outbox] = {}
        self._next = 0
        self._record = np.zeros((), FRAME_DTYPE)
        self._telemetry = TelemetryText()
        self._spectrum = Spectrum(archive.manifest.sample_rate)
        self._loading = asyncio.Lock()
        self._told_note = ""
        self._write_frame()

    def join(self) -> tuple[int, Outbox]:
        """A panel arrives: its number and its outbox, already holding the welcome."""
        self._next += 1
        outbox = Outbox()
        self._panels[self._next] = outbox
        outbox.news(self._hello())
        if self.note:
            outbox.news(json.dumps({"type": "notice", "level": "warn", "text": self.note}))
        return self._next, outbox

    @property
    def note(self) -> str:
        """What the performer should know about the sound's way."""
        return self.supervisor.note or self.supervisor.status.note

    def leave(self, hand: int) -> None:
        """A panel is gone."""
        self._panels.pop(hand, None)
        if self.performance.leave(hand):
            self._changed()

    async def receive(self, hand: int, message: m.Message) -> None:
        """Carry out what a panel said."""
        if isinstance(message, m.Ping):
            self._panels[hand].news(json.dumps({"type": "pong", "time": message.time}))
        elif isinstance(message, m.SetInstrument):
            await self._set_instrument(hand, message.name)
        elif self.performance.apply(hand, message):
            self._changed()

    async def run(self) -> None:
        """Tell measurements, keep the audio process alive; until cancelled."""
        polled = 0.0
        while True:
            started = time.monotonic()
            if started - polled >= POLL_S:
                polled = started
                await self._poll()
            record = self.bridge.telemetry.read()
            if record is not None and self._panels:
                ring = self.bridge.output
                lines = self._spectrum.levels_db(ring.copy(max(0, ring.written - WINDOW), WINDOW)[0])
                text = self._telemetry.render(record, self.supervisor, lines)
                for outbox in self._panels.values():
                    outbox.telemetry(text)
            await asyncio.sleep(max(0.002, TELEMETRY_S - (time.monotonic() - started)))

    def _hello(self) -> str:
        return json.dumps(
            {
                "type": "hello",
                "instrument": self._instrument,
                "instruments": self.catalogue.rows(),
                "specs": specs(),
                "state": self.performance.as_dict(),
                "status": asdict(self.supervisor.status) | {"instrument": self.performance.manifest.name},
            }
        )

    def _changed(self) -> None:
        self._write_frame()
        text = json.dumps({"type": "state", "state": self.performance.as_dict()})
        for outbox in self._panels.values():
            outbox.state(text)

    def _write_frame(self) -> None:
        self.performance.frame().write_to(self._record)
        self.bridge.frame.write(self._record)

    def _tell(self, text: str, level: str = "error", hand: int | None = None) -> None:
        news = json.dumps({"type": "notice", "level": level, "text": text})
        for number, outbox in self._panels.items():
            if hand is None or number == hand:
                outbox.news(news)

    async def _poll(self) -> None:
        if await asyncio.to_thread(self.supervisor.poll):
            why = self.supervisor.status.error or "the audio process ended"
            self._tell(f"The sound is being started again: {why}".rstrip(".") + ".", "warn")
        if self.note != self._told_note:
            self._told_note = self.note
            if self.note:
                self._tell(self.note, "warn")

    async def _set_instrument(self, hand: int, name: str) -> None:
        if self._loading.locked():
            return
        async with self._loading:
            await asyncio.to_thread(self.catalogue.refresh)
            path = self.catalogue.path(name)
            if path is None:
                self._tell(f"There is no instrument {name} any more: choose another.", hand=hand)
                return
            try:
                archive = await asyncio.to_thread(read_nrk, path)
            except NeurorackError as error:
                self._tell(str(error), hand=hand)
                return
            another_rate = archive.manifest.sample_rate != self.performance.manifest.sample_rate
            number = self.supervisor.command(str(path))
            if another_rate:  # the device must be opened anew
                await asyncio.to_thread(self.supervisor.restart)
            if await self._carried_out(number):
                self.path = path
                self._instrument = describe(archive)
                self._spectrum = Spectrum(archive.manifest.sample_rate)
                self.performance.adopt(archive.manifest)
                self._write_frame()
                for outbox in self._panels.values():
                    outbox.news(self._hello())
            else:
                self._tell(self.supervisor.status.error or f"{name} did not load in time.", hand=hand)

    async def _carried_out(self, number: int, patience_s: float = 20.0) -> bool:
        until = time.monotonic() + patience_s
        while time.monotonic() < until:
            status = self.supervisor.status
            if status.command >= number:
                return not status.error
            await asyncio.sleep(0.03)
        return False
