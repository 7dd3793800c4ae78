"""Prepared: everything the hub needs to go on with an instrument, made on a worker thread."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.core.nrk import Archive, read_nrk
from neurorack.play.engine.latent_map import LatentMap
from neurorack.play.engine.sources.anchors import Anchors
from neurorack.play.session.catalogue import Catalogue
from neurorack.play.session.description import describe
from neurorack.play.session.diary import Diary
from neurorack.play.session.patch import Patch
from neurorack.play.session.presets import Presets


@dataclass(frozen=True)
class Prepared:
    """An instrument with its map, what panels are told of it, its presets, and where it was played."""

    archive: Archive
    path: Path
    map: LatentMap
    description: dict[str, Any]
    presets: Presets
    diary: Diary

    @classmethod
    def named(cls, name: str, catalogue: Catalogue, home: Path) -> "Prepared":
        """Read the instrument of that name; NeurorackError when it cannot be."""
        catalogue.refresh()
        path = catalogue.path(name)
        if path is None:
            raise NeurorackError(f"There is no instrument {name} any more: choose another.")
        return cls.of(read_nrk(path), path, home)

    @classmethod
    def of(cls, archive: Archive, path: Path, home: Path) -> "Prepared":
        """From a verified archive; `home` is the user's Neurorack folder."""
        rows = archive.array(archive.manifest.z_anchors_path)
        latent = archive.manifest.latent_size
        map = LatentMap(Anchors(rows[:, :latent], rows[:, latent:]))
        presets, diary = Presets(archive, home / "presets"), Diary(home / "diary", archive, map.points)
        return cls(archive, path, map, describe(archive, map.points), presets, diary)


def fitting(patch: Patch, clips: list[str]) -> Patch:
    """The patch on an instrument with these clips: what it lacks is let go."""

    def there(clip: str) -> str:
        return clip if clip in clips else (clips[0] if clips else "")

    source = "hold" if patch.source == "clip" and not clips else patch.source
    morph = patch.morph_clip if patch.morph_clip in clips else ""
    return replace(patch, source=source, clip=there(patch.clip), other=there(patch.other), morph_clip=morph)
