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

_STATE = ("_fresh", "physical", "row", "power")

LOUDEST = 8.0
"""Input samples beyond this, 18 dB over full scale, are cut."""


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
        delay = latency - effective_lag(controls.lag_frames, latency, lookahead=False)
        self._delay = [int(frames) for frames in delay]
        self._recent = [[0.0] * controls.size for _ in range(max(self._delay, default=0) + 1)]
        """Physical values of the newest frame, of the one before, and so on."""
        self._audio = np.zeros((1, graphs.manifest.hop), np.float32)
        self._pair = np.zeros((controls.size, 2), np.float32)
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
        sound, hop = self._audio[0], self._audio.shape[1]
        energy = float(np.dot(audio, audio))
        if energy < LOUDEST**2:  # then no sample is louder, and none is no number
            sound[:] = audio
        else:
            np.clip(audio, -LOUDEST, LOUDEST, out=sound)
            energy = float(np.dot(sound, sound))
            if not math.isfinite(energy):
                sound.fill(0.0)
                energy = 0.0
        self.power = energy / hop
        latent = self._encoder.step(self._audio)
        if not math.isfinite(float(latent.sum())):
            self._encoder.reset()
            latent = np.zeros_like(latent)
        np.take(self._descriptors.step(self._audio, busy)[0], self._map.columns, axis=0, out=self._pair)
        before, measured = self._pair.T.tolist()
        recent = self._recent
        if self._fresh:
            recent[:] = [measured] * len(recent)
            self._fresh = False
        else:
            recent.insert(0, measured)
            recent.pop()
            if len(recent) > 1:
                # What was only repeated in the frame before is known by now.
                recent[1] = before
        physical = [recent[delay][i] for i, delay in enumerate(self._delay)]
        self.physical[:] = physical
        at = len(latent)
        self.row[:at] = latent
        self.row[at:] = [f(v) for f, v in zip(self._to_control, physical, strict=True)]
        return self.row

    def state(self) -> State:
        """Everything later frames depend on."""
        return {
            **attributes(self, _STATE),
            "recent": np.array(self._recent, np.float32),
            **gather({"encoder": self._encoder, "descriptors": self._descriptors}),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
        self._recent = np.asarray(state["recent"]).tolist()
        scatter({"encoder": self._encoder, "descriptors": self._descriptors}, state)
