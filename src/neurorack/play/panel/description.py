"""What the panel must know about an instrument and the library, as plain JSON."""

from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.library import installed
from neurorack.core.manifest import Manifest
from neurorack.core.nrk import Archive
from neurorack.play.engine.frame import ENGINE_SPECS


def describe(archive: Archive) -> dict[str, Any]:
    """Everything the panel shows of an instrument."""
    manifest = archive.manifest
    return {
        "name": manifest.name,
        "title": manifest.title,
        "description": manifest.description,
        "licence": manifest.licence,
        "sample_rate": manifest.sample_rate,
        "pitched": manifest.pitched,
        "latency_s": manifest.latency_samples / manifest.sample_rate,
        "controls": [
            {
                "name": control.name,
                "label": control.label,
                "unit": control.unit,
                "scale": control.scale,
                "knots": list(control.knots),
                "low": control.low,
                "high": control.high,
                "default": control.default,
                "initial": float(control.normaliser.to_control(np.asarray(control.default))),
            }
            for control in manifest.controls
        ],
        "clips": [{"name": clip.name, "source": clip.source} for clip in manifest.clips],
        "anchors": int(archive.array(manifest.z_anchors_path).shape[0]),
    }


def specs() -> list[dict[str, Any]]:
    """Ranges, units and defaults of the engine's numbers."""
    return [asdict(spec) for spec in ENGINE_SPECS]


class Catalogue:
    """The instruments a panel may choose: the library's, and whatever file the player was started with."""

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
