"""RAVE v1's decoder: z and the attributes in once, upsampling convolutions in PQMF bands, three branches out.

    bands = tanh(waveform) * m(loudness) + noise,      m(x) = 2 sigmoid(x)^2.3 + 1e-7

The noise branch gives each band of each frame five amplitudes, 0 to Nyquist; their inverse transform,
windowed, filters white noise within the frame. The attributes, min-max normalised to [-1, 1], join z at the
input and nowhere else. There is no excitation: held inputs repeat at the frame rate.
"""

import math

import torch
from torch import Tensor, nn

from neurorack.core.timebase import HOP
from neurorack.learn.model.config import ModelConfig
from neurorack.learn.model.decoder_inputs import example_inputs, input_names
from neurorack.learn.model.pqmf import BANDS, Pqmf
from neurorack.learn.model.published.encoder import RATIOS
from neurorack.learn.model.published.layers import ResidualStack, Upsampling, activate, normed
from neurorack.learn.model.published.min_max import MinMax
from neurorack.learn.model.streaming import CausalConv1d, MixedPrecision, StreamingModule, Tape

STEPS = HOP // BANDS
"""Samples of each band in a frame; also the taps of the noise's filters."""

NOISE_BANDS = STEPS // 2 + 1
FULL_SCALE = math.sqrt(BANDS)
"""Amplitude in its band of a full-scale sine."""


def bounded(x: Tensor) -> Tensor:
    """RAVE's positive gain m(x), at most 2."""
    return 2 * torch.exp(2.3 * nn.functional.logsigmoid(x)) + 1e-7


class NoiseBranch(nn.Module):
    """hidden [B, C, 8 T], white noise in bands [B, 16, 8 T] -> filtered noise [B, 16, 8 T]."""

    to_taps: Tensor

    def __init__(self, width: int) -> None:
        super().__init__()
        self.down = nn.ModuleList(normed(CausalConv1d(width, width, 2 * r + 1, stride=r)) for r in (2, 2))
        self.exit = normed(CausalConv1d(width, BANDS * NOISE_BANDS, 5, stride=2))
        to_taps = torch.fft.irfft(torch.eye(NOISE_BANDS, dtype=torch.complex64), n=STEPS).roll(STEPS // 2, 1)
        self.register_buffer("to_taps", to_taps * torch.hann_window(STEPS), persistent=False)

    def forward(self, hidden: Tensor, noise: Tensor, tape: Tape) -> Tensor:
        x = hidden
        for down in self.down:
            x = down(activate(x), tape)
        amplitudes = bounded(self.exit(activate(x), tape) - 5.0).unflatten(1, (BANDS, NOISE_BANDS))
        taps = torch.matmul(amplitudes.transpose(2, 3), self.to_taps)
        frames = noise.unflatten(2, (-1, STEPS))
        out = taps[..., :1] * frames
        for j in range(1, STEPS):
            out = out + nn.functional.pad(taps[..., j : j + 1] * frames[..., : STEPS - j], (j, 0))
        return out.flatten(2)


class PublishedDecoder(StreamingModule, MixedPrecision):
    """z, controls [, level_db] [, f0_hz], noise -> audio [B, 128 T]; level_db and f0_hz are not used.

    They stay among the inputs so that the exported graph is one that every player knows. Without
    `config.conditioned` the controls are not used either: plain RAVE.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        narrow = config.published_widths[1]
        width = narrow * 2 ** len(RATIOS)
        self.pqmf = Pqmf()
        self.min_max = MinMax(len(config.controls))
        self.entry = normed(CausalConv1d(config.latent_size + len(config.controls), width, 7))
        self.up = nn.ModuleList()
        self.stacks = nn.ModuleList()
        for ratio in RATIOS:
            self.up.append(Upsampling(width, width // 2, ratio))
            width //= 2
            self.stacks.append(ResidualStack(width))
        self.waveform = normed(CausalConv1d(narrow, BANDS, 7))
        self.loudness = normed(CausalConv1d(narrow, 1, 3))
        self.noise = NoiseBranch(narrow)

    def example_inputs(self) -> tuple[Tensor, ...]:
        return example_inputs(self.config, self.pqmf.analysis_weight)

    @property
    def input_names(self) -> list[str]:
        """Names of the inputs in order, without the state."""
        return input_names(self.config)

    def run(self, z: Tensor, controls: Tensor, *rest: Tensor, tape: Tape) -> Tensor:
        attributes = self.min_max(controls)
        if not self.config.conditioned:
            attributes = torch.zeros_like(attributes)
        noise = rest[-1].reshape(z.shape[0], -1, BANDS).transpose(1, 2)
        with self.autocast(z):
            x = self.entry(torch.cat([z, attributes], dim=1), tape)
            for up, stack in zip(self.up, self.stacks, strict=True):
                x = stack(up(activate(x), tape), tape)
            x = activate(x)
            waveform = torch.tanh(self.waveform(x, tape)) * bounded(self.loudness(x, tape))
            filtered = self.noise(x, noise, tape)
        return self.pqmf.synthesise((waveform.float() + filtered.float()) * FULL_SCALE, tape)
