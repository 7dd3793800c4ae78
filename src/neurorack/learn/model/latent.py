"""The latent code's scale: unit deviation on every axis, kept by a loss and set at the start.

A decoder that is told the descriptors can do without z, and a critic is confused most cheaply by a code
that says nothing: trained with a KL term, z collapsed to a deviation of 0.03 under a posterior noise of
about one, and swapping it changed nothing to be heard. So the noise is fixed, and the code must stand out
of it.
"""

import torch
from torch import Tensor

from neurorack.learn.model.encoder import Encoder

ALIKE = 0.1
"""Weight of the covariance term beside the variance term."""


def spread_loss(mean: Tensor, sounding: Tensor) -> Tensor:
    """How far the axes of the code fall short of unit deviation, and how alike they are.

    mean [B, Z, T]; sounding [B, 1, T], 1 where the sound is above silence. Over the batch's sounding frames,
    with s the deviations and r the correlations: mean relu(1 - s_i) + 0.1 sum_{i != j} r_ij² / Z, the
    variance and covariance terms of VICReg (Bardes, Ponce and LeCun 2022).
    """
    keep = sounding.transpose(1, 2).flatten(0, 1)[:, 0] > 0
    rows = mean.transpose(1, 2).flatten(0, 1)[keep]
    if len(rows) < 2:
        return mean.sum() * 0.0
    rows = rows - rows.mean(0)
    covariance = rows.T @ rows / (len(rows) - 1)
    deviation = torch.sqrt(torch.diagonal(covariance) + 1e-4)
    alike = covariance / (deviation[:, None] * deviation[None]).detach()
    others = alike - torch.diag(torch.diagonal(alike))
    return torch.relu(1.0 - deviation).mean() + ALIKE * others.square().sum() / len(others)


@torch.no_grad()
def standardise(encoder: Encoder, audio: Tensor) -> None:
    """Scale and shift the encoder's last layer so that the code of `audio` [B, 128 T] has mean 0 and
    deviation 1 on every axis: learning starts with a code that can be heard over its noise.
    """
    size = encoder.latent_size
    rows = encoder.offline(audio)[:, :size].transpose(1, 2).flatten(0, 1)
    middle, deviation = rows.mean(0), rows.std(0).clamp(min=1e-6)
    head = encoder.head
    head.bias[:size] = (head.bias[:size] - middle) / deviation
    head.weight[:size] /= deviation[:, None, None]
