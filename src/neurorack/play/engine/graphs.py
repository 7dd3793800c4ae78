"""Graphs: the ONNX Runtime sessions of one instrument, loaded once and shared by any number of streams."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import onnxruntime as ort

from neurorack.core.manifest import Manifest
from neurorack.core.manifest_io import PRIOR_GRAPHS
from neurorack.play.engine.graph_stream import GraphStream, Port
from neurorack.play.engine.sessions import make_session


class Members(Protocol):
    """What the player needs of an opened .nrk (core.nrk.Archive has it)."""

    @property
    def manifest(self) -> Manifest: ...

    def member(self, path: str) -> bytes: ...

    def array(self, path: str) -> np.ndarray: ...


@dataclass(frozen=True)
class Graphs:
    """Sessions by graph name ("encoder", "descriptors", "descriptors_slow", "decoder", and the priors)
    and the manifest."""

    manifest: Manifest
    sessions: dict[str, ort.InferenceSession]

    @classmethod
    def load(cls, archive: Members) -> "Graphs":
        """Make a session for every graph of the archive. Raises NeurorackError if one does not load."""
        manifest = archive.manifest
        return cls(
            manifest,
            {name: make_session(archive.member(spec.path), name) for name, spec in manifest.graphs.items()},
        )

    @property
    def fast(self) -> list[int]:
        """Columns of `manifest.measured` that come from the fast descriptor graph."""
        return [i for i, m in enumerate(self.manifest.measured) if not m.slow]

    @property
    def slow(self) -> list[int]:
        """Columns of `manifest.measured` that come from the slow descriptor graph."""
        return [i for i, m in enumerate(self.manifest.measured) if m.slow]

    def stream(self, name: str, batch: int = 1, warm: tuple[int, ...] = (1,)) -> GraphStream:
        """A new stream of graph `name`, state zero. One step is one frame (for descriptors_slow: four)."""
        m = self.manifest
        audio = Port("audio", None, m.hop)
        inputs: tuple[Port, ...]
        outputs: tuple[Port, ...]
        if name == "encoder":
            inputs, outputs = (audio,), (Port("z", m.latent_size),)
        elif name == "descriptors":
            inputs, outputs = (audio,), (Port("values", len(self.fast)),)
        elif name == "descriptors_slow":
            inputs, outputs = (Port("audio", None, 4 * m.hop),), (Port("values", len(self.slow)),)
        elif name in PRIOR_GRAPHS and m.prior is not None:
            size = m.latent_size if name == "prior_latent" else len(m.controls)
            names = ("controls",) if name == "prior_latent" else ("held", "mask")
            told = [Port("previous", size), *(Port(each, len(m.controls)) for each in names)]
            if name == "prior_controls":
                told.append(Port("clock", 4))
            chance = Port("noise", m.prior.noise[PRIOR_GRAPHS[name]]), Port("temperature", 1)
            inputs, outputs = (*told, *chance), (Port("z" if name == "prior_latent" else "controls", size),)
        else:
            rows = [Port("z", m.latent_size), Port("controls", len(m.controls))]
            if m.gained:
                rows.append(Port("level_db", 1))
            if m.pitched:
                rows.append(Port("f0_hz", 1))
            inputs, outputs = (*rows, Port("noise", None, m.hop)), (audio,)
        state_size = m.graphs[name].state_size
        return GraphStream(self.sessions[name], inputs, outputs, state_size, batch, warm)
