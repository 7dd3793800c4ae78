"""Controls by their distribution -> attributes min-max normalised, which the published method conditions on.

The controls of every arm are the same CDF-normalised numbers, so that all are asked the same questions. Here
they are mapped back to physical units (through the same table) and from there linearly so that the least and
the greatest value of the training split, silence included, are -1 and 1.
"""

import torch
from torch import Tensor, nn

from neurorack.core.normaliser import OVERSHOOT, Normaliser

POINTS = 67
"""Knots of a normaliser's table (65) and one extension at each end."""


class MinMax(nn.Module):
    """controls [B, C, T] -> attributes [B, C, T]. The table is set once a run begins and saved with it."""

    grid: Tensor
    table: Tensor

    def __init__(self, controls: int) -> None:
        super().__init__()
        inner = torch.linspace(-1.0, 1.0, POINTS - 2)
        grid = torch.cat([torch.tensor([-OVERSHOOT]), inner, torch.tensor([OVERSHOOT])])
        self.register_buffer("grid", grid, persistent=False)
        self.register_buffer("table", grid.repeat(controls, 1))

    def set_ranges(self, normalisers: list[Normaliser], ranges: list[tuple[float, float]]) -> None:
        """Attribute values at the grid, from each control's normaliser and its (least, greatest) value."""
        for row, (normaliser, (low, high)) in enumerate(zip(normalisers, ranges, strict=True)):
            physical = torch.from_numpy(normaliser.to_physical(self.grid.numpy()))
            self.table[row] = 2 * (physical - low) / max(high - low, 1e-9) - 1

    def forward(self, controls: Tensor) -> Tensor:
        # Piecewise linear as a sum of ramps, which exports as plain arithmetic.
        slopes = self.table.diff(dim=1) / self.grid.diff()
        changes = torch.cat([slopes[:, :1], slopes.diff(dim=1)], dim=1)
        beyond = torch.relu(controls.clamp(-OVERSHOOT, OVERSHOOT).unsqueeze(-1) - self.grid[:-1])
        return self.table[:, :1] + (beyond * changes.unsqueeze(1)).sum(-1)
