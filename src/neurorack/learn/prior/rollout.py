"""Letting the priors play by themselves, many streams at once, as a player would step them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from neurorack.learn.prior.held_out import FREE
from neurorack.learn.prior.model import ControlsPrior, LatentPrior
from neurorack.learn.prior.phrases import GATE_SECONDS


@dataclass(frozen=True)
class Start:
    """Where a rollout begins: what was played last, [B, D], and the state after it, [B, S]."""

    previous: Tensor
    state: Tensor

    def repeated(self, times: int) -> "Start":
        """Each stream `times` over, one after another."""
        return Start(self.previous.repeat_interleave(times, 0), self.state.repeat_interleave(times, 0))


def from_nothing(prior: ControlsPrior | LatentPrior, streams: int) -> Start:
    return Start(torch.zeros(streams, prior.size), torch.zeros(streams, prior.state_size))


def beat_clock(steps: int, rate: float, beats_per_minute: float | None) -> np.ndarray:
    """`clock` [T, 4] of free playing from the moment the gate opens; with a beat from its first stroke on."""
    clock = np.tile(np.array(FREE, np.float32), (steps, 1))
    clock[:, 1] = np.minimum(np.arange(steps) / rate / GATE_SECONDS, 1.0)
    if beats_per_minute is not None:
        turn = 2 * np.pi * np.arange(steps) / rate * beats_per_minute / 60
        clock[:, 2], clock[:, 3] = np.sin(turn), np.cos(turn)
    return clock


@torch.no_grad()
def play_controls(
    prior: ControlsPrior,
    steps: int,
    start: Start,
    seed: int,
    temperature: float | np.ndarray = 1.0,
    clock: np.ndarray | None = None,
    held: np.ndarray | None = None,
) -> np.ndarray:
    """Controls [B, T, C] of `steps`. `temperature`: of all, or of each stream [B]; `clock` [T, 4] (default:
    free, long open); `held` [C] with nan where no hand is.
    """
    streams = len(start.previous)
    generator = torch.Generator().manual_seed(seed)
    ticks = torch.tensor(FREE).expand(steps, 4) if clock is None else torch.from_numpy(clock).float()
    asked = torch.zeros(prior.size) if held is None else torch.from_numpy(np.nan_to_num(held)).float()
    mask = torch.zeros(prior.size) if held is None else torch.from_numpy(~np.isnan(held)).float()
    asked, mask = (asked * mask).expand(streams, -1), mask.expand(streams, -1)
    heat = torch.as_tensor(temperature, dtype=torch.float32).reshape(-1, 1).expand(streams, 1)
    previous, state = start.previous, start.state
    out = np.empty((streams, steps, prior.size), np.float32)
    for t in range(steps):
        noise = torch.randn(streams, prior.head.noise_size, generator=generator)
        tick = ticks[t].expand(streams, -1)
        previous, state = prior.step(previous, asked, mask, tick, noise, heat, state)
        out[:, t] = previous.numpy()
    return out


@torch.no_grad()
def play_latent(
    prior: LatentPrior, controls: np.ndarray, start: Start, seed: int, temperature: float = 1.0
) -> np.ndarray:
    """z [B, T, Z] in its own units under `controls` [B, T, C]; `start.previous` is in units of the scale."""
    streams, steps = controls.shape[:2]
    generator = torch.Generator().manual_seed(seed)
    heat = torch.full((streams, 1), temperature)
    previous, state = start.previous * prior.scale, start.state
    out = np.empty((streams, steps, prior.size), np.float32)
    asked = torch.from_numpy(np.ascontiguousarray(controls, dtype=np.float32))
    for t in range(steps):
        noise = torch.randn(streams, prior.head.noise_size, generator=generator)
        previous, state = prior.step(previous, asked[:, t], noise, heat, state)
        out[:, t] = previous.numpy()
    return out
