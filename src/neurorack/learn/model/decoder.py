"""(z, controls) -> sound, through excitations only: a neural source-filter in the filterbank domain.

A control network at the frame rate reads z and the controls, and turns them into gains: of the sources in
each band, of every channel of every filter layer, of the output bands. The audio path itself (pulse train and
noise -> bands -> filter layers -> bands) has no bias and is shaped by multiplication alone: zero in, zero
out, and inputs that stand still leave a time-invariant filter behind, so that a held code sings instead of
repeating at the frame rate.
"""

import math

import torch
from torch import Tensor, nn

from neurorack.core.timebase import HOP
from neurorack.learn.model.config import ModelConfig
from neurorack.learn.model.excitation import PulseTrain
from neurorack.learn.model.gain import GainStage
from neurorack.learn.model.pqmf import BANDS, Pqmf
from neurorack.learn.model.streaming import CausalConv1d, StreamingModule, Tape, interpolate_frames, with_past

STEPS = HOP // BANDS
"""Samples of each band in a frame."""

SLOPE = 0.2


class ControlNet(nn.Module):
    """z [B, Z, T], controls [B, C, T] -> features [B, H, T]; the controls multiply in at every depth."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, controls = config.control_width, len(config.controls)
        self.entry = nn.Conv1d(config.latent_size + controls, width, 1)
        self.convs = nn.ModuleList(CausalConv1d(width, width, 3, dilation=d) for d in config.control_dilations)
        self.films = nn.ModuleList(nn.Conv1d(controls, width, 1) for _ in config.control_dilations)
        for film in self.films:
            nn.init.normal_(film.weight, std=0.1)
            nn.init.ones_(film.bias)

    def forward(self, z: Tensor, controls: Tensor, tape: Tape) -> Tensor:
        x = nn.functional.leaky_relu(self.entry(torch.cat([z, controls], dim=1)), SLOPE)
        for conv, film in zip(self.convs, self.films, strict=True):
            x = x + nn.functional.leaky_relu(conv(x, tape) * film(controls), SLOPE)
        return x


class Decoder(StreamingModule):
    """z, controls [, level_db] [, f0_hz], noise -> audio [B, 128 T].

    `noise` is white, [B, 128 T]; it is read as band samples, which a paraunitary filterbank may do.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.pqmf = Pqmf()
        self.sources = 2 if config.pitched else 1
        self.source_bands = self.sources * BANDS
        width = config.stack_width
        self.control = ControlNet(config)
        self.mods = len(config.stack_dilations) * width
        self.head = nn.Conv1d(config.control_width, self.source_bands + BANDS + self.mods, 1)
        # Sub-frame detail of the source gains comes from the *change* of the features, without bias: it makes
        # attacks sharper than a frame and is exactly nothing when the features stand still.
        self.attack = nn.Conv1d(config.control_width, self.source_bands * STEPS, 1, bias=False)
        self.entry = CausalConv1d(self.source_bands, width, 3, bias=False)
        self.layers = nn.ModuleList(
            CausalConv1d(width, width, 3, dilation=d, bias=False) for d in config.stack_dilations
        )
        self.exit = CausalConv1d(width, BANDS, 3, bias=False)
        if config.pitched:
            self.pulse = PulseTrain(config.sample_rate)
        if config.gained:
            self.gain = GainStage(config.sample_rate)
        nn.init.normal_(self.attack.weight, std=0.02)
        nn.init.normal_(self.head.weight, std=0.3 / math.sqrt(config.control_width))
        with torch.no_grad():
            tilt = torch.linspace(0.0, -3.0, BANDS)
            self.head.bias.zero_()
            self.head.bias[: self.source_bands] = tilt.repeat(self.sources) - (0.7 if self.sources == 2 else 0)

    def example_inputs(self) -> tuple[Tensor, ...]:
        c = self.config
        like = self.head.weight
        inputs = [like.new_zeros(1, c.latent_size, 1), like.new_zeros(1, len(c.controls), 1)]
        inputs += [like.new_zeros(1, 1, 1)] * (c.gained + c.pitched)
        return (*inputs, like.new_zeros(1, HOP))

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs in order, without the state."""
        c = self.config
        names = ["z", "controls", *(["level_db"] if c.gained else []), *(["f0_hz"] if c.pitched else [])]
        return [*names, "noise"]

    def run(self, z: Tensor, controls: Tensor, *rest: Tensor, tape: Tape) -> Tensor:
        inputs = dict(zip(self.input_names[2:], rest, strict=True))
        features = self.control(z, controls, tape)
        shape = interpolate_frames(self.head(features), STEPS, tape)
        gains, out_gains, mods = shape.split([self.source_bands, BANDS, self.mods], dim=1)
        change = features - with_past(features, 1, tape)[..., :-1]
        attack = self.attack(change).unflatten(1, (self.source_bands, STEPS)).transpose(2, 3).flatten(2)
        gains = torch.exp((gains + attack).clamp(-12.0, 4.0))

        noise = inputs["noise"].reshape(z.shape[0], -1, BANDS).transpose(1, 2)
        if self.config.pitched:
            pulse = self.pqmf.analyse(self.pulse(inputs["f0_hz"], tape), tape)
            sources = torch.cat([pulse, noise], dim=1)
        else:
            sources = noise
        x = self.entry(sources * gains, tape)
        slope = self.config.stack_slope
        for layer, mod in zip(self.layers, mods.chunk(len(self.layers), dim=1), strict=True):
            y = x * (1.0 + mod)
            if slope != 1.0:
                y = nn.functional.leaky_relu(y, slope)
            x = x + layer(y, tape)
        bands = self.exit(x, tape) * torch.exp(out_gains.clamp(-12.0, 4.0))
        raw = self.pqmf.synthesise(bands, tape)
        if not self.config.gained:
            return raw
        return self.gain(raw, inputs["level_db"], tape)
