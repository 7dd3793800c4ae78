"""Hub: the one place where every message of every hand arrives, and from which all news go out.

It holds the performance and its helpers (clips, presets, recorder), writes the frame and the events to the
bridge at once, and tells whoever subscribed. Slow work (loading, encoding, files) becomes a task; nothing
here waits for a disk on the event loop's thread.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.library import home_dir
from neurorack.core.nrk import Archive, read_nrk
from neurorack.play.audio.supervisor import Supervisor
from neurorack.play.control import messages as m
from neurorack.play.control.midi.learn import MidiMap
from neurorack.play.engine.events import Event, Kind, event_to_record
from neurorack.play.engine.frame import FRAME_DTYPE, Measured, Telemetry
from neurorack.play.engine.params import MOD_SOURCES, PARAM_BY_NAME, ROUTE_CURVES
from neurorack.play.session.catalogue import Catalogue
from neurorack.play.session.description import describe, specs
from neurorack.play.session.patch import Patch
from neurorack.play.session.performance import Performance
from neurorack.play.session.spectrum import WINDOW, Spectrum
from neurorack.play.session.telemetry import status_dict, telemetry_dict
from neurorack.play.session.undo import History

TICK_S = 1 / 60
POLL_S = 0.1
TAPS_S = 2.0
"""Taps of the tempo further apart than this begin anew."""
CARRIED_OUT_S = 20.0

Subscriber = Callable[[str, dict[str, Any]], None]
log = logging.getLogger(__name__)


class Hub:
    """Connects hands, performance, bridge and supervisor. All methods belong to the event loop's thread."""

    def __init__(self, supervisor: Supervisor, archive: Archive, path: Path) -> None:
        self.supervisor = supervisor
        self.bridge = supervisor.bridge
        self.archive = archive
        self.path = path
        self.catalogue = Catalogue(path, archive.manifest)
        self.performance = Performance(archive.manifest, self._send)
        self.history: History[Patch] = History()
        self.midi_map = MidiMap.load()
        self.midi_map.on_change = self._mark
        self.inputs: dict[str, Any] = {"midi": [], "osc": 0}
        """Which MIDI ports are open, and the port of OSC (0: none): part of the status."""
        self._subscribers: list[Subscriber] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._hands = 0
        self._record = np.zeros((), FRAME_DTYPE)
        self._telemetry = Telemetry()
        self._measured = Measured()
        self._told_telemetry: dict[str, Any] = {}
        self._state_changed = True
        self._loading = asyncio.Lock()
        self._taps: list[float] = []
        self._told_note = ""
        self._silent = False
        """The audio process was started again and does not sound yet: then it must learn what is held."""
        self._begin(archive, path)

    def _begin(self, archive: Archive, path: Path) -> None:
        """Everything that depends on the instrument."""
        self.archive, self.path = archive, path
        self.takes = home_dir() / "takes"
        self._description = describe(archive, _places(archive))
        self._clip_ids = [clip.name[: m.MAX_NAME] for clip in archive.manifest.clips]
        self._spectrum = Spectrum(archive.manifest.sample_rate)
        self.performance.adopt(archive.manifest)
        self._write_frame()

    # Hands

    def hand(self) -> int:
        """The number of a new hand (a panel, an OSC peer, a MIDI channel)."""
        self._hands += 1
        return self._hands

    def leave(self, hand: int) -> None:
        """A hand is gone: it lets go of its keys and gates."""
        if self.performance.leave(hand):
            self._changed()

    def perform(self, hand: int, message: m.Message) -> None:
        """Carry out what a hand says. Never raises for a message that `messages.parse` made."""
        try:
            self._perform(hand, message)
        except NeurorackError as error:
            self.tell(str(error))
        except Exception:
            log.exception("%r failed", message)
            self.tell("That did not work: an error inside Neurorack, please report it.")

    def _perform(self, hand: int, message: m.Message) -> None:
        if self.performance.apply(hand, message):
            self._changed()
            return
        match message:
            case m.Undo():
                self.set_patch(self.history.undo(self.performance.patch))
            case m.Redo():
                self.set_patch(self.history.redo(self.performance.patch))
            case m.Tap():
                self._tap(time.monotonic())
            case m.Learn(target):
                self.midi_map.arm(target)
                self._mark()
            case m.Unlearn(target):
                self.midi_map.forget(target)
                self._mark()
            case m.SetInstrument(name):
                self._start(self._set_instrument(name))
            case _:
                self._change_patch(message)

    # The patch

    def set_patch(self, patch: Patch, thing: object = None) -> None:
        """Replace the patch; `thing` makes it a step that undo takes back."""
        before = self.performance.patch
        if patch == before:
            return
        if thing is not None:
            self.history.changed(before, thing)
        self.performance.patch = patch
        self._changed()

    def _change_patch(self, message: m.Message) -> None:
        name = getattr(message, "name", None)
        on_control = isinstance(message, m.SetControl | m.SetOrigin | m.SetOffset | m.SetScale)
        if on_control and not self._has_control(name):
            return
        if isinstance(message, m.Route) and not (
            message.target in PARAM_BY_NAME or self._has_control(message.target)
        ):
            return
        if isinstance(message, m.SetControl) and name == "pitch":
            self.performance.knob_takes_pitch()
        thing = (type(message).__name__, name, getattr(message, "slot", None))
        self.set_patch(self.performance.patch.with_message(message), thing)

    def _has_control(self, name: str | None) -> bool:
        return any(control.name == name for control in self.archive.manifest.controls)

    def _tap(self, now_s: float) -> None:
        if self._taps and now_s - self._taps[-1] > TAPS_S:
            self._taps.clear()
        self._taps = [*self._taps[-7:], now_s]
        if len(self._taps) > 1:
            beat_s = (self._taps[-1] - self._taps[0]) / (len(self._taps) - 1)
            tempo = PARAM_BY_NAME["tempo_bpm"].clamp(60.0 / max(beat_s, 1e-3))
            self._change_patch(m.SetNumber("tempo_bpm", tempo))

    # News

    def subscribe(self, subscriber: Subscriber) -> Callable[[], None]:
        """`subscriber(kind, data)` gets all news (hello, state, library, telemetry, display, notice) from
        now on; returns how to end that.
        """
        self._subscribers.append(subscriber)
        return lambda: self._subscribers.remove(subscriber)

    def tell(self, text: str, level: str = "error") -> None:
        """A sentence for the performer; level: info, warn, error."""
        self._emit("notice", {"level": level, "text": text})

    def hello(self) -> dict[str, Any]:
        """Everything a panel that arrives must know."""
        return {
            "instrument": self._description,
            "instruments": self.catalogue.rows(),
            "params": specs(),
            "mod_sources": list(MOD_SOURCES),
            "route_curves": list(ROUTE_CURVES),
            "state": self.state(),
            "library": self.library(),
            "status": asdict(self.supervisor.status)
            | {"instrument": self.archive.manifest.name, "note": self.note},
        }

    def state(self) -> dict[str, Any]:
        """The performance as panels show it."""
        patch = self.performance.patch
        return (
            patch.as_dict()
            | self.performance.as_dict()
            | {
                "preset": None,
                "dirty": False,
                "undo": self.history.undoes,
                "redo": self.history.redoes,
                "morph": None,
                "recording": None,
                "learn": self.midi_map.armed,
                "learned": self.midi_map.learned(),
            }
        )

    def instrument(self) -> dict[str, Any]:
        """The instrument as panels are told of it."""
        return self._description

    def library(self) -> dict[str, Any]:
        """Clips, presets, tunings and takes there are."""
        hop_s = self.archive.manifest.hop / self.archive.manifest.sample_rate
        clips = [
            {"id": clip.name[: m.MAX_NAME], "title": clip.name, "own": False, "seconds": clip.frames * hop_s,
             "wave": [], "trace": []}
            for clip in self.archive.manifest.clips
        ]  # fmt: skip
        return {"clips": clips, "presets": [], "tunings": [], "takes": []}

    def telemetry(self) -> dict[str, Any]:
        """The last measurements told."""
        return self._told_telemetry

    @property
    def note(self) -> str:
        """What the performer should know about the sound's way."""
        return self.supervisor.note or self.supervisor.status.note

    def _emit(self, kind: str, data: dict[str, Any]) -> None:
        for subscriber in list(self._subscribers):
            subscriber(kind, data)

    def _changed(self) -> None:
        """The performance changed: the sound learns it now, the subscribers at the next tick."""
        self._write_frame()
        self._mark()

    def _mark(self) -> None:
        """Something that only panels show changed."""
        self._state_changed = True

    # The bridge

    def _send(self, event: Event) -> None:
        self.bridge.events.write(event_to_record(event))

    def _place_of(self, clip: str) -> int:
        try:
            return self._clip_ids.index(clip)
        except ValueError:
            return -1

    def _write_frame(self) -> None:
        self.performance.frame(self._place_of).write_to(self._record)
        self.bridge.frame.write(self._record)

    # The loop

    async def run(self) -> None:
        """Keep everything going, 60 times a second, until cancelled."""
        polled, ticks = 0.0, 0
        try:
            while True:
                started = time.monotonic()
                if started - polled >= POLL_S:
                    polled = started
                    await self._poll()
                if self._state_changed:
                    self._state_changed = False
                    self._emit("state", {"state": self.state()})
                ticks += 1
                if ticks % 2 == 0:
                    self._tell_telemetry()
                await asyncio.sleep(max(0.002, TICK_S - (time.monotonic() - started)))
        finally:
            for task in list(self._tasks):
                task.cancel()

    def _tell_telemetry(self) -> None:
        record = self.bridge.telemetry.read()
        heard = self.bridge.measured.read()
        if heard is not None:
            self._measured = Measured.read_from(heard)
        if record is None:
            return
        self._telemetry = Telemetry.read_from(record)
        ring = self.bridge.output
        newest = ring.copy(max(0, ring.written - WINDOW), WINDOW).mean(axis=0)
        status = status_dict(self.supervisor.status, self.supervisor.running, self.supervisor.restarts)
        self._told_telemetry = telemetry_dict(self._telemetry, self._measured) | {
            "spectrum": self._spectrum.levels_db(newest),
            "status": status | self.inputs,
        }
        self._emit("telemetry", self._told_telemetry)

    async def _poll(self) -> None:
        if await asyncio.to_thread(self.supervisor.poll):
            self._silent = True
            why = self.supervisor.status.error or "the audio process ended"
            self.tell(f"The sound is being started again: {why}".rstrip(".") + ".", "warn")
        if self._silent and self.supervisor.running:
            self._silent = False
            self.performance.resend()
        if self.note != self._told_note:
            self._told_note = self.note
            if self.note:
                self.tell(self.note, "warn")

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        """Let slow work go on beside the loop; what it complains about is told."""

        async def guarded() -> None:
            try:
                await work
            except NeurorackError as error:
                self.tell(str(error))
            except Exception:
                log.exception("a task failed")
                self.tell("That did not work: an error inside Neurorack, please report it.")

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Instruments

    async def _set_instrument(self, name: str) -> None:
        if self._loading.locked():
            return
        async with self._loading:
            await asyncio.to_thread(self.catalogue.refresh)
            path = self.catalogue.path(name)
            if path is None:
                raise NeurorackError(f"There is no instrument {name} any more: choose another.")
            archive = await asyncio.to_thread(read_nrk, path)
            another_rate = archive.manifest.sample_rate != self.archive.manifest.sample_rate
            number = self.supervisor.command(str(path))
            if another_rate:  # the device must be opened anew
                await asyncio.to_thread(self.supervisor.restart)
                self._silent = True
            if not await self._carried_out(number):
                raise NeurorackError(self.supervisor.status.error or f"{name} did not load in time.")
            self.history.clear()
            self.performance.patch = _fitting(self.performance.patch, archive)
            self._begin(archive, path)
            self._emit("hello", self.hello())

    async def _carried_out(self, number: int) -> bool:
        """Wait until the audio process carried a command out; False if it refused or takes too long."""
        until = time.monotonic() + CARRIED_OUT_S
        while time.monotonic() < until:
            if self.supervisor.status.command >= number:
                return not self.supervisor.status.error
            await asyncio.sleep(0.03)
        return False

    def stop_sound(self) -> None:
        """The program ends: let everything go quiet."""
        self._send(Event(Kind.ALL_OFF))


def _fitting(patch: Patch, archive: Archive) -> Patch:
    """The patch on another instrument: clips that it lacks are let go."""
    ids = {clip.name[: m.MAX_NAME] for clip in archive.manifest.clips}
    clip = patch.clip if patch.clip in ids else next(iter(sorted(ids)), "")
    source = "hold" if patch.source == "clip" and not clip else patch.source
    return replace(patch, clip=clip, source=source)


def _places(archive: Archive) -> np.ndarray:
    """[N, 2]: the anchors on the map."""
    anchors = archive.array(archive.manifest.z_anchors_path)
    try:
        from neurorack.play.engine.latent_map import LatentMap
    except ImportError:
        centred = anchors - anchors.mean(axis=0)
        _, _, axes = np.linalg.svd(centred, full_matrices=False)
        flat = centred @ axes[:2].T
        return (flat - flat.min(0)) / np.maximum(np.ptp(flat, axis=0), 1e-9)
    return LatentMap(anchors).places
