"""From the instrument's rate to a device that refuses it: soxr fed block by block.

soxr's "LQ" recipe is chosen knowingly: streaming, it holds about 2 ms from 44.1 to 48 kHz where "HQ" holds
21; its alias rejection is that of 16 bits and its passband ends near 0.8 of Nyquist.
"""

import math
from collections import deque
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import soxr

from neurorack.play.audio.backend import CHANNELS, Render
from neurorack.play.engine.events import Event

QUALITY = "LQ"


class ResampledRender:
    """A Render at `device_rate` made of one at `sample_rate`; pulls `block` samples at a time.

    What is heard and what happens take the same way the other way round, always equally long: what happens
    at a sample of the device is heard `event_latency_s` after it.
    """

    def __init__(self, render: Render, sample_rate: int, device_rate: int, block: int) -> None:
        self._render = render
        self._rates = sample_rate, device_rate
        self._block = block
        self._out = soxr.ResampleStream(sample_rate, device_rate, CHANNELS, dtype="float32", quality=QUALITY)
        self._ready = np.zeros((CHANNELS, 0), np.float32)
        self._in: soxr.ResampleStream | None = None
        self._waiting = np.zeros(0, np.float32)
        self._events: deque[tuple[int, Event]] = deque()
        self._asked = self._rendered = 0
        held = resampler_latency_s(sample_rate, device_rate, block)
        # The render inside runs ahead by what soxr holds, and by at most one block of its own.
        self._lead = math.ceil(held * sample_rate) + block
        self.latency_s = held
        self.event_latency_s = self._lead / sample_rate

    def __call__(
        self, count: int, audio_in: np.ndarray | None = None, events: Sequence[Event] = ()
    ) -> np.ndarray:
        """The next `count` samples at the device's rate: float32 [2, count]."""
        rate, device_rate = self._rates
        for event in events:
            at = round((self._asked + event.offset) * rate / device_rate) + self._lead
            self._events.append((at, event))
        self._listen(audio_in)
        self._asked += count
        while self._ready.shape[1] < count:
            audio = self._render(self._block, self._heard(), self._due())
            self._rendered += self._block
            fresh = self._out.resample_chunk(np.ascontiguousarray(audio.T))
            self._ready = np.concatenate([self._ready, fresh.T], axis=1)
        out, self._ready = self._ready[:, :count], self._ready[:, count:]
        return out

    def _listen(self, audio_in: np.ndarray | None) -> None:
        if audio_in is None:
            self._in, self._waiting = None, np.zeros(0, np.float32)
            return
        if self._in is None:
            rate, device_rate = self._rates
            self._in = soxr.ResampleStream(device_rate, rate, 1, dtype="float32", quality=QUALITY)
            self._waiting = np.zeros(self._lead, np.float32)
        self._waiting = np.concatenate([self._waiting, self._in.resample_chunk(audio_in)])

    def _heard(self) -> np.ndarray | None:
        if self._in is None:
            return None
        if len(self._waiting) < self._block:
            self._waiting = np.concatenate([self._waiting, np.zeros(self._block, np.float32)])
        heard, self._waiting = self._waiting[: self._block], self._waiting[self._block :]
        return heard

    def _due(self) -> list[Event]:
        due = []
        while self._events and self._events[0][0] < self._rendered + self._block:
            at, event = self._events.popleft()
            due.append(replace(event, offset=max(0, at - self._rendered)))
        return due


def resampler_latency_s(sample_rate: int, device_rate: int, block: int) -> float:
    """Most sound that the resampler withholds once it runs, measured on a second of silence."""
    stream = soxr.ResampleStream(sample_rate, device_rate, 1, dtype="float32", quality=QUALITY)
    silence, given, held = np.zeros((block, 1), np.float32), 0, 0.0
    for fed in range(block, sample_rate, block):
        given += len(stream.resample_chunk(silence))
        held = max(held, fed / sample_rate - given / device_rate)
    return held
