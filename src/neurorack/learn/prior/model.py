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

FINE = 6.0
"""The change of the step before is heard as asinh(change / (FINE floor)) too: most changes are that small."""

LEAST_FLOOR, MOST_FLOOR = 3e-4, 3e-3
"""Bounds of the least deviation of a control a step: a note's pitch moves far less than its loudness."""

LATENT_FLOOR = 0.02

UNREST = 0.004
"""A change of pitch a step (some ten cents) under which it is drawn smaller than the mixture says, the more
the smaller. Recordings' notes stand nearly still; what was drawn trembled and wandered off: each tremor is
heard, and the next one goes on from there."""

LEAPS = 0.85
"""How widely leaps of the controls are drawn at temperature 1, as a share of the mixture's own deviations: a
Gaussian over leaps reaches where the corpus has nothing (docs/prior.md, "Surprise")."""

OVERTONES = 4
"""Numbers that `with_overtones` adds to a clock."""

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

    def __init__(self, floor: Tensor, config: PriorConfig, pitch: int | None = None) -> None:
        """`floor` [C]: the least deviation of each control's next step; `pitch`: its row, if there is one."""
        super().__init__()
        controls = len(floor)
        calm = torch.zeros(controls)
        if pitch is not None:
            calm[pitch] = UNREST
        self.register_buffer("calm", calm, persistent=False)
        self.size, self.config = controls, config
        self.register_buffer("floor", floor.float())
        heard = 4 * controls + CLOCK + OVERTONES
        self.memory = Memory(heard, config.memory)
        self.head = make_head(config.family, config.memory + heard, config.width, self.floor, LEAPS)

    @property
    def state_size(self) -> int:
        """The memory, and what was heard a step before."""
        return self.memory.size + self.size

    def heard(self, previous: Tensor, before: Tensor, held: Tensor, mask: Tensor, clock: Tensor) -> Tensor:
        """What is heard of a step; `before` is `previous` a step earlier."""
        change = fine((previous - before) / self.floor)
        return torch.cat([previous, change, held * mask, mask, with_overtones(clock)], -1)

    def forward(self, previous: Tensor, held: Tensor, mask: Tensor, clock: Tensor) -> tuple[Tensor, Tensor]:
        """All [B, T, .], from silence -> features [B, T, F] of the head and the last state [B, S]."""
        heard = self.heard(previous, shifted(previous), held, mask, clock)
        memory, last = self.memory(heard)
        return torch.cat([memory, heard], -1), torch.cat([last, previous[:, -1]], -1)

    def step(
        self, previous: Tensor, held: Tensor, mask: Tensor, clock: Tensor, noise: Tensor,
        temperature: Tensor, state: Tensor,
    ) -> tuple[Tensor, Tensor]:  # fmt: skip
        """One step, all [B, .]: controls [B, C] (held ones exactly as held) and the new state."""
        memory, before = state.split([self.memory.size, self.size], -1)
        heard = self.heard(previous, before, held, mask, clock)
        memory = self.memory.step(heard, memory)
        drawn = self.head.sample(torch.cat([memory, heard], -1), previous, noise, temperature)
        drawn = calmed(drawn, previous, self.calm)
        out = torch.where(mask > 0.5, held, drawn.clamp(-OVERSHOOT, OVERSHOOT))
        return out, torch.cat([memory, previous], -1)


class LatentPrior(nn.Module):
    """What sounds: p(z_t | z before, controls as played). z is seen in units of `scale` [Z]."""

    def __init__(self, scale: Tensor, controls: int, config: PriorConfig) -> None:
        super().__init__()
        self.size, self.config, self.controls = len(scale), config, controls
        self.register_buffer("scale", scale.float())
        self.register_buffer("floor", torch.full((self.size,), LATENT_FLOOR))
        self.memory = Memory(self.size + 2 * controls, config.memory)
        self.head = make_head(
            config.family, config.memory + self.size + 2 * controls, config.width, self.floor
        )

    @property
    def state_size(self) -> int:
        """The memory, and the controls of the step before."""
        return self.memory.size + self.controls

    @staticmethod
    def heard(previous: Tensor, controls: Tensor, before: Tensor) -> Tensor:
        """What is heard of a step; `before` are its controls a step earlier: a stroke shows there."""
        return torch.cat([previous, controls, fine((controls - before) / MOST_FLOOR)], -1)

    def forward(self, previous: Tensor, controls: Tensor) -> tuple[Tensor, Tensor]:
        """previous [B, T, Z] in units of scale, controls [B, T, C], from silence -> features [B, T, F] and
        the last state [B, S].
        """
        heard = self.heard(previous, controls, shifted(controls))
        memory, last = self.memory(heard)
        return torch.cat([memory, heard], -1), torch.cat([last, controls[:, -1]], -1)

    def step(
        self, previous: Tensor, controls: Tensor, noise: Tensor, temperature: Tensor, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One step, all [B, .], z in its own units: z [B, Z] and the new state."""
        memory, before = state.split([self.memory.size, self.controls], -1)
        previous = previous / self.scale
        heard = self.heard(previous, controls, before)
        memory = self.memory.step(heard, memory)
        drawn = self.head.sample(torch.cat([memory, heard], -1), previous, noise, temperature)
        out = drawn.clamp(-LATENT_REACH, LATENT_REACH) * self.scale
        return out, torch.cat([memory, controls], -1)


def calmed(drawn: Tensor, previous: Tensor, calm: Tensor) -> Tensor:
    """`drawn` [B, C], its changes under `calm` [C] shrunk by what share of it they are; 0 shrinks nothing."""
    change = drawn - previous
    share = change.abs() / (calm + 1e-6)
    return previous + change * torch.where(calm > 0, share.clamp(max=1.0), 1.0)


def fine(change: Tensor) -> Tensor:
    """A change, in floors, so that small ones count: asinh, written out for exporters that lack it."""
    x = change / FINE
    size = x.abs()
    return 0.3 * x.sign() * torch.log(size + torch.sqrt(size * size + 1))


def with_overtones(clock: Tensor) -> Tensor:
    """The clock [.., 4], and sine and cosine of twice and four times the beat's phase, so that halves and
    quarters of a beat stand as plainly there as the beat itself. Without a beat they are 0.
    """
    sine, cosine = clock[..., 2:3], clock[..., 3:4]
    sine2, cosine2 = 2 * sine * cosine, cosine * cosine - sine * sine
    return torch.cat([clock, sine2, cosine2, 2 * sine2 * cosine2, cosine2 * cosine2 - sine2 * sine2], -1)


def shifted(x: Tensor) -> Tensor:
    """[B, T, D] a step later, zeros first, as a state of zeros begins."""
    return torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)


def parameters(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())
