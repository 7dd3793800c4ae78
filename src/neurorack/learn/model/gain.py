"""The gain stage: the loudness asked is the loudness heard, solved each hop, noise and all.

With raw frame powers e_t and the level window w (core/level.py), the squared gain is

    G0_t = P_t / (w * e)_t,        G_t = G0_t P_t / (w * (G0 e))_t,        P_t = 10^(L_t / 10) - 1e-9,

a ratio of equally windowed powers followed by one multiplicative correction: causal, parallel over frames,
exact wherever the gain changes slowly against the 12 ms window, and blind to ripple that both share.
"""

import torch
from torch import Tensor, nn

from neurorack.core.level import FLOOR_POWER, TAPS, level_weights
from neurorack.core.timebase import HOP
from neurorack.learn.model.streaming import Tape, interpolate_frames, with_past

_RAW_FLOOR = 1e-7
"""Raw power below which nothing is amplified: silence stays silent."""


class LevelWindow(nn.Module):
    """Weighted sum of the last 16 frame powers. [B, 1, T] -> [B, 1, T]."""

    weight: Tensor

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        weights = torch.from_numpy(level_weights(sample_rate)[::-1].copy()).reshape(1, 1, -1)
        self.register_buffer("weight", weights, persistent=False)

    def forward(self, power: Tensor, tape: Tape) -> Tensor:
        return nn.functional.conv1d(with_past(power, TAPS - 1, tape), self.weight)


class GainStage(nn.Module):
    """Raw audio [B, 128 T] and level_db [B, 1, T] -> audio whose level is the one asked."""

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.window = LevelWindow(sample_rate)

    def forward(self, raw: Tensor, level_db: Tensor, tape: Tape) -> Tensor:
        frames = raw.reshape(raw.shape[0], -1, HOP)
        power = frames.square().mean(-1).unsqueeze(1)
        asked = (torch.exp(level_db * 0.23025850929940457) - FLOOR_POWER).clamp_min(0.0)
        first = asked / (self.window(power, tape) + _RAW_FLOOR)
        corrected = first * asked / (self.window(first * power, tape) + 1e-3 * asked + 1e-12)
        # At an onset the window holds hardly any raw power yet: bound what the correction may add.
        squared = torch.minimum(corrected, 16.0 * first)
        gain = torch.sqrt(squared + 1e-12)
        return raw * interpolate_frames(gain, HOP, tape).squeeze(1)
