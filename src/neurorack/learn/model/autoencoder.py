"""The whole model: encoder, decoder and, in training, the latent critic."""

import torch
from torch import Tensor, nn

from neurorack.learn.model.config import ModelConfig
from neurorack.learn.model.critic import LatentCritic
from neurorack.learn.model.decoder import Decoder
from neurorack.learn.model.encoder import Encoder
from neurorack.learn.model.published.critic import PublishedCritic
from neurorack.learn.model.published.decoder import PublishedDecoder
from neurorack.learn.model.published.encoder import PublishedEncoder
from neurorack.learn.model.published.unconditioned import UnconditionedDecoder


class Autoencoder(nn.Module):
    """Encoder, decoder and critic of one configuration."""

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        self.encoder: Encoder | PublishedEncoder
        self.decoder: Decoder | PublishedDecoder
        if config.decoder == "published":
            self.encoder, self.decoder = PublishedEncoder(config), PublishedDecoder(config)
        else:
            self.encoder = Encoder(config)
            self.decoder = Decoder(config) if config.conditioned else UnconditionedDecoder(config)
        critic = PublishedCritic if config.critic == "published" else LatentCritic
        self.critic = critic(config.latent_size, len(config.controls))

    def posterior(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """audio [B, 128 T] -> mean and log-variance of z, each [B, Z, T]."""
        mean, log_variance = self.encoder.offline(audio).chunk(2, dim=1)
        return mean, log_variance.clamp(-12.0, 4.0)

    def decode(
        self, z: Tensor, controls: Tensor, level_db: Tensor | None, f0_hz: Tensor | None, noise: Tensor
    ) -> Tensor:
        """Offline decode, audio [B, 128 T]; level_db and f0_hz are used where the model has these
        controls.
        """
        rest = [level_db] if self.config.gained else []
        rest += [f0_hz] if self.config.pitched else []
        return self.decoder.offline(z, controls, *rest, noise)


def reparameterise(mean: Tensor, log_variance: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """A sample of z and KL(q || N(0, 1)) in nats per frame, averaged over batch and time."""
    z = mean + torch.exp(0.5 * log_variance) * noise
    kl = 0.5 * (mean.square() + log_variance.exp() - 1.0 - log_variance).sum(1).mean()
    return z, kl
