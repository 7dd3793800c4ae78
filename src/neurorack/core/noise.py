"""White noise as a pure function of (seed, sample index), so that streaming equals offline.

A 32-bit integer finaliser (Wellons' "lowbias32") hashes the index; the high and low halves of the hash are
summed to a triangular distribution of zero mean and unit variance. The period is 2**32 samples (27 hours).
"""

import numpy as np

_SCALE = np.float32(np.sqrt(6.0) / 65536.0)
_SHIFT_16, _SHIFT_15 = np.uint32(16), np.uint32(15)
_FIRST, _SECOND = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)
_LOW, _MIDDLE = np.uint32(0xFFFF), np.float32(65535.0)


def _hash_in_place(x: np.ndarray, spare: np.ndarray) -> None:
    """Hash every uint32 of `x`; `spare` is of the same shape and is overwritten."""
    np.right_shift(x, _SHIFT_16, out=spare)
    np.bitwise_xor(x, spare, out=x)
    np.multiply(x, _FIRST, out=x)
    np.right_shift(x, _SHIFT_15, out=spare)
    np.bitwise_xor(x, spare, out=x)
    np.multiply(x, _SECOND, out=x)
    np.right_shift(x, _SHIFT_16, out=spare)
    np.bitwise_xor(x, spare, out=x)


def _key(seed: int) -> np.uint32:
    key = np.array([(seed * 0x9E3779B9 + 0x6A09E667) % 2**32], dtype=np.uint32)
    _hash_in_place(key, np.empty_like(key))
    return key[0]


STRETCH = 512
"""Samples that are made at once, unless more are asked for."""


class WhiteNoise:
    """One noise stream, read in order, at most `longest` samples at once; memory is allocated once."""

    def __init__(self, longest: int) -> None:
        self._offsets = np.arange(longest, dtype=np.uint32)
        self._bits, self._spare = np.zeros((2, longest), np.uint32)
        self._samples = np.zeros(longest, np.float32)
        self._seed: int | None = None
        self._key = np.uint32(0)
        self._start = self._made = 0

    def read(self, seed: int, start: int, count: int) -> np.ndarray:
        """Samples [start, start + count), count <= longest, of noise stream `seed`: mean 0, variance 1.

        Valid until the next call.
        """
        first = start - self._start
        if seed != self._seed or first < 0 or first + count > self._made:
            if seed != self._seed:
                self._seed, self._key = seed, _key(seed)
            self._start, first = start, 0
            self._make(min(max(count, STRETCH), len(self._samples)))
        return self._samples[first : first + count]

    def _make(self, count: int) -> None:
        self._made = count
        bits, spare, samples = self._bits[:count], self._spare[:count], self._samples[:count]
        np.add(self._offsets[:count], np.uint32(self._start % 2**32), out=bits)
        _hash_in_place(bits, spare)
        np.bitwise_xor(bits, self._key, out=bits)
        _hash_in_place(bits, spare)
        np.bitwise_and(bits, _LOW, out=spare)
        np.right_shift(bits, _SHIFT_16, out=bits)
        np.add(bits, spare, out=bits)  # below 2**17: exact in float32
        np.copyto(samples, bits, casting="same_kind")
        np.subtract(samples, _MIDDLE, out=samples)
        np.multiply(samples, _SCALE, out=samples)


def white(seed: int, start: int, count: int) -> np.ndarray:
    """Samples [start, start + count) of noise stream `seed`: float32 [count], mean 0, variance 1."""
    return WhiteNoise(count).read(seed, start, count)
