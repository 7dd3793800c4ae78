"""manifest.json as frozen dataclasses: what an instrument is, what it needs, where it comes from."""

from dataclasses import dataclass, field
from typing import Any, Literal

from neurorack.core.normaliser import Normaliser

FORMAT_MAJOR = 1
FORMAT_MINOR = 2


@dataclass(frozen=True)
class Control:
    """A descriptor the instrument obeys.

    `knots`: normaliser table in physical units; `low`, `high`: the 5 % and 95 % points of the corpus;
    `lag_frames`: how long after being asked a steady change stands fully in the causal measurement.
    """

    name: str
    label: str
    unit: str
    scale: Literal["linear", "log"]
    knots: tuple[float, ...]
    low: float
    high: float
    default: float
    lag_frames: int

    @property
    def normaliser(self) -> Normaliser:
        return Normaliser(self.knots)


@dataclass(frozen=True)
class Measured:
    """A column of the descriptor graphs: `slow` ones come from descriptors_slow.onnx."""

    name: str
    unit: str
    slow: bool
    default: float


@dataclass(frozen=True)
class GraphSpec:
    """One ONNX file: its path in the archive, its sha256, and the length of its flat state."""

    path: str
    sha256: str
    state_size: int


@dataclass(frozen=True)
class Clip:
    """A latent clip: `path` is a float32 .npy [Z + C, T], z rows then normalised control rows."""

    name: str
    path: str
    frames: int
    source: str


@dataclass(frozen=True)
class PresetEntry:
    """A preset that comes with the instrument: `path` is a JSON member; `kind` groups it (drone, keys,
    transfer, gated, broken …); `about` is one sentence.
    """

    name: str
    path: str
    kind: str
    about: str


@dataclass(frozen=True)
class Prior:
    """How the graphs prior_controls and prior_latent are to be stepped (docs/nrk-format.md, "Priors").

    `every`: frames in a step; `noise`: how many standard normals a step takes, by "controls" and "latent",
    one entry for each graph there is; `family` says in words what they are; `scores`: what they scored.
    """

    every: int
    noise: dict[str, int]
    family: str = ""
    scores: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Manifest:
    """Everything about an instrument but its numbers.

    `coupling`: correlation matrix [C, C] of the controls' normal scores over the sounding training frames;
    it gives what the others do when one is moved (insist) and the reachable ranges.
    `z_anchors_path`: float32 .npy [N, Z + C], typical sounding frames, the places a held or wandering z
    visits. `support_path`: float32 .npy [M, C], normalised controls of training frames; `support_radius` the
    distance to the nearest of them under which a request counts as feasible.
    `snapshot_path`: .npz by which a player checks itself (core.snapshot). `prior`: None where the instrument
    does not play by itself.
    """

    name: str
    title: str
    description: str
    licence: str
    sample_rate: int
    hop: int
    latency_frames: int
    latent_size: int
    z_scale: tuple[float, ...]
    controls: tuple[Control, ...]
    measured: tuple[Measured, ...]
    coupling: tuple[tuple[float, ...], ...]
    graphs: dict[str, GraphSpec]
    clips: tuple[Clip, ...]
    z_anchors_path: str
    support_path: str
    support_radius: float
    files: dict[str, str]
    architecture: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    provenance: list[dict[str, Any]] = field(default_factory=list)
    scores: dict[str, Any] = field(default_factory=dict)
    snapshot_path: str = "snapshot.npz"
    presets: tuple[PresetEntry, ...] = ()
    prior: Prior | None = None
    format_major: int = FORMAT_MAJOR
    format_minor: int = FORMAT_MINOR

    @property
    def latency_samples(self) -> int:
        return self.latency_frames * self.hop

    @property
    def pitched(self) -> bool:
        return any(c.name == "pitch" for c in self.controls)

    @property
    def gained(self) -> bool:
        """Whether loudness is a control, so that the decoder takes `level_db`."""
        return any(c.name == "loudness" for c in self.controls)

    def control_index(self, name: str) -> int:
        return [c.name for c in self.controls].index(name)
