"""The published method's loudness distance: mean over frames of (l - l')^2, where

l = ln sqrt(sum_k A_k^2 |S_k|^2 + 1e-6), A the A-weighting
"""

import numpy as np
import torch
from torch import Tensor, nn

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
