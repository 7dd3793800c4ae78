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
from neurorack.learn.model.four_step import FFT_SIZE, TOP, FourStep, bins_in_order
from neurorack.learn.model.streaming import Tape

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
    in_order: Tensor
    window: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        matrix = _minimum_phase_matrix(sample_rate)
        magnitude, phase = np.split(matrix, 2)
        # Row by row of the transform's order, the magnitudes and then the phases.
        in_order = np.concatenate([magnitude[bins_in_order()], phase[bins_in_order()]], axis=1)
        self.register_buffer("matrix", torch.from_numpy(matrix).float(), persistent=False)
        self.register_buffer(
            "in_order", torch.from_numpy(in_order.reshape(-1, POINTS).T.copy()).float(), persistent=False
        )
        self.register_buffer("window", torch.hann_window(SEGMENT), persistent=False)
        self.exported = FourStep(torch.hann_window(SEGMENT, dtype=torch.float64).numpy())

    def forward(self, source: Tensor, log_envelope: Tensor, tape: Tape) -> Tensor:
        b = source.shape[0]
        hops = source.reshape(b, -1, HOP)
        before = torch.cat([tape.past(source, 1, HOP), hops[:, :-1]], dim=1)
        tape.put(hops[:, -1:])
        segments = torch.cat([before, hops], dim=2)
        points = log_envelope.transpose(1, 2)
        if torch.compiler.is_exporting():
            response = (points @ self.in_order).unflatten(2, (-1, 2 * TOP))
            return _overlap_add(self.exported(segments, *response.chunk(2, dim=3)), tape)
        spectrum = torch.fft.rfft(segments * self.window, n=FFT_SIZE)
        log_magnitude, phase = (points @ self.matrix.T).chunk(2, dim=2)
        response = torch.polar(torch.exp(log_magnitude), phase)
        return _overlap_add(torch.fft.irfft(spectrum * response, n=FFT_SIZE), tape)


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
