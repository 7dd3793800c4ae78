"""Pitch: fundamental frequency and periodicity by normalised autocorrelation."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from neurorack.learn.descriptors.base import Descriptor
from neurorack.learn.descriptors.constants import put_constant
from neurorack.learn.descriptors.frames import Frames
from neurorack.learn.fourier import RealFft

LOW_HZ, HIGH_HZ = 45.0, 1800.0
WINDOW_SAMPLES = 4096
TARGET_RATE_HZ = 11_025
KEEP = 0.9
"""The shortest period whose peak reaches this share of the highest one wins (McLeod's octave guard)."""

NEWTON_STEPS = 2


def _window_autocorrelation(tau: Tensor, length: int) -> tuple[Tensor, Tensor]:
    """Autocorrelation of a Hann window of `length` at lag `tau`, 1 at lag 0, and its slope (Boersma 1993)."""
    u = tau / length
    angle = 2.0 * np.pi * u
    value = (1.0 - u) * (2.0 / 3.0 + torch.cos(angle) / 3.0) + torch.sin(angle) / (2.0 * np.pi)
    slope = 2.0 / 3.0 * (torch.cos(angle) - 1.0) - (1.0 - u) * 2.0 * np.pi / 3.0 * torch.sin(angle)
    return value, slope / length


class Pitch(Descriptor):
    """f0 (45 … 1800 Hz) and periodicity (0 … 1), every four frames, over 4096 samples.

    The window is low-passed and decimated to about 11 kHz; its Hann autocorrelation, divided by that of the
    window (Boersma 1993), is 1 at the period of a perfectly periodic sound. Of its local maxima the shortest
    lag that reaches 0.9 of the highest is chosen (McLeod & Wyvill 2005), placed by a parabola, then refined
    by two Newton steps on the exact trigonometric sum. Periodicity is the height there.
    """

    name = "pitch"
    outputs = ("pitch", "periodicity")
    labels = ("Pitch", "Periodicity")
    units = ("Hz", "")
    scales = ("log", "linear")
    defaults = (220.0, 0.0)
    slow = True
    window = WINDOW_SAMPLES
    lag_frames = 18

    lowpass: Tensor
    hann: Tensor
    weight: Tensor
    both_sides: Tensor
    inverse_window: Tensor
    ramp: Tensor
    bins: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        self.decimation = 2 ** max(0, round(np.log2(sample_rate / TARGET_RATE_HZ)))
        self.rate_hz = sample_rate / self.decimation
        self.length = WINDOW_SAMPLES // self.decimation
        self.lowest_lag = int(np.floor(self.rate_hz / HIGH_HZ))
        self.highest_lag = int(np.ceil(self.rate_hz / LOW_HZ)) + 1
        self.size = 2 ** int(np.ceil(np.log2(self.length + self.highest_lag)))
        taps = 12 * self.decimation
        n = np.arange(taps) - (taps - 1) / 2
        lowpass = np.sinc(0.8 * n / self.decimation) * np.blackman(taps + 2)[1:-1]
        put_constant(self, "lowpass", (lowpass / lowpass.sum())[None, None])
        put_constant(
            self, "hann", 0.5 - 0.5 * np.cos(2 * np.pi * (np.arange(self.length) + 0.5) / self.length)
        )
        f = np.arange(self.size // 2 + 1) * self.rate_hz / self.size
        put_constant(self, "weight", np.exp(-((f / 2500.0) ** 2)) * (1.0 - np.exp(-((f / 12.0) ** 2))))
        both_sides = np.full(self.size // 2 + 1, 2.0)
        both_sides[[0, -1]] = 1.0
        put_constant(self, "both_sides", both_sides)
        self.spectrum = RealFft(self.size, self.length)
        self.autocorrelation = RealFft(self.size, self.size // 2 + 1)
        lags = torch.arange(self.lowest_lag - 1, self.highest_lag + 2, dtype=torch.float64)
        put_constant(self, "inverse_window", (1.0 / _window_autocorrelation(lags, self.length)[0]).numpy())
        put_constant(self, "ramp", np.arange(len(lags) - 2, 0, -1.0))
        put_constant(self, "bins", 2.0 * np.pi * np.arange(self.size // 2 + 1) / self.size)

    def forward(self, frames: Frames) -> Tensor:
        batch, count = frames.audio.shape[0], frames.audio.shape[1]
        flat = frames.audio.reshape(batch * count, 1, WINDOW_SAMPLES)
        pad = (self.lowpass.shape[-1] - self.decimation) // 2
        low = F.conv1d(flat, self.lowpass, stride=self.decimation, padding=pad)
        low = low.reshape(batch * count, self.length) * self.hann
        power = self.spectrum.power(low) * self.weight
        whole = self.autocorrelation.real(power * self.both_sides)
        zero_lag = whole[:, :1] + 1e-6
        a = whole[:, self.lowest_lag - 1 : self.highest_lag + 2] / zero_lag * self.inverse_window
        left, centre, right = a[:, :-2], a[:, 1:-1], a[:, 2:]
        curvature = torch.clamp(left - 2.0 * centre + right, max=-1e-6)
        offset = 0.5 * (left - right) / curvature
        height = centre - 0.25 * (left - right) * offset
        peak = (centre >= left) & (centre > right)
        score = torch.where(peak, height, -1.0)
        enough = score >= KEEP * score.amax(dim=1, keepdim=True)
        best = torch.where(enough & peak, self.ramp, 0.0).argmax(dim=1, keepdim=True)
        fraction = torch.where(peak, offset, 0.0).gather(1, best).clamp(-0.5, 0.5)
        tau = best + self.lowest_lag + fraction.detach()
        found = peak.to(a.dtype).gather(1, best)
        normal = power / zero_lag
        for _ in range(NEWTON_STEPS):
            angle = tau * self.bins
            value, slope = _window_autocorrelation(tau, self.length)
            sine, cosine = normal * torch.sin(angle), normal * torch.cos(angle)
            total = cosine.sum(dim=1, keepdim=True)
            first = -(sine * self.bins).sum(dim=1, keepdim=True)
            second = -(cosine * self.bins * self.bins).sum(dim=1, keepdim=True)
            # maximise total / value; the window's own curvature is negligible beside the signal's
            gradient = first - total * slope / value
            tau = tau - (gradient / torch.clamp(second, max=-1e-6)).clamp(-0.5, 0.5)
        tau = tau.clamp(self.lowest_lag - 0.5, self.highest_lag + 0.5)
        f0_hz = self.rate_hz / tau
        periodicity = (height.gather(1, best) * found).clamp(0.0, 1.0)
        return torch.cat([f0_hz, periodicity], dim=1).reshape(batch, count, 2).transpose(1, 2)
