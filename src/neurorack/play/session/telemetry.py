"""Telemetry as panels and OSC peers read it: plain numbers, thirty times a second."""

from math import isfinite
from typing import Any

import numpy as np

from neurorack.play.control.records import Status
from neurorack.play.engine.frame import ANSWERS, Measured, Telemetry

COLUMNS = ("asked", "asked_physical", "source_controls", "reachable_low", "reachable_high", "proposed")
SCALARS = (
    "level_db",
    "peak",
    "load",
    "load_peak",
    "input_level_db",
    "position",
    "f0_hz",
    "beat",
    "tempo_bpm",
)
COUNTS = ("frames", "non_finite", "voices", "notes")
SWITCHES = ("sounding", "gate", "alone")
STATUS = ("backend", "device", "sample_rate", "device_rate", "block", "dropped", "dropped_late",
          "dropped_device", "dropped_failed", "why", "inputs", "outputs")  # fmt: skip


def telemetry_dict(told: Telemetry, measured: Measured) -> dict[str, Any]:
    """What the engine asked for and what was heard; non-finite numbers become None."""
    count = told.controls
    data: dict[str, Any] = {name: _list(getattr(told, name)[:count]) for name in COLUMNS}
    fits = measured.controls == count
    data["measured"] = _list(measured.normalised[:count]) if fits else [0.0] * count
    data["measured_physical"] = _list(measured.physical[:count]) if fits else [0.0] * count
    data["measuring"] = measured.measuring and fits
    data |= {name: _short(getattr(told, name)) for name in SCALARS}
    data |= {name: getattr(told, name) for name in (*COUNTS, *SWITCHES)}
    data["travel"], data["modulation"] = _list(told.travel), _list(told.modulation)
    data["answer"] = ANSWERS[told.answer]
    data["map"] = [_short(told.map_x), _short(told.map_y)]
    return data


def status_dict(status: Status, running: bool, restarts: int) -> dict[str, Any]:
    """How the sound is."""
    data = {name: getattr(status, name) for name in STATUS if hasattr(status, name)}
    return data | {"running": running, "latency_s": _short(status.latency_s), "restarts": restarts}


def _list(values: np.ndarray) -> list[float | None]:
    return [_short(x) for x in values.tolist()]


def _short(value: float) -> float | None:
    return float(f"{value:.5g}") if isfinite(value) else None
