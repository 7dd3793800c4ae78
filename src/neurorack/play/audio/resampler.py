"""From the instrument's rate to a device that refuses it: soxr fed block by block.

soxr's "LQ" recipe is chosen knowingly: streaming, it holds about 2 ms from 44.1 to 48 kHz where "HQ" holds
21; its alias rejection is that of 16 bits and its passband ends near 0.8 of Nyquist.
"""

import numpy as np
import soxr

from neurorack.play.audio.backend import Render

QUALITY = "LQ"


class ResampledRender:
    """A Render at `device_rate` made of one at `sample_rate`; pulls `block` samples at a time."""

    def __init__(self, render: Render, sample_rate: int, device_rate: int, block: int, channels: int) -> None:
        self._render = render
        self._block = block
        self._stream = soxr.ResampleStream(
            sample_rate, device_rate, channels, dtype="float32", quality=QUALITY
        )
        self._ready = np.zeros((channels, 0), np.float32)

    def __call__(self, count: int) -> np.ndarray:
        """The next `count` samples at the device's rate: float32 [channels, count]."""
        while self._ready.shape[1] < count:
            fresh = self._stream.resample_chunk(np.ascontiguousarray(self._render(self._block).T))
            self._ready = np.concatenate([self._ready, fresh.T], axis=1)
        out, self._ready = self._ready[:, :count], self._ready[:, count:]
        return out


def resampler_latency_s(sample_rate: int, device_rate: int, block: int) -> float:
    """Most sound that the resampler withholds once it runs, measured on a second of silence."""
    stream = soxr.ResampleStream(sample_rate, device_rate, 1, dtype="float32", quality=QUALITY)
    silence, given, held = np.zeros((block, 1), np.float32), 0, 0.0
    for fed in range(block, sample_rate, block):
        given += len(stream.resample_chunk(silence))
        held = max(held, fed / sample_rate - given / device_rate)
    return held
