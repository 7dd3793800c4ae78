"""The last stage before the audio device: gain ramps, DC blocker, soft limiter, guard against non-finite
samples.
"""

import numpy as np

DC_CORNER_HZ = 8.0
KNEE = 0.8
"""Magnitude up to which the limiter is transparent; above, tanh towards 1."""


def soft_limit(audio: np.ndarray) -> None:
    """In place: |x| <= KNEE untouched, above bent smoothly below 1. Memoryless: no delay, no pumping."""
    if len(audio) and max(audio.max(), -audio.min()) > KNEE:
        magnitude = np.abs(audio)
        over = magnitude > KNEE
        bent = KNEE + (1.0 - KNEE) * np.tanh((magnitude[over] - KNEE) / (1.0 - KNEE))
        audio[over] = np.copysign(bent, audio[over])


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
        self._steps[0] = frame[0] - self._x
        np.subtract(frame[1:], frame[:-1], out=self._steps[1:])
        self._x = frame[-1]
        np.matmul(self._response, self._steps, out=frame)
        frame += self._decay * self._y
        self._y = frame[-1]


class Ramp:
    """A gain that moves in a straight line through each frame, so that it never clicks."""

    def __init__(self, hop: int, value: float = 0.0) -> None:
        self._line = ((np.arange(hop) + 1) / hop).astype(np.float32)
        self.value = value

    def apply(self, frame: np.ndarray, target: float) -> None:
        """In place, one frame: from the last target to this one."""
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
