"""White noise as a pure function of (seed, sample index), so that streaming equals offline.

A 32-bit integer finaliser (Wellons' "lowbias32") hashes the index; the high and low halves of the hash are
summed to a triangular distribution of zero mean and unit variance. The period is 2**32 samples (27 hours).
"""

import numpy as np

_SCALE = np.float32(np.sqrt(6.0) / 65536.0)


def _hash32(x: np.ndarray) -> np.ndarray:
    x = x ^ (x >> np.uint32(16))
    x = x * np.uint32(0x7FEB352D)
    x = x ^ (x >> np.uint32(15))
    x = x * np.uint32(0x846CA68B)
    return x ^ (x >> np.uint32(16))


def white(seed: int, start: int, count: int) -> np.ndarray:
    """Samples [start, start + count) of noise stream `seed`: float32 [count], mean 0, variance 1."""
    index = (np.arange(count, dtype=np.uint64) + np.uint64(start % 2**32)).astype(np.uint32)
    key = _hash32(np.array([(seed * 0x9E3779B9 + 0x6A09E667) % 2**32], dtype=np.uint32))
    bits = _hash32(_hash32(index) ^ key)
    high = (bits >> np.uint32(16)).astype(np.float32)
    low = (bits & np.uint32(0xFFFF)).astype(np.float32)
    return (high + low - np.float32(65535.0)) * _SCALE
