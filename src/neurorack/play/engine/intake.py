"""Intake: sound of any rate and channel count -> mono at the instrument's rate, block by block."""

import numpy as np
import soxr

from neurorack.core.errors import NeurorackError

MIN_RATE_HZ, MAX_RATE_HZ = 1_000, 768_000
MAX_CHANNELS = 256


class Intake:
    """Mixes down (mean of channels) and resamples (soxr, high quality) a stream of blocks.

    The output is the same however the input is cut. The resampler's own delay is compensated by soxr: output
    sample 0 is input sample 0; it holds back some 20 ms, which `finish` returns.
    """

    def __init__(self, source_rate: float, target_rate: float) -> None:
        if not MIN_RATE_HZ <= source_rate <= MAX_RATE_HZ:
            raise NeurorackError(
                f"A sample rate of {source_rate} Hz cannot be right: give it in Hz, like 44100."
            )
        self.source_rate, self.target_rate = source_rate, target_rate
        self._resampler = (
            None
            if source_rate == target_rate
            else soxr.ResampleStream(source_rate, target_rate, 1, dtype="float32", quality="HQ")
        )
        self.samples_in = 0

    def feed(self, block: np.ndarray) -> np.ndarray:
        """[n] or [n, channels] of floats -> mono float32 [m]. Raises NeurorackError on NaN or infinity."""
        mono = mix_down(block)
        if not np.isfinite(mono).all():
            where = (self.samples_in + int(np.argmin(np.isfinite(mono)))) / self.source_rate
            raise NeurorackError(
                f"The sound holds samples that are not numbers (NaN or infinity), "
                f"the first at {where:.3f} s: repair it in a sound editor."
            )
        self.samples_in += len(mono)
        if self._resampler is None:
            return mono
        if len(mono) == 0:
            return mono
        return self._resampler.resample_chunk(mono, last=False)

    def finish(self) -> np.ndarray:
        """What the resampler still holds; call once at the end."""
        if self._resampler is None or self.samples_in == 0:
            return np.zeros(0, np.float32)
        return self._resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def mix_down(block: np.ndarray) -> np.ndarray:
    """[n] or [n, channels] -> float32 [n], the mean over channels. Integers are scaled to ±1."""
    block = np.asarray(block)
    if block.dtype.kind == "i":
        block = block.astype(np.float32) / np.float32(np.iinfo(block.dtype).max)
    elif block.dtype.kind != "f":
        raise NeurorackError(f"Sound must be floats or signed integers, not {block.dtype}.")
    if block.ndim == 2:
        if block.shape[1] > MAX_CHANNELS:
            raise NeurorackError(
                f"Sound of shape {block.shape} has {block.shape[1]} channels: give it as [samples, channels]."
            )
        block = block.mean(axis=1) if block.shape[1] else np.zeros(len(block))
    elif block.ndim != 1:
        raise NeurorackError(f"Sound must be [samples] or [samples, channels], not {block.ndim}-dimensional.")
    return np.ascontiguousarray(block, np.float32)
