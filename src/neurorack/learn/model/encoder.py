"""Audio -> latent code: what is left of a sound when its level is divided out.

The bands are divided by the causal level of the input before any learned layer, so that the loudness is
taken out of z by construction and the adversary has less to do.
"""

import torch
from torch import Tensor, nn

from neurorack.core.timebase import HOP
from neurorack.learn.model.config import ModelConfig
from neurorack.learn.model.gain import LevelWindow, frame_power
from neurorack.learn.model.pqmf import BANDS, Pqmf
from neurorack.learn.model.streaming import (
    CausalConv1d,
    MixedPrecision,
    StreamingModule,
    Tape,
    interpolate_frames,
)

SLOPE = 0.2


class Encoder(StreamingModule, MixedPrecision):
    """audio [B, 128 T] -> posterior mean and log-variance, stacked: [B, 2 Z, T]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        a, b, c, d = config.encoder_widths
        self.latent_size = config.latent_size
        self.pqmf = Pqmf()
        self.level = LevelWindow(config.sample_rate)
        self.entry = CausalConv1d(BANDS, a, 3)
        self.down = nn.ModuleList(
            [
                CausalConv1d(a, b, 4, stride=2),
                CausalConv1d(b, c, 4, stride=2),
                CausalConv1d(c, d, 4, stride=2),
            ]
        )
        self.blocks = nn.ModuleList(
            CausalConv1d(d, d, 3, dilation=2**i) for i in range(config.encoder_blocks)
        )
        self.head = nn.Conv1d(d, 2 * config.latent_size, 1)

    def example_inputs(self) -> tuple[Tensor, ...]:
        return (torch.zeros(1, HOP, device=self.head.weight.device),)

    def run(self, audio: Tensor, *, tape: Tape) -> Tensor:
        power = frame_power(audio)
        level = torch.maximum(self.level(power, tape), power)
        scale = torch.rsqrt(level + 1e-7)
        x = self.pqmf.analyse(audio, tape) * interpolate_frames(scale, HOP // BANDS, tape)
        with self.autocast(x):
            x = nn.functional.leaky_relu(self.entry(x, tape), SLOPE)
            for down in self.down:
                x = nn.functional.leaky_relu(down(x, tape), SLOPE)
            for block in self.blocks:
                x = x + nn.functional.leaky_relu(block(x, tape), SLOPE)
            x = self.head(x)
        return x.float()
