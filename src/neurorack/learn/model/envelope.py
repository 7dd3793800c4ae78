"""The pulse train's filter: a causal, minimum-phase spectral envelope that changes every frame.

Each frame's envelope is given as log-amplitudes at points on the ERB-rate scale. Log-magnitude and (minus)
its Hilbert
transform, the minimum phase, are both linear in these points, so one matrix gives the complex log-spectrum;
the source, cut into overlapping Hann segments of two frames, is multiplied by it and overlap-added.

Full-band on purpose: in a critically sampled filterbank, any mixing of bands shifts frequencies, and
a pulse train comes out with inharmonic images. Here a held envelope is a time-invariant filter: only
multiples of f0 come out, to the accuracy of float32. (Noise has no harmonics to spoil and stays in the
bands.)
"""

import numpy as np
import torch
from torch import Tensor, nn

from neurorack.core.timebase import HOP
from neurorack.learn.model.streaming import Tape, with_past

FFT_SIZE = 1024
POINTS = 80
SEGMENT = 2 * HOP
HOPS_OUT = FFT_SIZE // HOP


def _points_hz(sample_rate: int) -> np.ndarray:
    """POINTS frequencies from 0 to Nyquist, equally spaced in ERB rate (Glasberg and Moore, 1990)."""
    top = np.log1p(0.00437 * sample_rate / 2)
    return np.expm1(np.linspace(0.0, top, POINTS)) / 0.00437


def _minimum_phase_matrix(sample_rate: int) -> np.ndarray:
    """[2 (N / 2 + 1), POINTS]: points -> log-magnitude, and points -> phase in radians, of the FFT bins."""
    bins_hz = np.arange(FFT_SIZE // 2 + 1) * sample_rate / FFT_SIZE
    points_hz = _points_hz(sample_rate)
    magnitude = np.stack([np.interp(bins_hz, points_hz, row) for row in np.eye(POINTS)], 1)
    cepstrum = np.fft.irfft(magnitude, axis=0)
    fold = np.zeros((FFT_SIZE, 1))
    fold[0] = fold[FFT_SIZE // 2] = 1.0
    fold[1 : FFT_SIZE // 2] = 2.0
    spectrum = np.fft.rfft(cepstrum * fold, axis=0)
    return np.concatenate([spectrum.real, spectrum.imag])


class MinimumPhaseFilter(nn.Module):
    """source [B, 128 T], log_envelope [B, POINTS, T] (nepers) -> audio [B, 128 T], one frame later."""

    matrix: Tensor
    window: Tensor
    gather: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        matrix = torch.from_numpy(_minimum_phase_matrix(sample_rate)).float().unsqueeze(-1)
        self.register_buffer("matrix", matrix, persistent=False)
        self.register_buffer("window", torch.hann_window(SEGMENT), persistent=False)
        # Overlap-add as one grouped convolution: output sample r of a frame is the sum over j of sample
        # 128 j + r of the segment j frames ago; group r sees its eight hops as channels.
        gather = torch.zeros(HOP, HOPS_OUT, HOPS_OUT)
        for j in range(HOPS_OUT):
            gather[:, j, HOPS_OUT - 1 - j] = 1.0
        self.register_buffer("gather", gather, persistent=False)

    def forward(self, source: Tensor, log_envelope: Tensor, tape: Tape) -> Tensor:
        b = source.shape[0]
        frames = with_past(source.reshape(b, -1, HOP).transpose(1, 2), 1, tape)
        segments = torch.cat([frames[..., :-1], frames[..., 1:]], dim=1).transpose(1, 2) * self.window
        spectrum = torch.view_as_real(torch.fft.rfft(segments, n=FFT_SIZE))
        log_magnitude, phase = nn.functional.conv1d(log_envelope, self.matrix).transpose(1, 2).chunk(2, dim=2)
        magnitude = torch.exp(log_magnitude)
        real, imag = magnitude * torch.cos(phase), magnitude * torch.sin(phase)
        a, c = spectrum[..., 0], spectrum[..., 1]
        product = torch.stack([a * real - c * imag, a * imag + c * real], dim=-1)
        filtered = torch.fft.irfft(torch.view_as_complex(product), n=FFT_SIZE)
        hops = filtered.unflatten(2, (HOPS_OUT, HOP)).transpose(2, 3).flatten(2).transpose(1, 2)
        hops = with_past(hops, HOPS_OUT - 1, tape)
        out = nn.functional.conv1d(hops, self.gather, groups=HOP)
        return out.transpose(1, 2).flatten(1)
