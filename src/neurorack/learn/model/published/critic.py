"""F-RAVE's latent critic: three convolutions and one head for each attribute, classifying every frame of z.

Its classes are sixteen quantile bins of the training split with silence among it, as published. Where much
of a corpus is silence several edges coincide and bins stay empty. The encoder is rewarded for the critic's
cross-entropy itself, which has no upper bound.
"""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from neurorack.learn.model.published.layers import activate

BINS = 16


class PublishedCritic(nn.Module):
    """z [B, Z, T] -> logits [B, C, 16, T]."""

    edges: Tensor

    def __init__(self, latent_size: int, controls: int, width: int = 96) -> None:
        super().__init__()
        sizes = [latent_size, width, width, width]
        self.convs = nn.ModuleList(nn.Conv1d(a, b, 5, padding=2) for a, b in pairwise(sizes))
        self.heads = nn.ModuleList(nn.Conv1d(width, BINS, 1) for _ in range(controls))
        self.register_buffer("edges", torch.linspace(-1, 1, BINS + 1)[1:-1].repeat(controls, 1))

    def forward(self, z: Tensor) -> Tensor:
        for conv in self.convs:
            z = activate(conv(z))
        return torch.stack([head(z) for head in self.heads], dim=1)

    def cross_entropy(self, z: Tensor, controls: Tensor) -> Tensor:
        """Mean over batch, attributes and all frames, in nats."""
        rows = controls.transpose(0, 1).flatten(1).contiguous()
        bins = torch.searchsorted(self.edges, rows).unflatten(1, (len(controls), -1)).transpose(0, 1)
        return nn.functional.cross_entropy(self(z).transpose(1, 2), bins)


def quantile_edges(controls: np.ndarray) -> list[list[float]]:
    """Controls [F, C] of every training frame -> the 15 inner edges of each column."""
    shares = np.arange(1, BINS) / BINS
    return [[float(v) for v in column] for column in np.quantile(controls, shares, axis=0).T]
