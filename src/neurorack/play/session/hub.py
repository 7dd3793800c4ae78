"""Hub: the one place where every message of every hand arrives, and from which all news go out.

It connects the performance (hands), the editor (patch, presets), the clips and the recordings with the
bridge: the frame and the events reach the sound at once, what panels show follows at the next tick. Slow
work (loading, encoding, files) becomes a task; nothing here waits for a disk on the event loop's thread.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.library import home_dir, user_dir
from neurorack.core.nrk import Archive
from neurorack.play.audio.supervisor import Supervisor
from neurorack.play.control import messages as m
from neurorack.play.control.bridge import EYES_DTYPE
from neurorack.play.control.midi.learn import MidiMap
from neurorack.play.control.tuning import load_tuning, tunings
from neurorack.play.engine.events import Event, Kind, event_to_record
from neurorack.play.engine.frame import FRAME_DTYPE
from neurorack.play.session.capture import capture
from neurorack.play.session.catalogue import Catalogue
from neurorack.play.session.clip_bank import ClipBank, Loaded
from neurorack.play.session.display import Display
from neurorack.play.session.editor import Editor
from neurorack.play.session.framing import Framing
from neurorack.play.session.gathering import Gathering
from neurorack.play.session.news import News, Subscriber
from neurorack.play.session.overview import Overview
from neurorack.play.session.performance import Performance, midi_to_hz
from neurorack.play.session.prepared import Prepared, fitting
from neurorack.play.session.readings import Readings
from neurorack.play.session.recordings import Recordings
from neurorack.play.session.tasks import Tasks
from neurorack.play.session.watch import Watch

TICK_S = 1 / 60
TELEMETRY_TICKS, DISPLAY_TICKS, DIARY_TICKS = 2, 5, 60
STATE_TICKS = 2
"""What is set is told this often at most, however fast hands change it: as often as telemetry."""
UNSEEN_TICKS = 15
"""While nobody looks, the sound is only looked at for the diary."""
POLL_S = 0.1

log = logging.getLogger(__name__)


class Hub:
    """All methods belong to the event loop's thread."""

    def __init__(self, supervisor: Supervisor, archive: Archive, path: Path) -> None:
        self.bridge = supervisor.bridge
        self.home = home_dir()
        self.catalogue = Catalogue(path, archive.manifest)
        self.midi_map = MidiMap.load()
        self._news = News()
        self._tasks = Tasks(self.tell)
        self.midi_map.on_change = self._news.state_changes
        self.inputs: dict[str, Any] = {"midi": [], "osc": 0}
        """Which MIDI ports are open, and the port of OSC (0: none): part of the status."""
        prepared = Prepared.of(archive, path, self.home)
        self.performance = Performance(archive.manifest, self._send)
        self.editor = Editor(archive, prepared.presets)
        self._watch = Watch(supervisor, self.performance.resend, self.tell)
        self.clips = ClipBank(self.home / "sounds", self._news.library_changes, self._watch.play_clips)
        self.recordings = Recordings(supervisor, self.home / "takes", self._news)
        self.gathering = Gathering(self.home / "material", user_dir(), self._news, self.refresh_instruments)
        self.display = Display()
        self.diary = prepared.diary
        self._readings = Readings(supervisor)
        self._overview = Overview(
            supervisor, self.catalogue, self.midi_map, self.performance, self.editor, self.clips,
            self.recordings, self.gathering, self.display, self.diary,
        )  # fmt: skip
        self._hands = 0
        self._record = np.zeros((), FRAME_DTYPE)
        self.framing = Framing(self._tell_frame)
        self._eyes = np.ones((), EYES_DTYPE)
        self._tuning = ""
        self._loading = asyncio.Lock()
        self._begin(prepared, None)

    def _begin(self, prepared: Prepared, loaded: Loaded | None) -> None:
        """Go on with an instrument that the audio process plays (or is about to, at the very start)."""
        self.archive = prepared.archive
        self._overview.instrument = prepared.description
        manifest = prepared.archive.manifest
        self._readings.adopt(manifest)
        self.diary = self._overview.diary = prepared.diary
        if loaded is None:
            self.clips.start(prepared.archive, prepared.map)
        else:
            self.clips.adopt(prepared.archive, prepared.map, loaded)
        self.performance.adopt(manifest)
        self.editor.adopt(prepared.archive, prepared.presets)
        self.editor.replace_patch(fitting(self.editor.patch, self.clips.playable()))
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
        if self.performance.apply(hand, message):
            if not isinstance(message, m.MOMENTARY):
                self._changed()
            return
        if self._edit(message):
            self._changed()
            return
        match message:
            case m.PresetSave(name):
                self._tasks.start(self._save_preset(name))
            case m.PresetDelete(name):
                self._tasks.start(self._delete_preset(name))
            case m.Keep(seconds):
                self._tasks.start(self._keep(seconds))
            case m.RenameClip(clip, name):
                self._tasks.start(self.clips.rename(clip, name))
            case m.DeleteClip(clip):
                self._tasks.start(self.clips.delete(clip))
            case m.Record(on):
                self._tasks.start(self.recordings.start(self.archive) if on else self.recordings.stop())
            case m.MaterialTitle() | m.MaterialDelete() | m.Make() | m.MakeStop():
                self._tasks.start(self.gathering.carry_out(message))
            case m.Learn(target):
                self.midi_map.arm(target)
                self._news.state_changes()
            case m.Unlearn(target):
                self.midi_map.forget(target)
                self._news.state_changes()
            case m.SetInstrument(name):
                self._tasks.start(self._set_instrument(name))

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
            case m.TakeMeThere():
                here = self.telemetry().get("map") or (0.5, 0.5)
                editor.travel((here[0], here[1]), self.diary.untouched(here), now_s)
                return True
            case m.Randomise(distance):
                editor.randomise(distance, self.clips.playable())
                return True
        self.display.touch(message, self.archive.manifest, now_s)
        if isinstance(message, m.SetControl) and message.name == "pitch":
            self.performance.knob_takes_pitch()
        return editor.change(message)

    # News

    def subscribe(
        self, subscriber: Subscriber, looks: Callable[[], bool] = lambda: True
    ) -> Callable[[], None]:
        """`subscriber(kind, data)` gets all news (hello, state, library, telemetry, display, notice) from
        now on; returns how to end that. looks: whether it has any use for telemetry and display now.
        """
        return self._news.subscribe(subscriber, looks)

    def tell(self, text: str, level: str = "error") -> None:
        """A sentence for the performer; level: info, warn, error."""
        self._news.tell(text, level)

    def hello(self) -> dict[str, Any]:
        """Everything a panel that arrives must know."""
        return self._overview.hello(self.note)

    def instrument(self) -> dict[str, Any]:
        """The instrument as panels are told of it."""
        return self._overview.instrument

    def state(self) -> dict[str, Any]:
        """The performance as panels show it."""
        return self._overview.state()

    def library(self) -> dict[str, Any]:
        """Clips, presets, tunings and takes there are."""
        return self._overview.library()

    def telemetry(self) -> dict[str, Any]:
        """The last measurements told; empty before the first."""
        return self._readings.told

    @property
    def note(self) -> str:
        """What the performer should know about the sound's way."""
        return self._watch.note

    def _changed(self) -> None:
        """What is set or held changed: the sound learns it now (see Framing), panels at the next tick."""
        patch = self.performance.patch = self.editor.patch
        if patch.tuning != self._tuning:
            self._tuning = patch.tuning
            self._retune(patch.tuning)
        self.framing.change()
        self._news.state_changes()

    def _tell_frame(self) -> None:
        self.performance.frame(self.clips.place_of).write_to(self._record)
        self.bridge.frame.write(self._record)

    def _retune(self, name: str) -> None:
        try:
            tuning = load_tuning(name)
        except NeurorackError as error:
            tuning = None
            self.tell(str(error))
        self.performance.retune(midi_to_hz if tuning is None else tuning.f0_hz)

    def _send(self, event: Event) -> None:
        if event.kind in (Kind.NOTE_ON, Kind.NOTE_OFF):
            self.framing.flush()  # what was set before counts for it
        self.bridge.events.write(event_to_record(event))

    # The loop

    async def run(self) -> None:
        """Keep everything going, 60 times a second, until cancelled."""
        polled, ticks = 0.0, 0
        self._tasks.start(self._begin_clips())
        self._tasks.start(self.recordings.salvage())
        self._tasks.start(self.gathering.begin())
        for fault in self.editor.presets.faults:
            self.tell(fault, "warn")
        try:
            while True:
                started = time.monotonic()
                if started - polled >= POLL_S:
                    polled = started
                    await self._watch.look()
                    await self.recordings.follow()
                ticks += 1
                self._tick(started, ticks)
                await asyncio.sleep(max(0.002, TICK_S - (time.monotonic() - started)))
        finally:
            self._tasks.cancel()
            self.gathering.close()
            self.recordings.close()
            self.clips.close()
            self.diary.save()

    def _tick(self, now_s: float, ticks: int) -> None:
        if self.editor.tick(now_s):
            self._changed()
        if ticks % STATE_TICKS == 0 and self._news.due("state"):
            self._news.emit("state", {"state": self.state()})
        if self._news.due("library"):
            self._news.emit("library", self.library())
        looked_at = self._news.looked_at
        if looked_at != bool(self._eyes["look"]):
            self._eyes["look"] = looked_at
            self.bridge.eyes.write(self._eyes)
        if ticks % (TELEMETRY_TICKS if looked_at else UNSEEN_TICKS) == 0:
            reading = self._readings.read(self.inputs)
            if reading is not None:
                self._news.emit("telemetry", reading)
                self.diary.look(reading, now_s)
        if ticks % DIARY_TICKS == 0:
            known = self.diary.news()
            if known is not None:
                self._news.emit("known", {"known": known})
            if self.diary.due(now_s):
                self._tasks.start(asyncio.to_thread(self.diary.save))
        if ticks % DISPLAY_TICKS == 0 and looked_at:
            picture = self.display.message(self.state(), self.telemetry() or None, self.instrument(), now_s)
            if picture is not None:
                self._news.emit("display", picture)

    # Slow work

    async def _save_preset(self, name: str) -> None:
        patch = self.editor.patch
        await asyncio.to_thread(self.editor.presets.save, name, patch)
        self.editor.saved(name.strip())
        self._news.library_changes()
        self._news.state_changes()

    async def _delete_preset(self, name: str) -> None:
        await asyncio.to_thread(self.editor.presets.delete, name)
        self._news.library_changes()
        self._news.state_changes()

    async def _keep(self, seconds: float) -> None:
        manifest = self.archive.manifest
        size = manifest.latent_size + len(manifest.controls)
        got = await asyncio.to_thread(capture, self.bridge, size, manifest.sample_rate, manifest.hop, seconds)
        title = time.strftime("Kept %H.%M.%S")
        await self.clips.add_played(got.rows, got.audio, title)
        length_s = len(got.audio) / manifest.sample_rate
        self.display.kept(length_s, title, time.monotonic())
        self.tell(f"Kept {length_s:.1f} s as the clip {title}.", "info")

    async def add_sound(self, path: Path, title: str) -> str:
        """A sound file becomes a clip; its id. NeurorackError says what is wrong with it."""
        return await self.clips.add_file(path, title)

    def refresh_tunings(self) -> None:
        """A tuning was added."""
        self._overview.tunings = tunings()
        self._news.library_changes()

    async def refresh_instruments(self) -> None:
        """An instrument was added."""
        await asyncio.to_thread(self.catalogue.refresh)
        self._news.emit("hello", self.hello())

    # Instruments and clips

    async def _begin_clips(self) -> None:
        """The player's own sounds join the instrument's clips."""
        loaded = await asyncio.to_thread(self.clips.load, self.archive)
        for fault in loaded.faults:
            self.tell(fault, "warn")
        if loaded.path and not await self._watch.play_clips(loaded.path):
            raise NeurorackError(self._watch.fault or "Your own clips did not load in time.")
        self.clips.take(loaded)
        self._changed()
        self._tasks.start(self.clips.encode_missing())

    async def _set_instrument(self, name: str) -> None:
        if self._loading.locked():
            return
        async with self._loading:
            prepared = await asyncio.to_thread(Prepared.named, name, self.catalogue, self.home)
            loaded = await asyncio.to_thread(self.clips.load, prepared.archive)
            await self.recordings.end_for_another_instrument()
            await asyncio.to_thread(self.diary.save)
            another_rate = prepared.archive.manifest.sample_rate != self.archive.manifest.sample_rate
            if not await self._watch.play_instrument(prepared.path, loaded.path, another_rate):
                raise NeurorackError(self._watch.fault or f"{name} did not load in time.")
            self._begin(prepared, loaded)
            self._news.emit("hello", self.hello())
            for fault in (*prepared.presets.faults, *loaded.faults):
                self.tell(fault, "warn")
        self._tasks.start(self.clips.encode_missing())
