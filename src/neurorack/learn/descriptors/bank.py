"""DescriptorBank: a chosen set of descriptors as two streaming modules and one offline measurement."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from neurorack.core.errors import NeurorackError
from neurorack.core.timebase import HOP, SLOW_EVERY, WINDOW, frames_covering
from neurorack.learn.descriptors.base import Descriptor, OutputSpec
from neurorack.learn.descriptors.frames import Frames, FrameTables
from neurorack.learn.descriptors.framing import offline_windows, stream_windows
from neurorack.learn.descriptors.hold import hold_pitch, hold_slow

LONGEST_SLOW_WINDOW = 4096
CHUNK_WINDOWS = 4096
"""Windows measured at a time offline; bounds memory at a few hundred MB."""


class DescriptorSet(nn.Module):
    """Descriptors that share hop and framing: pure forward(audio, state) -> (values, state_out).

    audio [B, hop*T], state [B, state_size] (the last window - hop samples; zeros start a stream);
    values [B, D, T] in physical units.
    """

    def __init__(self, descriptors: Sequence[Descriptor], sample_rate: int, hop: int) -> None:
        super().__init__()
        self._descriptors = tuple(descriptors)
        self.descriptors = nn.ModuleList(descriptors)
        self.hop = hop
        self.window = max(d.window for d in descriptors)
        self.state_size = self.window - hop
        self._tables = tuple(FrameTables(sample_rate, w) for w in sorted({d.window for d in descriptors}))
        self.tables = nn.ModuleList(self._tables)

    @property
    def outputs(self) -> tuple[str, ...]:
        return tuple(name for d in self._descriptors for name in d.outputs)

    def evaluate(self, windows: Tensor) -> Tensor:
        """Windows [B, T, window] -> values [B, D, T]."""
        shared = {}
        for tables in self._tables:
            shared[tables.window] = Frames(windows[..., self.window - tables.window :], tables)
        return torch.cat([d(shared[d.window]) for d in self._descriptors], dim=1)

    def forward(self, audio: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
        windows, state_out = stream_windows(audio, state, self.window, self.hop)
        return self.evaluate(windows), state_out


class DescriptorBank(nn.Module):
    """All chosen descriptors: `.fast` (every frame) and `.slow` (every fourth); either may be None.

    `outputs`: column names; `specs`: their OutputSpecs; both in the order asked for.
    """

    def __init__(self, descriptors: Sequence[Descriptor], sample_rate: int) -> None:
        super().__init__()
        for d in descriptors:
            longest = LONGEST_SLOW_WINDOW if d.slow else WINDOW
            if d.window > longest or d.window % (HOP * SLOW_EVERY):
                raise NeurorackError(
                    f"Descriptor '{d.name}' looks back {d.window} samples; make its window a multiple of "
                    f"{HOP * SLOW_EVERY} and at most {longest}."
                )
        self.sample_rate = sample_rate
        self.specs: tuple[OutputSpec, ...] = tuple(s for d in descriptors for s in d.specs())
        self.outputs = tuple(s.name for s in self.specs)
        if len(set(self.outputs)) != len(self.outputs):
            raise NeurorackError(f"Two columns have the same name ({', '.join(self.outputs)}); rename one.")
        fast = [d for d in descriptors if not d.slow]
        slow = [d for d in descriptors if d.slow]
        self.fast = DescriptorSet(fast, sample_rate, HOP) if fast else None
        self.slow = DescriptorSet(slow, sample_rate, HOP * SLOW_EVERY) if slow else None
        unordered = (self.fast.outputs if self.fast else ()) + (self.slow.outputs if self.slow else ())
        self._order = [unordered.index(name) for name in self.outputs]

    def spec(self, name: str) -> OutputSpec:
        """The OutputSpec of column `name`."""
        return self.specs[self.outputs.index(name)]

    def measure(self, audio: Tensor, hop_frames: int = 1, hold_unvoiced: bool = True) -> Tensor:
        """Measure offline, from silence: audio [B, N] (padded to whole frames) -> [B, D, T // hop_frames].

        Column j is the value a stream gives at frame hop_frames*j + hop_frames - 1. Slow descriptors are held
        from one frame with t mod 4 = 3 to the next, and stand at their default before the first. With
        `hold_unvoiced`, pitch is also held through frames whose periodicity is below 0.5, the start filled
        with the first voiced value (the one thing the streaming graph leaves to its user). Differentiable.
        """
        if audio.dim() != 2:
            raise NeurorackError(f"Give audio of shape [batch, samples], not {tuple(audio.shape)}.")
        frames = frames_covering(audio.shape[1])
        audio = torch.nn.functional.pad(audio.float(), (0, frames * HOP - audio.shape[1]))
        parts = []
        if self.fast is not None:
            parts.append(self._evaluate(self.fast, audio, hop_frames))
        if self.slow is not None:
            every = hop_frames if hop_frames % SLOW_EVERY == 0 else SLOW_EVERY
            values = self._evaluate(self.slow, audio, every)
            defaults = torch.tensor([self.spec(n).default for n in self.slow.outputs], device=audio.device)
            parts.append(hold_slow(values, defaults, every, hop_frames, frames))
        merged = torch.cat(parts, dim=1)[:, self._order]
        if hold_unvoiced and "pitch" in self.outputs and "periodicity" in self.outputs:
            pitch, periodicity = self.outputs.index("pitch"), self.outputs.index("periodicity")
            merged = hold_pitch(merged, pitch, periodicity, self.specs[pitch].default)
        return merged

    @staticmethod
    def _evaluate(part: DescriptorSet, audio: Tensor, every: int) -> Tensor:
        windows = offline_windows(audio, part.window, every)
        if windows.shape[1] == 0:
            return audio.new_zeros(audio.shape[0], len(part.outputs), 0)
        chunk = max(1, CHUNK_WINDOWS * HOP // (part.hop * max(1, audio.shape[0])))
        pieces = [part.evaluate(windows[:, i : i + chunk]) for i in range(0, windows.shape[1], chunk)]
        return torch.cat(pieces, dim=2)
