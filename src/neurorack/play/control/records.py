"""Fixed-size records that cross between the main and the audio process besides frames and telemetry."""

from dataclasses import dataclass, fields
from typing import Any, TypeVar

import numpy as np

T = TypeVar("T", "Command", "Status")

STARTING, RUNNING, FAILED = 0, 1, 2

_TEXT_BYTES = {"backend": 16, "device": 128, "inputs": 128, "outputs": 128, "why": 256, "note": 512}
_PATH_BYTES = 1024
"""Every other text: paths and sentences that may hold one."""


@dataclass
class Command:
    """What the audio process should hold loaded; `number` rises with every request."""

    number: int = 0
    instrument: str = ""
    """Path of a .nrk."""
    clips: str = ""
    """Path of an .npz of latent clips c0, c1, … [Z+C, T] in playing order; empty: the instrument's own."""
    snapshot: str = ""
    """Where a snapshot is to be written, an .npz of what `Engine.snapshot` gives; empty: nowhere."""
    snapshot_number: int = 0
    """Number of the command that first asked for it: later commands repeat it, so that it is not lost when
    only the newest command is read."""


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
    """Blocks lost since the program started: the sum of the next three."""
    dropped_late: int = 0
    """… because rendering took too long."""
    dropped_device: int = 0
    """… because the device, the sound server or the system's clock says so, while rendering was in time."""
    dropped_failed: int = 0
    """… because rendering failed: silence sounded in their place."""
    why: str = ""
    """The cause of the last lost block, one sentence."""
    clips: str = ""
    """Path of the clips that play, as commanded."""
    snapshot: int = 0
    """Number of the last command whose snapshot was written, or failed to be."""
    snapshot_sample: int = 0
    """First sample of `output` rendered after that snapshot; -1 when it could not be written (see error)."""
    inputs: str = ""
    """What the backend hears besides a page's microphone: names of its channels or ports, with commas."""
    outputs: str = ""
    """Names of the channels or ports the backend plays, with commas."""
    voltages: int = 0
    """1 while output voltages say what is measured: it is then wanted more often."""
    error: str = ""
    """Why the last command was refused or why the process failed; one sentence."""
    note: str = ""
    """Something the performer should know, such as why another backend is used than was asked for."""


def _dtype(kind: type) -> np.dtype:
    columns: list[tuple] = []
    for f in fields(kind):
        if isinstance(f.default, str):
            columns.append((f.name, np.dtype(("S", _TEXT_BYTES.get(f.name, _PATH_BYTES)))))
        else:
            columns.append((f.name, np.float64 if isinstance(f.default, float) else np.int64))
    return np.dtype(columns)


COMMAND_DTYPE = _dtype(Command)
STATUS_DTYPE = _dtype(Status)


def to_record(value: Command | Status) -> np.ndarray:
    """0-d record of `value`; texts are cut to their place, never in the middle of a character."""
    dtype = COMMAND_DTYPE if isinstance(value, Command) else STATUS_DTYPE
    record = np.zeros((), dtype)
    for name in dtype.names or ():
        item = getattr(value, name)
        if isinstance(item, str):
            item = item.encode()[: dtype[name].itemsize].decode(errors="ignore").encode()
        record[name] = item
    return record


def from_record(kind: type[T], record: np.ndarray) -> T:
    """The dataclass a record holds."""
    values: dict[str, Any] = {}
    for f in fields(kind):
        item = record[f.name].item()
        values[f.name] = item.decode(errors="replace") if isinstance(item, bytes) else item
    return kind(**values)
