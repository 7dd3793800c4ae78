"""Convolutions the published way: weight-normalised, here causal and streaming."""

import torch
from torch import Tensor, nn

from neurorack.learn.model.streaming import CausalConv1d, Tape

SLOPE = 0.2


def activate(x: Tensor) -> Tensor:
    """LeakyReLU with RAVE's slope."""
    return nn.functional.leaky_relu(x, SLOPE)


def normed(conv: CausalConv1d) -> CausalConv1d:
    """The same convolution with its weight as direction and length (weight normalisation)."""
    torch.nn.utils.parametrizations.weight_norm(conv.conv)
    return conv


class Upsampling(nn.Module):
    """Transposed convolution of stride r and kernel 2 r: [B, C, T] -> [B, C', r T].

    Written as a convolution of two taps that makes r outputs for each input (sub-pixel), which is the same
    map.
    """

    def __init__(self, in_channels: int, out_channels: int, ratio: int) -> None:
        super().__init__()
        self.ratio, self.channels = ratio, out_channels
        self.conv = normed(CausalConv1d(in_channels, ratio * out_channels, 2))

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        y = self.conv(x, tape).unflatten(1, (self.channels, self.ratio))
        return y.transpose(2, 3).flatten(2)


class ResidualStack(nn.Module):
    """Three residual units, each a dilated (1, 3, 5) and a plain convolution of three taps: [B, C, T]."""

    DILATIONS = (1, 3, 5)

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.dilated = nn.ModuleList(
            normed(CausalConv1d(channels, channels, 3, dilation=d)) for d in self.DILATIONS
        )
        self.plain = nn.ModuleList(normed(CausalConv1d(channels, channels, 3)) for _ in self.DILATIONS)

    def forward(self, x: Tensor, tape: Tape) -> Tensor:
        for dilated, plain in zip(self.dilated, self.plain, strict=True):
            x = x + plain(activate(dilated(activate(x), tape)), tape)
        return x
