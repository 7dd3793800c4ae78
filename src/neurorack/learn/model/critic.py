"""The latent critic of F-RAVE: tries to read every control from z in quantile bins.

The encoder is rewarded for the critic's *uncertainty* (its entropy), which is bounded, not for its error,
which is not: a maximised cross-entropy can be driven to infinity by one confidently wrong frame.
"""

import math

import torch
from torch import Tensor, nn

BINS = 16


class LatentCritic(nn.Module):
    """z [B, Z, T] -> logits [B, C, 16, T] over the quantile bins of each control."""

    def __init__(self, latent_size: int, controls: int, width: int = 96) -> None:
        super().__init__()
        self.controls = controls
        self.net = nn.Sequential(
            nn.Conv1d(latent_size, width, 5, padding=2), nn.LeakyReLU(0.2),
            nn.Conv1d(width, width, 5, padding=4, dilation=2), nn.LeakyReLU(0.2),
            nn.Conv1d(width, width, 5, padding=8, dilation=4), nn.LeakyReLU(0.2),
            nn.Conv1d(width, controls * BINS, 1),
        )  # fmt: skip

    def forward(self, z: Tensor) -> Tensor:
        return self.net(z).unflatten(1, (self.controls, BINS))


def quantile_bins(controls: Tensor) -> Tensor:
    """CDF-normalised controls in [-1, 1] -> bin indices 0..15 of equal frequency, long, same shape."""
    return ((controls + 1) * (BINS / 2)).floor().clamp(0, BINS - 1).long()


def critic_loss(logits: Tensor, controls: Tensor, weight: Tensor) -> Tensor:
    """Cross-entropy in nats over sounding frames. `weight` [B, 1, T] is 1 where the sound is above
    silence.
    """
    loss = nn.functional.cross_entropy(logits.transpose(1, 2), quantile_bins(controls), reduction="none")
    return (loss * weight).sum() / (weight.sum() * controls.shape[1] + 1e-6)


def confusion_loss(logits: Tensor, weight: Tensor) -> Tensor:
    """1 - entropy / log 16, averaged over sounding frames: 0 when the critic knows nothing, 1 when all."""
    log_p = torch.log_softmax(logits, dim=2)
    entropy = -(log_p.exp() * log_p).sum(2) / math.log(BINS)
    return 1.0 - (entropy * weight).sum() / (weight.sum() * logits.shape[1] + 1e-6)
