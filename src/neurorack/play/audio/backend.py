"""What every audio backend is: something that asks for blocks of sound at the pace of a clock."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

Render = Callable[[int], np.ndarray]
"""n -> float32 [channels, n], the next n samples at the instrument's rate."""

BackendName = Literal["auto", "sounddevice", "browser", "null"]
BACKENDS: tuple[BackendName, ...] = ("auto", "sounddevice", "browser", "null")


@dataclass(frozen=True)
class AudioOptions:
    """What the audio process is started with. `instrument` is the path of a .nrk."""

    instrument: str
    backend: BackendName = "auto"
    device: str | None = None
    block: int = 128


class Backend(Protocol):
    """A running backend. All attributes may be read at any time."""

    name: str
    device: str
    device_rate: int
    latency_s: float
    """Delay that the backend adds after a block is asked for: its buffers, resampler and device."""
    dropped: int
    """Blocks that came too late."""
    failure: BaseException | None
    """Why the sound stopped, if it did."""

    def start(self, render: Render) -> None:
        """Begin to ask for blocks."""

    def stop(self) -> None:
        """Ask for no more blocks; waits for the last one."""
