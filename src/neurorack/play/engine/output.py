"""The last stage before the audio device: gain ramps, DC blocker, soft limiter, guard against non-finite
samples.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.plain_state import State, attributes, set_attributes

DC_CORNER_HZ = 8.0
KNEE = 0.8
"""Magnitude up to which the limiter is transparent; above, tanh towards 1."""


def soft_limit(audio: np.ndarray) -> None:
    """In place, [n] or [channels, n]: up to KNEE untouched, above bent smoothly below 1. Memoryless: no
    delay, no pumping. Channels get the same gain, so that the stereo picture stands still.
    """
    if audio.size and max(audio.max(), -audio.min()) > KNEE:
        magnitude = np.abs(audio)
        loudest = magnitude if audio.ndim == 1 else magnitude.max(axis=0)
        over = loudest > KNEE
        bent = KNEE + (1.0 - KNEE) * np.tanh((loudest[over] - KNEE) / (1.0 - KNEE))
        audio[..., over] *= bent / loudest[over]


class DcBlocker:
    """y[n] = x[n] - x[n-1] + r y[n-1], a frame at a time by one small matrix product."""

    def __init__(self, sample_rate: float, hop: int) -> None:
        r = float(np.exp(-2.0 * np.pi * DC_CORNER_HZ / sample_rate))
        age = np.arange(hop)[:, None] - np.arange(hop)[None]
        self._response = np.where(age >= 0, r ** np.maximum(age, 0), 0.0).astype(np.float32)
        self._decay = (r ** (np.arange(hop) + 1)).astype(np.float32)
        self._steps = np.zeros(hop, np.float32)
        self._x = np.float32(0.0)
        self._y = np.float32(0.0)

    def reset(self) -> None:
        """As if silence had gone before."""
        self._x = self._y = np.float32(0.0)

    def process(self, frame: np.ndarray) -> None:
        """In place, one frame [hop]."""
        steps = self._steps
        steps[0] = frame[0] - self._x
        np.subtract(frame[1:], frame[:-1], out=steps[1:])
        self._x = frame[-1]
        np.matmul(self._response, steps, out=frame)
        np.multiply(self._decay, self._y, out=steps)
        frame += steps
        self._y = frame[-1]

    def copy_from(self, other: "DcBlocker") -> None:
        """Go on as `other` does."""
        self._x, self._y = other._x, other._y

    def same_as(self, other: "DcBlocker") -> bool:
        """Whether both would do the same to the same sound."""
        return self._x == other._x and self._y == other._y

    def state(self) -> State:
        """What later frames depend on."""
        return attributes(self, ("_x", "_y"))

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, ("_x", "_y"), state)


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
