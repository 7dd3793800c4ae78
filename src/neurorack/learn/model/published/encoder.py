"""RAVE v1's encoder: bands, strided convolutions with batch normalisation, mean and scale of z.

Unlike ours it is given the sound as it is: loudness may stay in z, and the critic has to take it out.
"""

import torch
from torch import Tensor, nn

from neurorack.core.timebase import HOP
from neurorack.learn.model.config import ModelConfig
from neurorack.learn.model.pqmf import BANDS, Pqmf
from neurorack.learn.model.published.layers import activate
from neurorack.learn.model.streaming import CausalConv1d, MixedPrecision, StreamingModule, Tape

RATIOS = (2, 2, 2)
"""Strides: 8 band samples, one frame of 128 samples. Published: 4, 4, 4, 2."""


class PublishedEncoder(StreamingModule, MixedPrecision):
    """audio [B, 128 T] -> posterior mean and log-variance, stacked: [B, 2 Z, T]."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.published_widths[0]
        self.latent_size = config.latent_size
        self.pqmf = Pqmf()
        self.entry = CausalConv1d(BANDS, width, 7)
        self.norms = nn.ModuleList(nn.BatchNorm1d(width * 2**i) for i in range(len(RATIOS)))
        self.down = nn.ModuleList(
            CausalConv1d(width * 2**i, width * 2 ** (i + 1), 2 * r + 1, stride=r)
            for i, r in enumerate(RATIOS)
        )
        self.head = CausalConv1d(width * 2 ** len(RATIOS), 2 * config.latent_size, 5)

    def example_inputs(self) -> tuple[Tensor, ...]:
        return (torch.zeros(1, HOP, device=self.head.conv.weight.device),)

    def run(self, audio: Tensor, *, tape: Tape) -> Tensor:
        x = self.pqmf.analyse(audio, tape)
        with self.autocast(x):
            x = self.entry(x, tape)
            for norm, down in zip(self.norms, self.down, strict=True):
                x = down(activate(norm(x)), tape)
            x = self.head(activate(x), tape)
        return x.float()
