"""Holding values between measurements: slow columns, and pitch through unvoiced frames."""

import torch
from torch import Tensor

VOICED_PERIODICITY = 0.5
"""Frames at least this periodic count as voiced."""


def hold_slow(values: Tensor, defaults: Tensor, every: int, hop_frames: int, frames: int) -> Tensor:
    """Values [B, D, K] measured at frames every*(k+1) - 1 -> held at frames hop_frames*(j+1) - 1 < `frames`.

    Before the first measurement the defaults [D] stand.
    """
    first = defaults.to(values)[None, :, None].expand(values.shape[0], -1, 1)
    asked = torch.arange(hop_frames - 1, frames, hop_frames, device=values.device)
    return torch.cat([first, values], dim=2)[:, :, (asked + 1) // every]


def hold_pitch(values: Tensor, pitch: int, periodicity: int, default: float) -> Tensor:
    """Replace row `pitch` of [B, D, T] where unvoiced by the last voiced value; at the start, the first."""
    count = values.shape[2]
    if count == 0:
        return values
    voiced = values[:, periodicity] >= VOICED_PERIODICITY
    index = torch.arange(count, device=values.device).expand_as(voiced)
    last = torch.where(voiced, index, -1).cummax(dim=1).values
    first = torch.where(voiced, index, count - 1).amin(dim=1, keepdim=True)
    held = values[:, pitch].gather(1, torch.where(last < 0, first, last))
    held = torch.where(voiced.any(dim=1, keepdim=True), held, default)
    rows = list(values.unbind(dim=1))
    rows[pitch] = held
    return torch.stack(rows, dim=1)
