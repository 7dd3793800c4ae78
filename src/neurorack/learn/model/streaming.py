"""Explicit streaming state: step(x, state) -> (y, state), where offline is a step from zeros.

A module's state is one flat tensor [B, S]. Inside a step a `Tape` hands each layer its share in order of
execution and collects what the layer leaves for the next step. No globals, no buffers that change.
"""

import contextlib

import torch
from torch import Tensor, nn


class Tape:
    """Reads a flat state in the order in which layers ask and writes the next one in the same order."""

    def __init__(self, state: Tensor | None, sizes: list[int] | None) -> None:
        # As one channel: most parts have no other, and are what `past` gives without a node of their own.
        self._parts = None if state is None else list(state.unsqueeze(1).split(sizes, dim=2)) if sizes else []
        self._next = 0
        self._left: list[Tensor] = []
        self.sizes: list[int] = []

    def past(self, like: Tensor, channels: int, length: int) -> Tensor:
        """What the layer put last time: [B, channels, length]; zeros when there is no state yet."""
        self.sizes.append(channels * length)
        if self._parts is None:
            return like.new_zeros(like.shape[0], channels, length)
        part = self._parts[self._next]
        self._next += 1
        return part if channels == 1 else part.reshape(-1, channels, length)

    def put(self, value: Tensor) -> None:
        """Leave [B, channels, length] for the next step; one `put` for each `past`, in the same order."""
        channels, length = value.shape[1:]
        self._left.append(value if channels == 1 else value.reshape(-1, 1, channels * length))

    def state_out(self, like: Tensor) -> Tensor:
        """The next flat state [B, S]."""
        if not self._left:
            return like.new_zeros(like.shape[0], 0)
        return torch.cat(self._left, dim=2).squeeze(1)


class StreamingModule(nn.Module):
    """Base of everything that streams. Subclasses define `run(*inputs, tape)`."""

    _sizes: list[int] | None = None

    def run(self, *inputs: Tensor, tape: Tape) -> Tensor:
        raise TypeError(f"{type(self).__name__} must define run")

    def example_inputs(self) -> tuple[Tensor, ...]:
        """One frame of each input; only their shapes matter."""
        raise TypeError(f"{type(self).__name__} must define example_inputs")

    @property
    def state_sizes(self) -> list[int]:
        """Lengths of the layers' states in the order in which they run."""
        if self._sizes is None:
            tape = Tape(None, None)
            with torch.no_grad():
                self.run(*self.example_inputs(), tape=tape)
            self._sizes = tape.sizes
        return self._sizes

    @property
    def state_size(self) -> int:
        """Length S of the flat state."""
        return sum(self.state_sizes)

    def step(self, *inputs: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        """Process the next frames: (outputs, state_out). `state` is [B, S], zeros to begin."""
        tape = Tape(state, self.state_sizes)
        output = self.run(*inputs, tape=tape)
        return output, tape.state_out(inputs[0])

    def offline(self, *inputs: Tensor) -> Tensor:
        """Process everything at once, from zeros."""
        return self.run(*inputs, tape=Tape(None, None))


class MixedPrecision(nn.Module):
    """A learned part whose convolutions may run in bfloat16 in training (`bf16`), never in an exported graph.

    Filterbank, envelope, gain stage and spectra always stay in float32: 8 bits there are audible noise.
    """

    bf16 = False

    def autocast(self, like: Tensor) -> contextlib.AbstractContextManager:
        """The context to run the learned layers in."""
        return torch.autocast(like.device.type, torch.bfloat16) if self.bf16 else contextlib.nullcontext()


def use_bf16(module: nn.Module, on: bool = True) -> None:
    """Switch every MixedPrecision part of `module`."""
    for part in module.modules():
        if isinstance(part, MixedPrecision):
            part.bf16 = on


class CausalConv1d(nn.Module):
    """Convolution that looks back only. Input [B, C, T] -> [B, C', T / stride]; T a multiple of stride."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: int,
        *,
        stride: int = 1,
        dilation: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        self.past_length = (kernel - 1) * dilation + 1 - stride
        self.conv = nn.Conv1d(in_channels, out_channels, kernel, stride, dilation=dilation, bias=bias)

    def forward(self, x: Tensor, tape: Tape, begun: Tensor | None = None) -> Tensor:
        """begun: as in with_past."""
        return self.conv(with_past(x, self.past_length, tape, begun) if self.past_length else x)


def has_begun(like: Tensor, tape: Tape) -> Tensor:
    """Whether there has been a step before: bool [B, 1, 1], kept as one number of the state."""
    before = tape.past(like, 1, 1)
    tape.put(torch.ones_like(before))
    return before > 0.5


def with_past(x: Tensor, frames: int, tape: Tape, begun: Tensor | None = None) -> Tensor:
    """[B, C, T] -> [B, C, frames + T]: the last `frames` columns of the step before, then x.

    Before the first step there are zeros; with `begun` (has_begun), x's first column instead, as if it had
    stood for ever.
    """
    past = tape.past(x, x.shape[1], frames)
    if begun is not None:
        past = torch.where(begun, past, x[..., :1])
    x = torch.cat([past, x], dim=-1)
    tape.put(x[..., -frames:])
    return x


def interpolate_frames(x: Tensor, factor: int, tape: Tape, begun: Tensor | None = None) -> Tensor:
    """Linear interpolation from each frame's value to the next, reached at the frame's end.

    [B, C, T] -> [B, C, T * factor]. A held value stays exactly held: nothing repeats at the frame rate.
    begun: as in with_past.
    """
    return ramps(with_past(x, 1, tape, begun)[..., :-1], x, factor)


def ramps(before: Tensor, x: Tensor, factor: int) -> Tensor:
    """[B, C, T] twice -> [B, C, T * factor]: from each value of `before` to that of `x`, linearly."""
    ramp = (torch.arange(factor, device=x.device, dtype=x.dtype) + 1) / factor
    return (before.unsqueeze(-1) + (x - before).unsqueeze(-1) * ramp).flatten(2)
