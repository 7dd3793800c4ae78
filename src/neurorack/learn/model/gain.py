"""The gain stage: the loudness asked is the loudness heard, without the gain ever buzzing.

With raw frame powers e_t, the level window w (core/level.py) and a slow window v (70 ms, Hann), in powers:

    base_t = P_t / max(v * e, (w * e) / 4)_t,                    P_t = 10^(L_t / 10) - 1e-9
    d_0 = 0,   m_i = ln P - ln (w * (base exp(d_i) e))           what the level window would still miss
    d_(i+1) = clamp(d_i + m_i - clamp(m_i, +-theta), -12 dB, 6 dB)
    G_t = base_t exp(d_3)                                        squared gain; amplitudes go straight between

The asked level acts at once; the raw level is divided out slowly. A level in 12 ms ripples within each
period of a low note, and a gain that followed the ripple at the frame rate would put lines between the
harmonics; so the fast correction only acts on what exceeds the ripple a pulse train of that pitch can have
(theta). A window lags behind what moves within it: each pass makes up for some of what the last one left (van
Cittert's deconvolution, 1931). Attacks inside the window pass as the sources make them. Causal, parallel over
frames: no recursion.
"""

import math

import torch
from torch import Tensor, nn

from neurorack.core.level import FLOOR_DB, FLOOR_POWER, TAPS, level_weights
from neurorack.core.timebase import HOP
from neurorack.learn.model.streaming import Tape, ramps, with_past

RAW_FLOOR = 1e-6
"""Raw power below which nothing is amplified: silence stays silent."""

SUB_BLOCK = 32
"""Samples of a power value under the slow window. Whole frames would alias: twice the f0 of a note near
172 Hz beats with the frame rate, and the gain would tremble at the difference."""

SLOW_TAPS = 96
"""Sub-blocks: 70 ms."""
NEPER_PER_DB = math.log(10) / 10
"""Of power."""

DEAD_DB, RIPPLE_DB_HZ, RIPPLE_MOST_DB = 0.3, 100.0, 8.0
"""theta in dB = 0.3 + min((100 Hz / f0)^2, 8): over the ripple of single impulses (0.1 under it from 250 to
350 Hz); 0.3 where nothing is pitched."""

PASSES = 3
"""Times that what is missed is made up for."""

LOUDER_DB, SOFTER_DB = 6.0, 12.0
"""Most that the fast correction may add or take away: what is asked in a step must not begin with a thump."""


def frame_power(audio: Tensor) -> Tensor:
    """Mean square of every frame: [B, 128 T] -> [B, 1, T]."""
    return audio.reshape(audio.shape[0], -1, HOP).square().mean(-1).unsqueeze(1)


class LevelWindow(nn.Module):
    """The loudness window of core/level.py over frame powers. [B, 1, T] -> [B, 1, T]."""

    weight: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        weights = torch.from_numpy(level_weights(sample_rate)).flip(0).reshape(1, 1, -1)
        self.register_buffer("weight", weights.contiguous(), persistent=False)

    def forward(self, power: Tensor, tape: Tape) -> Tensor:
        return nn.functional.conv1d(with_past(power, TAPS - 1, tape), self.weight)


class GainStage(nn.Module):
    """Raw audio [B, 128 T], level_db [B, 1, T] and, where pitched, f0_hz [B, 1, T] -> audio at the level
    asked.
    """

    slow: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.window = LevelWindow(sample_rate)
        hann = torch.hann_window(SLOW_TAPS + 2, periodic=False)[1:-1]
        self.register_buffer("slow", (hann / hann.sum()).reshape(1, 1, -1), persistent=False)

    def forward(self, raw: Tensor, level_db: Tensor, f0_hz: Tensor | None, tape: Tape) -> Tensor:
        fine = raw.reshape(raw.shape[0], 1, -1, SUB_BLOCK).square().mean(-1)
        power = fine.reshape(raw.shape[0], 1, -1, HOP // SUB_BLOCK).mean(-1)
        history = with_past(fine, SLOW_TAPS - HOP // SUB_BLOCK, tape)
        slow = nn.functional.conv1d(history, self.slow, stride=HOP // SUB_BLOCK)
        # Scaled up, and bounded rather than padded: exporters drop additions of less than 1e-8.
        asked = torch.relu(torch.exp((level_db - FLOOR_DB) * NEPER_PER_DB) - 1.0) * FLOOR_POWER
        standing = torch.maximum(slow, 0.25 * self.window(power, tape))
        base = asked / (standing + RAW_FLOOR)
        if f0_hz is None:
            theta = torch.full_like(base, DEAD_DB * NEPER_PER_DB)
        else:
            ripple = (RIPPLE_DB_HZ / f0_hz.clamp_min(20.0)).square().clamp_max(RIPPLE_MOST_DB)
            theta = (ripple + DEAD_DB) * NEPER_PER_DB
        wanted = torch.log(asked.clamp_min(FLOOR_POWER))
        fast: Tensor | float = 0.0
        squared = base
        for _ in range(PASSES):
            would_be = self.window(squared * power, tape)
            missed = wanted - torch.log(would_be.clamp_min(FLOOR_POWER))
            beyond = missed - torch.minimum(torch.maximum(missed, -theta), theta)
            fast = (fast + beyond).clamp(-SOFTER_DB * NEPER_PER_DB, LOUDER_DB * NEPER_PER_DB)
            squared = base * torch.exp(fast)
        gain = torch.sqrt(squared.clamp_min(1e-12))
        # One more gain than the ramp needs is remembered: a player that sets it right can undo the last ramp.
        before = with_past(gain, 2, tape)[..., 1:-1]
        return raw * ramps(before, gain, HOP).squeeze(1)
