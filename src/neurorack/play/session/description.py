"""What a panel must know about an instrument and the parameters, as plain JSON."""

from dataclasses import asdict
from typing import Any

import numpy as np

from neurorack.core.nrk import Archive
from neurorack.play.engine.params import PARAMS


def describe(archive: Archive, places: np.ndarray) -> dict[str, Any]:
    """Everything a panel shows of an instrument. `places`: [N, 2], its anchors on the map, 0..1."""
    manifest = archive.manifest
    anchors = archive.array(manifest.z_anchors_path)
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
        "prior": manifest.prior is not None,
        "anchors": len(anchors),
        "map": {"points": _points(archive, anchors, places)},
    }


def _points(archive: Archive, anchors: np.ndarray, places: np.ndarray) -> list[list[float]]:
    """[x, y, loudness, brightness] of every anchor, each 0..1 (0.5 for a control that is lacking)."""
    manifest = archive.manifest
    rows = {control.name: manifest.latent_size + i for i, control in enumerate(manifest.controls)}
    columns = [np.asarray(places, np.float64)]
    for name in ("loudness", "brightness"):
        column = 0.5 + 0.5 * anchors[:, rows[name]] if name in rows else np.full(len(anchors), 0.5)
        columns.append(np.clip(column, 0.0, 1.0)[:, None])
    return [[round(float(x), 4) for x in point] for point in np.concatenate(columns, axis=1)]


def specs() -> list[dict[str, Any]]:
    """Every parameter: range, unit, default, choices."""
    return [asdict(spec) for spec in PARAMS]
