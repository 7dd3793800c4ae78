"""The two priors: a memory (GRU) that has heard what was played, and a head that says what may come next.

Training runs them over whole sequences, the exported graphs one step at a time; both are the same weights.
"""

from dataclasses import asdict, dataclass

import torch
from torch import Tensor, nn

from neurorack.core.normaliser import OVERSHOOT
from neurorack.learn.prior.heads import Family, make_head

CLOCK = 4
"""Numbers in `clock`: gate, seconds since it changed / 2 (at most 1), sine and cosine of the beat's phase."""

LATENT_REACH = 5.0
"""z stays within this many of its deviations, beyond which no training frame lies."""


@dataclass(frozen=True)
class PriorConfig:
    """Sizes of a prior. `memory`: numbers the GRU keeps; `width`: hidden units of the head."""

    family: Family = "mixture"
    memory: int = 128
    width: int = 96

    def to_dict(self) -> dict[str, object]:
        return asdict(self)


class Memory(nn.Module):
    """A GRU, as a sequence for training and as one step for playing."""

    def __init__(self, size_in: int, size: int) -> None:
        super().__init__()
        self.size = size
        self.gru = nn.GRU(size_in, size, batch_first=True)

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """x [B, T, I], state [B, H] -> [B, T, H], state."""
        out, last = self.gru(x, None if state is None else state.unsqueeze(0))
        return out, last[0]

    def step(self, x: Tensor, state: Tensor) -> Tensor:
        """x [B, I], state [B, H] -> the new state [B, H]: `forward` with T = 1, written out for export."""
        cell = self.gru
        new = nn.functional.linear(x, cell.weight_ih_l0, cell.bias_ih_l0)
        old = nn.functional.linear(state, cell.weight_hh_l0, cell.bias_hh_l0)
        h = self.size
        both = torch.sigmoid(new[:, : 2 * h] + old[:, : 2 * h])
        reset, keep = both[:, :h], both[:, h:]
        fresh = torch.tanh(new[:, 2 * h :] + reset * old[:, 2 * h :])
        return fresh + keep * (state - fresh)


class ControlsPrior(nn.Module):
    """How it is played: p(c_t | c before, what the hand holds, gate and clock), all controls jointly."""

    FLOOR = 0.003

    def __init__(self, controls: int, config: PriorConfig) -> None:
        super().__init__()
        self.size, self.config = controls, config
        self.memory = Memory(3 * controls + CLOCK, config.memory)
        self.head = make_head(config.family, config.memory + 3 * controls, controls, config.width, self.FLOOR)

    @staticmethod
    def heard(previous: Tensor, held: Tensor, mask: Tensor) -> Tensor:
        return torch.cat([previous, held * mask, mask], -1)

    def forward(self, previous: Tensor, held: Tensor, mask: Tensor, clock: Tensor) -> Tensor:
        """All [B, T, .] -> features [B, T, F] of the head."""
        heard = self.heard(previous, held, mask)
        return torch.cat([self.memory(torch.cat([heard, clock], -1))[0], heard], -1)

    def step(
        self, previous: Tensor, held: Tensor, mask: Tensor, clock: Tensor, noise: Tensor,
        temperature: Tensor, state: Tensor,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """One step, all [B, .]: controls [B, C] (held ones exactly as held) and the new state."""
        heard = self.heard(previous, held, mask)
        state = self.memory.step(torch.cat([heard, clock], -1), state)
        drawn = self.head.sample(torch.cat([state, heard], -1), previous, noise, temperature)
        return torch.where(mask > 0.5, held, drawn.clamp(-OVERSHOOT, OVERSHOOT)), state


class LatentPrior(nn.Module):
    """What sounds: p(z_t | z before, controls as played). z is seen in units of `scale` [Z]."""

    FLOOR = 0.02

    def __init__(self, scale: Tensor, controls: int, config: PriorConfig) -> None:
        super().__init__()
        self.size, self.config = len(scale), config
        self.register_buffer("scale", scale.float())
        self.memory = Memory(self.size + controls, config.memory)
        self.head = make_head(
            config.family, config.memory + self.size + controls, self.size, config.width, self.FLOOR
        )

    def forward(self, previous: Tensor, controls: Tensor) -> Tensor:
        """previous [B, T, Z] in units of scale, controls [B, T, C] -> features [B, T, F]."""
        heard = torch.cat([previous, controls], -1)
        return torch.cat([self.memory(heard)[0], heard], -1)

    def step(
        self, previous: Tensor, controls: Tensor, noise: Tensor, temperature: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One step, all [B, .], z in its own units: z [B, Z] and the new state."""
        previous = previous / self.scale
        heard = torch.cat([previous, controls], -1)
        state = self.memory.step(heard, state)
        drawn = self.head.sample(torch.cat([state, heard], -1), previous, noise, temperature)
        return drawn.clamp(-LATENT_REACH, LATENT_REACH) * self.scale, state


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
