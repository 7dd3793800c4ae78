"""Alignment: a sound's measured controls, brought back to the moment in the sound that they describe.

A causal measurement at frame t looks back, so it describes the sound of about `lag_frames` earlier; the codec
itself gives input frame t back at decoder frame t + latency. Beside decoder step s, sound frame tau = s -
latency is made, and its controls are measured[tau + lag].
"""

import numpy as np


class ControlBuffer:
    """Measured physical controls [C, t], pushed in order, read aligned; forgets what is no longer needed."""

    def __init__(self, lag_frames: np.ndarray) -> None:
        self._lag = np.asarray(lag_frames, np.intp)
        self._rows = np.arange(len(self._lag))[:, None]
        self._values = np.zeros((len(self._lag), 0), np.float32)
        self._first = 0
        self.ended = False

    @property
    def frames(self) -> int:
        """Frames pushed since the start."""
        return self._first + self._values.shape[1]

    @property
    def lookahead(self) -> int:
        """Frames that must be pushed beyond a frame before it can be read."""
        return int(self._lag.max(initial=0))

    def push(self, values: np.ndarray) -> None:
        """Append [C, k]."""
        self._values = np.concatenate([self._values, values], axis=1)

    def read(self, start: int, count: int) -> np.ndarray:
        """Controls of sound frames start .. start + count - 1, [C, count]; frames before 0 repeat frame 0.

        Past the end of an ended sound its last frame is held.
        """
        tau = np.arange(start, start + count) + self._lag[:, None]
        index = np.minimum(np.maximum(tau, 0), self.frames - 1) - self._first
        return self._values[self._rows, index]

    def forget(self, before: int) -> None:
        """Drop frames before `before` (the last one is kept, to be held)."""
        cut = min(max(before - self._first, 0), self._values.shape[1] - 1)
        if cut > 0:
            self._values = self._values[:, cut:]
            self._first += cut


def effective_lag(lag_frames: np.ndarray, latency_frames: int, lookahead: bool) -> np.ndarray:
    """How far each control is read ahead of the sound frame: its lag, or without look-ahead at most what the
    codec's latency already gives (the newest value there is)."""
    lag = np.asarray(lag_frames, np.intp)
    return lag if lookahead else np.minimum(lag, latency_frames)
