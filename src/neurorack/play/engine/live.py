"""LiveSource: the input's latent frames and controls."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.alignment import effective_lag
from neurorack.play.engine.graphs import Graphs
from neurorack.play.engine.mapping import ControlMap
from neurorack.play.engine.plain_state import State, attributes, gather, scatter, set_attributes
from neurorack.play.engine.scalar import ScalarMap
from neurorack.play.engine.streams import DescriptorStream, EncoderStream

_STATE = ("_history", "_fresh", "physical", "row", "power")


class LiveSource:
    """Encoder and descriptors on the input, one frame at a time; controls as new as can be (no
    look-ahead).
    """

    def __init__(self, graphs: Graphs, controls: ControlMap) -> None:
        self._encoder = EncoderStream(graphs)
        self._descriptors = DescriptorStream(graphs, warm=(1, 2))
        self._map = controls
        self._to_control = ScalarMap(controls).to_control
        latency = graphs.manifest.latency_frames
        self._delay = latency - effective_lag(controls.lag_frames, latency, lookahead=False)
        depth = int(self._delay.max(initial=0)) + 1
        self._history = np.zeros((controls.size, depth), np.float32)
        self._audio = np.zeros((1, graphs.manifest.hop), np.float32)
        self._rows = np.arange(controls.size)
        self.physical = np.zeros(controls.size, np.float32)
        """The input's controls beside the sound now made, physical [C]."""
        self.row = np.zeros(graphs.manifest.latent_size + controls.size, np.float32)
        """z, then the same controls normalised."""
        self.power = 0.0
        """Mean square of the last frame."""
        self.reset()

    def reset(self) -> None:
        """Start from silence."""
        self._encoder.reset()
        self._descriptors.reset()
        self._fresh = True
        self.power = 0.0

    def step(self, audio: np.ndarray, busy: bool = False) -> np.ndarray:
        """One input frame [hop] -> its row. In a `busy` frame the controls are not measured anew."""
        np.clip(audio, -8.0, 8.0, out=self._audio[0])
        if not math.isfinite(float(self._audio.sum())):
            self._audio.fill(0.0)
        self.power = float(np.dot(self._audio[0], self._audio[0])) / self._audio.shape[1]
        latent = self._encoder.process(self._audio)[0, :, 0]
        if not math.isfinite(float(latent.sum())):
            self._encoder.reset()
            latent = np.zeros_like(latent)
        before, measured = self._descriptors.step(self._audio, busy)[0, self._map.columns].T
        if self._fresh:
            self._history[:] = measured[:, None]
            self._fresh = False
        else:
            self._history[:, 1:] = self._history[:, :-1].copy()
            # What was only repeated in the frame before is known by now.
            self._history[:, 1:2] = before[:, None]
            self._history[:, 0] = measured
        self.physical[:] = self._history[self._rows, self._delay]
        self.row[: len(latent)] = latent
        at = len(latent)
        self.row[at:] = [f(v) for f, v in zip(self._to_control, self.physical.tolist(), strict=True)]
        return self.row

    def state(self) -> State:
        """Everything later frames depend on."""
        return {
            **attributes(self, _STATE),
            **gather({"encoder": self._encoder, "descriptors": self._descriptors}),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
        scatter({"encoder": self._encoder, "descriptors": self._descriptors}, state)
