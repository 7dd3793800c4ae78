"""Multi-resolution complex-STFT discriminators for the adversarial stage (after DAC and EnCodec).

Each reads real and imaginary parts of one STFT as two channels; hinge loss and feature matching.
"""

import torch
from torch import Tensor, nn

from neurorack.learn.model.streaming import MixedPrecision

RESOLUTIONS = (2048, 1024, 512)


class StftDiscriminator(MixedPrecision):
    """audio [B, N] -> feature maps, the last of which is the verdict."""

    def __init__(self, size: int, width: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("window", torch.hann_window(size), persistent=False)
        norm = torch.nn.utils.parametrizations.weight_norm
        self.convs = nn.ModuleList([
            norm(nn.Conv2d(2, width, (7, 3), padding=(3, 1))),
            norm(nn.Conv2d(width, width, (7, 3), stride=(4, 1), padding=(3, 1))),
            norm(nn.Conv2d(width, width * 2, (7, 3), stride=(4, 1), dilation=(1, 2), padding=(3, 2))),
            norm(nn.Conv2d(width * 2, width * 2, (7, 3), stride=(4, 1), dilation=(1, 4), padding=(3, 4))),
        ])  # fmt: skip
        self.verdict = norm(nn.Conv2d(width * 2, 1, (3, 3), padding=1))

    def forward(self, audio: Tensor) -> list[Tensor]:
        spectrum = torch.stft(
            audio, self.size, self.size // 4, window=self.window, center=False, return_complex=True
        ) / (self.size**0.5)
        # Square-root compression: quiet partials get a say.
        magnitude = spectrum.abs().clamp_min(1e-6)
        spectrum = spectrum * magnitude.rsqrt()
        x = torch.view_as_real(spectrum).movedim(-1, 1)
        maps = []
        with self.autocast(audio):
            for conv in self.convs:
                x = nn.functional.leaky_relu(conv(x), 0.2)
                maps.append(x.float())
            maps.append(self.verdict(x).float())
        return maps


class Discriminators(nn.Module):
    """One discriminator for each resolution."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        self.members = nn.ModuleList(StftDiscriminator(size, width) for size in RESOLUTIONS)

    def forward(self, audio: Tensor) -> list[list[Tensor]]:
        return [member(audio) for member in self.members]


def discriminator_loss(real: list[list[Tensor]], fake: list[list[Tensor]]) -> Tensor:
    """Hinge loss of the judges."""
    losses = [
        nn.functional.relu(1 - r[-1]).mean() + nn.functional.relu(1 + f[-1]).mean()
        for r, f in zip(real, fake, strict=True)
    ]
    return torch.stack(losses).mean()


def generator_losses(real: list[list[Tensor]], fake: list[list[Tensor]]) -> tuple[Tensor, Tensor]:
    """(adversarial, feature matching) losses of the judged."""
    adversarial = torch.stack([-f[-1].mean() for f in fake]).mean()
    matching = [
        (a - b.detach()).abs().mean() / (b.detach().abs().mean() + 1e-6)
        for f, r in zip(fake, real, strict=True)
        for a, b in zip(f[:-1], r[:-1], strict=True)
    ]
    return adversarial, torch.stack(matching).mean()
