"""The pulse train: a band-limited source at exactly the asked pitch.

    x[n] = g ( sum_{h=1}^{K-1} cos(2 pi h p[n]) + a cos(2 pi K p[n]) ),   g = sqrt(2 / (K - 1 + a^2)),
    K = floor(H),  a = H - K,  H = 0.48 sample_rate / f0,  p[n] = phase in cycles, f0 linear between frames.

The sum is closed by the Dirichlet kernel; the top harmonic, faded by a, lets f0 glide without steps and never
passes 0.48 of the sample rate. The phase
advance of each frame is rounded to 2**-24 cycles, so that float32 state carries it exactly and any block size
gives the same samples (the rounding moves f0 by less than 2e-5 Hz).
"""

import math

import numpy as np
import torch
from torch import Tensor, nn

from neurorack.core.timebase import HOP
from neurorack.learn.model.streaming import Tape, with_past

F0_LOW_HZ, F0_HIGH_HZ = 20.0, 8000.0
_PHASE_STEPS = float(2**24)


class PulseTrain(nn.Module):
    """f0_hz [B, 1, T] -> unit-RMS pulse train [B, 128 T]."""

    advance: Tensor
    paths: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        n = np.arange(1, HOP + 1)
        ramp = n * (n + 1) / (2 * HOP)
        # What f0 at a frame's start and at its end count towards its phase: in all, and sample by sample.
        advance = np.array([[HOP - (HOP + 1) / 2, (HOP + 1) / 2]]) / sample_rate * _PHASE_STEPS
        phases = np.stack([np.ones(HOP), (n - ramp) / sample_rate, ramp / sample_rate])
        f0s_hz = np.stack([np.zeros(HOP), 1 - n / HOP, n / HOP])
        self.register_buffer("advance", torch.from_numpy(advance), persistent=False)
        paths = torch.from_numpy(np.concatenate([phases, f0s_hz], axis=1))
        self.register_buffer("paths", paths, persistent=False)

    def forward(self, f0_hz: Tensor, tape: Tape) -> Tensor:
        f0 = f0_hz.clamp(F0_LOW_HZ, F0_HIGH_HZ)
        # A fresh state holds 0 Hz: then start at the asked pitch rather than glide up to it.
        previous = with_past(f0, 1, tape)[..., :-1]
        previous = torch.where(previous < F0_LOW_HZ, f0, previous)
        ends = torch.cat([previous, f0], dim=1).double()
        advance = (self.advance @ ends).round() / _PHASE_STEPS
        total = torch.cumsum(advance, dim=-1) + tape.past(f0, 1, 1).double()
        tape.put((total[..., -1:] - total[..., -1:].floor()).to(f0.dtype))
        # One product gives every sample's phase and f0.
        begun = torch.cat([total - advance, ends], dim=1).transpose(1, 2)
        phase, glide = (begun @ self.paths).chunk(2, dim=2)
        phase = (phase - phase.round()).to(f0.dtype).flatten(1)
        # The kernel is even: |phase| kept off zero avoids 0 / 0.
        angle = math.pi * phase.abs().clamp_min(1e-7)
        harmonics = 0.48 * self.sample_rate / glide.to(f0.dtype).flatten(1)
        top = harmonics.floor()
        fade = harmonics - top
        highest = top * (2 * angle)
        dirichlet = torch.sin(highest - angle) / torch.sin(angle)
        wave = 0.5 * dirichlet - 0.5 + fade * torch.cos(highest)
        return wave / torch.sqrt(0.5 * (top - 1 + fade * fade))
