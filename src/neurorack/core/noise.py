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


class WhiteRows:
    """Noise for `rows` streams at once, each with a seed and a place of its own, in memory allocated once."""

    def __init__(self, rows: int, longest: int) -> None:
        self._offsets = np.arange(longest, dtype=np.uint32)
        self._starts = np.zeros((rows, 1), np.uint32)
        self._keys = np.zeros((rows, 1), np.uint32)
        self._seeds: list[int | None] = [None] * rows
        self._bits = np.zeros((rows, longest), np.uint32)
        self._spare = np.zeros((rows, longest), np.uint32)

    def set_row(self, row: int, seed: int, start: int) -> None:
        """Row `row` continues at sample `start` of noise stream `seed`."""
        if seed != self._seeds[row]:
            self._seeds[row] = seed
            self._keys[row] = _key(seed)
        self._starts[row] = start % 2**32

    def fill(self, out: np.ndarray) -> None:
        """Write out [rows, count], float32, count <= longest: mean 0, variance 1."""
        count = out.shape[1]
        bits, spare = self._bits[:, :count], self._spare[:, :count]
        np.add(self._starts, self._offsets[:count], out=bits)
        _hash_in_place(bits, spare)
        np.bitwise_xor(bits, self._keys, out=bits)
        _hash_in_place(bits, spare)
        np.bitwise_and(bits, _LOW, out=spare)
        np.right_shift(bits, _SHIFT_16, out=bits)
        np.add(bits, spare, out=bits)  # below 2**17: exact in float32
        np.copyto(out, bits, casting="same_kind")
        np.subtract(out, _MIDDLE, out=out)
        np.multiply(out, _SCALE, out=out)


def white(seed: int, start: int, count: int) -> np.ndarray:
    """Samples [start, start + count) of noise stream `seed`: float32 [count], mean 0, variance 1."""
    rows = WhiteRows(1, count)
    rows.set_row(0, seed, start)
    out = np.empty((1, count), np.float32)
    rows.fill(out)
    return out[0]
