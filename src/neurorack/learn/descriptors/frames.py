"""Frames: what every descriptor reads. One window, one spectrum, shared lazily by all that need them."""

from functools import cached_property

import numpy as np
from torch import Tensor, nn

from neurorack.learn.descriptors import bands
from neurorack.learn.descriptors.constants import put_constant
from neurorack.learn.descriptors.specific_loudness import SpecificLoudness
from neurorack.learn.fourier import RealFft

LEAST_BARK_BINS = 9
"""Bins a band of `Frames.bark` holds at least; a lone partial fills four of a Hann window's."""


class FrameTables(nn.Module):
    """Constants of one window length and sample rate, as buffers outside the checkpoint."""

    hann: Tensor
    scale: Tensor
    freqs_hz: Tensor
    bark_sum: Tensor
    bark_mean: Tensor
    """[bins, bands] over the bins bark_first … bark_last - 1, which the bands share out without a gap."""
    bark_spread: Tensor
    """[bands, bins]: a band's value for each of its bins."""
    bark_bins: Tensor
    """How many bins each band holds."""
    loudness_bands: Tensor
    """[bins, 29]: one-third octaves, and the K-weighting; one product costs less than one of each."""
    centroid_sums: Tensor
    """[bins, 2]: the bins' frequencies, and ones."""

    def __init__(self, sample_rate: int, window: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.window = window
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
        scale = np.full(window // 2 + 1, 2.0)
        scale[0] = scale[-1] = 1.0
        freqs = bands.bin_frequencies_hz(window, sample_rate)
        bark = bands.bark_membership(window, sample_rate, LEAST_BARK_BINS)
        put_constant(self, "hann", hann)
        put_constant(self, "scale", scale / (window * np.sum(hann**2)))
        put_constant(self, "freqs_hz", freqs)
        put_constant(self, "centroid_sums", np.stack([freqs, np.ones_like(freqs)], axis=1))
        put_constant(self, "bark_sum", bark.T)
        inside = np.flatnonzero(bark.any(axis=0))
        self.bark_first, self.bark_last = int(inside[0]), int(inside[-1]) + 1
        stretch = bark[:, self.bark_first : self.bark_last]
        put_constant(self, "bark_spread", stretch)
        put_constant(self, "bark_bins", stretch.sum(axis=1))
        put_constant(self, "bark_mean", (stretch / stretch.sum(axis=1, keepdims=True)).T)
        octaves = bands.third_octave_weights(window, sample_rate)
        k_weighting = bands.k_weighting(window, sample_rate)
        put_constant(self, "loudness_bands", np.concatenate([octaves, k_weighting[None]]).T)
        self.specific_loudness = SpecificLoudness()
        self.fft = RealFft(window)


class Frames:
    """A batch of analysis windows with lazily shared spectra.

    `audio` [B, T, window]: the samples that end with each frame, oldest first, full scale ±1.
    """

    def __init__(self, audio: Tensor, tables: FrameTables) -> None:
        self.audio = audio
        self.tables = tables
        self.sample_rate = tables.sample_rate
        self.freqs_hz = tables.freqs_hz

    @classmethod
    def of(cls, audio: Tensor, sample_rate: int) -> "Frames":
        """Frames with tables made on the spot: for trying things out; a bank keeps its tables."""
        return cls(audio, FrameTables(sample_rate, audio.shape[-1]).to(audio.device))

    @cached_property
    def power(self) -> Tensor:
        """Hann power spectrum [B, T, window // 2 + 1], full scale 1; sums to the mean square."""
        return self.tables.fft.power(self.audio * self.tables.hann) * self.tables.scale

    @cached_property
    def magnitude(self) -> Tensor:
        """Square root of `power`, [B, T, bins]; its gradient is bounded at zero."""
        return (1e16 * self.power + 1e-4).sqrt() * 1e-8

    @cached_property
    def mean_square(self) -> Tensor:
        """Hann-weighted mean square [B, T, 1] re full scale."""
        return self.power.sum(dim=-1, keepdim=True)

    @cached_property
    def bark(self) -> Tensor:
        """Power [B, T, bands] in critical bands; the low ones merged until each holds nine bins."""
        return self.power @ self.tables.bark_sum

    @cached_property
    def magnitude_sums(self) -> Tensor:
        """Sums over bins of magnitude times frequency in Hz, and of magnitude: [B, T, 2]."""
        return self.magnitude @ self.tables.centroid_sums

    @cached_property
    def _loudness_bands(self) -> Tensor:
        return self.power @ self.tables.loudness_bands

    @property
    def third_octaves(self) -> Tensor:
        """Power [B, T, 28] in one-third octaves 25 Hz … 12.5 kHz, re full scale."""
        return self._loudness_bands[..., :-1]

    @property
    def k_weighted(self) -> Tensor:
        """Power [B, T, 1] under the K-weighting of BS.1770, re full scale."""
        return self._loudness_bands[..., -1:]
