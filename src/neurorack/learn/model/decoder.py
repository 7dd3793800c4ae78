"""(z, controls) -> sound, through excitations only: a neural source-filter instrument.

A control network at the frame rate reads z and the controls and turns them into filters for two sources.
The pulse train, at exactly the asked pitch, passes a minimum-phase envelope (envelope.py). White noise
passes a
stack of convolutions in the filterbank domain: gains in each band, of every channel of every layer, and of
the
bands that come out. Neither path has a bias and both are shaped by multiplication alone: zero in, zero
out, and
inputs that stand still leave time-invariant filters behind, so that a held code sings instead of repeating
at the frame rate.
"""

import math

import torch
from torch import Tensor, nn

from neurorack.core.timebase import HOP
from neurorack.learn.model.config import ModelConfig
from neurorack.learn.model.decoder_inputs import example_inputs, input_names
from neurorack.learn.model.envelope import POINTS, MinimumPhaseFilter
from neurorack.learn.model.excitation import PulseTrain
from neurorack.learn.model.gain import GainStage
from neurorack.learn.model.pqmf import BANDS, Pqmf
from neurorack.learn.model.streaming import (
    CausalConv1d,
    MixedPrecision,
    StreamingModule,
    Tape,
    has_begun,
    interpolate_frames,
    with_past,
)

STEPS = HOP // BANDS
"""Samples of each band in a frame."""

SLOPE = 0.2
LOWEST, HIGHEST = -12.0, 4.0
"""Bounds of every log-gain, in nepers: 104 dB down to 35 dB up."""


class ControlNet(MixedPrecision):
    """z [B, Z, T], controls [B, C, T] -> features [B, H, T]; the controls multiply in at every depth."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width, controls = config.control_width, len(config.controls)
        self.entry = nn.Conv1d(config.latent_size + controls, width, 1)
        self.convs = nn.ModuleList(
            CausalConv1d(width, width, 3, dilation=d) for d in config.control_dilations
        )
        self.films = nn.ModuleList(nn.Conv1d(controls, width, 1) for _ in config.control_dilations)
        for film in self.films:
            nn.init.normal_(film.weight, std=0.1)
            nn.init.ones_(film.bias)

    def forward(self, z: Tensor, controls: Tensor, tape: Tape, begun: Tensor) -> Tensor:
        with self.autocast(z):
            x = nn.functional.leaky_relu(self.entry(torch.cat([z, controls], dim=1)), SLOPE)
            for conv, film in zip(self.convs, self.films, strict=True):
                x = x + nn.functional.leaky_relu(conv(x, tape, begun) * film(controls), SLOPE)
        return x.float()


REST_TAPS = 48
"""Band samples (17 ms) over which a band's standing value is averaged before it is taken away."""


class NoiseStack(MixedPrecision):
    """Noise bands [B, M, 8 T], shaped by log-gains of source and output and by layer gains [B, L W, 8 T]."""

    without_mean: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        width = config.stack_width
        self.slope = config.stack_slope
        self.gains = len(config.stack_dilations) * width
        self.entry = CausalConv1d(BANDS, width, 3, bias=False)
        self.layers = nn.ModuleList(
            CausalConv1d(width, width, 3, dilation=d, bias=False) for d in config.stack_dilations
        )
        self.exit = CausalConv1d(width, BANDS, 3, bias=False)
        # A rectifying layer gives noise a mean, and a band's mean is a whistle at its edge (multiples of
        # 2756 Hz): each band loses its running mean, which costs the noise a notch 120 Hz wide there.
        hann = torch.hann_window(REST_TAPS + 2, periodic=False)[1:-1]
        keep = torch.zeros(REST_TAPS)
        keep[-1] = 1.0
        without_mean = (keep - hann / hann.sum()).repeat(BANDS, 1, 1)
        self.register_buffer("without_mean", without_mean, persistent=False)

    def forward(
        self, noise: Tensor, source_log: Tensor, out_log: Tensor, gains: Tensor, tape: Tape
    ) -> Tensor:
        with self.autocast(noise):
            x = self.entry(noise * torch.exp(source_log.clamp(LOWEST, HIGHEST)), tape)
            for layer, gain in zip(self.layers, gains.chunk(len(self.layers), dim=1), strict=True):
                y = x * (1.0 + gain)
                x = x + layer(nn.functional.leaky_relu(y, self.slope) if self.slope != 1.0 else y, tape)
            x = self.exit(x, tape)
        x = with_past(x.float(), REST_TAPS - 1, tape)
        x = nn.functional.conv1d(x, self.without_mean, groups=BANDS)
        return x * torch.exp(out_log.clamp(LOWEST, HIGHEST))


class Decoder(StreamingModule):
    """z, controls [, level_db] [, f0_hz], noise -> audio [B, 128 T].

    `noise` is white, [B, 128 T]; it is read as band samples, which a paraunitary filterbank may do.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        width = config.control_width
        self.pqmf = Pqmf()
        self.control = ControlNet(config)
        self.stack = NoiseStack(config)
        self.head = nn.Conv1d(width, 2 * BANDS + self.stack.gains, 1)
        # Sub-frame detail of the noise comes from the *change* of the features, without bias: it makes
        # attacks sharper than a frame and is exactly nothing when the features stand still.
        self.attack = nn.Conv1d(width, BANDS * STEPS, 1, bias=False)
        nn.init.normal_(self.attack.weight, std=0.02)
        nn.init.normal_(self.head.weight, std=0.3 / math.sqrt(width))
        with torch.no_grad():
            self.head.bias.zero_()
            self.head.bias[:BANDS] = torch.linspace(-1.0, -4.0, BANDS)
        if config.pitched:
            self.pulse = PulseTrain(config.sample_rate)
            self.filter = MinimumPhaseFilter(config.sample_rate)
            self.envelope = nn.Conv1d(width, POINTS, 1)
            nn.init.normal_(self.envelope.weight, std=0.3 / math.sqrt(width))
            with torch.no_grad():
                self.envelope.bias.copy_(torch.linspace(0.0, -5.0, POINTS))
        if config.gained:
            self.gain = GainStage(config.sample_rate)

    def example_inputs(self) -> tuple[Tensor, ...]:
        return example_inputs(self.config, self.head.weight)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs in order, without the state."""
        return input_names(self.config)

    def run(self, z: Tensor, controls: Tensor, *rest: Tensor, tape: Tape) -> Tensor:
        inputs = dict(zip(self.input_names[2:], rest, strict=True))
        # From its first frame on the control network stands as if it had always been asked the same: a note
        # begins with its own filters rather than with those of a network that knows nothing yet.
        begun = has_begun(z, tape)
        features = self.control(z, controls, tape, begun)
        shape = interpolate_frames(self.head(features), STEPS, tape, begun)
        source_log, out_log, gains = shape.split([BANDS, BANDS, self.stack.gains], dim=1)
        change = features - with_past(features, 1, tape, begun)[..., :-1]
        attack = self.attack(change).unflatten(1, (BANDS, STEPS)).transpose(2, 3).flatten(2)
        noise = inputs["noise"].reshape(z.shape[0], -1, BANDS).transpose(1, 2)
        raw = self.pqmf.synthesise(self.stack(noise, source_log + attack, out_log, gains, tape), tape)
        if self.config.pitched:
            envelope = self.envelope(features).clamp(LOWEST, HIGHEST)
            raw = raw + self.filter(self.pulse(inputs["f0_hz"], tape), envelope, tape)
        if not self.config.gained:
            return raw
        return self.gain(raw, inputs["level_db"], inputs.get("f0_hz"), tape)
