"""Telemetry as the panel reads it: one compact line of JSON, thirty times a second."""

import json
from typing import Any

import numpy as np

from neurorack.play.audio.supervisor import Supervisor
from neurorack.play.engine.frame import Telemetry

COLUMNS = ("asked", "asked_physical", "measured", "measured_physical", "reachable_low", "reachable_high")
SCALARS = ("level_db", "peak", "load", "load_peak", "input_level_db", "position", "f0_hz")


class TelemetryText:
    """Renders engine telemetry and the audio process' status."""

    def render(self, record: np.ndarray, supervisor: Supervisor, spectrum: list[int]) -> str:
        """JSON of {"type": "telemetry", ...}; non-finite numbers become null."""
        told = Telemetry.read_from(record)
        count = told.controls
        data: dict[str, Any] = {"type": "telemetry", "frames": told.frames}
        for name in COLUMNS:
            data[name] = [_short(x) for x in getattr(told, name)[:count].tolist()]
        for name in SCALARS:
            data[name] = _short(getattr(told, name))
        data["sounding"], data["measuring"] = told.sounding, told.measuring
        data["non_finite"] = told.non_finite
        data["spectrum"] = spectrum
        status = supervisor.status
        data["status"] = {
            "running": supervisor.running,
            "backend": status.backend,
            "device": status.device,
            "sample_rate": status.sample_rate,
            "device_rate": status.device_rate,
            "block": status.block,
            "latency_s": _short(status.latency_s),
            "dropped": status.dropped,
            "restarts": supervisor.restarts,
        }
        return json.dumps(data, separators=(",", ":"))


def _short(value: float) -> float | None:
    return float(f"{value:.5g}") if np.isfinite(value) else None
