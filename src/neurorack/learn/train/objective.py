"""One training step's losses, for every arm and stage."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from neurorack.core.normaliser import Normaliser
from neurorack.core.timebase import HOP
from neurorack.learn.descriptors import DescriptorBank, build
from neurorack.learn.model.autoencoder import Autoencoder
from neurorack.learn.model.config import CRITIC_ARMS, PUBLISHED_ARMS, Arm
from neurorack.learn.model.critic import confusion_loss, critic_loss
from neurorack.learn.model.gain import LevelWindow, frame_power
from neurorack.learn.model.latent import spread_loss
from neurorack.learn.model.streaming import Tape
from neurorack.learn.train.batches import SILENCE_DB, Batch
from neurorack.learn.train.counterfactual import Measuring, Support, make_requests
from neurorack.learn.train.losses import BandLevels, Spectra, spectral_distance
from neurorack.learn.train.run import RunConfig
from neurorack.learn.train.schedule import rising

WARM_FRAMES = 14
"""Frames at the start of a crop that are not scored: the streams begin there from zeros."""

BY_CONSTRUCTION = ("loudness", "pitch")
"""Controls that obey by construction: they are asked for, but not measured in the counterfactual loss."""

STILL = 0.05
"""Deviation in control units of a curve that hardly moves."""

MEASURE_EVERY = 4
"""The counterfactual loss measures every so many frames."""


@dataclass(frozen=True)
class Weights:
    """How much each loss counts. `critic_warm` is the share of training before the fader acts, `ramp` how
    long it takes; `counterfactual_warm`, the same of the requests (0: whole from the first step on, as
    always where training goes on from weights that exist).
    `bands`: what levels in mel bands count beside the spectral distance, which sees single bins.
    `z_noise`: deviation of the noise on z in training. `kl`: pull of z towards 0 (and, in the published
    arms, towards N(0, 1)). `counterfactual_share`: share of the batch that answers requests.
    `support`: whether what the corpus has no sound for counts less; `gestures`: whether a hand asks, too.
    `near`: error in control units under which the counterfactual loss is quadratic. `follow`: what a curve's
    shape counts there beside its distance.
    """

    bands: float = 1.0
    kl: float = 0.003
    spread: float = 1.0
    z_noise: float = 0.3
    fader: float = 0.05
    counterfactual: float = 4.0
    counterfactual_every: int = 1
    counterfactual_share: float = 1.0
    counterfactual_warm: float = 0.25
    support: bool = True
    gestures: bool = True
    near: float = 0.03
    follow: float = 0.3
    critic_warm: float = 0.05
    ramp: float = 0.15
    adversarial: float = 0.05
    matching: float = 0.2


class Objective(nn.Module):
    """Batch -> losses. Holds the model so that Fabric's strategies wrap model and losses as one module."""

    def __init__(
        self,
        model: Autoencoder,
        bank: DescriptorBank,
        lags: dict[str, int],
        normalisers: dict[str, Normaliser],
        arm: Arm,
        weights: Weights,
    ) -> None:
        """`bank` measures what is scored; `lags` are the lag_frames of every control."""
        super().__init__()
        config = model.config
        self.model = model
        self.arm = arm
        self.weights = weights
        self.spectra = Spectra()
        self.bands = BandLevels(config.sample_rate)
        self.level = LevelWindow(config.sample_rate)
        self.bank = bank.requires_grad_(False)
        self.names = config.controls
        self.pitch = config.controls.index("pitch") if "pitch" in config.controls else None
        """The row of pitch; None: it is no control."""
        self.normalisers = normalisers
        self.delay = config.latency_frames
        self.lags = [lags[name] for name in config.controls]
        self.margin = max(self.lags)
        self.measuring = Measuring([normalisers[name] for name in config.controls])
        self.scored = [i for i, n in enumerate(config.controls) if n not in BY_CONSTRUCTION]
        self.scored_measuring = Measuring([normalisers[config.controls[i]] for i in self.scored])
        self.support: Support | None = None
        """What the corpus has sounds for; None: every request counts alike. Set by the trainer."""
        self.keep_code = False
        """Whether the code stays as it is, and only the decoder learns. Set by the trainer, which freezes the
        encoder."""
        self.columns = [list(bank.outputs).index(config.controls[i]) for i in self.scored]

    @property
    def taught(self) -> bool:
        """Whether a critic teaches the code."""
        return self.arm in CRITIC_ARMS and not self.keep_code

    def distance(self, heard: Tensor, wanted: Tensor) -> Tensor:
        """Multi-scale spectral distance of audio [B, N]: a scalar."""
        return spectral_distance(self.spectra(heard), self.spectra(wanted))

    def level_db(self, audio: Tensor) -> Tensor:
        """Causal level [B, 1, T] of audio [B, 128 T]."""
        return 10 * torch.log10(self.level(frame_power(audio), Tape(None, None)) + 1e-9)

    def align(self, batch: Batch) -> tuple[Tensor, Tensor, Tensor, Tensor | None]:
        """Controls ahead and late [B, C, T], level_db and f0_hz as the decoder is to be given them.

        Decoder frame t sounds input frame t - delay; a control that stands fully in the measurement `lag`
        frames later is asked then ("ahead"). "Late" is all that a live stream knows: no look-ahead.
        """
        frames = batch.audio.shape[1] // HOP
        padded = nn.functional.pad(batch.controls, (self.delay, 0), mode="replicate")

        def row(i: int, lag: int) -> Tensor:
            return padded[:, i, lag : lag + frames]

        ahead = torch.stack([row(i, lag) for i, lag in enumerate(self.lags)], 1)
        late = torch.stack([row(i, min(self.delay, lag)) for i, lag in enumerate(self.lags)], 1)
        level = self.level_db(batch.audio)
        level = nn.functional.pad(level[..., : frames - self.delay], (self.delay, 0), value=-90.0)
        f0 = None
        if batch.f0_hz is not None:
            assert self.pitch is not None
            lag = self.lags[self.pitch]
            f0 = nn.functional.pad(batch.f0_hz, (self.delay, 0), mode="replicate")[..., lag : lag + frames]
        return ahead, late, level, f0

    def forward(
        self, batch: Batch, step: int, progress: float, generator: torch.Generator
    ) -> dict[str, Tensor]:
        """Losses by name; "total" is to be minimised; "heard" and "wanted" are audio for the judges."""
        b, device = batch.audio.shape[0], batch.audio.device
        frames = batch.audio.shape[1] // HOP

        def randn(*shape: int) -> Tensor:
            return torch.randn(*shape, generator=generator).to(device)

        ahead, late, level, f0 = self.align(batch)
        live = torch.rand(b, 1, 1, generator=generator).to(device) < 0.4
        controls = torch.where(live, late, ahead)
        mean, _ = self.model.posterior(batch.audio)
        z = mean + self.weights.z_noise * randn(*mean.shape)
        noise = randn(b, frames * HOP)
        heard = self.model.decode(z, controls, level, f0, noise)
        start = WARM_FRAMES * HOP
        heard, wanted = heard[:, start:], batch.audio[:, start - self.delay * HOP : -self.delay * HOP]
        seen, target = self.spectra(heard.float()), self.spectra(wanted)
        losses = {
            "stft": spectral_distance(seen, target),
            "bands": self.bands(seen, target),
            "kl": 0.5 * mean.square().sum(1).mean(),
        }
        sounding = (level > SILENCE_DB).to(level.dtype)
        losses["spread"] = spread_loss(mean, sounding)
        total = losses["stft"] + self.weights.bands * losses["bands"]
        total = total + self.weights.kl * losses["kl"] + self.weights.spread * losses["spread"]
        if self.taught:
            fade = self._risen(progress, self.weights.critic_warm)
            losses["confusion"] = confusion_loss(self.model.critic(z), sounding)
            total = total + self.weights.fader * fade * losses["confusion"]
        asked = self._risen(progress, self.weights.counterfactual_warm)
        due = asked > 0 and step % self.weights.counterfactual_every == 0
        if self.arm == "counterfactual" and self.scored and due:
            half = max(1, round(b * self.weights.counterfactual_share))
            losses["control"] = self._control_loss(z[:half], ahead, level, f0, noise[:half], generator)
            total = total + self.weights.counterfactual * asked * losses["control"]
        losses["total"] = total
        return {
            **losses,
            "heard": heard,
            "wanted": wanted,
            "z": z,
            "controls": controls,
            "sounding": sounding,
        }

    def _risen(self, progress: float, warm: float) -> float:
        """How far a loss counts that waits for the share `warm` (0: it counts whole throughout)."""
        return rising(progress, warm, self.weights.ramp) if warm else 1.0

    def _control_loss(
        self,
        z: Tensor,
        controls: Tensor,
        level: Tensor,
        f0: Tensor | None,
        noise: Tensor,
        generator: torch.Generator,
    ) -> Tensor:
        """Mean |asked - measured| in control units (Huber, 0.1) over sounding frames and scored controls.

        What was moved to where the corpus has no sounds counts less; what was to stand still always counts.
        """
        half = len(z)
        donors = controls.roll(max(1, len(controls) // 2), 0)[:half]
        requests, mask = make_requests(controls[:half], donors, generator, self.pitch, self.weights.gestures)
        if "loudness" in self.names:
            row = self.names.index("loudness")
            donated = self.measuring.physical(requests[:, row], row).unsqueeze(1)
            level = torch.where(mask[:, row : row + 1], donated, level[:half])
        else:
            level = level[:half]
        if f0 is not None:
            row = self.pitch
            assert row is not None
            asked = self.measuring.physical(requests[:, row], row).unsqueeze(1)
            f0 = torch.where(mask[:, row : row + 1], asked, f0[:half])
        heard = self.model.decode(z, requests, level, f0, noise)
        measured = self.bank.measure(heard.float(), hop_frames=MEASURE_EVERY)
        measured = self.scored_measuring(measured[:, self.columns])
        frames = requests.shape[-1]
        at = torch.arange(MEASURE_EVERY - 1, frames, MEASURE_EVERY, device=z.device)[: measured.shape[-1]]
        total, count = z.new_zeros(()), z.new_zeros(())
        own = self.level_db(heard)[:, 0]
        feasible = None
        if self.support is not None and self.weights.support:
            feasible = self.support.weight(requests[..., ::MEASURE_EVERY])
        for k, i in enumerate(self.scored):
            lag = self.lags[i]
            keep = at >= WARM_FRAMES + lag
            t = at[keep]
            asked = requests[:, i, t - lag]
            near = self.weights.near
            heard_k = measured[:, k, keep]
            error = nn.functional.huber_loss(heard_k, asked, reduction="none", delta=near) / near
            # Quiet frames, and frames where the level is falling away, have no timbre to speak of.
            weight = ((own[:, t] > SILENCE_DB + 5) & (level[:, 0, t] > SILENCE_DB + 5)).to(error.dtype)
            if feasible is not None:
                allowed = torch.where(mask[:, i], feasible[:, (t - lag) // MEASURE_EVERY], 1.0)
                weight = weight * allowed
            total = total + (error * weight).sum()
            if self.weights.follow:
                strayed = 1 - correlation(asked, heard_k, weight)
                total = total + self.weights.follow * (strayed * weight.sum(1)).sum()
            count = count + weight.sum()
        return total / (count + 1.0)

    def critic_step(self, losses: dict[str, Tensor]) -> Tensor:
        """The critic's own loss on detached z."""
        return critic_loss(self.model.critic(losses["z"].detach()), losses["controls"], losses["sounding"])


def correlation(asked: Tensor, heard: Tensor, weight: Tensor) -> Tensor:
    """Weighted correlation over time of curves [B, T] in control units: [B], and 0 for what hardly moves.

    Distance alone is content to miss a narrow curve narrowly; a hand hears whether it is followed.
    """
    share = weight / (weight.sum(1, keepdim=True) + 1e-6)
    a = asked - (asked * share).sum(1, keepdim=True)
    h = heard - (heard * share).sum(1, keepdim=True)
    power = ((a.square() * share).sum(1) + STILL**2) * ((h.square() * share).sum(1) + STILL**2)
    return (a * h * share).sum(1) / power.sqrt()


def lag_frames(config: RunConfig) -> dict[str, int]:
    """Frames from the asking of each descriptor to its standing in the measurement. (A training split must be
    longer than a crop by the longest of its controls'.)"""
    specs = build(config.descriptors, config.model.sample_rate, config.descriptor_files).specs
    response = config.model.response_frames
    return {s.name: s.lag_frames + (0 if s.name in BY_CONSTRUCTION else response) for s in specs}


def objective_for(config: RunConfig, model: Autoencoder) -> Objective:
    """The objective of a run around `model`: its descriptors' lags, a bank of what is scored, its weights."""
    rate = config.model.sample_rate
    # Where all obey by construction nothing is scored, and a bank that measures them all serves as well.
    scored = [name for name in config.descriptors if name not in BY_CONSTRUCTION]
    bank = build(scored or config.descriptors, rate, config.descriptor_files)
    lags = lag_frames(config)
    # What has learned to sound need not wait to be asked.
    weights = replace(Weights(), **({"counterfactual_warm": 0.0} if config.origin else {}) | config.weights)
    if config.arm in PUBLISHED_ARMS:
        from neurorack.learn.train.published import PublishedObjective

        return PublishedObjective(model, bank, lags, config.fitted(), config.arm, weights)
    return Objective(model, bank, lags, config.fitted(), config.arm, weights)
