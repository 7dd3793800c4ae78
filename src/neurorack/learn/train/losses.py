"""What a reconstruction is judged by in training: magnitudes at several resolutions, never phase."""

import torch
from torch import Tensor, nn

WINDOWS = (2048, 1024, 512, 256, 128)
LOG_FLOOR = 3e-5
"""Magnitude (re a full-scale DC of 1) under which the logarithm stops caring: about -90 dB."""


class MultiScaleStft(nn.Module):
    """Multi-scale spectral distance of audio [B, N]: a scalar.

    Mean over windows of ||S - S'||_F / ||S||_F (per item, floored) + mean |log S - log S'|, with S the Hann
    magnitude spectrum at a hop of a quarter window.
    """

    def __init__(self, windows: tuple[int, ...] = WINDOWS) -> None:
        super().__init__()
        self.sizes = windows
        for size in windows:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)

    def magnitudes(self, audio: Tensor, size: int) -> Tensor:
        """[B, N] -> [B, size / 2 + 1, frames]."""
        window = getattr(self, f"window_{size}")
        spectrum = torch.stft(audio, size, size // 4, window=window, center=False, return_complex=True)
        power = spectrum.real.square() + spectrum.imag.square()
        return torch.sqrt(power + 1e-14) / (0.5 * size)

    def forward(self, heard: Tensor, wanted: Tensor) -> Tensor:
        total = heard.new_zeros(())
        for size in self.sizes:
            s, t = self.magnitudes(heard, size), self.magnitudes(wanted, size)
            norm = t.square().sum((1, 2)).sqrt() + LOG_FLOOR * t[0].numel() ** 0.5
            linear = (s - t).square().sum((1, 2)).sqrt() / norm
            log = (torch.log(s + LOG_FLOOR) - torch.log(t + LOG_FLOOR)).abs().mean()
            total = total + linear.mean() + log
        return total / len(self.sizes)
