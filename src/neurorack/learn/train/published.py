"""The published method's training: plain RAVE, C-RAVE (conditioned), F-RAVE (and a latent critic).

    rave     as many latent numbers as z and c have together, nothing conditioned
    c-rave   the attributes given to the decoder
    f-rave   the same, and the encoder rewarded for the cross-entropy of a critic that reads them from z

Data, crops, optimiser and clock are those of every other arm. Beside the losses (model/published/losses.py)
two things differ from ours: the attributes are always those of the very sound, never as a live stream knows
them, and no frame is masked for silence.
"""

from typing import Any, cast

import torch
from torch import Tensor

from neurorack.core.timebase import HOP
from neurorack.learn.model.autoencoder import reparameterise
from neurorack.learn.model.config import SIZES, Arm, ModelConfig
from neurorack.learn.model.published.critic import PublishedCritic
from neurorack.learn.model.published.losses import LOUDNESS, LoudnessDistance, fader_weight, rising
from neurorack.learn.train.batches import Batch
from neurorack.learn.train.objective import WARM_FRAMES, Objective


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
            "stft": self.stft(heard.float(), wanted),
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
