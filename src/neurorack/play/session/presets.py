"""Presets: named patches. An instrument brings some; the player's own lie in the user's Neurorack folder.

Files are written whole or not at all; one that is torn or foreign is left out, and `faults` says so.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.nrk import Archive
from neurorack.core.strict_json import Field, parse
from neurorack.play.control.messages import MAX_NAME
from neurorack.play.session.patch import Patch

VERSION = 1
MAX_BYTES = 2**18
MAX_OWN = 2000


@dataclass(frozen=True)
class Preset:
    """A patch with a name. kind groups it in lists; about: one sentence; own: the player made it."""

    name: str
    patch: Patch
    kind: str = "own"
    about: str = ""
    own: bool = True


def slug(name: str) -> str:
    """A file name for any name, the same for the same name on every system."""
    plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]
    return f"{plain or 'x'}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def preset_bytes(preset: Preset) -> bytes:
    """The preset as UTF-8 JSON."""
    data = {
        "neurorack_preset": VERSION,
        "name": preset.name,
        "kind": preset.kind,
        "about": preset.about,
        "patch": preset.patch.as_dict(),
    }
    return json.dumps(data, indent=1, allow_nan=False, ensure_ascii=False).encode()


def preset_from_bytes(data: bytes, own: bool) -> Preset:
    """The preset that JSON holds; NeurorackError says what is wrong with it."""
    if len(data) > MAX_BYTES:
        raise NeurorackError("it is too large for a preset")
    root = Field(parse(data))
    version = root.get("neurorack_preset").integer(1, 10**6)
    if version > VERSION:
        raise NeurorackError("it was made by a newer Neurorack: upgrade to use it")
    name = root.get("name").text(1, MAX_NAME)
    if not name.isprintable():
        root.get("name").fail("printable text")
    return Preset(
        name=name,
        patch=Patch.from_field(root.get("patch")),
        kind=root.get("kind").matching(r"[a-z][a-z0-9_]{0,47}", "a lower-case identifier"),
        about=root.get("about").text(0, 500) if root.has("about") else "",
        own=own,
    )


class Presets:
    """All presets of one instrument, in memory. `faults`: a sentence for each that could not be read."""

    def __init__(self, archive: Archive, folder: Path) -> None:
        self._folder = folder / slug(archive.manifest.name)
        self.faults: list[str] = []
        self._bundled: dict[str, Preset] = {}
        self._own: dict[str, Preset] = {}
        for entry in archive.manifest.presets:
            self._take(f"preset {entry.name} of {archive.manifest.title}", archive.member(entry.path), False)
        for path in sorted(self._folder.glob("*.json"))[:MAX_OWN]:
            try:
                if path.stat().st_size > MAX_BYTES:
                    raise NeurorackError("it is too large for a preset")
                self._take(f"preset {path.name}", path.read_bytes(), True)
            except (OSError, NeurorackError) as error:
                self.faults.append(f"The preset {path} is left out: {error}.")

    def _take(self, what: str, data: bytes, own: bool) -> None:
        try:
            preset = preset_from_bytes(data, own)
        except NeurorackError as error:
            self.faults.append(f"The {what} is left out: {error}.")
            return
        (self._own if own else self._bundled)[preset.name] = preset

    def rows(self) -> list[dict[str, Any]]:
        """name, own, kind, about of each: the instrument's in its order, then the player's by name."""
        bundled = [p for p in self._bundled.values() if p.name not in self._own]
        own = sorted(self._own.values(), key=lambda p: p.name.casefold())
        return [{"name": p.name, "own": p.own, "kind": p.kind, "about": p.about} for p in (*bundled, *own)]

    def get(self, name: str) -> Preset:
        """The preset of that name (the player's own before the instrument's), else NeurorackError."""
        found = self._own.get(name) or self._bundled.get(name)
        if found is None:
            there = ", ".join(p["name"] for p in self.rows()) or "none yet"
            raise NeurorackError(f"There is no preset {name!r}: there are {there}.")
        return found

    def save(self, name: str, patch: Patch) -> None:
        """Keep `patch` as the player's own preset; the file is safe when this returns."""
        name = name.strip()
        if not name:
            raise NeurorackError("Give the preset a name.")
        if len(self._own) >= MAX_OWN and name not in self._own:
            raise NeurorackError(f"There are {MAX_OWN} presets already: delete some.")
        known = self._own.get(name) or self._bundled.get(name)
        preset = Preset(name, patch, known.kind if known else "own", known.about if known else "")
        try:
            with atomic_write(self._folder / f"{slug(name)}.json") as file:
                file.write(preset_bytes(preset))
        except OSError as error:
            raise NeurorackError(
                f"The preset could not be saved ({error.strerror}): free some space."
            ) from error
        self._own[name] = preset

    def delete(self, name: str) -> None:
        """Delete one of the player's own presets."""
        if name not in self._own:
            whose = "comes with the instrument and stays" if name in self._bundled else "does not exist"
            raise NeurorackError(f"The preset {name!r} {whose}.")
        try:
            (self._folder / f"{slug(name)}.json").unlink(missing_ok=True)
        except OSError as error:
            raise NeurorackError(
                f"The preset {name!r} could not be deleted ({error.strerror}): check the folder."
            ) from error
        del self._own[name]
