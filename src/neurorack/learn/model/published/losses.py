"""Losses of the published method, divided by five: its spectral distance sums five windows, ours averages.

The total is STFT + LOUDNESS * loudness + beta * KL - lambda * cross-entropy, where

    loudness   mean over frames of (l - l')^2, l = ln sqrt(sum_k A_k^2 |S_k|^2 + 1e-6), A the A-weighting
    beta       rises from 0 over the warm-up
    lambda     0 over the warm-up, then rising from 0.1 to 0.5 (over five)
"""

import numpy as np
import torch
from torch import Tensor, nn

SCALES = 5
LOUDNESS = 1.0 / SCALES
LAMBDA_FIRST, LAMBDA_LAST = 0.1 / SCALES, 0.5 / SCALES
WINDOW = 2048


def a_weighting(freqs_hz: np.ndarray) -> np.ndarray:
    """Amplitude gains of the A curve (IEC 61672), 1 at 1 kHz."""
    f2 = np.asarray(freqs_hz, dtype=np.float64) ** 2

    def curve(f2: np.ndarray) -> np.ndarray:
        low = (f2 + 20.6**2) * np.sqrt((f2 + 107.7**2) * (f2 + 737.9**2))
        return 12194.0**2 * f2**2 / (low * (f2 + 12194.0**2))

    return curve(f2) / curve(np.array(1e6))


class LoudnessDistance(nn.Module):
    """Mean squared difference of A-weighted loudness, in nepers squared, of audio [B, N]."""

    window: Tensor
    weight: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        gains = a_weighting(np.fft.rfftfreq(WINDOW, 1 / sample_rate))
        self.register_buffer("window", torch.hann_window(WINDOW), persistent=False)
        self.register_buffer("weight", torch.from_numpy(gains**2).float().unsqueeze(-1), persistent=False)

    def loudness(self, audio: Tensor) -> Tensor:
        """Nepers re a full-scale DC: [B, frames]."""
        spectrum = torch.stft(
            audio, WINDOW, WINDOW // 4, window=self.window, center=False, return_complex=True
        ) / (WINDOW / 2)
        power = spectrum.real.square() + spectrum.imag.square()
        return 0.5 * torch.log((power * self.weight).sum(1) + 1e-6)

    def forward(self, heard: Tensor, wanted: Tensor) -> Tensor:
        return (self.loudness(heard) - self.loudness(wanted)).square().mean()


def rising(progress: float, warm: float, ramp: float) -> float:
    """0 until `warm` of the training is over, then linearly to 1 over `ramp` of it."""
    return min(max((progress - warm) / ramp, 0.0), 1.0)


def fader_weight(progress: float, warm: float, ramp: float) -> float:
    """lambda at this point of the training."""
    if progress < warm:
        return 0.0
    return LAMBDA_FIRST + (LAMBDA_LAST - LAMBDA_FIRST) * rising(progress, warm, ramp)
