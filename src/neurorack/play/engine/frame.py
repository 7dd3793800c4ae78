"""ControlFrame and Telemetry: what the engine is told and what it tells, once a block, in fixed layouts.

Both are plain dataclasses with a twin numpy dtype of fixed size, so that they cross between processes
through shared memory without pickling: `frame.write_to(record)` and `ControlFrame.read_from(record)`, where
`record = np.ndarray((), FRAME_DTYPE, buffer)`.

Arrays over controls hold MAX_CONTROLS places; the first C (in the order of `manifest.controls`) count.
"""

from dataclasses import dataclass, field, fields
from enum import IntEnum

import numpy as np

from neurorack.core.control_spec import ControlSpec
from neurorack.core.manifest import Control

MAX_CONTROLS = 16
"""Most controls an instrument may have in the player."""


class Source(IntEnum):
    """Where z, and every control the hand does not hold, comes from."""

    HOLD = 0
    """One anchor, held: a living tone."""
    WANDER = 1
    """A slow random path among neighbouring anchors, never a loop."""
    CLIP = 2
    """A latent clip, looped with a crossfade, at any speed."""
    LIVE = 3
    """The sound at the input, through encoder and descriptors."""


def _zeros() -> np.ndarray:
    return np.zeros(MAX_CONTROLS, np.float32)


def _flags() -> np.ndarray:
    return np.zeros(MAX_CONTROLS, np.bool_)


@dataclass
class ControlFrame:
    """Everything a performer asks of the engine for one block.

    `asked` are normalised controls in [-1, 1] (hands may push to ±1.25); only those with `held[i]` true are
    obeyed, the others follow the source (the anchor's, the clip's, the live input's own values) and, with
    `insist` below 1, move along with the held ones as they do in the corpus.
    """

    gate: bool = False
    """True sounds, False releases."""
    velocity: float = 1.0
    """0..1, taken at the gate's rise: 40 log10(velocity) dB on top of the loudness asked."""
    f0_hz: float = 0.0
    """Pitch of the note in Hz; 0 = no note: the pitch control (or the source) decides. Unpitched: ignored."""
    glide_s: float = 0.0
    """Time to glide from one note to the next, seconds (straight line in cents)."""
    attack_s: float = 0.008
    release_s: float = 0.15
    """Seconds to fall 60 dB."""
    asked: np.ndarray = field(default_factory=_zeros)
    held: np.ndarray = field(default_factory=_flags)
    insist: float = 1.0
    """0: the other controls move as in the corpus when one is held elsewhere; 1: they hold still."""
    source: int = Source.HOLD
    anchor: int = 0
    """HOLD: the anchor; WANDER: the home of the path. Any integer; taken modulo the number of anchors."""
    life: float = 0.15
    """HOLD: slight slow drift of z around the anchor, 0 none .. 1 much."""
    wander_rate_hz: float = 0.25
    """WANDER: anchors passed per second."""
    wander_depth: float = 1.0
    """WANDER: 0 stays at home, 1 goes all the way to every anchor on the path."""
    clip: int = 0
    """CLIP: index in manifest.clips, modulo their number."""
    clip_speed: float = 1.0
    """CLIP: 1 as recorded, 0 frozen, negative backwards."""
    clip_start: float = 0.0
    clip_end: float = 1.0
    """CLIP: loop region as fractions of the clip."""
    retrigger: bool = True
    """CLIP: the gate's rise starts the clip again at clip_start."""
    input_gain_db: float = 0.0
    """LIVE: gain of the input before it is analysed, dB."""
    level_db: float = 0.0
    """Output level, dB."""
    seed: int = 0
    """Of the wander path and the noise; a change starts another path."""
    panic: int = 0
    """A counter: whenever it changes, every stream starts afresh from silence."""

    def write_to(self, record: np.ndarray) -> None:
        """Copy into a 0-d array of FRAME_DTYPE (shared memory)."""
        _write(self, record)

    @classmethod
    def read_from(cls, record: np.ndarray) -> "ControlFrame":
        """A frame copied out of a 0-d array of FRAME_DTYPE."""
        return cls(**_read(record))


@dataclass
class Telemetry:
    """What the engine did in the last block. Arrays as in ControlFrame; physical values in controls'
    units.
    """

    controls: int = 0
    """C: how many places of the arrays count."""
    frames: int = 0
    """Latent frames rendered since the engine started."""
    asked: np.ndarray = field(default_factory=_zeros)
    """Normalised values given to the decoder: after source, hand, insist, note and smoothing."""
    asked_physical: np.ndarray = field(default_factory=_zeros)
    measured: np.ndarray = field(default_factory=_zeros)
    """Normalised values of the engine's own output, by the instrument's descriptor graphs."""
    measured_physical: np.ndarray = field(default_factory=_zeros)
    reachable_low: np.ndarray = field(default_factory=_zeros)
    reachable_high: np.ndarray = field(default_factory=_zeros)
    """Normalised range of each control that the corpus shows while the others stand where they are asked."""
    measuring: bool = False
    """False while measurement is suspended because the load is high."""
    level_db: float = -120.0
    """Mean-square level of the last block, dB re full scale."""
    peak: float = 0.0
    """Largest magnitude in the last block."""
    load: float = 0.0
    """Render time over the block's duration, smoothed (about a second)."""
    load_peak: float = 0.0
    """The same, worst block, decaying over some seconds."""
    sounding: bool = False
    """False when the gate is closed and the release has ended."""
    non_finite: int = 0
    """Frames replaced by silence because the graphs returned NaN or infinity."""
    source: int = 0
    position: float = 0.0
    """CLIP: where in the clip, 0..1. HOLD, WANDER: the index of the nearest anchor."""
    input_level_db: float = -120.0
    """LIVE: mean-square level of the input."""
    f0_hz: float = 0.0
    """Pitch given to the decoder, Hz; 0 on unpitched instruments."""

    def write_to(self, record: np.ndarray) -> None:
        """Copy into a 0-d array of TELEMETRY_DTYPE (shared memory)."""
        _write(self, record)

    @classmethod
    def read_from(cls, record: np.ndarray) -> "Telemetry":
        """Telemetry copied out of a 0-d array of TELEMETRY_DTYPE."""
        return cls(**_read(record))


def _dtype_of(kind: type) -> np.dtype:
    example = kind()
    columns: list[tuple] = []
    for f in fields(kind):
        value = getattr(example, f.name)
        if isinstance(value, np.ndarray):
            columns.append((f.name, value.dtype, value.shape))
        elif isinstance(value, bool):
            columns.append((f.name, np.bool_))
        elif isinstance(value, int):
            columns.append((f.name, np.int64))
        else:
            columns.append((f.name, np.float64))
    return np.dtype(columns)


FRAME_DTYPE = _dtype_of(ControlFrame)
TELEMETRY_DTYPE = _dtype_of(Telemetry)


def _write(source: ControlFrame | Telemetry, record: np.ndarray) -> None:
    for name in record.dtype.names or ():
        record[name] = getattr(source, name)


def _read(record: np.ndarray) -> dict:
    names = record.dtype.names or ()
    return {n: record[n].copy() if record[n].ndim else record[n].item() for n in names}


ENGINE_SPECS: tuple[ControlSpec, ...] = (
    ControlSpec("velocity", "Velocity", "", 0.0, 1.0, 1.0),
    ControlSpec("glide_s", "Glide", "s", 0.0, 2.0, 0.0),
    ControlSpec("attack_s", "Attack", "s", 0.002, 2.0, 0.008, "log"),
    ControlSpec("release_s", "Release", "s", 0.01, 8.0, 0.15, "log"),
    ControlSpec("insist", "Insist", "", 0.0, 1.0, 1.0),
    ControlSpec("life", "Life", "", 0.0, 1.0, 0.15),
    ControlSpec("wander_rate_hz", "Rate", "Hz", 0.01, 8.0, 0.25, "log"),
    ControlSpec("wander_depth", "Depth", "", 0.0, 1.0, 1.0),
    ControlSpec("clip_speed", "Speed", "×", -2.0, 2.0, 1.0),
    ControlSpec("clip_start", "Start", "", 0.0, 1.0, 0.0),
    ControlSpec("clip_end", "End", "", 0.0, 1.0, 1.0),
    ControlSpec("input_gain_db", "Input", "dB", -40.0, 40.0, 0.0),
    ControlSpec("level_db", "Level", "dB", -60.0, 6.0, 0.0, smoothing_s=0.03),
)
"""Ranges, units and defaults of ControlFrame's numbers, for knobs, help texts and validation."""

SMOOTHING_S = {"loudness": 0.006, "pitch": 0.004}
"""Time constants of descriptor controls that must be quicker than the common 0.02 s."""


def descriptor_spec(control: Control) -> ControlSpec:
    """The ControlSpec of an instrument's descriptor control, in physical units over its 5..95 % range."""
    curve = "log" if control.scale == "log" and control.low > 0 else "linear"
    return ControlSpec(
        name=control.name,
        label=control.label,
        unit=control.unit,
        low=control.low,
        high=control.high,
        default=min(max(control.default, control.low), control.high),
        curve=curve,  # type: ignore[arg-type]
        smoothing_s=SMOOTHING_S.get(control.name, 0.02),
    )
