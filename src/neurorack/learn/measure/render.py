"""Running a .nrk offline: the graphs themselves, in ONNX Runtime, 64 frames at a time, many requests at once.

Times follow docs/architecture.md: what enters `encoder` in frame t leaves `decoder` in frame
t + latency_frames, so a curve that belongs to frame u of the source is put in at decoder frame
u + latency_frames; a control measured causally at frame s stands for frame s - lag_frames.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest import Manifest
from neurorack.core.noise import white
from neurorack.core.nrk import Archive
from neurorack.core.timebase import HOP, SLOW_EVERY

CHUNK_FRAMES = 64
VOICED = 0.5
"""Periodicity under which the pitch keeps its last voiced value."""


@dataclass(frozen=True)
class Analysis:
    """A sound as an instrument sees it: `z` [Z, T + latency] and, for each measured name, a causal curve [T]
    moved to the frame it describes (`lag_frames` earlier for a control; periodicity like pitch)."""

    z: np.ndarray
    curves: Mapping[str, np.ndarray]


class Renderer:
    """The graphs of one instrument. Every call starts from silence; nothing is kept between calls."""

    def __init__(self, archive: Archive) -> None:
        self.manifest: Manifest = archive.manifest
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._sessions = {}
        for name in self.manifest.graphs:
            try:
                self._sessions[name] = onnxruntime.InferenceSession(
                    archive.graph(name), options, providers=["CPUExecutionProvider"]
                )
            except Exception as error:
                raise NeurorackError(
                    f"{archive.path}: ONNX Runtime cannot load its {name} graph; export the instrument again"
                ) from error
        self._slow_lag = {c.name: c.lag_frames for c in self.manifest.controls}.get("pitch", 0)

    def analyse(self, audio: np.ndarray) -> Analysis:
        """Latent frames and control curves of a mono sound [128 T] at the instrument's rate."""
        m = self.manifest
        frames = len(audio) // HOP
        lags = {c.name: c.lag_frames for c in m.controls}
        tail = max([m.latency_frames, self._slow_lag, *lags.values()])
        tail += -(frames + tail) % SLOW_EVERY
        padded = np.pad(np.asarray(audio, dtype=np.float32), (0, tail * HOP))[None]
        z = self._run("encoder", "z", frames + tail, {"audio": padded})[0]
        fast = iter(self._run("descriptors", "values", frames + tail, {"audio": padded})[0])
        slow = iter(())
        if "descriptors_slow" in self._sessions:
            values = self._run(
                "descriptors_slow",
                "values",
                (frames + tail) // SLOW_EVERY,
                {"audio": padded},
                SLOW_EVERY * HOP,
            )
            slow = iter(np.repeat(values[0], SLOW_EVERY, axis=1))
        curves = {}
        for measured in m.measured:
            curve = next(slow) if measured.slow else next(fast)
            if measured.slow:
                curve = np.concatenate([np.full(SLOW_EVERY - 1, measured.default), curve])
            curves[measured.name] = curve.astype(np.float64)
        if not all(np.isfinite(c).all() for c in (z, *curves.values())):
            raise NeurorackError(
                f"{m.name}: its encoder or descriptors give numbers that are not finite; export it again"
            )
        if "pitch" in curves and "periodicity" in curves:
            curves["pitch"] = _hold(curves["pitch"], curves["periodicity"][: len(curves["pitch"])] >= VOICED)
        lags["periodicity"] = self._slow_lag
        moved = {name: c[lags.get(name, 0) :][:frames] for name, c in curves.items()}
        return Analysis(z[:, : frames + m.latency_frames], moved)

    def encode(self, audio: np.ndarray) -> np.ndarray:
        """Latent frames [Z, T] of a mono sound [128 T]: frame t belongs to the sound's frame t - latency."""
        padded = np.asarray(audio, dtype=np.float32)[None]
        return self._run("encoder", "z", padded.shape[1] // HOP, {"audio": padded})[0]

    def render(self, z: np.ndarray, asked: Sequence[Mapping[str, np.ndarray]], seed: int = 0) -> np.ndarray:
        """Sound of one latent curve [Z, T + latency] under several requests: float32 [R, 128 T].

        `asked`: for every control a curve [T] in physical units, at the frames of the sound.
        """
        return self.render_batch(np.broadcast_to(z, (len(asked), *z.shape)), asked, seed)

    def render_batch(
        self, z: np.ndarray, asked: Sequence[Mapping[str, np.ndarray]], seed: int = 0
    ) -> np.ndarray:
        """The same with a latent curve for each request: z [R, Z, T + latency]."""
        m = self.manifest
        frames = z.shape[2]
        rows = np.empty((len(asked), len(m.controls), frames), dtype=np.float32)
        physical = np.empty_like(rows)
        for r, request in enumerate(asked):
            for c, control in enumerate(m.controls):
                physical[r, c] = np.pad(request[control.name], (m.latency_frames, 0), mode="edge")[:frames]
                rows[r, c] = control.normaliser.to_control(physical[r, c])
        inputs = {"z": z.astype(np.float32), "controls": rows}
        if m.gained:
            inputs["level_db"] = physical[:, [m.control_index("loudness")]]
        if m.pitched:
            inputs["f0_hz"] = physical[:, [m.control_index("pitch")]]
        inputs["noise"] = np.broadcast_to(white(seed, 0, HOP * frames), (len(asked), HOP * frames))
        audio = self._run("decoder", "audio", frames, inputs)
        return audio[:, m.latency_frames * HOP :]

    def _run(
        self, graph: str, output: str, frames: int, inputs: Mapping[str, np.ndarray], hop: int = HOP
    ) -> np.ndarray:
        """Step a graph through its inputs, frame inputs [.., T] and sample inputs [B, hop T], cold."""
        session, spec = self._sessions[graph], self.manifest.graphs[graph]
        batch = next(iter(inputs.values())).shape[0]
        state = np.zeros((batch, spec.state_size), dtype=np.float32)
        parts = []
        for start in range(0, frames, CHUNK_FRAMES):
            stop = min(start + CHUNK_FRAMES, frames)
            feed = {}
            for name, value in inputs.items():
                unit = hop if name in ("audio", "noise") else 1
                feed[name] = np.ascontiguousarray(value[..., start * unit : stop * unit], dtype=np.float32)
            part, state = session.run([output, "state_out"], {**feed, "state": state})
            parts.append(part)
        return np.concatenate(parts, axis=-1)


def _hold(pitch_hz: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """Pitch that keeps its last voiced value; before the first one, that one."""
    if not voiced.any():
        return pitch_hz
    index = np.maximum.accumulate(np.where(voiced, np.arange(len(pitch_hz)), -1))
    return pitch_hz[np.where(index < 0, np.argmax(voiced), index)]
