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
TAPS, OUTPUTS = 12, 16
"""Of the low-pass, in samples of the lower rate; and how many of these come out of a block."""

KEEP = 0.9
"""The shortest period whose peak reaches this share of the highest one wins (McLeod's octave guard)."""

NEWTON_STEPS = 2

COLUMNS = 32
"""Bins in a row of the table in which sines of many frequencies are worked out."""

MOMENTS = (0, 1, 2)
"""Derivatives of the trigonometric sum that a Newton step asks for."""

FALL_DEGREE = 4
"""Degree of the polynomial in the lag that stands for the logarithmic slope of _window_autocorrelation:
nowhere off by more than 1e-7."""


def _rows_to_decimated(lowpass: np.ndarray, decimation: int) -> np.ndarray:
    """The filter as a matrix [2 blocks of samples, OUTPUTS]: each column begins `decimation` later."""
    matrix = np.zeros((2 * OUTPUTS * decimation, OUTPUTS))
    for column in range(OUTPUTS):
        matrix[column * decimation : column * decimation + len(lowpass), column] = lowpass
    return matrix


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
    powers: Tensor
    turns: Tensor
    phases: Tensor
    exponents: Tensor
    window_fall: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__(sample_rate)
        self.decimation = 2 ** max(0, round(np.log2(sample_rate / TARGET_RATE_HZ)))
        self.rate_hz = sample_rate / self.decimation
        self.length = WINDOW_SAMPLES // self.decimation
        self.lowest_lag = int(np.floor(self.rate_hz / HIGH_HZ))
        self.highest_lag = int(np.ceil(self.rate_hz / LOW_HZ)) + 1
        self.size = 2 ** int(np.ceil(np.log2(self.length + self.highest_lag)))
        taps = TAPS * self.decimation
        n = np.arange(taps) - (taps - 1) / 2
        lowpass = np.sinc(0.8 * n / self.decimation) * np.blackman(taps + 2)[1:-1]
        put_constant(self, "lowpass", _rows_to_decimated(lowpass / lowpass.sum(), self.decimation))
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
        self.rows = -(-(self.size // 2 + 1) // COLUMNS)
        turn = 2.0 * np.pi / self.size
        bins = turn * np.arange(self.rows * COLUMNS)
        put_constant(self, "powers", np.stack([bins**m for m in MOMENTS]))
        # Columns say (cos, sin) of each; rows what completes the real part of i^m e^(i w tau).
        columns = np.repeat(np.arange(COLUMNS), 2)
        firsts = np.tile(np.repeat(COLUMNS * np.arange(self.rows), 2), len(MOMENTS))
        put_constant(self, "turns", turn * np.concatenate([columns, firsts]))
        phases = [np.tile([np.pi / 2, 0.0], COLUMNS)]
        phases += [np.tile(np.array([1.0, 2.0]) * np.pi / 2 + m * np.pi / 2, self.rows) for m in MOMENTS]
        put_constant(self, "phases", np.concatenate(phases) % (2.0 * np.pi))
        fine = torch.linspace(self.lowest_lag - 1.0, self.highest_lag + 1.0, 2000, dtype=torch.float64)
        value, slope = _window_autocorrelation(fine, self.length)
        put_constant(self, "exponents", np.arange(FALL_DEGREE + 1.0))
        fall = np.polynomial.Polynomial.fit(fine.numpy(), (slope / value).numpy(), FALL_DEGREE).convert().coef
        put_constant(self, "window_fall", fall[:, None])

    def forward(self, frames: Frames) -> Tensor:
        batch = frames.audio.shape[0]
        power = self.spectrum.power(self._decimated(frames.audio) * self.hann) * self.weight
        whole = self.autocorrelation.real(power * self.both_sides)
        zero_lag = whole[:, :1] + 1e-6
        a = whole[:, self.lowest_lag - 1 : self.highest_lag + 2] / zero_lag * self.inverse_window
        centre = a[:, 1:-1]
        rise, fall = centre - a[:, :-2], centre - a[:, 2:]
        peak = (rise >= 0) & (fall > 0)
        lean = (rise - fall) / torch.clamp(rise + fall, min=1e-6)
        # A parabola through three values: its top lies lean / 2 of a lag to the right, this much higher.
        score = torch.where(peak, centre + 0.125 * (rise - fall) * lean, -1.0)
        enough = score >= KEEP * score.amax(dim=1, keepdim=True)
        best = torch.where(enough, self.ramp, 0.0).argmax(dim=1, keepdim=True)
        fraction = torch.where(peak, 0.5 * lean, 0.0).gather(1, best).clamp(-0.5, 0.5)
        tau = best + self.lowest_lag + fraction.detach()
        moments = self._moments(power / zero_lag)
        for _ in range(NEWTON_STEPS):
            total, first, second = self._sums(moments, tau)
            # maximise total / window; the window's own curvature is negligible beside the signal's
            gradient = first - total * (tau**self.exponents @ self.window_fall)
            tau = tau - (gradient / torch.clamp(second, max=-1e-6)).clamp(-0.5, 0.5)
        tau = tau.clamp(self.lowest_lag - 0.5, self.highest_lag + 0.5)
        f0_hz = self.rate_hz / tau
        periodicity = score.gather(1, best).clamp(0.0, 1.0)
        return torch.cat([f0_hz, periodicity], dim=1).reshape(batch, -1, 2).transpose(1, 2)

    def _decimated(self, audio: Tensor) -> Tensor:
        """Windows [..., 4096] -> low-passed, at the lower rate, [N, 4096 / decimation].

        A product with rows of two blocks costs a tenth of a convolution of one channel.
        """
        block = self.decimation * OUTPUTS
        before = (TAPS - 1) * self.decimation // 2
        padded = F.pad(audio.reshape(-1, WINDOW_SAMPLES), (before, block - before))
        rows = padded.reshape(-1, WINDOW_SAMPLES // block + 1, block)
        return (torch.cat([rows[:, :-1], rows[:, 1:]], dim=2) @ self.lowpass).flatten(1)

    def _moments(self, spectrum: Tensor) -> Tensor:
        """p_k w_k^m for m = 0, 1, 2 of p [B, bins], w_k = 2 pi k / size; bins in rows of COLUMNS."""
        missing = self.powers.shape[-1] - spectrum.shape[-1]
        moments = F.pad(spectrum, (0, missing))[:, None] * self.powers
        return moments.unflatten(2, (-1, COLUMNS))

    def _sums(self, moments: Tensor, tau: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """sum_k p_k cos(w_k tau) at tau [B, 1] and its first two derivatives, each [B, 1].

        With k = COLUMNS a + b, e^(i w_k tau) is a factor of the row times a factor of the column: two short
        lists of sines instead of one of every bin.
        """
        sines = torch.sin(tau * self.turns + self.phases)
        columns = sines[:, : 2 * COLUMNS].reshape(-1, 1, COLUMNS, 2)
        rows = sines[:, 2 * COLUMNS :].reshape(-1, len(MOMENTS), self.rows, 2)
        total, first, second = (moments @ columns * rows).sum(dim=(-2, -1)).split(1, dim=1)
        return total, first, second
