"""Material: sounds gathered for instruments of the player's own, on disk.

A set is one instrument to be: ID.json (its title, and how it is made), the folder ID of its sounds, and, once
it is being made, ID.work, where `neurorack new` keeps what it has so far. Nothing of it leaves the machine.
"""

import contextlib
import json
import os
import shutil
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.expect import of_material
from neurorack.core.files import UNDER_WAY, atomic_write
from neurorack.core.strict_json import Field, parse
from neurorack.play.control.messages import LEAST_MINUTES, MAX_NAME, MOST_MINUTES
from neurorack.play.session.presets import slug

LONGEST_S = 36_000.0
"""Of a set: what ten hours take to train on is in docs/training.md."""
SHORTEST_S = 0.05
SILENT_PEAK = 0.001
MOST_SOUNDS, MOST_SETS = 1000, 100
ROOM_BYTES = 500 * 2**20
"""Free space that is left alone."""
BLOCK = 2**18
SUFFIXES = {"WAVEX": "wav", "MPEG": "mp3"}
UNFIT = set('/\\:*?"<>|')
DEFAULT_MINUTES = 30.0


@dataclass(frozen=True)
class Sound:
    """A sound file of a set."""

    name: str
    seconds: float


@dataclass(frozen=True)
class MaterialSet:
    """One set. `output`: the instrument's file name without .nrk, "" before it was ever to be made.

    begun: its training has begun, so that more sounds come too late. made: the instrument is there.
    """

    id: str
    title: str
    made_ns: int
    minutes: float = DEFAULT_MINUTES
    output: str = ""
    sounds: tuple[Sound, ...] = ()
    begun: bool = False
    made: bool = False

    @property
    def seconds(self) -> float:
        """Of all its sounds."""
        return sum(sound.seconds for sound in self.sounds)

    def as_dict(self) -> dict[str, Any]:
        """What a panel shows of it."""
        return {
            "id": self.id,
            "title": self.title,
            "minutes": self.minutes,
            "instrument": self.output if self.made else "",
            "sounds": [{"name": sound.name, "seconds": round(sound.seconds, 2)} for sound in self.sounds],
            "seconds": round(self.seconds, 2),
            "expect": of_material(self.seconds, len(self.sounds)) if self.sounds else "",
            "begun": self.begun,
        }


def checked_sound(path: Path) -> tuple[float, str]:
    """Seconds of a sound file and the suffix it should have; decodes all of it.

    NeurorackError, one sentence, for what is no sound, is cut off, silent, too short, or holds NaN.
    """
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            rate, kind, promised, count, peak = file.samplerate, file.format, file.frames, 0, 0.0
            if not 1000 <= rate <= 768_000 or not 1 <= file.channels <= 64:
                raise NeurorackError("it has an unusual rate or channel count: give 1 to 64 channels")
            for block in file.blocks(BLOCK, dtype="float32", always_2d=True):
                if not np.isfinite(block).all():
                    raise NeurorackError("it holds NaN or infinity: repair it in a sound editor")
                count += len(block)
                peak = max(peak, float(np.abs(block).max(initial=0.0)))
                if count > LONGEST_S * rate:
                    raise NeurorackError("it is longer than ten hours: cut it")
    except (soundfile.LibsndfileError, OSError, TypeError, ValueError) as error:
        raise NeurorackError(
            "it is not a sound file that can be read: give WAV, FLAC, AIFF, OGG or MP3"
        ) from error
    if kind == "FLAC" and count < promised:
        raise NeurorackError("it is cut off: copy it again")
    if count < SHORTEST_S * rate:
        raise NeurorackError(f"it is shorter than {SHORTEST_S:g} s: give a longer one")
    if peak < SILENT_PEAK:
        raise NeurorackError("it is silent (no peak above -60 dBFS): see where it was recorded from")
    return count / rate, SUFFIXES.get(kind, kind.lower())


class Material:
    """The sets in `folder`. Methods may be called on a worker thread, one at a time.

    instruments: the folder that instruments are made into.
    """

    def __init__(self, folder: Path, instruments: Path) -> None:
        self.folder, self.instruments = folder, instruments
        self._lengths: dict[tuple[str, int, int], float] = {}

    def sounds_folder(self, identity: str) -> Path:
        """Where a set's sounds are."""
        return self.folder / identity

    def work(self, identity: str) -> Path:
        """Where `neurorack new` works on a set."""
        return self.folder / f"{identity}.work"

    def all(self) -> tuple[list[MaterialSet], list[str]]:
        """Every set, the oldest first, and a sentence for each that cannot be read."""
        sets, faults = [], []
        for path in sorted(self.folder.glob("*.json"))[:MOST_SETS]:
            try:
                sets.append(self._read(path))
            except (OSError, NeurorackError) as error:
                faults.append(f"The sounds {path.with_suffix('')} are left out: {error}.")
        return sorted(sets, key=lambda one: one.made_ns), faults

    def sweep(self) -> None:
        """Remove what a crash left of files that were on their way."""
        for path in self.folder.glob(f"{UNDER_WAY}*"):
            with contextlib.suppress(OSError):
                path.unlink()

    def _read(self, path: Path) -> MaterialSet:
        if path.stat().st_size > 2**16:
            raise NeurorackError("the .json beside them is too large")
        meta = Field(parse(path.read_bytes()))
        meta.get("version").integer(1, 1)
        output = meta.get("output").matching(r"[a-z0-9][a-z0-9\-]{0,99}|", "a file's name")
        return MaterialSet(
            id=path.stem,
            title=meta.get("title").text(1, MAX_NAME),
            made_ns=meta.get("made_ns").integer(0, 2**62),
            minutes=meta.get("minutes").number(LEAST_MINUTES, MOST_MINUTES),
            output=output,
            sounds=self._sounds(self.sounds_folder(path.stem)),
            begun=(self.work(path.stem) / "run").exists(),
            made=bool(output) and (self.instruments / f"{output}.nrk").exists(),
        )

    def _sounds(self, folder: Path) -> tuple[Sound, ...]:
        found = []
        with contextlib.suppress(FileNotFoundError):
            for entry in os.scandir(folder):
                if entry.is_file() and not entry.name.startswith("."):
                    facts = entry.stat()
                    seconds = self._length((entry.path, facts.st_size, facts.st_mtime_ns))
                    found.append((facts.st_mtime_ns, Sound(entry.name, seconds)))
        return tuple(sound for _, sound in sorted(found, key=lambda pair: (pair[0], pair[1].name)))

    def _length(self, key: tuple[str, int, int]) -> float:
        """Seconds of a file that was checked when it came, by its header."""
        import soundfile

        if key not in self._lengths:
            try:
                self._lengths[key] = soundfile.info(key[0]).duration
            except (soundfile.LibsndfileError, OSError, RuntimeError):
                self._lengths[key] = 0.0
        return self._lengths[key]

    def add(self, into: MaterialSet | None, title: str, name: str, path: Path) -> str:
        """Move the file at `path`, called `name` so far, into a set; None: a new one called `title`.

        The set's id. NeurorackError says what is wrong with the file, or that there is no room.
        """
        shown = plain_name(name) or "That file"
        if into is not None and into.begun:
            raise NeurorackError(f"{into.title} has begun to learn: {shown} comes too late, begin another.")
        if into is not None and len(into.sounds) >= MOST_SOUNDS:
            raise NeurorackError(f"{into.title} has {MOST_SOUNDS} sounds already: join some of them.")
        if shutil.disk_usage(path.parent).free < ROOM_BYTES:
            raise NeurorackError("The disk is nearly full: free some space before you gather more.")
        try:
            seconds, suffix = checked_sound(path)
        except NeurorackError as error:
            raise NeurorackError(f"{shown} is not taken: {error}.") from error
        if into is not None and into.seconds + seconds > LONGEST_S:
            raise NeurorackError(f"With {shown} there would be more than ten hours: delete something first.")
        one = into or self._new(title)
        folder = self.sounds_folder(one.id)
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("r+b") as file:
            os.fsync(file.fileno())
        taken = {sound.name.casefold() for sound in one.sounds}
        os.replace(path, folder / _free_name(plain_name(name) or "Sound", suffix, taken))
        if into is None:
            self.write(one)
        return one.id

    def _new(self, title: str) -> MaterialSet:
        if len(list(self.folder.glob("*.json"))) >= MOST_SETS:
            raise NeurorackError(f"There are {MOST_SETS} sets of sounds: delete one that you have done with.")
        title, now_ns = plain_name(title) or "My instrument", time.time_ns()
        return MaterialSet(slug(f"{title} {now_ns}"), title, now_ns)

    def write(self, one: MaterialSet) -> None:
        """Keep what is known of a set beside its sounds."""
        data = {
            "version": 1,
            "title": one.title,
            "made_ns": one.made_ns,
            "minutes": one.minutes,
            "output": one.output,
        }
        with atomic_write(self.folder / f"{one.id}.json", "w") as file:
            json.dump(data, file, ensure_ascii=False)

    def destined(self, one: MaterialSet, minutes: float, taken: set[str]) -> MaterialSet:
        """The set as it is to be made: what its instrument is called is settled now, for `new` to go on under
        the same name. `taken`: names of instruments, lower case.
        """
        if not one.begun:
            one = replace(one, minutes=minutes)
        if not one.output:
            free = (name for name in _counted(file_stem(one.title)) if name not in taken)
            one = replace(one, output=next(free))
        self.write(one)
        return one

    def begin_afresh(self, one: MaterialSet) -> None:
        """After a failure: a training that has learned nothing is forgotten, so that the set may change."""
        run = self.work(one.id) / "run"
        if not (run / "checkpoint.safetensors").exists():
            shutil.rmtree(run, ignore_errors=True)

    def delete(self, one: MaterialSet, name: str) -> None:
        """Delete one sound, or ("") the set. An instrument that was made of it stays."""
        if name:
            if any(sound.name == name for sound in one.sounds):
                (self.sounds_folder(one.id) / name).unlink(missing_ok=True)
            if len(one.sounds) > 1 or one.begun:
                return
        (self.folder / f"{one.id}.json").unlink(missing_ok=True)
        shutil.rmtree(self.sounds_folder(one.id), ignore_errors=True)
        shutil.rmtree(self.work(one.id), ignore_errors=True)


def file_stem(title: str) -> str:
    """What the file of an instrument of that title is called, without .nrk."""
    plain = slug(title).rpartition("-")[0]
    return "mine" if plain == "x" else plain


def plain_name(text: str) -> str:
    """A name that every system takes for a file's, without dots at its ends; may be empty."""
    return "".join(c for c in text if c.isprintable() and c not in UNFIT).strip(" .")[: MAX_NAME - 12]


def _free_name(stem: str, suffix: str, taken: set[str]) -> str:
    names = (f"{name}.{suffix}" for name in _counted(stem, " "))
    return next(name for name in names if name.casefold() not in taken)


def _counted(stem: str, between: str = "-"):
    """stem, stem-2, stem-3 …"""
    yield stem
    for number in range(2, 100_000):
        yield f"{stem}{between}{number}"
