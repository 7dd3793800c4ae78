"""Editor: the patch under the hands, and what changes it: gestures, presets, morphs, chance, undo."""

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from neurorack.core.nrk import Archive
from neurorack.play.control import messages as m
from neurorack.play.engine.params import MAP_POINT, PARAM_BY_NAME
from neurorack.play.session.morphing import Glide, between
from neurorack.play.session.patch import Patch
from neurorack.play.session.presets import Presets
from neurorack.play.session.randomise import audible, far, near
from neurorack.play.session.undo import History

TAPS_S = 2.0
"""Taps of the tempo further apart than this begin anew."""
TRAVEL_S = 2.5
"""How long the way to another place on the map takes."""
ON_CONTROL = (m.SetControl, m.ReleaseControl, m.SetOrigin, m.SetOffset, m.SetScale)


@dataclass(frozen=True)
class Edited:
    """A patch and the preset that it came from (None: none)."""

    patch: Patch
    preset: str | None = None


class Editor:
    """What is set for one instrument. `presets` are its presets; `adopt` changes the instrument."""

    def __init__(self, archive: Archive, presets: Presets, patch: Patch | None = None) -> None:
        self._now = Edited(patch or Patch())
        self._history: History[Edited] = History()
        self._random = np.random.default_rng()
        self._taps: list[float] = []
        self.adopt(archive, presets)

    def adopt(self, archive: Archive, presets: Presets) -> None:
        """Go on with another instrument: its presets, and no way back to patches of the other."""
        self.archive, self.presets = archive, presets
        self._controls = tuple(control.name for control in archive.manifest.controls)
        self._anchors = archive.array(archive.manifest.z_anchors_path)
        self._support = audible(archive.array(archive.manifest.support_path), archive.manifest)
        self._glide: Glide | None = None
        self._morph: m.PresetMorph | None = None
        self._now = Edited(self._now.patch)
        self._history.clear()

    @property
    def patch(self) -> Patch:
        """The patch as it is now."""
        return self._now.patch

    def replace_patch(self, patch: Patch) -> None:
        """Another patch that is no gesture: nothing to take back."""
        self._now = replace(self._now, patch=patch)

    def change(self, message: m.Message) -> bool:
        """Carry out a gesture on one thing; False when it changes nothing."""
        name = getattr(message, "name", None)
        if isinstance(message, ON_CONTROL) and name not in self._controls:
            return False
        if isinstance(message, m.Route):
            if message.target not in PARAM_BY_NAME and message.target not in self._controls:
                return False
        if self._glide is not None:
            self._glide.touch(message)
        thing = (type(message).__name__, name, getattr(message, "slot", None))
        return self._set(self.patch.with_message(message), thing)

    def tap(self, now_s: float) -> bool:
        """One tap of the tempo."""
        if self._taps and now_s - self._taps[-1] > TAPS_S:
            self._taps.clear()
        self._taps = [*self._taps[-7:], now_s]
        if len(self._taps) < 2:
            return False
        beat_s = (self._taps[-1] - self._taps[0]) / (len(self._taps) - 1)
        tempo = PARAM_BY_NAME["tempo_bpm"].clamp(60.0 / max(beat_s, 1e-3))
        return self.change(m.SetNumber("tempo_bpm", tempo))

    def undo(self) -> bool:
        """Take the last step back."""
        return self._jump(self._history.undo(self._now))

    def redo(self) -> bool:
        """Do again what was taken back."""
        return self._jump(self._history.redo(self._now))

    def load(self, name: str, seconds: float, now_s: float) -> bool:
        """Recall a preset, at once or gliding there."""
        preset = self.presets.get(name)
        before, start = self._now, self.patch
        self._glide = self._morph = None
        if seconds > 0.0 and preset.patch != start:
            self._glide = Glide(start, preset.patch, seconds, now_s, self.archive.manifest)
            self._now = Edited(start, name)
        else:
            self._now = Edited(preset.patch, name)
        if self._now != before:
            self._history.changed(before, ("load", name, now_s))
        return self._now != before

    def saved(self, name: str) -> None:
        """The patch was saved as preset `name`: that is what it is now."""
        self._now = replace(self._now, preset=name)

    def morph(self, message: m.PresetMorph) -> bool:
        """Stand between two presets."""
        a, b = self.presets.get(message.a).patch, self.presets.get(message.b).patch
        self._glide = None
        patch = between(a, b, message.position, self.archive.manifest)
        self._set(patch, ("morph", message.a, message.b))
        changed, self._morph = self._morph != message, message
        return changed

    def randomise(self, distance: str, clips: list[str]) -> None:
        """Another patch by chance; clips: ids of those that can play."""
        if distance == "near":
            patch = near(self.patch, self._anchors, self._random)
        else:
            patch = far(self.patch, self._controls, self._anchors, self._support, clips, self._random)
        self._glide = None
        self._set(patch, ("randomise", time.monotonic()))

    def travel(self, here: tuple[float, float], there: tuple[float, float], now_s: float) -> None:
        """Play the map, from a place on it to another."""
        before = self._now
        numbers = self.patch.numbers | {"map_motion": float(MAP_POINT)}
        start, target = (
            replace(self.patch, source="map", numbers=numbers | {"map_x": x, "map_y": y})
            for x, y in (here, there)
        )
        self._morph = None
        self._glide = Glide(start, target, TRAVEL_S, now_s, self.archive.manifest)
        self._now = replace(before, patch=start)
        self._history.changed(before, ("travel", now_s))

    def tick(self, now_s: float) -> bool:
        """Go on with a running glide; True while it changes something."""
        glide = self._glide
        if glide is None:
            return False
        if glide.ended(now_s):
            self._glide = None
        before = self._now
        self._now = replace(before, patch=glide.at(now_s))
        return self._now != before

    def as_dict(self) -> dict[str, Any]:
        """What a panel shows of it besides the patch."""
        name = self._now.preset
        try:
            dirty = name is not None and self._glide is None and self.presets.get(name).patch != self.patch
        except Exception:  # it was deleted meanwhile
            name, dirty = None, False
        return {
            "preset": name,
            "dirty": dirty,
            "undo": self._history.undoes,
            "redo": self._history.redoes,
            "morph": None if self._morph is None else dict(vars(self._morph)),
        }

    def _set(self, patch: Patch, thing: object) -> bool:
        before = self._now
        if patch == before.patch:
            return False
        self._history.changed(before, thing)
        self._morph = None
        self._now = replace(before, patch=patch)
        return True

    def _jump(self, to: Edited) -> bool:
        before, self._now = self._now, to
        self._glide = self._morph = None
        return before != to
