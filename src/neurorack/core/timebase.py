"""Frames and samples: the arithmetic every part shares.

Frame t covers samples [HOP * t, HOP * t + HOP).
"""

HOP = 128
"""Samples per latent frame."""

WINDOW = 2048
"""Samples a causal descriptor looks back over; the window ends with its frame."""

SLOW_EVERY = 4
"""Slow descriptors are evaluated on frames t with t % SLOW_EVERY == SLOW_EVERY - 1, then held."""

DEFAULT_SAMPLE_RATE = 44_100
"""Hz; what instruments are trained at unless asked otherwise."""


def frames_covering(samples: int) -> int:
    """Smallest number of whole frames that holds `samples` samples."""
    return -(-samples // HOP)


def frame_rate_hz(sample_rate: int) -> float:
    """Latent frames per second."""
    return sample_rate / HOP
