"""The pulse train: a band-limited source at exactly the asked pitch.

    x[n] = g ( sum_{h=1}^{K-1} cos(2 pi h p[n]) + a cos(2 pi K p[n]) ),   g = sqrt(2 / (K - 1 + a^2)),
    K = floor(H),  a = H - K,  H = 0.48 sample_rate / f0,  p[n] = phase in cycles, f0 linear between frames.

The sum is closed by the Dirichlet kernel; the top harmonic, faded by a, lets f0 glide without steps and never
passes 0.48 of the sample rate. The phase
advance of each frame is rounded to 2**-24 cycles, so that float32 state carries it exactly and any block size
gives the same samples (the rounding moves f0 by less than 2e-5 Hz).
"""

import math

import torch
from torch import Tensor, nn

from neurorack.core.timebase import HOP
from neurorack.learn.model.streaming import Tape, with_past

F0_LOW_HZ, F0_HIGH_HZ = 20.0, 8000.0
_PHASE_STEPS = float(2**24)


class PulseTrain(nn.Module):
    """f0_hz [B, 1, T] -> unit-RMS pulse train [B, 128 T]."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate

    def forward(self, f0_hz: Tensor, tape: Tape) -> Tensor:
        f0 = f0_hz.clamp(F0_LOW_HZ, F0_HIGH_HZ)
        # A fresh state holds 0 Hz: then start at the asked pitch rather than glide up to it.
        previous = with_past(f0, 1, tape)[..., :-1]
        previous = torch.where(previous < F0_LOW_HZ, f0, previous)
        start, end = previous.double() / self.sample_rate, f0.double() / self.sample_rate
        advance = (start * HOP + (end - start) * ((HOP + 1) / 2)).mul(_PHASE_STEPS).round() / _PHASE_STEPS
        total = torch.cumsum(advance, dim=-1) + tape.past(f0, 1, 1).double()
        tape.put((total[..., -1:] - total[..., -1:].floor()).to(f0.dtype))
        n = torch.arange(1, HOP + 1, device=f0.device, dtype=torch.float64)
        ramp = n * (n + 1) / (2 * HOP)
        phase = (total - advance).unsqueeze(-1) + start.unsqueeze(-1) * n + (end - start).unsqueeze(-1) * ramp
        phase = (phase - phase.round()).to(f0.dtype).flatten(1)
        # The kernel is even: |phase| kept off zero avoids 0 / 0.
        phase = phase.abs().clamp_min(1e-7)
        span = (n / HOP).to(f0.dtype)
        glide = (previous.unsqueeze(-1) + (f0 - previous).unsqueeze(-1) * span).flatten(1)
        harmonics = 0.48 * self.sample_rate / glide
        top = harmonics.floor()
        fade = harmonics - top
        dirichlet = torch.sin((2 * top - 1) * (math.pi * phase)) / torch.sin(math.pi * phase)
        wave = 0.5 * dirichlet - 0.5 + fade * torch.cos(top * (2 * math.pi * phase))
        return wave * torch.sqrt(2.0 / (top - 1 + fade.square()))
