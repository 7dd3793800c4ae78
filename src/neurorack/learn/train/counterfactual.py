"""Counterfactual requests: descriptor curves from elsewhere, to be decoded, measured and answered for.

Plain training only ever shows the decoder the descriptors that go with its z, so it may ignore them. Here
some rows of c are replaced by another item's curves (all, one, or a few), or moved by a constant, a ramp or
a slow wander, as a hand would; what is decoded is measured by the same differentiable descriptors and
the difference is back-propagated.
"""

import torch
from torch import Tensor, nn

from neurorack.core.normaliser import Normaliser


class Measuring(nn.Module):
    """Physical descriptor values -> controls, differentiable: linear between knots, extended beyond them."""

    knots: Tensor

    def __init__(self, normalisers: list[Normaliser]) -> None:
        super().__init__()
        knots = torch.tensor([n.knots for n in normalisers], dtype=torch.float32)
        self.register_buffer("knots", knots, persistent=False)

    def forward(self, physical: Tensor) -> Tensor:
        """[B, C, T] -> [B, C, T]; C may be 0."""
        if not len(self.knots):
            return physical
        count = self.knots.shape[1]
        rows = physical.transpose(0, 1).flatten(1).contiguous()
        index = torch.searchsorted(self.knots, rows.detach()).clamp(1, count - 1)
        low, high = self.knots.gather(1, index - 1), self.knots.gather(1, index)
        step = 2.0 / (count - 1)
        control = -1.0 + step * (index - 1 + (rows - low) / (high - low))
        # Outside the table: one knot interval may be very short there, so bound how far the slope reaches.
        control = control.clamp(-1.6, 1.6)
        b, c, t = physical.shape
        return control.reshape(c, b, t).transpose(0, 1)

    def physical(self, controls: Tensor, row: int) -> Tensor:
        """Controls [B, T] of one row -> physical values, clamped to the table."""
        count = self.knots.shape[1]
        place = (controls.clamp(-1, 1) + 1) * ((count - 1) / 2)
        index = place.floor().long().clamp(0, count - 2)
        low, high = self.knots[row][index], self.knots[row][index + 1]
        return low + (place - index) * (high - low)


def wander(like: Tensor, generator: torch.Generator) -> Tensor:
    """Hand-like offsets [B, C, T]: a constant plus a ramp plus one slow sine, in control units."""
    b, c, t = like.shape

    def rand() -> Tensor:
        return torch.rand(b, c, 1, generator=generator).to(like.device) * 2 - 1

    time = torch.linspace(-1, 1, t, device=like.device)
    return 0.8 * rand() + 0.5 * rand() * time + 0.4 * rand() * torch.sin(time * (3 + 3 * rand()) + 3 * rand())


def make_requests(controls: Tensor, donors: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Requests [B, C, T] and the mask [B, C, 1] of rows that differ from `controls`.

    A third of the items take all rows from one donor, a third move a single row, a third a random subset;
    a moved row is the donor's curve or the item's own plus a hand's offset.
    """
    b, c, _ = controls.shape

    def rand(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator).to(controls.device)

    kind = rand(b, 1, 1)
    single = nn.functional.one_hot((rand(b) * c).long().clamp(max=c - 1), c).unsqueeze(-1).bool()
    subset = rand(b, c, 1) < 0.5
    mask = torch.where(kind < 1 / 3, torch.ones_like(subset), torch.where(kind < 2 / 3, single, subset))
    by_hand = (rand(b, c, 1) < 0.4) & (kind >= 1 / 3)
    moved = torch.where(by_hand, (controls + wander(controls, generator)).clamp(-1.1, 1.1), donors)
    return torch.where(mask, moved, controls), mask
