"""Hub: the one place where every message of every hand arrives, and from which all news go out.

It connects the performance (hands), the editor (patch, presets), the clips and the recorder with the bridge:
the frame and the events reach the sound at once, what panels show follows at the next tick. Slow work
(loading, encoding, files) becomes a task; nothing here waits for a disk on the event loop's thread.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.library import home_dir
from neurorack.core.nrk import Archive, read_nrk
from neurorack.play.audio.supervisor import Supervisor
from neurorack.play.control import messages as m
from neurorack.play.control.midi.learn import MidiMap
from neurorack.play.control.tuning import load_tuning, tunings
from neurorack.play.engine.events import Event, event_to_record
from neurorack.play.engine.frame import FRAME_DTYPE, Measured, Telemetry
from neurorack.play.engine.latent_map import LatentMap
from neurorack.play.engine.params import MOD_SOURCES, ROUTE_CURVES
from neurorack.play.engine.sources.anchors import Anchors
from neurorack.play.session.capture import capture
from neurorack.play.session.catalogue import Catalogue
from neurorack.play.session.clip_bank import ClipBank, Loaded
from neurorack.play.session.description import describe, specs
from neurorack.play.session.display import Display
from neurorack.play.session.editor import Editor
from neurorack.play.session.patch import Patch
from neurorack.play.session.performance import Performance, midi_to_hz
from neurorack.play.session.presets import Presets
from neurorack.play.session.recorder import Recorder, salvage, takes
from neurorack.play.session.spectrum import METER, WINDOW, Spectrum, side_levels_db
from neurorack.play.session.telemetry import status_dict, telemetry_dict

TICK_S = 1 / 60
TELEMETRY_TICKS, DISPLAY_TICKS = 2, 5
POLL_S = 0.1
CARRIED_OUT_S = 20.0

Subscriber = Callable[[str, dict[str, Any]], None]
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Prepared:
    """Everything the hub needs to go on with an instrument, made on a worker thread."""

    archive: Archive
    path: Path
    map: LatentMap
    description: dict[str, Any]
    presets: Presets

    @classmethod
    def of(cls, archive: Archive, path: Path, home: Path) -> "Prepared":
        """From a verified archive; `home` is the user's Neurorack folder."""
        rows = archive.array(archive.manifest.z_anchors_path)
        latent = archive.manifest.latent_size
        map = LatentMap(Anchors(rows[:, :latent], rows[:, latent:]))
        return cls(archive, path, map, describe(archive, map.points), Presets(archive, home / "presets"))


class Hub:
    """All methods belong to the event loop's thread."""

    def __init__(self, supervisor: Supervisor, archive: Archive, path: Path) -> None:
        self.supervisor = supervisor
        self.bridge = supervisor.bridge
        self.home = home_dir()
        self.catalogue = Catalogue(path, archive.manifest)
        self.midi_map = MidiMap.load()
        self.midi_map.on_change = self._mark
        self.inputs: dict[str, Any] = {"midi": [], "osc": 0}
        """Which MIDI ports are open, and the port of OSC (0: none): part of the status."""
        prepared = Prepared.of(archive, path, self.home)
        self.performance = Performance(archive.manifest, self._send)
        self.editor = Editor(archive, prepared.presets)
        self.clips = ClipBank(self.home / "sounds", self._library_changes)
        self.recorder = Recorder(self.bridge, self.home / "takes", self.tell)
        self._recorded = False
        self.display = Display()
        self._subscribers: list[Subscriber] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._hands = 0
        self._record = np.zeros((), FRAME_DTYPE)
        self._measured = Measured()
        self._told_telemetry: dict[str, Any] = {}
        self._state_changed = self._library_changed = True
        self._tunings = tunings()
        self._takes: list[dict[str, Any]] = []
        self._tuning = ""
        self._loading = asyncio.Lock()
        self._told_note = ""
        self._silent = False
        """The audio process was started again and does not sound yet: then it must learn what is held."""
        self._begin(prepared, None)

    def _begin(self, prepared: Prepared, loaded: Loaded | None) -> None:
        """Go on with an instrument that the audio process plays (or is about to, at the very start)."""
        self.archive, self.path = prepared.archive, prepared.path
        self._description = prepared.description
        manifest = prepared.archive.manifest
        self._spectrum = Spectrum(manifest.sample_rate)
        if loaded is None:
            self.clips.start(prepared.archive, prepared.map)
        else:
            self.clips.adopt(prepared.archive, prepared.map, loaded)
        self.performance.adopt(manifest)
        self.editor.adopt(prepared.archive, prepared.presets)
        self.editor.replace_patch(_fitting(self.editor.patch, self.clips.playable()))
        self._changed()

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
        """Carry out what a hand says. Never raises for a message that `message_parser.parse` made."""
        try:
            self._perform(hand, message)
        except NeurorackError as error:
            self.tell(str(error))
        except Exception:
            log.exception("%r failed", message)
            self.tell("That did not work: an error inside Neurorack, please report it.")

    def _perform(self, hand: int, message: m.Message) -> None:
        if self.performance.apply(hand, message) or self._edit(message):
            self._changed()
            return
        match message:
            case m.PresetSave(name):
                self._start(self._save_preset(name))
            case m.PresetDelete(name):
                self._start(self._delete_preset(name))
            case m.Keep(seconds):
                self._start(self._keep(seconds))
            case m.RenameClip(clip, name):
                self._start(self.clips.rename(clip, name))
            case m.DeleteClip(clip):
                self._start(self.clips.delete(clip, self._play_clips))
            case m.Record(on):
                self._start(self._set_recording(on))
            case m.Learn(target):
                self.midi_map.arm(target)
                self._mark()
            case m.Unlearn(target):
                self.midi_map.forget(target)
                self._mark()
            case m.SetInstrument(name):
                self._start(self._set_instrument(name))

    def _edit(self, message: m.Message) -> bool:
        """What changes the patch; True if it did."""
        editor, now_s = self.editor, time.monotonic()
        match message:
            case m.Undo():
                return editor.undo()
            case m.Redo():
                return editor.redo()
            case m.Tap():
                return editor.tap(now_s)
            case m.PresetLoad(name, seconds):
                changed = editor.load(name, seconds, now_s)
                if "pitch" in editor.presets.get(name).patch.asked:
                    self.performance.knob_takes_pitch()
                return changed
            case m.PresetMorph():
                return editor.morph(message)
            case m.Randomise(distance):
                editor.randomise(distance, self.clips.playable())
                return True
        self.display.touch(message, self.archive.manifest, now_s)
        if isinstance(message, m.SetControl) and message.name == "pitch":
            self.performance.knob_takes_pitch()
        return editor.change(message)

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
            "display": self.display.present()["bits"],
            "status": asdict(self.supervisor.status)
            | {"instrument": self.archive.manifest.name, "note": self.note},
        }

    def instrument(self) -> dict[str, Any]:
        """The instrument as panels are told of it."""
        return self._description

    def state(self) -> dict[str, Any]:
        """The performance as panels show it."""
        return {
            **self.editor.patch.as_dict(),
            **self.performance.as_dict(),
            **self.editor.as_dict(),
            "recording": self.recorder.as_dict(),
            "learn": self.midi_map.armed,
            "learned": self.midi_map.learned(),
        }

    def library(self) -> dict[str, Any]:
        """Clips, presets, tunings and takes there are."""
        return {
            "clips": self.clips.rows(),
            "presets": self.editor.presets.rows(),
            "tunings": self._tunings,
            "takes": self._takes,
        }

    def telemetry(self) -> dict[str, Any]:
        """The last measurements told; empty before the first."""
        return self._told_telemetry

    @property
    def note(self) -> str:
        """What the performer should know about the sound's way."""
        return self.supervisor.note or self.supervisor.status.note

    def _emit(self, kind: str, data: dict[str, Any]) -> None:
        for subscriber in list(self._subscribers):
            subscriber(kind, data)

    def _changed(self) -> None:
        """What is set or held changed: the sound learns it now, panels at the next tick."""
        patch = self.performance.patch = self.editor.patch
        if patch.tuning != self._tuning:
            self._tuning = patch.tuning
            self._retune(patch.tuning)
        self.performance.frame(self.clips.place_of).write_to(self._record)
        self.bridge.frame.write(self._record)
        self._mark()

    def _mark(self) -> None:
        """Something that only panels show changed."""
        self._state_changed = True

    def _library_changes(self) -> None:
        self._library_changed = True

    def _retune(self, name: str) -> None:
        try:
            tuning = load_tuning(name)
        except NeurorackError as error:
            tuning = None
            self.tell(str(error))
        self.performance.retune(midi_to_hz if tuning is None else tuning.f0_hz)

    def _send(self, event: Event) -> None:
        self.bridge.events.write(event_to_record(event))

    # The loop

    async def run(self) -> None:
        """Keep everything going, 60 times a second, until cancelled."""
        polled, ticks = 0.0, 0
        self._start(self._begin_clips())
        self._start(self._salvage())
        for fault in self.editor.presets.faults:
            self.tell(fault, "warn")
        try:
            while True:
                started = time.monotonic()
                if started - polled >= POLL_S:
                    polled = started
                    await self._poll()
                ticks += 1
                self._tick(started, ticks)
                await asyncio.sleep(max(0.002, TICK_S - (time.monotonic() - started)))
        finally:
            for task in list(self._tasks):
                task.cancel()
            self.recorder.stop()
            self.clips.close()

    def _tick(self, now_s: float, ticks: int) -> None:
        if self.editor.tick(now_s):
            self._changed()
        if self._state_changed:
            self._state_changed = False
            self._emit("state", {"state": self.state()})
        if self._library_changed:
            self._library_changed = False
            self._emit("library", self.library())
        if ticks % TELEMETRY_TICKS == 0:
            self._tell_telemetry()
        if ticks % DISPLAY_TICKS == 0 and self._subscribers:
            picture = self.display.message(
                self.state(), self._told_telemetry or None, self._description, now_s
            )
            if picture is not None:
                self._emit("display", picture)

    def _tell_telemetry(self) -> None:
        record, heard = self.bridge.telemetry.read(), self.bridge.measured.read()
        if heard is not None:
            self._measured = Measured.read_from(heard)
        if record is None:
            return
        ring = self.bridge.output
        newest = ring.copy(max(0, ring.written - WINDOW), WINDOW)
        status = status_dict(self.supervisor.status, self.supervisor.running, self.supervisor.restarts)
        self._told_telemetry = telemetry_dict(Telemetry.read_from(record), self._measured) | {
            "spectrum": self._spectrum.levels_db(newest.mean(axis=0)),
            "levels_db": side_levels_db(newest[:, -METER:]),
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
        if self.recorder.running:
            self._recorded = True
            self._mark()  # the time goes on
        elif self._recorded:  # it may have ended by itself: a full disk
            self._recorded = False
            await self._look_at_takes()
            self._mark()

    def _start(self, work: Coroutine[Any, Any, Any]) -> None:
        """Let slow work go on beside the loop; what it complains about is told."""

        async def guarded() -> None:
            try:
                await work
            except NeurorackError as error:
                self.tell(str(error))
            except OSError as error:
                self.tell(f"A file could not be written ({error.strerror}): free some space.")
            except Exception:
                log.exception("a task failed")
                self.tell("That did not work: an error inside Neurorack, please report it.")

        task = asyncio.get_running_loop().create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Slow work

    async def _save_preset(self, name: str) -> None:
        patch = self.editor.patch
        await asyncio.to_thread(self.editor.presets.save, name, patch)
        self.editor.saved(name.strip())
        self._library_changes()
        self._mark()

    async def _delete_preset(self, name: str) -> None:
        await asyncio.to_thread(self.editor.presets.delete, name)
        self._library_changes()
        self._mark()

    async def _keep(self, seconds: float) -> None:
        manifest = self.archive.manifest
        size = manifest.latent_size + len(manifest.controls)
        got = await asyncio.to_thread(capture, self.bridge, size, manifest.sample_rate, manifest.hop, seconds)
        title = time.strftime("Kept %H.%M.%S")
        await self.clips.add_played(got.rows, got.audio, title, self._play_clips)
        length_s = len(got.audio) / manifest.sample_rate
        self.display.kept(length_s, title, time.monotonic())
        self.tell(f"Kept {length_s:.1f} s as the clip {title}.", "info")

    async def add_sound(self, path: Path, title: str) -> str:
        """A sound file becomes a clip; its id. NeurorackError says what is wrong with it."""
        return await self.clips.add_file(path, title, self._play_clips)

    def refresh_tunings(self) -> None:
        """A tuning was added."""
        self._tunings = tunings()
        self._library_changes()

    async def refresh_instruments(self) -> None:
        """An instrument was added."""
        await asyncio.to_thread(self.catalogue.refresh)
        self._emit("hello", self.hello())

    async def _set_recording(self, on: bool) -> None:
        if on:
            await self.recorder.start(self.supervisor, self.archive)
        else:
            await asyncio.to_thread(self.recorder.stop)
            await self._look_at_takes()
        self._mark()

    async def _look_at_takes(self) -> None:
        self._takes = await asyncio.to_thread(takes, self.home / "takes")
        self._library_changes()

    async def _salvage(self) -> None:
        """Complete the recordings that a crash cut off."""
        for name in await asyncio.to_thread(salvage, self.home / "takes"):
            self.tell(f"The recording {name} was cut off by a crash: what there was of it is kept.", "warn")
        await self._look_at_takes()

    # Instruments and clips

    async def _begin_clips(self) -> None:
        """The player's own sounds join the instrument's clips."""
        loaded = await asyncio.to_thread(self.clips.load, self.archive)
        await self._take_clips(loaded)

    async def _take_clips(self, loaded: Loaded) -> None:
        for fault in loaded.faults:
            self.tell(fault, "warn")
        if loaded.path and not await self._play_clips(loaded.path):
            raise NeurorackError(self.supervisor.status.error or "Your own clips did not load in time.")
        self.clips.take(loaded)
        self._changed()
        self._start(self.clips.encode_missing(self._play_clips))

    async def _play_clips(self, path: str) -> bool:
        return await self._carried_out(self.supervisor.command(clips=path))

    async def _set_instrument(self, name: str) -> None:
        if self._loading.locked():
            return
        async with self._loading:
            await asyncio.to_thread(self.catalogue.refresh)
            path = self.catalogue.path(name)
            if path is None:
                raise NeurorackError(f"There is no instrument {name} any more: choose another.")
            archive = await asyncio.to_thread(read_nrk, path)
            prepared = await asyncio.to_thread(Prepared.of, archive, path, self.home)
            loaded = await asyncio.to_thread(self.clips.load, archive)
            another_rate = archive.manifest.sample_rate != self.archive.manifest.sample_rate
            if self.recorder.running:  # a take is of one instrument
                await asyncio.to_thread(self.recorder.stop)
                self.tell("The recording has ended: another instrument begins.", "info")
            number = self.supervisor.command(str(path), clips=loaded.path)
            if another_rate:  # the device must be opened anew
                await asyncio.to_thread(self.supervisor.restart)
                self._silent = True
            if not await self._carried_out(number):
                raise NeurorackError(self.supervisor.status.error or f"{name} did not load in time.")
            self._begin(prepared, loaded)
            self._emit("hello", self.hello())
            for fault in (*prepared.presets.faults, *loaded.faults):
                self.tell(fault, "warn")
        self._start(self.clips.encode_missing(self._play_clips))

    async def _carried_out(self, number: int) -> bool:
        """Wait until the audio process carried a command out; False if it refused or takes too long."""
        until = time.monotonic() + CARRIED_OUT_S
        while time.monotonic() < until:
            if self.supervisor.status.command >= number:
                return not self.supervisor.status.error
            await asyncio.sleep(0.03)
        return False


def _fitting(patch: Patch, clips: list[str]) -> Patch:
    """The patch on an instrument with these clips: what it lacks is let go."""

    def there(clip: str) -> str:
        return clip if clip in clips else (clips[0] if clips else "")

    source = "hold" if patch.source == "clip" and not clips else patch.source
    morph = patch.morph_clip if patch.morph_clip in clips else ""
    return replace(patch, source=source, clip=there(patch.clip), other=there(patch.other), morph_clip=morph)
