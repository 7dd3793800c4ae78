"""Queues between blocks of any size and frames of 128 samples, in fixed memory."""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.plain_state import State

QUEUE_SAMPLES = 16_384


class SampleQueue:
    """Samples [channels, n], first in, first out."""

    def __init__(self, channels: int) -> None:
        self._data = np.zeros((channels, QUEUE_SAMPLES), np.float32)
        self.count = 0

    def push(self, block: np.ndarray) -> None:
        """Append [channels, n] (or [n]). What does not fit pushes out the oldest."""
        n = block.shape[-1]
        excess = self.count + n - QUEUE_SAMPLES
        if excess > 0:
            self._drop(min(excess, self.count))
        self._data[:, self.count : self.count + n] = block
        self.count += n

    def push_silence(self, n: int) -> None:
        """Append n zeros."""
        self._data[:, self.count : self.count + n] = 0.0
        self.count += n

    def pull(self, out: np.ndarray) -> int:
        """Fill `out` [channels, n] from the front as far as there are samples; returns how many."""
        n = min(out.shape[-1], self.count)
        out[:, :n] = self._data[:, :n]
        self._drop(n)
        return n

    def _drop(self, n: int) -> None:
        left = self.count - n
        if left and n:
            self._data[:, :left] = self._data[:, n : self.count].copy()
        self.count = left

    def state(self) -> State:
        """What waits."""
        return {"waiting": self._data[:, : self.count].copy()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        waiting = state["waiting"]
        self.count = waiting.shape[1]
        self._data[:, : self.count] = waiting


class Pace:
    """How long what comes in must wait, so that every frame knows all of it when it is rendered.

    Blocks that are whole frames: not at all. Blocks of n: 128 - gcd(n, 128) samples, since a frame is
    rendered as soon as its first sample is asked for.
    """

    def __init__(self, hop: int) -> None:
        self._hop = hop
        self._common = hop

    def take(self, n: int) -> int:
        """A block of n comes; returns by how many samples the delay has grown."""
        before = self.delay
        self._common = math.gcd(self._common, n)
        return self.delay - before

    @property
    def delay(self) -> int:
        """Samples."""
        return self._hop - self._common

    def state(self) -> State:
        """What later delays depend on."""
        return {"common": self._common}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self._common = int(state["common"])
