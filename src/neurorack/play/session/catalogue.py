"""Catalogue: the instruments one may choose."""

from pathlib import Path
from typing import Any

from neurorack.core.library import installed
from neurorack.core.manifest import Manifest


class Catalogue:
    """The library's instruments, and whatever file the player was started with."""

    def __init__(self, first: Path, manifest: Manifest) -> None:
        self._first = (first, manifest)
        self._paths: dict[str, Path] = {}
        self._rows: list[dict[str, Any]] = []
        self.refresh()

    def refresh(self) -> None:
        """Look again which instruments there are."""
        path, manifest = self._first
        self._paths, self._rows = {}, []
        for entry in installed():
            if not entry.fault and entry.name not in self._paths:
                self._paths[entry.name] = entry.path
                self._rows.append({"name": entry.name, "title": entry.title, "bundled": entry.bundled})
        if not any(known.resolve() == path.resolve() for known in self._paths.values()):
            self._rows = [row for row in self._rows if row["name"] != manifest.name]
            self._rows.insert(0, {"name": manifest.name, "title": manifest.title, "bundled": False})
            self._paths[manifest.name] = path

    def rows(self) -> list[dict[str, Any]]:
        """name, title, bundled of each."""
        return self._rows

    def path(self, name: str) -> Path | None:
        """The file of the instrument of that name, None if there is none."""
        return self._paths.get(name)
