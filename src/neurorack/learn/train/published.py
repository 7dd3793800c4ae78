"""The published method's training: plain RAVE, C-RAVE (conditioned), F-RAVE (and a latent critic).

    rave     as many latent numbers as z and c have together, nothing conditioned
    c-rave   the attributes given to the decoder
    f-rave   the same, and the encoder rewarded for the cross-entropy of a critic that reads them from z

The loss is STFT + LOUDNESS * loudness + beta * KL - lambda * cross-entropy, divided by five: the published
spectral distance sums five windows, ours averages. beta rises from 0 over the warm-up; lambda is 0 over the
warm-up and rises from 0.1 to 0.5 (over five) after it.

Data, crops, optimiser and clock are those of every other arm. Beside the losses two things differ from ours:
the attributes are always those of the very sound, never as a live stream knows them, and no frame is masked
for silence.
"""

from typing import Any, cast

import torch
from torch import Tensor

from neurorack.core.timebase import HOP
from neurorack.learn.model.autoencoder import reparameterise
from neurorack.learn.model.config import SIZES, Arm, ModelConfig
from neurorack.learn.model.published.critic import PublishedCritic
from neurorack.learn.model.published.losses import LoudnessDistance
from neurorack.learn.train.batches import Batch
from neurorack.learn.train.objective import WARM_FRAMES, Objective
from neurorack.learn.train.schedule import rising

SCALES = 5
LOUDNESS = 1.0 / SCALES
LAMBDA_FIRST, LAMBDA_LAST = 0.1 / SCALES, 0.5 / SCALES


def fader_weight(progress: float, warm: float, ramp: float) -> float:
    """lambda at this point of the training."""
    if progress < warm:
        return 0.0
    return LAMBDA_FIRST + (LAMBDA_LAST - LAMBDA_FIRST) * rising(progress, warm, ramp)


def published_changes(arm: Arm, size: str, names: tuple[str, ...]) -> dict[str, Any]:
    """What a published arm changes in the model's configuration; --model may change it again."""
    if arm != "rave":
        return {"critic": "published"}
    latent = SIZES[size].get("latent_size", ModelConfig.latent_size)
    return {"critic": "published", "conditioned": False, "latent_size": latent + len(names)}


class PublishedObjective(Objective):
    """Batch -> the published losses."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.loudness = LoudnessDistance(self.model.config.sample_rate)

    @property
    def critic(self) -> PublishedCritic:
        return cast(PublishedCritic, self.model.critic)

    def forward(
        self, batch: Batch, step: int, progress: float, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Losses by name, as `Objective.forward` gives them."""
        frames = batch.audio.shape[1] // HOP

        def randn(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator).to(batch.audio.device)

        controls, _, level, f0 = self.align(batch)
        mean, log_variance = self.model.posterior(batch.audio)
        z, kl = reparameterise(mean, log_variance, randn(*mean.shape))
        heard = self.model.decode(z, controls, level, f0, randn(len(z), frames * HOP))[:, WARM_FRAMES * HOP :]
        wanted = batch.audio[:, (WARM_FRAMES - self.delay) * HOP : -self.delay * HOP]
        losses = {
            "stft": self.distance(heard.float(), wanted),
            "loudness": self.loudness(heard.float(), wanted),
            "kl": kl,
        }
        w = self.weights
        beta = w.kl * rising(progress, 0.0, w.critic_warm)
        total = losses["stft"] + LOUDNESS * losses["loudness"] + beta * kl
        if self.arm == "f-rave":
            losses["cross_entropy"] = self.critic.cross_entropy(z, controls)
            total = total - fader_weight(progress, w.critic_warm, w.ramp) * losses["cross_entropy"]
        return {**losses, "total": total, "heard": heard, "wanted": wanted, "z": z, "controls": controls}

    def critic_step(self, losses: dict[str, Tensor]) -> Tensor:
        """The critic's own loss on detached z."""
        return self.critic.cross_entropy(losses["z"].detach(), losses["controls"])
