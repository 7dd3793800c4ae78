"""Fixed-size records that cross between the main and the audio process besides frames and telemetry."""

from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T", "Command", "Status")

STARTING, RUNNING, FAILED = 0, 1, 2

_TEXT = {"backend": 16, "device": 128, "instrument": 1024, "error": 1024, "note": 512}


@dataclass
class Command:
    """What the audio process should hold loaded: a path of a .nrk; `number` rises with every request."""

    number: int = 0
    instrument: str = ""


@dataclass
class Status:
    """How the audio process is: written some times a second and at every change."""

    pid: int = 0
    beat: int = 0
    """Rises while blocks are rendered."""
    state: int = STARTING
    backend: str = ""
    device: str = ""
    instrument: str = ""
    """Path of the instrument that sounds."""
    command: int = 0
    """Number of the last command that was carried out or refused."""
    sample_rate: int = 0
    device_rate: int = 0
    block: int = 0
    latency_s: float = 0.0
    """From a gesture to the loudspeaker, as far as the audio process knows: block, engine, device."""
    dropped: int = 0
    """Blocks that came too late since the program started."""
    error: str = ""
    """Why the last command was refused or why the process failed; one sentence."""
    note: str = ""
    """Something the performer should know, such as why another backend is used than was asked for."""


def _dtype(kind: type) -> np.dtype:
    columns: list[tuple] = []
    for f in fields(kind):
        if f.name in _TEXT:
            columns.append((f.name, np.dtype(("S", _TEXT[f.name]))))
        else:
            columns.append((f.name, np.float64 if isinstance(f.default, float) else np.int64))
    return np.dtype(columns)


COMMAND_DTYPE = _dtype(Command)
STATUS_DTYPE = _dtype(Status)


def to_record(value: Command | Status) -> np.ndarray:
    """0-d record of `value`; texts are cut to their place, never in the middle of a character."""
    record = np.zeros((), _dtype(type(value)))
    for f in fields(value):
        item = getattr(value, f.name)
        if f.name in _TEXT:
            item = item.encode()[: _TEXT[f.name]].decode(errors="ignore").encode()
        record[f.name] = item
    return record


def from_record(kind: type[T], record: np.ndarray) -> T:
    """The dataclass a record holds."""
    values: dict[str, Any] = {}
    for f in fields(kind):
        item = record[f.name].item()
        values[f.name] = item.decode(errors="replace") if isinstance(item, bytes) else item
    return kind(**values)
