"""Near-perfect-reconstruction cosine-modulated filterbank (PQMF), causal and streaming.

    h_k[n] = 2 p[n] cos((2k + 1) pi / 2M (n - (N - 1)/2) + (-1)^k pi/4)     analysis
    g_k[n] = 2 p[n] cos((2k + 1) pi / 2M (n - (N - 1)/2) - (-1)^k pi/4)     synthesis

with a Kaiser prototype p of N = 13 M taps whose cutoff minimises the reconstruction error (Lin and
Vaidyanathan, 1998). Analysis followed by synthesis delays by 12 M samples: 12 samples of each band, an even
number, which keeps the odd bands' sign in step.
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from neurorack.learn.model.streaming import Tape, with_past

BANDS = 16
TAPS_PER_BAND = 13
DELAY_BAND_SAMPLES = 12


def _kaiser_lowpass(taps: int, cutoff: float, beta: float) -> np.ndarray:
    """Windowed-sinc low-pass with cutoff in cycles a sample."""
    n = np.arange(taps) - (taps - 1) / 2
    return 2 * cutoff * np.sinc(2 * cutoff * n) * np.kaiser(taps, beta)


def prototype(bands: int = BANDS, taps_per_band: int = TAPS_PER_BAND, beta: float = 8.6) -> np.ndarray:
    """The prototype low-pass p[n], float64 [bands * taps_per_band]."""
    taps = bands * taps_per_band

    def error(cutoff: float) -> float:
        p = _kaiser_lowpass(taps, cutoff, beta)
        r = np.convolve(p, p[::-1])[taps - 1 :: 2 * bands]
        return float(np.abs(r[1:]).max() / r[0])

    low, high = 0.8 / (4 * bands), 1.6 / (4 * bands)
    grid = np.linspace(low, high, 400)
    best = grid[int(np.argmin([error(c) for c in grid]))]
    fine = np.linspace(best - (high - low) / 400, best + (high - low) / 400, 200)
    best = fine[int(np.argmin([error(c) for c in fine]))]
    p = _kaiser_lowpass(taps, best, beta)
    return p / math.sqrt(2 * bands * float(p @ p))


def _modulated(bands: int, sign: float) -> np.ndarray:
    p = prototype(bands)
    n = np.arange(len(p)) - (len(p) - 1) / 2
    k = np.arange(bands)[:, None]
    phase = (2 * k + 1) * np.pi / (2 * bands) * n + sign * np.where(k % 2 == 0, 1, -1) * np.pi / 4
    return 2 * p * np.cos(phase)


class Pqmf(nn.Module):
    """Audio [B, N] <-> bands [B, M, N / M], by one polyphase convolution each way."""

    analysis_weight: Tensor
    synthesis_weight: Tensor

    def __init__(self, bands: int = BANDS) -> None:
        super().__init__()
        self.bands = bands
        # Unit gain from white noise in to white bands out, and back.
        scale = math.sqrt(bands)
        h = (_modulated(bands, 1.0) * scale).reshape(bands, TAPS_PER_BAND, bands)
        g = (_modulated(bands, -1.0) * scale).reshape(bands, TAPS_PER_BAND, bands)
        # Analysis tap n = M j + (M - 1 - r) meets sample r of the block j blocks ago.
        analysis = torch.from_numpy(h[:, ::-1, ::-1].copy()).float().transpose(1, 2)
        # Synthesis tap n = M j + r makes output sample r from the band sample j ago.
        synthesis = torch.from_numpy(g[:, ::-1, :].copy()).float().permute(2, 0, 1)
        self.register_buffer("analysis_weight", analysis.contiguous(), persistent=False)
        self.register_buffer("synthesis_weight", synthesis.contiguous(), persistent=False)

    def analyse(self, audio: Tensor, tape: Tape) -> Tensor:
        """Audio [B, N], N a multiple of M -> bands [B, M, N / M]."""
        blocks = audio.reshape(audio.shape[0], -1, self.bands).transpose(1, 2)
        return nn.functional.conv1d(with_past(blocks, TAPS_PER_BAND - 1, tape), self.analysis_weight)

    def synthesise(self, bands: Tensor, tape: Tape) -> Tensor:
        """Bands [B, M, K] -> audio [B, M K]."""
        blocks = nn.functional.conv1d(with_past(bands, TAPS_PER_BAND - 1, tape), self.synthesis_weight)
        return blocks.transpose(1, 2).flatten(1)
