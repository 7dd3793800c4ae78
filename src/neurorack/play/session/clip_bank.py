"""ClipBank: all clips there are for the instrument in use, in the order in which the engine holds them."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.npy import npz_bytes
from neurorack.core.nrk import Archive
from neurorack.play.engine.instrument import Instrument
from neurorack.play.engine.latent_map import LatentMap
from neurorack.play.session.clips import (
    MAX_OWN,
    TRACE_POINTS,
    Clip,
    SoundFolder,
    checked_rows,
    clip_dict,
    encode,
    instrument_clips,
    read_sound,
)

Play = Callable[[str], Awaitable[bool]]
"""Has the audio process play the clips in an .npz (path; "": the instrument's own); True once it does."""


@dataclass(frozen=True)
class Loaded:
    """Clips for one instrument, read on a worker thread. path: the .npz for the audio process, or ""."""

    clips: list[Clip]
    path: str
    faults: list[str]

    def ids(self) -> list[str]:
        """Ids of the clips that can play, in the engine's order."""
        return [clip.id for clip in self.clips if clip.rows is not None]


class ClipBank:
    """The clips of one instrument and the player's own, which lie in `folder`.

    `changed()` is called when there is something else to show. Methods belong to the event loop's thread.
    """

    def __init__(self, folder: Path, changed: Callable[[], None], play: Play) -> None:
        self._sounds = SoundFolder(folder)
        self._changed, self._play = changed, play
        self._runtime = tempfile.TemporaryDirectory(prefix="neurorack-")
        self._versions = 0
        self._clips: list[Clip] = []
        self._order: list[str] = []
        self._traces: dict[str, list[list[float]]] = {}
        self._busy = asyncio.Lock()

    def start(self, archive: Archive, map: LatentMap) -> None:
        """Begin with an instrument's own clips, as the engine does."""
        self._archive, self._map = archive, map
        self._set(instrument_clips(archive))
        self._order = self.playable()

    def load(self, archive: Archive) -> Loaded:
        """Everything for an instrument that is to be played next; on a worker thread."""
        own, faults = self._sounds.all(archive.manifest)
        clips = [*instrument_clips(archive), *own]
        return Loaded(clips, self._write(clips), faults)

    def adopt(self, archive: Archive, map: LatentMap, loaded: Loaded) -> None:
        """The audio process plays the instrument and what was loaded for it."""
        self._archive, self._map = archive, map
        self._set(loaded.clips)
        self._order = loaded.ids()

    def take(self, loaded: Loaded) -> None:
        """The audio process plays what was loaded for the instrument in use."""
        self.adopt(self._archive, self._map, loaded)

    def place_of(self, clip: str) -> int:
        """Place of a clip in the engine's clips, -1 if it does not play."""
        try:
            return self._order.index(clip)
        except ValueError:
            return -1

    def playable(self) -> list[str]:
        """Ids of the clips that can play."""
        return [clip.id for clip in self._clips if clip.rows is not None]

    def rows(self) -> list[dict[str, Any]]:
        """What panels show of the clips."""
        return [clip_dict(clip, self._trace(clip)) for clip in self._clips]

    async def encode_missing(self) -> None:
        """Encode own sounds that this instrument has not heard yet, in the background."""
        archive = self._archive
        waiting = [clip for clip in self._clips if clip.rows is None]
        if not waiting:
            return
        instrument = await asyncio.to_thread(Instrument, archive)
        for clip in waiting:
            try:
                done = await asyncio.to_thread(self._sounds.encoded, clip, instrument)
            except NeurorackError:
                continue  # it stays silent; dropping it again tells why
            if self._archive is not archive:
                return
            self._set([done if other.id == clip.id else other for other in self._clips])
        await self._tell()

    async def add_file(self, path: Path, title: str) -> str:
        """A sound file becomes a clip; its id. NeurorackError says what is wrong with it."""

        def work(archive: Archive) -> Clip:
            audio, rate = read_sound(path)
            rows = encode(Instrument(archive), audio, rate)
            return self._sounds.add(title, audio, rate, rows, archive.manifest)

        return await self._add(work)

    async def add_played(self, rows: np.ndarray, audio: np.ndarray, title: str) -> str:
        """What was just played becomes a clip; its id."""

        def work(archive: Archive) -> Clip:
            m = archive.manifest
            return self._sounds.add(title, audio, m.sample_rate, checked_rows(rows, m.latent_size), m)

        return await self._add(work)

    async def rename(self, identity: str, title: str) -> None:
        """Call an own clip another name."""
        clip = self._own(identity)
        renamed = await asyncio.to_thread(self._sounds.rename, clip, title)
        self._set([renamed if other.id == identity else other for other in self._clips])

    async def delete(self, identity: str) -> None:
        """Delete an own clip for good."""
        clip = self._own(identity)
        await asyncio.to_thread(self._sounds.delete, clip)
        self._set([other for other in self._clips if other.id != identity])
        await self._tell()

    def close(self) -> None:
        """Remove what was written for the audio process."""
        self._runtime.cleanup()

    async def _add(self, work: Callable[[Archive], Clip]) -> str:
        if sum(clip.own for clip in self._clips) >= MAX_OWN:
            raise NeurorackError(f"There are {MAX_OWN} sounds already: delete some.")
        archive = self._archive
        clip = await asyncio.to_thread(work, archive)
        if self._archive is archive:
            self._set([*self._clips, clip])
            await self._tell()
        return clip.id

    def _own(self, identity: str) -> Clip:
        for clip in self._clips:
            if clip.id == identity:
                if not clip.own:
                    raise NeurorackError(f"The clip {clip.title} comes with the instrument and stays.")
                return clip
        raise NeurorackError("There is no such clip any more.")

    async def _tell(self) -> None:
        """Have the audio process play what there is now; places change when it does."""
        async with self._busy:
            order = self.playable()
            path = await asyncio.to_thread(self._write, list(self._clips))
            if await self._play(path):
                self._order = order
                self._changed()

    def _write(self, clips: list[Clip]) -> str:
        """An .npz of all clips that can play; "" when there are only the instrument's."""
        if not any(clip.own and clip.rows is not None for clip in clips):
            return ""
        rows = [clip.rows for clip in clips if clip.rows is not None]
        self._versions += 1
        path = Path(self._runtime.name) / f"clips-{self._versions}.npz"
        path.write_bytes(npz_bytes({f"c{i}": array for i, array in enumerate(rows)}))
        (path.parent / f"clips-{self._versions - 3}.npz").unlink(missing_ok=True)
        return str(path)

    def _set(self, clips: list[Clip]) -> None:
        self._clips = clips
        self._traces.clear()
        self._changed()

    def _trace(self, clip: Clip) -> list[list[float]]:
        if clip.rows is None:
            return []
        if clip.id not in self._traces:
            frames = np.linspace(0, clip.rows.shape[1] - 1, TRACE_POINTS).round().astype(int)
            places = self._map.place_of(clip.rows[:, np.unique(frames)].T)
            self._traces[clip.id] = [[round(float(x), 3), round(float(y), 3)] for x, y in places]
        return self._traces[clip.id]
