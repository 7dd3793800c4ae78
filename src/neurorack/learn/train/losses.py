"""What a reconstruction is judged by in training: magnitudes at several resolutions, never phase."""

import librosa
import torch
from torch import Tensor, nn

WINDOWS = (2048, 1024, 512, 256, 128)
LOG_FLOOR = 3e-5
"""Magnitude (re a full-scale DC of 1) under which the logarithm stops caring: about -90 dB."""


Magnitudes = dict[int, Tensor]
"""Window -> Hann magnitude spectra [B, window / 2 + 1, frames] at a hop of a quarter window."""


class Spectra(nn.Module):
    """Audio [B, N] -> Magnitudes at every resolution: taken once, for all that judges by them."""

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

    def forward(self, audio: Tensor) -> Magnitudes:
        return {size: self.magnitudes(audio, size) for size in self.sizes}


def spectral_distance(heard: Magnitudes, wanted: Magnitudes) -> Tensor:
    """Multi-scale spectral distance: a scalar.

    Mean over windows of ||S - S'||_F / ||S||_F (per item, floored) + mean |log S - log S'|.
    """
    distances = []
    for size, s in heard.items():
        t = wanted[size]
        norm = t.square().sum((1, 2)).sqrt() + LOG_FLOOR * t[0].numel() ** 0.5
        linear = (s - t).square().sum((1, 2)).sqrt() / norm
        log = (torch.log(s + LOG_FLOOR) - torch.log(t + LOG_FLOOR)).abs().mean()
        distances.append(linear.mean() + log)
    return torch.stack(distances).mean()


BAND_WINDOWS = (2048, 1024, 512)
SAMPLES_PER_BAND = 32
"""Window length over the number of bands: 64 bands of 2048 samples, 16 of 512."""


class BandLevels(nn.Module):
    """Distance of levels in mel bands of Magnitudes: a scalar, in nepers of amplitude.

    Mean over windows, bands and frames of |ln a - ln a'|, a the root of the power in a band (Slaney's mel
    scale, triangles of height 1). Where sounds are noise, single bins differ by chance however well the
    levels agree; a band's sum tells its level.
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        for size in BAND_WINDOWS:
            bank = librosa.filters.mel(sr=sample_rate, n_fft=size, n_mels=size // SAMPLES_PER_BAND, norm=None)
            self.register_buffer(f"bank_{size}", torch.from_numpy(bank), persistent=False)

    def levels(self, magnitudes: Tensor, size: int) -> Tensor:
        """[B, size / 2 + 1, frames] -> ln of amplitudes [B, bands, frames]."""
        power = getattr(self, f"bank_{size}") @ magnitudes.square()
        return 0.5 * torch.log(power + LOG_FLOOR**2)

    def forward(self, heard: Magnitudes, wanted: Magnitudes) -> Tensor:
        gaps = [(self.levels(heard[n], n) - self.levels(wanted[n], n)).abs().mean() for n in BAND_WINDOWS]
        return torch.stack(gaps).mean()
