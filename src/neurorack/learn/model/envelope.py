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

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        matrix = torch.from_numpy(_minimum_phase_matrix(sample_rate)).float()
        self.register_buffer("matrix", matrix, persistent=False)
        self.register_buffer("window", torch.hann_window(SEGMENT), persistent=False)

    def forward(self, source: Tensor, log_envelope: Tensor, tape: Tape) -> Tensor:
        b = source.shape[0]
        frames = with_past(source.reshape(b, -1, HOP).transpose(1, 2), 1, tape)
        segments = torch.cat([frames[..., :-1], frames[..., 1:]], dim=1).transpose(1, 2) * self.window
        spectrum = torch.fft.rfft(segments, n=FFT_SIZE)
        response = log_envelope.transpose(1, 2) @ self.matrix.T
        filtered = torch.fft.irfft(_respond(spectrum, *response.chunk(2, dim=2)), n=FFT_SIZE)
        return _overlap_add(filtered, tape)


def _respond(spectrum: Tensor, log_magnitude: Tensor, phase: Tensor) -> Tensor:
    """spectrum times exp(log_magnitude + i phase)."""
    if not torch.compiler.is_exporting():
        return spectrum * torch.polar(torch.exp(log_magnitude), phase)
    # An exported graph has no complex product.
    magnitude = torch.exp(log_magnitude)
    real, imag = magnitude * torch.cos(phase), magnitude * torch.sin(phase)
    a, c = torch.view_as_real(spectrum).unbind(-1)
    return torch.view_as_complex(torch.stack([a * real - c * imag, a * imag + c * real], dim=-1))


def _overlap_add(filtered: Tensor, tape: Tape) -> Tensor:
    """Segments [B, T, 1024], one a frame, -> their sum [B, 128 T]; what is left to come is the state.

    Rows of hops, padded and read again one hop shorter, stand one frame further on from row to row: the sum
    over rows is the overlap-add, in a handful of nodes.
    """
    b, t = filtered.shape[0], filtered.shape[1]
    later = HOPS_OUT - 1
    hops = filtered.reshape(b, t, HOPS_OUT, HOP).transpose(1, 2)
    rows = nn.functional.pad(hops, (0, 0, 0, HOPS_OUT)).flatten(1, 2)[:, : HOPS_OUT * (t + later)]
    summed = rows.reshape(b, HOPS_OUT, t + later, HOP).sum(1)
    begun = tape.past(filtered, later, HOP)
    summed = torch.cat([summed[:, :later] + begun, summed[:, later:]], dim=1)
    tape.put(summed[:, t:])
    return summed[:, :t].flatten(1)
