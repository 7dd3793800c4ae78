"""Instrument: a loaded .nrk, ready to analyse, synthesise and transfer sound. No torch.

All sound is mono float32; analysis takes any rate and channel count, synthesis gives the instrument's rate.
"""

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.library import find
from neurorack.core.manifest import Manifest
from neurorack.core.nrk import read_nrk
from neurorack.play.engine.alignment import ControlBuffer
from neurorack.play.engine.controlling import F0_RANGE_HZ, Request
from neurorack.play.engine.graphs import Graphs, Members
from neurorack.play.engine.insist import Coupling
from neurorack.play.engine.intake import Intake
from neurorack.play.engine.lead_in import LeadIn
from neurorack.play.engine.mapping import ControlMap
from neurorack.play.engine.requests import Amount, Curve, parse_amount, parse_offset, present
from neurorack.play.engine.streams import DecoderStream, DescriptorStream, EncoderStream
from neurorack.play.engine.support import Support
from neurorack.play.engine.transfer import OtherSound, Transfer

Setting = float | str | Amount
"""0.8 (knob travel), "1200Hz" (physical), or an Amount."""
Sound = tuple[np.ndarray, float]
"""(samples [n] or [n, channels], sample rate in Hz)."""


@dataclass(frozen=True)
class Analysis:
    """What an instrument hears in a sound, one value a frame (T frames).

    z: [Z, T] float32 latent frames. descriptors: name -> [T], every descriptor the instrument measures, in
    physical units, causal: the value of frame t is measured on the sound that ends with frame t. controls:
    [C, T], the instrument's controls among them, normalised to [-1, 1].
    """

    z: np.ndarray
    descriptors: dict[str, np.ndarray]
    controls: np.ndarray
    control_names: tuple[str, ...]
    frame_rate_hz: float
    _lag: np.ndarray = field(repr=False)
    _latency: int = field(repr=False)

    @property
    def frames(self) -> int:
        """T."""
        return self.z.shape[1]

    def decoder_descriptors(self) -> dict[str, np.ndarray]:
        """Physical controls, name -> [T], shifted to stand beside z: what `synthesise` wants for a round
        trip.

        Measurements trail the sound by each control's lag, and the codec gives frame t back at t + latency;
        this puts both right, holding values at the ends.
        """
        buffer = ControlBuffer(self._lag)
        buffer.push(np.stack([self.descriptors[n] for n in self.control_names]))
        values = buffer.read(-self._latency, self.frames)
        return dict(zip(self.control_names, values, strict=True))


class Instrument:
    """One instrument: immutable and shareable; every call starts its own streams."""

    def __init__(self, archive: Members) -> None:
        self.manifest: Manifest = archive.manifest
        self.graphs = Graphs.load(archive)
        self.map = ControlMap(self.manifest)
        self.coupling = Coupling(self.manifest.coupling)
        self.support = Support(archive.array(self.manifest.support_path), self.manifest.support_radius)
        rows = self.manifest.latent_size
        anchors = np.asarray(archive.array(self.manifest.z_anchors_path), np.float32)
        self.anchors_z, self.anchors_controls = anchors[:, :rows], anchors[:, rows:]
        self.clips: list[np.ndarray] = [
            np.asarray(archive.array(c.path), np.float32) for c in self.manifest.clips
        ]

    def __repr__(self) -> str:
        return f"Instrument({self.name!r}, controls={', '.join(self.controls)})"

    @property
    def name(self) -> str:
        """Short name."""
        return self.manifest.name

    @property
    def sample_rate(self) -> int:
        """Hz."""
        return self.manifest.sample_rate

    @property
    def controls(self) -> tuple[str, ...]:
        """Names of the controls, in the order of their rows."""
        return self.map.names

    @property
    def latency_samples(self) -> int:
        """Delay of encoder and decoder together."""
        return self.manifest.latency_samples

    @cached_property
    def lead_in(self) -> LeadIn:
        """The states that notes begin in; worked out when first asked for (0.3 s)."""
        return LeadIn(self.graphs, self.anchors_z, self.anchors_controls)

    @cached_property
    def frame_rate_hz(self) -> float:
        """Latent frames a second."""
        return self.manifest.sample_rate / self.manifest.hop

    def analyse(self, audio: np.ndarray, sample_rate: float) -> Analysis:
        """Latent frames and descriptors of a sound [n] or [n, channels].

        Raises NeurorackError if it is empty or holds NaN or infinity.
        """
        intake = Intake(sample_rate, self.sample_rate)
        mono = np.concatenate([intake.feed(audio), intake.finish()])
        if len(mono) == 0:
            raise NeurorackError("The sound is empty: give at least one sample.")
        mono = np.pad(mono, (0, -len(mono) % self.manifest.hop))[None]
        z = EncoderStream(self.graphs).process(mono)[0]
        values = DescriptorStream(self.graphs).process(mono)[0]
        return Analysis(
            z=z,
            descriptors={m.name: values[i] for i, m in enumerate(self.manifest.measured)},
            controls=self.map.all_to_control(values[self.map.columns]),
            control_names=self.controls,
            frame_rate_hz=self.frame_rate_hz,
            _lag=self.map.lag_frames,
            _latency=self.manifest.latency_frames,
        )

    def synthesise(
        self,
        z: np.ndarray,
        descriptors: Mapping[str, np.ndarray | float] | None = None,
        controls: np.ndarray | None = None,
        seed: int = 0,
    ) -> np.ndarray:
        """Sound of latent frames z [Z, T]: float32 [128 T], frame t of z starting at sample 128 t.

        Give either `descriptors` (name -> [T] or a number, physical units; controls not named stand at their
        defaults) or `controls` ([C, T] or [C], normalised to [-1, 1]); neither = defaults throughout.
        """
        z = np.asarray(z, np.float32)
        if z.ndim != 2 or z.shape[0] != self.manifest.latent_size:
            raise NeurorackError(f"z must be [{self.manifest.latent_size}, T], not {list(z.shape)}.")
        if descriptors is not None and controls is not None:
            raise NeurorackError("Give descriptors or controls, not both.")
        frames, m = z.shape[1], self.map
        if controls is not None:
            controls = np.asarray(controls, np.float32)
            controls = controls[:, None] if controls.ndim == 1 else controls
            try:
                rows = np.broadcast_to(controls, (m.size, frames))
            except ValueError as error:
                raise NeurorackError(
                    f"controls must be [{m.size}, {frames}], not {controls.shape}."
                ) from error
            physical = m.all_to_physical(rows)
        else:
            kept, notes = present(dict(descriptors or {}), self.controls)
            _tell(notes)
            physical = np.repeat(m.defaults[:, None], frames, axis=1)
            for name in kept:
                try:
                    physical[m.index(name)] = np.asarray(descriptors[name], np.float32)  # type: ignore[index]
                except ValueError as error:
                    raise NeurorackError(f"{name} must hold {frames} values or one.") from error
            rows = m.all_to_control(physical)
        if not (np.isfinite(z).all() and np.isfinite(physical).all()):
            raise NeurorackError("z and controls must be finite numbers: remove NaN and infinity.")
        return DecoderStream(self.graphs, seed=seed).process(
            z[None],
            rows[None],
            physical[None, m.loudness] if m.loudness >= 0 else None,
            np.clip(physical[None, m.pitch], *F0_RANGE_HZ) if m.pitch >= 0 else None,
        )[0]

    def request(
        self,
        set: Mapping[str, Setting] | None = None,
        curves: Mapping[str, Curve] | None = None,
        offset: Mapping[str, Setting] | None = None,
        sourced: tuple[str, ...] = (),
        insist: float = 1.0,
    ) -> tuple[Request, list[str]]:
        """A checked Request, and messages about controls that this instrument lacks (they are left out).

        Raises NeurorackError for unknown names and bad values.
        """
        notes: list[str] = []

        def kept(names: Mapping[str, object] | tuple[str, ...]) -> list[str]:
            found, messages = present(list(names), self.controls)
            notes.extend(messages)
            return found

        def amount(name: str, value: Setting, parse) -> Amount:
            if isinstance(value, Amount):
                return value
            control = self.map.controls[self.map.index(name)]
            return parse(value if isinstance(value, str) else repr(float(value)), control)

        set, curves, offset = set or {}, curves or {}, offset or {}
        made = Request(
            sets={n: amount(n, set[n], parse_amount) for n in kept(set)},
            curves={n: curves[n] for n in kept(curves)},
            offsets={n: amount(n, offset[n], parse_offset) for n in kept(offset)},
            sourced=tuple(kept(sourced)),
            insist=insist,
        )
        return made, notes

    def stream_transfer(
        self,
        sample_rate: float,
        request: Request | None = None,
        others: tuple[OtherSound, ...] = (),
        lookahead: bool = True,
        seed: int = 0,
    ) -> Transfer:
        """A streaming Transfer for sound at `sample_rate`.

        lookahead: delay the sound so that every control is read at the moment it describes (best for files);
        without it, the newest measurements are used (best for playing).
        """
        return Transfer(self.graphs, self.map, self.coupling, sample_rate, request, others, lookahead, seed)

    def transfer(
        self,
        audio: np.ndarray,
        sample_rate: float,
        set: Mapping[str, Setting] | None = None,
        curves: Mapping[str, Curve] | None = None,
        sources: Mapping[str, Sound] | None = None,
        offset: Mapping[str, Setting] | None = None,
        insist: float = 1.0,
        lookahead: bool = True,
        seed: int = 0,
    ) -> np.ndarray:
        """Play a sound [n] or [n, channels] through the instrument: float32 mono at the instrument's rate,
        aligned with the input and as long as it (resampled).

        set: control -> knob travel 0..1, or "1200Hz"; curves: control -> Curve; sources: control -> (audio,
        sample rate) of another sound whose control is taken; offset: control -> travel, "+3dB", "+7st";
        insist: 0 lets the other controls follow as in the corpus, 1 holds them still.
        """
        sources = sources or {}
        request, notes = self.request(set, curves, offset, tuple(sources), insist)
        _tell(notes)
        others = tuple(OtherSound([sources[n][0]], sources[n][1], (n,)) for n in request.sourced)
        stream = self.stream_transfer(sample_rate, request, others, lookahead, seed)
        parts = [stream.process(audio), stream.flush()]
        sound = np.concatenate(parts)
        if len(sound) == 0:
            raise NeurorackError("The sound is empty: give at least one sample.")
        return sound


def _tell(notes: list[str]) -> None:
    for note in notes:
        warnings.warn(note, stacklevel=3)


def load_instrument(name_or_path: str | Path) -> Instrument:
    """The instrument of that name (bundled or installed), or the .nrk file at that path, verified.

    Raises NeurorackError that names the instruments there are, or says what is wrong with the file.
    """
    return Instrument(read_nrk(find(name_or_path)))
