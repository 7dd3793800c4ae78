"""Diary: which regions of an instrument a player has been in, so that the untouched ones can be shown.

A region is what lies nearest to one of the instrument's anchors on its map; the diary counts the seconds that
sounded there, as far as HEARD_S, in one small file for each instrument, on this machine alone.
"""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.nrk import Archive
from neurorack.core.strict_json import Field, parse
from neurorack.play.session.clips import encoding_key
from neurorack.play.session.presets import slug

HEARD_S = 2.0
"""Seconds after which a region counts as known."""
LONGEST_STEP_S = 0.5
"""More than this between two looks is a gap, not time played."""
MOST = 4096
MAX_BYTES = 2**18
SAVE_EVERY_S = 20.0


class Diary:
    """Of one instrument, whose anchors stand at `points` [N, 2] on the map. One that cannot be read, or is of
    another training, begins anew. `save` may run on a worker thread.
    """

    def __init__(self, folder: Path, archive: Archive, points: np.ndarray) -> None:
        self._path = folder / f"{slug(archive.manifest.name)}.json"
        self._key = encoding_key(archive.manifest)
        self._points = np.asarray(points, np.float64)[:MOST]
        self._heard = self._read(self._path)
        self._looked_s = self._saved_s = -1e9
        self._dirty = False
        self._told: list[float] = []

    def _read(self, path: Path) -> np.ndarray:
        fresh = np.zeros(len(self._points))
        try:
            if path.stat().st_size > MAX_BYTES:
                return fresh
            root = Field(parse(path.read_bytes()))
            if root.get("encoding").text(1, 100) != self._key:
                return fresh
            heard = [item.number(0.0, HEARD_S) for item in root.get("heard_s").items(0, MOST)]
        except (OSError, NeurorackError):
            return fresh
        return np.array(heard) if len(heard) == len(fresh) else fresh

    def look(self, telemetry: dict[str, Any], now_s: float) -> None:
        """Take down where the sound is, if there is any."""
        step_s, self._looked_s = now_s - self._looked_s, now_s
        place = telemetry.get("map")
        if not telemetry.get("sounding") or not place or None in place or not 0.0 < step_s <= LONGEST_STEP_S:
            return
        region = self._nearest(place)
        if self._heard[region] < HEARD_S:
            self._heard[region] = min(self._heard[region] + step_s, HEARD_S)
            self._dirty = True

    def _nearest(self, place: Sequence[float]) -> int:
        return int(np.square(self._points - np.asarray(place)).sum(axis=1).argmin())

    def known(self) -> list[float]:
        """How well each region is known, 0 (untouched) to 1."""
        return np.round(self._heard / HEARD_S, 2).tolist()

    def news(self) -> list[float] | None:
        """`known`, if it is another than when this was last asked."""
        known = self.known()
        if known == self._told:
            return None
        self._told = known
        return known

    def untouched(self, place: Sequence[float] | None) -> tuple[float, float]:
        """The anchor (x, y) in the middle of what is least known: furthest from all that is known better, and
        from `place`, where the player is.
        """
        least = self._heard.min(initial=HEARD_S)
        free = np.flatnonzero(self._heard <= least + 1e-9)
        known = self._points[self._heard > least + 1e-9]
        if place is not None:
            known = np.vstack([known, np.asarray(place, np.float64)[None]])
        if len(known):
            apart = np.square(self._points[free, None] - known[None]).sum(axis=-1).min(axis=1)
        else:
            apart = -np.square(self._points[free] - 0.5).sum(axis=1)
        x, y = self._points[free[int(apart.argmax())]].tolist()
        return x, y

    def due(self, now_s: float) -> bool:
        """Whether it is time to save."""
        return self._dirty and now_s - self._saved_s >= SAVE_EVERY_S

    def save(self) -> None:
        """Write what is new; a disk that takes nothing costs only the diary."""
        if not self._dirty:
            return
        self._dirty, self._saved_s = False, time.monotonic()
        head = {"neurorack_diary": 1, "encoding": self._key, "heard_s": np.round(self._heard, 3).tolist()}
        try:
            with atomic_write(self._path) as file:
                file.write(json.dumps(head).encode())
        except OSError:
            self._dirty = True
