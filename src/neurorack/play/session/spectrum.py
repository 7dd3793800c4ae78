"""A small picture of what sounds: levels in bands of equal ratio, for the panel."""

import numpy as np

WINDOW = 4096
BANDS = 64
METER = 1024
"""Samples that the level of each side is taken over."""
LOW_HZ, HIGH_HZ = 40.0, 18_000.0
FLOOR_DB = -100


class Spectrum:
    """Band levels of a block of WINDOW samples at `sample_rate`."""

    def __init__(self, sample_rate: int) -> None:
        self._window = np.hanning(WINDOW).astype(np.float32)
        self._scale = 2.0 / self._window.sum()
        edges = np.geomspace(LOW_HZ, min(HIGH_HZ, 0.5 * sample_rate), BANDS + 1) * WINDOW / sample_rate
        starts = np.floor(edges[:-1]).astype(int)
        ends = np.maximum(np.ceil(edges[1:]).astype(int), starts + 1)
        # reduceat takes a start and an end in turn; bands may share a line, so they overlap.
        self._bounds = np.stack([starts, ends], axis=1).ravel()

    def levels_db(self, audio: np.ndarray) -> list[int]:
        """Loudest line of each band in dB, where a full-scale sine is 0."""
        lines = np.fft.rfft(audio * self._window)
        power = np.square(lines.real) + np.square(lines.imag)
        peaks = np.sqrt(np.maximum.reduceat(power, self._bounds)[::2]) * self._scale
        return np.maximum(np.rint(20.0 * np.log10(peaks + 1e-9)), FLOOR_DB).astype(int).tolist()


def side_levels_db(audio: np.ndarray) -> list[float]:
    """Mean-square level of each row of `audio` [2, samples] in dB re full scale: left, right."""
    power = np.mean(np.square(audio, dtype=np.float64), axis=1)
    return [round(float(10.0 * np.log10(x + 1e-12)), 1) for x in power]
