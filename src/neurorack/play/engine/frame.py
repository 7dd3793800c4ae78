"""ControlFrame and Telemetry: what the engine is told and what it tells, once a block, in fixed layouts.

Both are plain dataclasses with a twin numpy dtype of fixed size, so that they cross between processes
through shared memory without pickling: `frame.write_to(record)` and `ControlFrame.read_from(record)`, where
`record = np.ndarray((), FRAME_DTYPE, buffer)`. What happens at one sample (notes) is not here but an Event.

Arrays over controls hold MAX_CONTROLS places; the first C (in the order of `manifest.controls`) count.
"""

from dataclasses import dataclass, field, fields, make_dataclass
from enum import IntEnum
from operator import attrgetter

import numpy as np

from neurorack.core.control_spec import ControlSpec
from neurorack.core.manifest import Control
from neurorack.play.engine.params import MOD_SOURCES, PARAM_NAMES, PARAMS, ROUTES

MAX_CONTROLS = 16
"""Most controls an instrument may have in the player."""
MAX_PATH = 32
"""Most points of a path on the map."""
ANSWERS = ("off", "ready", "listening", "waiting", "answering")
ANSWER_OFF, ANSWER_READY, ANSWER_LISTENING, ANSWER_WAITING, ANSWER_ANSWERING = range(5)
"""What call and response is doing."""


class Source(IntEnum):
    """Where z, and every control the hand does not hold, comes from."""

    HOLD = 0
    """One anchor, held: a living tone."""
    WANDER = 1
    """A slow random path among neighbouring anchors, never a loop."""
    CLIP = 2
    """A latent clip, looped with a crossfade, at any speed."""
    LIVE = 3
    """The sound at the input (and the fed-back output), through encoder and descriptors."""
    MAP = 4
    """A place on the latent map, its neighbours blended."""
    PRIOR = 5
    """The instrument's own priors: it plays by itself. WANDER on instruments without."""


class Origin(IntEnum):
    """Where a control comes from while no hand holds it."""

    SOURCE = 0
    """The source's own value."""
    OTHER = 1
    """Another sound: the clip `other_clip`, read at `other_speed`."""
    LIVE = 2
    """The live input's value."""
    PRIOR = 3
    """What the prior proposes; the source's own value on instruments without."""


def _zeros(size: int = MAX_CONTROLS) -> np.ndarray:
    return np.zeros(size, np.float32)


def _whole(size: int) -> np.ndarray:
    return np.zeros(size, np.int32)


_Params = make_dataclass("_Params", [(spec.name, float, field(default=spec.default)) for spec in PARAMS])
"""One field for each of PARAMS."""


_values = attrgetter(*PARAM_NAMES)


@dataclass
class ControlFrame(_Params):  # type: ignore[misc, valid-type]
    """Everything a performer asks of the engine for one block: a patch and the state of the hands.

    It has a float field for each of `params.PARAMS`, and these. `asked` are normalised controls in [-1, 1]
    (hands may push to ±1.25); those with `held[i]` true are obeyed, the others come from their `origin`,
    times `scale`, plus `offset`, and, with `insist` below 1, move along with the held ones as in the corpus.
    """

    gate: bool = False
    """The gate button: true sounds (a note of its own, besides those that events play), false releases."""
    f0_hz: float = 0.0
    """Pitch of the gate button's note in Hz; 0 = none: the pitch control (or the source) decides."""
    asked: np.ndarray = field(default_factory=_zeros)
    held: np.ndarray = field(default_factory=lambda: np.zeros(MAX_CONTROLS, np.bool_))
    origin: np.ndarray = field(default_factory=lambda: _whole(MAX_CONTROLS))
    """Origin of each control that is not held."""
    offset: np.ndarray = field(default_factory=_zeros)
    """Added to the origin's normalised value."""
    scale: np.ndarray = field(default_factory=lambda: np.ones(MAX_CONTROLS, np.float32))
    """The origin's normalised value is multiplied by it first."""
    source: int = Source.HOLD
    anchor: int = 0
    """HOLD: the anchor; WANDER: the home of the path. Any integer; taken modulo the number of anchors."""
    clip: int = 0
    """CLIP: place in the engine's clips, modulo their number."""
    other_clip: int = 0
    """Origin.OTHER: place in the engine's clips."""
    morph_anchor: int = 1
    """The second tone: an anchor …"""
    morph_clip: int = -1
    """… or, from 0 on, a clip, read like the source's."""
    retrigger: bool = True
    """CLIP: a note starts the clip again."""
    route_source: np.ndarray = field(default_factory=lambda: _whole(ROUTES))
    """Modulation matrix: index in MOD_SOURCES (0: slot unused)."""
    route_target: np.ndarray = field(default_factory=lambda: _whole(ROUTES))
    """Index in PARAMS, or CONTROL_TARGET + row of a control."""
    route_amount: np.ndarray = field(default_factory=lambda: _zeros(ROUTES))
    """-1..1, in whole travels of the target (pitch: octaves)."""
    route_offset: np.ndarray = field(default_factory=lambda: _zeros(ROUTES))
    """Added to the source before the curve."""
    route_curve: np.ndarray = field(default_factory=lambda: _whole(ROUTES))
    """Index in ROUTE_CURVES."""
    route_slew_s: np.ndarray = field(default_factory=lambda: _zeros(ROUTES))
    """Time constant of the slew after the curve."""
    path: np.ndarray = field(default_factory=lambda: _zeros(2 * MAX_PATH))
    """Points x0 y0 x1 y1 … of the path on the map."""
    path_points: int = 0
    seed: int = 0
    """Of everything random; a change starts it all afresh."""
    panic: int = 0
    """A counter: whenever it changes, every stream starts afresh from silence."""

    def values(self) -> np.ndarray:
        """float64 [len(PARAMS)] in the order of PARAMS."""
        return np.array(_values(self), np.float64)

    def write_to(self, record: np.ndarray) -> None:
        """Copy into a 0-d array of FRAME_DTYPE (shared memory)."""
        _write(self, record)

    @classmethod
    def read_from(cls, record: np.ndarray) -> "ControlFrame":
        """A frame copied out of a 0-d array of FRAME_DTYPE."""
        values = list(record.item())
        for place in _ARRAYS:
            values[place] = values[place].copy()
        return cls(*values)


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
    source_controls: np.ndarray = field(default_factory=_zeros)
    """Normalised values of the source itself, before any hand."""
    reachable_low: np.ndarray = field(default_factory=_zeros)
    reachable_high: np.ndarray = field(default_factory=_zeros)
    """Normalised range of each control that the corpus shows while the others stand where they are asked."""
    travel: np.ndarray = field(default_factory=lambda: _zeros(len(PARAMS)))
    """Knob travel 0..1 of each of PARAMS after modulation."""
    modulation: np.ndarray = field(default_factory=lambda: _zeros(len(MOD_SOURCES)))
    """Present value of each of MOD_SOURCES (of the newest voice)."""
    voices: int = 0
    """How many voices sound."""
    notes: int = 0
    """Notes started since the engine started."""
    beat: float = 0.0
    """Beats since the clock started."""
    tempo_bpm: float = 0.0
    """The clock's tempo: the frame's, or that of the pulses that come in."""
    map_x: float = 0.0
    map_y: float = 0.0
    """The place on the map (of the nearest anchor, for sources that know no place)."""
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
    gate: bool = False
    """Whether any note (or the gate button) holds the gate open."""
    proposed: np.ndarray = field(default_factory=lambda: np.full(MAX_CONTROLS, np.nan, np.float32))
    """Normalised values that the prior proposes, for a control that a hand holds too; NaN where it does not
    play a control."""
    answer: int = 0
    """Call and response: one of ANSWERS."""
    alone: bool = False
    """Whether the prior sounds without any hand on a key or gate: it goes on, or answers."""

    def write_to(self, record: np.ndarray) -> None:
        """Copy into a 0-d array of TELEMETRY_DTYPE (shared memory)."""
        _write(self, record)

    @classmethod
    def read_from(cls, record: np.ndarray) -> "Telemetry":
        """Telemetry copied out of a 0-d array of TELEMETRY_DTYPE."""
        return cls(**_read(record))


@dataclass
class Measured:
    """What the instrument's own descriptor graphs hear in the output. Arrays as in ControlFrame."""

    controls: int = 0
    measuring: bool = False
    """False while nothing listens, or it cannot keep up."""
    normalised: np.ndarray = field(default_factory=_zeros)
    physical: np.ndarray = field(default_factory=_zeros)
    sample: int = 0
    """Samples of output heard so far; the values describe the sound that ends here."""

    def write_to(self, record: np.ndarray) -> None:
        """Copy into a 0-d array of MEASURED_DTYPE (shared memory)."""
        _write(self, record)

    @classmethod
    def read_from(cls, record: np.ndarray) -> "Measured":
        """Values copied out of a 0-d array of MEASURED_DTYPE."""
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
_ARRAYS = [i for i, name in enumerate(FRAME_DTYPE.names or ()) if FRAME_DTYPE[name].shape]
TELEMETRY_DTYPE = _dtype_of(Telemetry)
MEASURED_DTYPE = _dtype_of(Measured)


def _write(source: "ControlFrame | Telemetry | Measured", record: np.ndarray) -> None:
    for name in record.dtype.names or ():
        record[name] = getattr(source, name)


def _read(record: np.ndarray) -> dict:
    names = record.dtype.names or ()
    return {n: record[n].copy() if record[n].ndim else record[n].item() for n in names}


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
