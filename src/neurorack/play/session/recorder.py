"""Recorder: the sound and every gesture to disk, on a thread of its own, while everything goes on.

NAME.wav grows as it sounds and is whole at every moment. What the sound was rendered from grows beside it in
a folder .NAME.part, out of which `stop` makes NAME.nrt (see take); a folder that a crash left behind is made
into one at the next start. A full disk ends the recording, never the sound.
"""

import asyncio
import contextlib
import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.files import DISK_FULL, atomic_write, write_fault
from neurorack.core.nrk import Archive
from neurorack.core.strict_json import Field, parse
from neurorack.core.version import __version__
from neurorack.play.audio.clip_file import read_clips
from neurorack.play.audio.supervisor import Supervisor
from neurorack.play.control.bridge import JOURNAL_DTYPE, OUTPUT_CHANNELS, Bridge
from neurorack.play.control.record_ring import RecordReader
from neurorack.play.control.ring import RingReader
from neurorack.play.engine.events import EVENT_DTYPE
from neurorack.play.engine.frame import FRAME_DTYPE
from neurorack.play.session.clips import encoding_key, priors_key
from neurorack.play.session.take import Take, take_header, write_take
from neurorack.play.session.wav import WavFile, complete_wav

PERIOD_S = 0.05
HEADER_EVERY_S = 1.0
SNAPSHOT_S = 5.0
CHUNK = 1 << 15
ABANDONED_S = 10.0
"""A recording whose files have not grown for so long is nobody's any more."""


def takes(folder: Path) -> list[dict[str, Any]]:
    """name and seconds of every recording, newest first."""
    import soundfile

    found = []
    for path in sorted(folder.glob("*.wav"), reverse=True):
        with contextlib.suppress(soundfile.LibsndfileError, OSError):
            found.append({"name": path.stem, "seconds": round(soundfile.info(path).duration, 2)})
    return found


class Recorder:
    """At most one recording at a time. `tell(text, level)` may be called from the recording's thread."""

    def __init__(self, bridge: Bridge, folder: Path, tell: Callable[[str, str], None]) -> None:
        self._bridge = bridge
        self._folder = folder
        self._tell = tell
        self._recording: _Recording | None = None

    @property
    def running(self) -> bool:
        """Whether it records."""
        return self._recording is not None and self._recording.running

    def as_dict(self) -> dict[str, Any] | None:
        """seconds and name of the running recording, None when there is none."""
        recording = self._recording
        if recording is None or not recording.running:
            return None
        return {"seconds": round(recording.seconds, 1), "name": recording.name}

    async def start(self, supervisor: Supervisor, archive: Archive) -> None:
        """Begin, at a block boundary that the audio process names. Nothing happens when it records already.

        Raises NeurorackError when nothing sounds or nothing can be written.
        """
        if self.running:
            return
        loop = asyncio.get_running_loop()

        def tell(text: str, level: str) -> None:
            loop.call_soon_threadsafe(self._tell, text, level)

        recording = await asyncio.to_thread(_Recording, self._bridge, self._folder, supervisor, archive, tell)
        self._recording = recording
        try:
            await recording.begin()
        except BaseException:
            self._recording = None
            await asyncio.to_thread(recording.abandon)
            raise

    def stop(self) -> None:
        """End the recording, if there is one, and complete its files."""
        recording = self._recording
        if recording is not None:
            recording.stop()
            if self._recording is recording:
                self._recording = None


class _Recording:
    """One recording. Its readers stand in the rings from before the snapshot on: nothing is missed."""

    def __init__(
        self,
        bridge: Bridge,
        folder: Path,
        supervisor: Supervisor,
        archive: Archive,
        tell: Callable[[str, str], None],
    ) -> None:
        self._bridge, self._supervisor, self._tell = bridge, supervisor, tell
        self._manifest = archive.manifest
        self._restarts = supervisor.restarts
        self.name = _free_name(folder)
        self.seconds = 0.0
        self._wav_path = folder / f"{self.name}.wav"
        self._take_path = folder / f"{self.name}.nrt"
        self._part = folder / f".{self.name}.part"
        try:
            self._part.mkdir(parents=True)
            self._wav = WavFile(self._wav_path, self._manifest.sample_rate, OUTPUT_CHANNELS)
        except OSError as error:
            if not isinstance(error, FileExistsError):  # else they are another player's
                self._leave_nothing()
            raise NeurorackError(write_fault("A recording", folder, error)) from error
        self._output = RingReader(bridge.output)
        self._heard = RingReader(bridge.heard)
        self._readers = {
            "journal": RecordReader(bridge.journal),
            "frames": RecordReader(bridge.frames_used),
            "events": RecordReader(bridge.events_used),
        }
        self._base = {name: reader.position for name, reader in self._readers.items()}
        self._base["heard"] = self._heard.position
        self._streams: dict[str, Any] = {}
        self._head: dict[str, Any] = {}
        self._gestures = True
        """Whether the gestures so far are complete: they end when the audio process has to be restarted."""
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        return self._thread is None or self._thread.is_alive()

    async def begin(self) -> None:
        """Order the engine's state; record from the first sample after it on."""
        path = self._part / "state.npz"
        number = self._supervisor.command(snapshot=str(path))
        until = time.monotonic() + SNAPSHOT_S
        while self._supervisor.status.snapshot < number:
            if time.monotonic() > until:
                raise NeurorackError("The recording cannot begin: nothing sounds. Look at the status.")
            await asyncio.sleep(0.02)
        status = self._supervisor.status
        if status.snapshot_sample < 0:
            raise NeurorackError(status.error or "The recording cannot begin: its state was not written.")
        self._start_sample = status.snapshot_sample
        await asyncio.to_thread(self._prepare, status.clips)
        self._thread = threading.Thread(target=self._run, name="recorder", daemon=True)
        self._thread.start()

    def _prepare(self, clips: str) -> None:
        if clips:
            shutil.copyfile(clips, self._part / "clips.npz")
        self._head = {
            "neurorack_part": 1,
            "instrument": self._manifest.name,
            "encoding": encoding_key(self._manifest),
            "priors": priors_key(self._manifest),
            "version": __version__,
            "sample_rate": self._manifest.sample_rate,
            "rows": self._manifest.latent_size + len(self._manifest.controls),
            "start": self._start_sample,
            "base": self._base,
            "changed": False,
        }
        self._playing = (self._supervisor.status.instrument, clips)
        self._write_head()
        for name in (*self._readers, "heard"):
            self._streams[name] = (self._part / f"{name}.bin").open("wb", buffering=0)
        self._output.position = self._start_sample

    def _write_head(self) -> None:
        with atomic_write(self._part / "part.json") as file:
            file.write(json.dumps(self._head).encode())

    def _run(self) -> None:
        header_at = time.monotonic()
        while True:
            last = self._stopping.wait(PERIOD_S)
            try:
                self._move()
                if time.monotonic() - header_at > HEADER_EVERY_S:
                    header_at = time.monotonic()
                    self._wav.update()
                if self._wav.full:
                    self._tell("The recording has reached the length a WAV can have and ends.", "warn")
                    last = True
            except OSError as error:
                why = "the disk is full" if error.errno in DISK_FULL else error.strerror
                self._tell(f"The recording ends, because {why}: what was recorded is kept.", "error")
                last = True
            if last:
                break
        self._complete()

    def _move(self) -> None:
        """Everything new from the rings to the files; the sound first."""
        skipped = self._output.skipped
        while count := min(self._output.available(), CHUNK):
            audio = self._output.read(count)
            lost = self._output.skipped - skipped
            if lost:  # silence stands for what was missed, so that the rest keeps its place
                skipped = self._output.skipped
                self._gestures = False
                self._wav.write(np.zeros((OUTPUT_CHANNELS, lost), np.float32))
            if audio is not None:
                self._wav.write(audio)
        self.seconds = self._wav.samples / self._manifest.sample_rate
        if self._supervisor.restarts != self._restarts:
            self._gestures = False
        if not self._gestures:
            return
        status = self._supervisor.status
        if not self._head["changed"] and (status.instrument, status.clips) != self._playing:
            self._head["changed"] = True
            self._write_head()
            self._tell(
                "The clips changed during the recording: its sound is kept, but may not come out again from "
                "its gestures.",
                "info",
            )
        while count := min(self._heard.available(), CHUNK):
            heard = self._heard.read(count)
            if heard is not None:
                _append(self._streams["heard"], heard.tobytes())
        # Frames and events before the journal's entries that name them.
        for name in ("frames", "events", "journal"):
            records = self._readers[name].read()
            if records is not None:
                _append(self._streams[name], records.tobytes())
        if self._heard.skipped or any(reader.lost for reader in self._readers.values()):
            self._gestures = False

    def stop(self) -> None:
        """End, and wait until the files are complete."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(30.0)

    def abandon(self) -> None:
        """It never began: leave nothing behind."""
        with contextlib.suppress(OSError):
            self._wav.close()
        self._leave_nothing()

    def _leave_nothing(self) -> None:
        with contextlib.suppress(OSError):
            self._wav_path.unlink(missing_ok=True)
        shutil.rmtree(self._part, ignore_errors=True)

    def _complete(self) -> None:
        try:
            self._wav.close()
        except OSError:
            pass  # the header of the last second stands
        for stream in self._streams.values():
            with contextlib.suppress(OSError):
                stream.close()
        try:
            finish(self._part, self._take_path)
        except (OSError, NeurorackError) as error:
            reason = getattr(error, "strerror", None) or error
            self._tell(f"The gestures of {self.name} were not kept ({reason}); its sound was.", "warn")


def finish(part: Path, path: Path) -> None:
    """Make the .nrt out of the folder that a recording, or a crash, left; then remove the folder."""
    head = Field(parse((part / "part.json").read_bytes()))
    head.get("neurorack_part").integer(1, 1)
    base = {name: item.integer(0, 2**62) for name, item in head.get("base").members()}
    journal = _records(part / "journal.bin", JOURNAL_DTYPE)
    before = journal[journal["start"] < head.get("start").integer(0, 2**62)]
    journal = journal[len(before) :]
    skip = {n: int(before[n][-1]) - base[n] if len(before) else 0 for n in ("events", "heard")}
    frames, events = _records(part / "frames.bin", FRAME_DTYPE), _records(part / "events.bin", EVENT_DTYPE)
    heard = _records(part / "heard.bin", np.dtype(np.float32))
    blocks = np.stack(
        [
            journal["samples"].astype(np.int64),
            journal["frame"] - base["frames"],
            journal["events"] - base["events"],
            journal["heard"] - base["heard"],
        ],
        axis=1,
    )
    # A crash may have cut any stream: keep the blocks for which everything is there.
    whole = (blocks[:, 1] <= len(frames)) & (blocks[:, 2] <= len(events)) & (blocks[:, 3] <= len(heard))
    blocks = blocks[: int(np.argmin(whole))] if not whole.all() else blocks
    if not len(blocks):
        shutil.rmtree(part, ignore_errors=True)
        raise NeurorackError("nothing was played")
    with np.load(part / "state.npz", allow_pickle=False) as file:
        state = {name: file[name] for name in file.files}
    rows = head.get("rows").integer(1, 10_000)
    clips = read_clips(str(part / "clips.npz"), rows) if (part / "clips.npz").exists() else None
    # What happened between the readers' beginning and the first block belongs to nobody.
    events, heard = events[skip["events"] :], heard[skip["heard"] :]
    blocks[:, 2] -= skip["events"]
    blocks[:, 3] -= skip["heard"]
    take = Take(
        **take_header(head),
        blocks=blocks,
        frames=frames,
        events=events,
        heard=heard,
        state=state,
        clips=clips,
    )
    try:
        write_take(path, take)
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        # The disk is full of the very streams that the take is made of, and these are all in memory now.
        shutil.rmtree(part, ignore_errors=True)
        write_take(path, take)
    shutil.rmtree(part, ignore_errors=True)


def salvage(folder: Path) -> list[str]:
    """Complete what a crash left of recordings; their names."""
    saved = []
    for part in folder.glob(".*.part"):
        name = part.name[1 : -len(".part")]
        try:
            if time.time() - (part / "journal.bin").stat().st_mtime < ABANDONED_S:
                continue  # another player records it at this moment
            complete_wav(folder / f"{name}.wav")
            finish(part, folder / f"{name}.nrt")
            saved.append(name)
        except (OSError, ValueError, NeurorackError):
            shutil.rmtree(part, ignore_errors=True)
    return saved


def _append(stream: IO[bytes], data: bytes) -> None:
    """All of it: where the disk ends, the system writes what fits and complains only at the next attempt."""
    left = memoryview(data)
    while left:
        left = left[stream.write(left) or 0 :]


def _records(path: Path, dtype: np.dtype) -> np.ndarray:
    data = path.read_bytes()
    return np.frombuffer(data[: len(data) // dtype.itemsize * dtype.itemsize], dtype)


def _free_name(folder: Path) -> str:
    """A name after the time, that no recording has."""
    name = stem = time.strftime("%Y-%m-%d %H.%M.%S")
    count = 1
    while (folder / f"{name}.wav").exists() or (folder / f".{name}.part").exists():
        count += 1
        name = f"{stem} {count}"
    return name
