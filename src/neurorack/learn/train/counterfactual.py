"""Counterfactual requests: descriptor curves from elsewhere, to be decoded, measured and answered for.

Plain training only ever shows the decoder the descriptors that go with its z, so it may ignore them. Here
some rows of c are replaced by another item's curves (all, one, or a few), or moved as a hand would: offsets,
ramps, steps, walks; what is decoded is measured by the same differentiable descriptors and
the difference is back-propagated.
"""

import torch
from torch import Tensor, nn

from neurorack.core.normaliser import Normaliser

REACH = 0.95
"""Most that steps and walks ask for, in control units."""

SHORTEST_STEP, GLIDE = 50, 16
"""Frames that a step is held at least, and that it glides over: an analysis window shows no faster change."""

SUPPORT_POINTS, SUPPORT_REQUESTS, SUPPORT_SHARE = 2048, 8192, 0.72

LEAST_WEIGHT = 0.3
"""What a request counts for which the corpus has no sound: it should be tried, but not at any price."""

EDGE, BEND = 1.2, 0.2
"""Where measured controls begin to bend outside their table, and how soon."""


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
        b, c, t = physical.shape
        return _beyond(control).reshape(c, b, t).transpose(0, 1)

    def physical(self, controls: Tensor, row: int) -> Tensor:
        """Controls [B, T] of one row -> physical values, clamped to the table."""
        count = self.knots.shape[1]
        place = (controls.clamp(-1, 1) + 1) * ((count - 1) / 2)
        index = place.floor().long().clamp(0, count - 2)
        low, high = self.knots[row][index], self.knots[row][index + 1]
        return low + (place - index) * (high - low)


def _beyond(control: Tensor) -> Tensor:
    """Bend what lies more than 1.2 out: the first and last knots may lie very close together, and a straight
    line through them reach anywhere. Logarithmic, not clipped: what is far out must feel the way back.
    """
    over = (control.abs() - EDGE).clamp_min(0.0)
    return control.clamp(-EDGE, EDGE) + control.sign() * BEND * torch.log1p(over / BEND)


def wander(like: Tensor, generator: torch.Generator) -> Tensor:
    """Hand-like offsets [B, C, T]: a constant plus a ramp plus one slow sine, in control units."""
    b, c, t = like.shape

    def rand() -> Tensor:
        return torch.rand(b, c, 1, generator=generator).to(like.device) * 2 - 1

    time = torch.linspace(-1, 1, t, device=like.device)
    return 0.8 * rand() + 0.5 * rand() * time + 0.4 * rand() * torch.sin(time * (3 + 3 * rand()) + 3 * rand())


def steps(like: Tensor, generator: torch.Generator) -> Tensor:
    """Levels in ±REACH held for 50 to 250 frames, gliding over GLIDE frames: [B, C, T]."""
    b, c, t = like.shape
    count = t // SHORTEST_STEP + 2
    lengths = SHORTEST_STEP + torch.rand(b, c, count, generator=generator) * 4 * SHORTEST_STEP
    ends = lengths.cumsum(-1) - torch.rand(b, c, 1, generator=generator) * lengths[..., :1]
    place = torch.searchsorted(ends, torch.arange(t + GLIDE - 1.0).expand(b, c, -1).contiguous())
    levels = REACH * (2 * torch.rand(b, c, count, generator=generator) - 1)
    held = levels.gather(-1, place.clamp(max=count - 1))
    return nn.functional.avg_pool1d(held, GLIDE, 1).to(like.device)


def walk(like: Tensor, generator: torch.Generator) -> Tensor:
    """Smooth random walks in ±REACH, from quick (correlation lost in 25 frames) to slow (200): [B, C, T]."""
    b, c, t = like.shape
    width = 10.0 * 8.0 ** torch.rand(b, c, 1, generator=generator)
    spectrum = torch.fft.rfft(torch.randn(b, c, 2 * t, generator=generator))
    omega = torch.linspace(0.0, torch.pi, t + 1)
    smooth = torch.fft.irfft(spectrum * torch.exp(-0.5 * (width * omega).square()))[..., :t]
    smooth = smooth * torch.sqrt(2 * torch.pi**0.5 * width)
    return (REACH * torch.tanh(smooth)).to(like.device)


def make_requests(
    controls: Tensor,
    donors: Tensor,
    generator: torch.Generator,
    pitch: int | None = None,
    gestures: bool = True,
) -> tuple[Tensor, Tensor]:
    """Requests [B, C, T] and the mask [B, C, 1] of rows that differ from `controls`.

    Of the items, three tenths take all rows but `pitch` from one donor (another sound at the same notes), a
    tenth all of them, three tenths move a single row, the rest a random subset. A row that moves without the
    others is the donor's curve (40 %), the item's own plus a hand's offset (25 %), steps (15 %) or a walk
    (20 %); without `gestures` always the donor's.
    """
    b, c, _ = controls.shape

    def rand(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator).to(controls.device)

    kind = rand(b, 1, 1)
    single = nn.functional.one_hot((rand(b) * c).long().clamp(max=c - 1), c).unsqueeze(-1).bool()
    subset = rand(b, c, 1) < 0.5
    every = torch.ones_like(subset)
    but_pitch = every.clone()
    if pitch is not None and c > 1:
        but_pitch[:, pitch] = False
    mask = torch.where(kind < 0.7, single, subset)
    mask = torch.where(kind < 0.4, every, mask)
    mask = torch.where(kind < 0.3, but_pitch, mask)
    gesture = torch.where(kind < 0.4, torch.zeros(b, c, 1, device=controls.device), rand(b, c, 1))
    if not gestures:
        gesture = torch.zeros_like(gesture)
    by_hand = (controls + wander(controls, generator)).clamp(-1.1, 1.1)
    moved = torch.where(gesture < 0.4, donors, by_hand)
    moved = torch.where(gesture < 0.65, moved, steps(controls, generator))
    moved = torch.where(gesture < 0.8, moved, walk(controls, generator))
    return torch.where(mask, moved, controls), mask


class Support(nn.Module):
    """Which requests the corpus has sounds for: those near some training frame, in normalised controls.

    `points` [K, C]: training frames. `radius`: how near is near enough (Euclidean), so that SUPPORT_SHARE of
    requests that give one frame's pitch to another's timbre count as feasible.
    """

    points: Tensor

    def __init__(self, points: Tensor, radius: float) -> None:
        super().__init__()
        self.register_buffer("points", points, persistent=False)
        self.radius = radius

    @classmethod
    def fit(cls, controls: Tensor, pitch: int | None, generator: torch.Generator) -> "Support":
        """From sounding training frames [N, C]; `pitch`: its column, if there is one."""
        count = len(controls)
        points = controls[torch.randperm(count, generator=generator)[:SUPPORT_POINTS]]
        requests = controls[torch.randint(count, (SUPPORT_REQUESTS,), generator=generator)].clone()
        if pitch is not None:
            other = torch.randint(count, (SUPPORT_REQUESTS,), generator=generator)
            requests[:, pitch] = controls[other, pitch]
        nearest = torch.cdist(requests, points).amin(1)
        return cls(points, float(nearest.quantile(SUPPORT_SHARE)) + 1e-6)

    def weight(self, requests: Tensor) -> Tensor:
        """[B, C, T] -> [B, T]: 1 within the radius, falling to LEAST_WEIGHT at twice the radius."""
        rows = requests.transpose(1, 2).flatten(0, 1)
        distance = torch.cdist(rows, self.points).amin(1)
        return (2.0 - distance / self.radius).clamp(LEAST_WEIGHT, 1.0).reshape(len(requests), -1)
