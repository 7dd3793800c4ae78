"""What a step may become: densities and samplers over the next vector, given what the memory knows.

Every head has the same face, so that families are compared on equal terms:

    loss(features [N, F], base [N, D], target [N, D], free [N, D]) -> [N]      what training minimises
    sample(features, base, noise [N, noise_size], temperature [N, 1]) -> [N, D]

`base` is the vector before; `free` is 1 where a number is to be predicted and 0 where a hand holds it: held
numbers count nowhere. `noise` is standard normal, and the only chance there is. Temperature 0 gives the
commonest answer, 1 the corpus's own spread. A mixture is as lively at 0 as at 1 in *when* it moves and in its
smallest moves; what the temperature scales is how far its leaps spread.
"""

import math
from typing import Literal

import torch
from torch import Tensor, nn

Family = Literal["mixture", "diagonal", "flow", "implicit"]

WARP = 6.0
"""Flow and implicit heads see a change as asinh(change / (WARP floor)): most are tiny, few span the range."""

LARGEST = 9.0
"""Largest such number a sampler may answer."""

FLOW_STEPS = 4
FIRST_LEAP = 0.3
"""Deviation at which the widest component of a mixture begins."""

MOST = 9.0
"""Largest logarithm of a deviation over its floor."""

SMALL = 0.03
"""Up to here a deviation is no leap but the unrest of what stands: without it notes never end, for a tone at
perfect rest is nothing that the corpus goes on from."""


def make_head(family: Family, features: int, width: int, floor: Tensor, leaps: float = 1.0) -> nn.Module:
    """The head of `family`; `floor` [D] is the least deviation that each number's density may have.

    leaps: how widely a mixture draws at temperature 1 what lies beyond SMALL, as a share of its density's own
    deviation.
    """
    if family in ("mixture", "diagonal"):
        return MixtureHead(features, width, floor, full=family == "mixture", leaps=leaps)
    return (FlowHead if family == "flow" else ImplicitHead)(features, width, floor)


def gumbel(noise: Tensor) -> Tensor:
    """Standard normals -> standard Gumbel numbers, through the normal distribution function."""
    uniform = (0.5 + 0.5 * torch.erf(noise * math.sqrt(0.5))).clamp(1e-6, 1 - 1e-6)
    return -torch.log(-torch.log(uniform))


class MixtureHead(nn.Module):
    """A mixture of Gaussians over the change, each with a whole covariance (Cholesky factor L) or a diagonal.

    Held numbers are left out by dropping their rows of L, which gives a density over the free ones alone.
    """

    def __init__(
        self, features: int, width: int, floor: Tensor, full: bool = True, components: int = 8,
        leaps: float = 1.0,
    ) -> None:  # fmt: skip
        super().__init__()
        size = len(floor)
        self.size, self.components, self.full, self.leaps = size, components, full, leaps
        self.register_buffer("floor", floor.float())
        self.noise_size = components + size
        lower = size * (size - 1) // 2 if full else 0
        self.split = [components, components * size, components * size, components * lower]
        self.net = nn.Sequential(nn.Linear(features, width), nn.SiLU(), nn.Linear(width, sum(self.split)))
        rows, columns = torch.tril_indices(size, size, -1)
        self.register_buffer("place", nn.functional.one_hot(rows * size + columns, size**2).float(), False)
        with torch.no_grad():
            last = self.net[2]
            last.weight *= 0.3
            # The components begin apart: small moves first, leaps last.
            reach = torch.linspace(0.0, 1.0, components)[:, None]
            last.bias[components : components * (1 + size)] = (reach * torch.randn(components, size)).ravel()
            far = torch.linspace(0, 1, components)[:, None] * torch.log(FIRST_LEAP / self.floor)
            last.bias[components * (1 + size) : components * (1 + 2 * size)] = far.ravel()

    def parts(self, features: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """logits [N, K], means [N, K, D] of the change, deviations [N, K, D], slopes [N, K, D (D-1) / 2]."""
        logits, means, raw, slopes = self.net(features).split(self.split, -1)
        k, d = self.components, self.size
        deviation = self.floor * (1 + torch.exp(raw.unflatten(-1, (k, d)).clamp(max=MOST)))
        # In units of its deviation, so that a component of small moves is placed as finely as it is narrow.
        return logits, means.unflatten(-1, (k, d)) * deviation, deviation, slopes.unflatten(-1, (k, -1))

    def log_prob(self, features: Tensor, base: Tensor, target: Tensor, free: Tensor) -> Tensor:
        """Log density [N] of the free numbers of `target`."""
        logits, means, deviation, slopes = self.parts(features)
        rest = (target - base).unsqueeze(1) - means
        rest = rest * free.unsqueeze(1)
        found: list[Tensor] = []
        at = 0
        for i in range(self.size):
            value = rest[..., i]
            if self.full and i:
                # Row i of L is deviation_i * (slopes, 1): forward substitution, one number at a time.
                known = (slopes[..., at : at + i] * torch.stack(found, -1)).sum(-1)
                value = value - deviation[..., i] * known * free[:, None, i]
                at += i
            found.append(value / deviation[..., i])
        white = torch.stack(found, -1)
        each = -0.5 * white.square() - deviation.log() - 0.5 * math.log(2 * math.pi)
        each = (each * free.unsqueeze(1)).sum(-1)
        return torch.logsumexp(torch.log_softmax(logits, -1) + each, -1)

    def loss(self, features: Tensor, base: Tensor, target: Tensor, free: Tensor) -> Tensor:
        return -self.log_prob(features, base, target, free)

    def sample(self, features: Tensor, base: Tensor, noise: Tensor, temperature: Tensor) -> Tensor:
        logits, means, deviation, slopes = self.parts(features)
        k, d = self.components, self.size
        above = temperature.clamp(min=1.0)
        chosen = (logits + above * gumbel(noise[:, :k])).argmax(-1, keepdim=True)
        pick = (torch.arange(k, device=noise.device) == chosen).to(noise.dtype).unsqueeze(1)
        eps = noise[:, k:]
        mean, scale = (pick @ means).squeeze(1), (pick @ deviation).squeeze(1)
        if self.full:
            lower = ((pick @ slopes).squeeze(1) @ self.place).unflatten(-1, (d, d))
            eps = eps + (lower @ eps.unsqueeze(-1)).squeeze(-1)
        small = scale.clamp(max=SMALL)
        return base + mean + (above * small + self.leaps * temperature * (scale - small)) * eps


class FlowHead(nn.Module):
    """A flow from noise to the warped change, trained by flow matching, run in FLOW_STEPS Euler steps."""

    def __init__(self, features: int, width: int, floor: Tensor) -> None:
        super().__init__()
        size = len(floor)
        self.size, self.noise_size = size, size
        self.register_buffer("warp", WARP * floor.float())
        self.context = nn.Linear(features, width)
        self.point = nn.Linear(2 * size + 1, width, bias=False)
        self.rest = nn.Sequential(nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, size))

    def velocity(self, context: Tensor, at: Tensor, time: Tensor, free: Tensor) -> Tensor:
        return self.rest(context + self.point(torch.cat([at * free, free, time], -1)))

    def loss(self, features: Tensor, base: Tensor, target: Tensor, free: Tensor) -> Tensor:
        wanted = torch.asinh((target - base) / self.warp)
        start, time = torch.randn_like(wanted), torch.rand_like(wanted[:, :1])
        got = self.velocity(self.context(features), start + time * (wanted - start), time, free)
        return ((got - (wanted - start)).square() * free).sum(-1)

    def sample(self, features: Tensor, base: Tensor, noise: Tensor, temperature: Tensor) -> Tensor:
        at, context = noise * temperature, self.context(features)
        free = torch.ones_like(at)
        for step in range(FLOW_STEPS):
            time = torch.full_like(at[:, :1], step / FLOW_STEPS)
            at = at + self.velocity(context, at, time, free) / FLOW_STEPS
        return base + self.warp * torch.sinh(at.clamp(-LARGEST, LARGEST))


class ImplicitHead(nn.Module):
    """Noise to the warped change in one step, trained by the energy score itself: no density, no distilling.

    E|X - x| - E|X - X'| / 2 is least where samples X come from the distribution of x (Gneiting and Raftery
    2007).
    """

    SAMPLES = 4

    def __init__(self, features: int, width: int, floor: Tensor) -> None:
        super().__init__()
        size = len(floor)
        self.size, self.noise_size = size, size + 3
        self.register_buffer("warp", WARP * floor.float())
        self.context = nn.Linear(features, width)
        self.point = nn.Linear(self.noise_size, width, bias=False)
        self.rest = nn.Sequential(nn.SiLU(), nn.Linear(width, width), nn.SiLU(), nn.Linear(width, size))

    def change(self, features: Tensor, noise: Tensor) -> Tensor:
        return self.rest(self.context(features) + self.point(noise))

    def loss(self, features: Tensor, base: Tensor, target: Tensor, free: Tensor) -> Tensor:
        wanted = torch.asinh((target - base) / self.warp)
        count = self.SAMPLES
        noise = torch.randn(count, len(wanted), self.noise_size, device=wanted.device)
        got = self.rest(self.context(features) + self.point(noise))

        def length(x: Tensor) -> Tensor:
            return ((x * free).square().sum(-1) + 1e-6).sqrt()

        apart = sum(length(got[i] - got[j]) for i in range(count) for j in range(i))
        return length(got - wanted).mean(0) - apart / (count * (count - 1))

    def sample(self, features: Tensor, base: Tensor, noise: Tensor, temperature: Tensor) -> Tensor:
        return base + self.warp * torch.sinh(
            self.change(features, noise * temperature).clamp(-LARGEST, LARGEST)
        )
