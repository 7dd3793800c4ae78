"""Roughness: coherent amplitude modulation around 70 Hz in critical bands, in asper."""

import numpy as np
import torch
from torch import Tensor

from neurorack.learn.descriptors.bands import BARK_EDGES_HZ, bin_frequencies_hz
from neurorack.learn.descriptors.base import Descriptor
from neurorack.learn.descriptors.constants import put_constant
from neurorack.learn.descriptors.frames import Frames

WINDOW_SAMPLES = 4096
LOWEST_HZ, HIGHEST_HZ = 30.0, 300.0
PEAK_HZ = 70.0
CHANNELS = 24
APART = 3
"""Bark between the channels whose modulations must agree; it tells a beating tone from noise."""
SPREAD_BARK = 1.0
CALIBRATION = 0.6
"""Makes a 1 kHz tone, fully modulated at 70 Hz, 1 asper."""

COMPRESSION = 0.2
"""Exponent of the product of two channels' powers that weighs the pair."""

SCALE = 1e5
"""Amplitudes are worked in this unit, so that REST is not so small that an exporter takes it for zero."""

REST = 1.0
"""Power added to a channel, so that silence is not rough."""


def bark_of_hz(f_hz: np.ndarray) -> np.ndarray:
    """Critical-band rate by linear interpolation of Zwicker's band edges."""
    edges = np.array((0.0, *BARK_EDGES_HZ[1:]))
    return np.interp(f_hz, edges, np.arange(len(edges), dtype=float))


class Roughness(Descriptor):
    """R = c * sum_i w_i max(0, M_i), after Daniel & Weber (1997), worked in the frequency domain.

    The squared envelope of channel i, with amplitudes a_i(k) Gaussian on the Bark axis, has at modulation
    frequency d the spectrum E_i(d) = sum_k a_i(k + d) X(k + d) a_i(k) X*(k): no inverse transform is needed.
    M_i = sum_d H(d)^2 Re(E_i(d) E*_{i+3}(d)) / (E_i(0) E_{i+3}(0)) is the modulation that two channels share,
    H a band-pass with its peak at 70 Hz, w_i the pair's compressed power relative to that of the strongest.
    """

    name = "roughness"
    outputs = ("roughness",)
    labels = ("Roughness",)
    units = ("asper",)
    scales = ("linear",)
    defaults = (0.0,)
    slow = True
    window = WINDOW_SAMPLES
    lag_frames = 18

    below: Tensor
    above: Tensor
    closeness: Tensor
    channels: Tensor
    modulation: Tensor
    scaled_hann: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        f_hz = bin_frequencies_hz(WINDOW_SAMPLES, sample_rate)
        width_hz = sample_rate / WINDOW_SAMPLES
        # every second offset: a Hann window spreads a modulation over five bins of the squared envelope
        offsets = np.arange(max(3, round(LOWEST_HZ / width_hz)), int(HIGHEST_HZ / width_hz) + 1, 2)
        top = min(len(f_hz) - int(offsets[-1]), int(BARK_EDGES_HZ[-1] / width_hz))
        middle = np.arange(1, top)
        below = middle - offsets[:, None] // 2
        above = below + offsets[:, None]
        put_constant(self, "below", below.clip(0).ravel())
        put_constant(self, "above", above.ravel())
        z = bark_of_hz(f_hz)
        # two Gaussian amplitudes multiply to one Gaussian at the middle times this
        closeness = np.exp(-(((z[above] - z[below.clip(0)]) / SPREAD_BARK) ** 2) / 8.0)
        put_constant(self, "closeness", np.where(below > 0, closeness, 0.0))
        centres = np.arange(CHANNELS) + 0.5
        put_constant(self, "channels", np.exp(-0.5 * ((z[middle][:, None] - centres) / SPREAD_BARK) ** 2))
        ratio = offsets * width_hz / PEAK_HZ
        put_constant(self, "modulation", ((ratio * np.exp(1.0 - ratio)) ** 2)[:, None])
        hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW_SAMPLES) / WINDOW_SAMPLES)
        put_constant(self, "scaled_hann", SCALE * hann * np.sqrt(2.0 / (WINDOW_SAMPLES * np.sum(hann**2))))

    def forward(self, frames: Frames) -> Tensor:
        spectrum = torch.view_as_real(torch.fft.rfft(frames.audio * self.scaled_hann))
        real, imaginary = spectrum[..., 0], spectrum[..., 1]
        shape = (*real.shape[:2], *self.closeness.shape)
        low_re = real.index_select(-1, self.below).reshape(shape)
        low_im = imaginary.index_select(-1, self.below).reshape(shape)
        high_re = real.index_select(-1, self.above).reshape(shape)
        high_im = imaginary.index_select(-1, self.above).reshape(shape)
        envelope_re = ((high_re * low_re + high_im * low_im) * self.closeness) @ self.channels
        envelope_im = ((high_im * low_re - high_re * low_im) * self.closeness) @ self.channels
        power = (real.square() + imaginary.square())[..., 1 : 1 + len(self.channels)] @ self.channels + REST
        pair = power[..., APART:] * power[..., :-APART]
        shared = envelope_re[..., APART:] * envelope_re[..., :-APART]
        shared = shared + envelope_im[..., APART:] * envelope_im[..., :-APART]
        coherent = torch.relu((shared * self.modulation).sum(dim=-2)) / pair
        weight = (pair / pair.amax(dim=-1, keepdim=True)) ** COMPRESSION
        return CALIBRATION * (weight * coherent).sum(dim=-1)[:, None]
