"""What every audio backend is: something that asks for blocks of sound at the pace of a clock."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from neurorack.play.audio.wiring import parse_inputs, parse_outputs
from neurorack.play.engine.events import Event

AheadChoice = Literal["auto", "on", "off"]
BackendName = Literal["auto", "jack", "sounddevice", "browser", "null"]
BACKENDS: tuple[BackendName, ...] = ("auto", "jack", "sounddevice", "browser", "null")
CHANNELS = 2
"""Of the engine's sound."""


class Render(Protocol):
    """Gives the next block of sound."""

    def __call__(
        self, count: int, audio_in: np.ndarray | None = None, events: Sequence[Event] = ()
    ) -> np.ndarray:
        """The next `count` samples at the instrument's rate: float32 [2, count].

        audio_in: float32 [count] that the backend hears, None when nothing is connected. events: what its
        control voltages do in this block, in the order of their offsets.
        """


@dataclass(frozen=True)
class AudioOptions:
    """What the audio process is started with. `instrument` is the path of a .nrk."""

    instrument: str
    backend: BackendName = "auto"
    device: str | None = None
    """Sound card to play through: its number or part of its name; None: the system's default."""
    block: int = 128
    """Samples asked for at a time."""
    longest_block: int = 0
    """Up to where a card's blocks grow while it loses them late (block_guard.py); 0: they stay."""
    ahead: AheadChoice = "auto"
    """Whether JACK and cards get sound that was made a block ahead (ahead.py); auto: once blocks are lost."""
    input: str | None = None
    """Sound card to listen to, likewise; "default": the system's; None: none. JACK has a port for it."""
    cv_in: str = ""
    """Channels of the input card (from 1) that carry control voltages, as `pitch=3,gate=4,cv1=5,audio=1`."""
    cv_out: str = ""
    """Channels of the output (JACK: ports cv_out_N) that tell descriptors and the gate, as
    `brightness=3,gate=4`."""

    def __post_init__(self) -> None:
        """Raises NeurorackError if an option is not understood."""
        parse_inputs(self.cv_in)
        parse_outputs(self.cv_out)


@dataclass
class Drops:
    """Blocks lost since the program started, by cause, shared by whatever backend runs."""

    late: int = 0
    """Rendering took too long."""
    device: int = 0
    """The device, the server or the clock lost time, while rendering was in time."""
    failed: int = 0
    """Rendering failed."""
    why: str = ""
    """The cause of the last, one sentence."""

    def lose(self, count: int, render_s: float, block_s: float, whose: str) -> None:
        """Count `count` blocks lost after a block that took `render_s` of its `block_s`.

        whose: what lost them if rendering was in time, as the subject of a sentence ("The JACK server").
        """
        if render_s > block_s:
            self.late += count
            self.why = f"Rendering a block took {1e3 * render_s:.1f} ms of its {1e3 * block_s:.1f} ms."
        else:
            self.device += count
            self.why = f"{whose} lost time while rendering was in time."


class Backend(Protocol):
    """A running backend. All attributes may be read at any time."""

    name: str
    device: str
    device_rate: int
    block: int
    """Samples asked for at a time, at the device's rate."""
    latency_s: float
    """Delay that the backend adds after a block is asked for: its buffers, resampler and device."""
    inputs: str
    """Names of what it hears, with commas."""
    outputs: str
    """Names of what it plays, with commas."""
    failure: BaseException | None
    """Why the sound stopped, if it did."""

    def start(self, render: Render) -> None:
        """Begin to ask for blocks. Raises NeurorackError if it cannot."""

    def stop(self) -> None:
        """Ask for no more blocks; waits for the last one."""
