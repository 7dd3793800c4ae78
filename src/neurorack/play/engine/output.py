"""The last stage before the audio device: gain ramps, DC blocker, soft limiter, guard against non-finite
samples.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.plain_state import State

DC_CORNER_HZ = 8.0
KNEE = 0.8
"""Magnitude up to which the limiter is transparent; above, tanh towards 1."""


def soft_limit(audio: np.ndarray) -> None:
    """In place, [channels, n]: up to KNEE untouched, above bent smoothly below 1, all channels by the same
    gain, so that the stereo picture stands still. Memoryless: no delay, no pumping.
    """
    if audio.size and max(audio.max(), -audio.min()) > KNEE:
        magnitude = np.abs(audio).max(axis=0)
        over = magnitude > KNEE
        bent = KNEE + (1.0 - KNEE) * np.tanh((magnitude[over] - KNEE) / (1.0 - KNEE))
        audio[:, over] *= bent / magnitude[over]


class DcBlocker:
    """y[n] = x[n] - x[n-1] + r y[n-1], a frame at a time by one small matrix product; two channels."""

    def __init__(self, sample_rate: float, hop: int) -> None:
        r = float(np.exp(-2.0 * np.pi * DC_CORNER_HZ / sample_rate))
        age = np.arange(hop)[:, None] - np.arange(hop)[None]
        response = np.where(age >= 0, r ** np.maximum(age, 0), 0.0).astype(np.float32)
        self._response = np.ascontiguousarray(response.T)
        self._decay = (r ** (np.arange(hop) + 1)).astype(np.float32)
        self._steps = np.zeros((2, hop), np.float32)
        self._x = np.zeros(2, np.float32)
        self._y = np.zeros(2, np.float32)

    def process(self, frame: np.ndarray) -> None:
        """In place, one frame [2, hop]."""
        steps = self._steps
        np.subtract(frame[:, 1:], frame[:, :-1], out=steps[:, 1:])
        np.subtract(frame[:, 0], self._x, out=steps[:, 0])
        self._x[:] = frame[:, -1]
        # Row by row: a product of two rows may round otherwise, and mono must stay exactly mono.
        np.matmul(steps[0], self._response, out=frame[0])
        np.matmul(steps[1], self._response, out=frame[1])
        np.multiply(self._decay, self._y[:, None], out=steps)
        frame += steps
        self._y[:] = frame[:, -1]

    def state(self) -> State:
        """What later frames depend on."""
        return {"x": self._x.copy(), "y": self._y.copy()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self._x[:], self._y[:] = state["x"], state["y"]


class Ramp:
    """A gain that moves in a straight line through each frame, so that it never clicks."""

    def __init__(self, hop: int, value: float = 0.0) -> None:
        self._line = ((np.arange(hop) + 1) / hop).astype(np.float32)
        self.value = value

    def apply(self, frame: np.ndarray, target: float) -> None:
        """In place, one frame [..., hop]: from the last target to this one."""
        if target == self.value:
            if target != 1.0:
                frame *= np.float32(target)
            return
        frame *= np.float32(self.value) + np.float32(target - self.value) * self._line
        self.value = target


def fade_out_from(frame: np.ndarray, last: float) -> None:
    """Replace a bad frame [hop] by a line from `last` to zero over its first quarter, then silence."""
    quarter = len(frame) // 4
    frame[:quarter] = last * np.linspace(1.0, 0.0, quarter, dtype=np.float32)
    frame[quarter:] = 0.0
