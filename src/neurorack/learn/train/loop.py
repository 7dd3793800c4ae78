"""The training loop: Fabric, one clock, exact resume.

Every random choice of a step comes from a generator seeded by (seed, step, rank), so that a resumed run
sees the same
batches, noise and requests as one that was never interrupted.
"""

import copy
import math
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from neurorack.core.errors import NeurorackError
from neurorack.core.timebase import HOP
from neurorack.learn.corpus import Corpus
from neurorack.learn.model.config import CRITIC_ARMS
from neurorack.learn.model.streaming import use_bf16
from neurorack.learn.train.batches import Tape
from neurorack.learn.train.checkpoint import NAME, load_checkpoint, save_checkpoint
from neurorack.learn.train.counterfactual import Support
from neurorack.learn.train.discriminator import Discriminators, discriminator_loss, generator_losses
from neurorack.learn.train.evaluate import evaluate
from neurorack.learn.train.monitor import Monitor
from neurorack.learn.train.objective import objective_for
from neurorack.learn.train.run import RunConfig
from neurorack.learn.train.schedule import Clock, learning_rate_factor

ADVERSARIAL_FROM = 0.6
"""Share of the budget after which the judges join and the encoder is frozen."""

EMA_DECAY = 0.998


def generator_for(seed: int, step: int, rank: int) -> torch.Generator:
    """The source of every random choice of one step."""
    return torch.Generator().manual_seed((seed * 1_000_003 + step * 64 + rank) % 2**63)


class Trainer:
    """Everything a run holds while it trains."""

    def __init__(
        self, run: Path, config: RunConfig, fabric: Fabric, quiet: bool = False, bf16: bool = False
    ) -> None:
        self.run, self.config, self.fabric = run, config, fabric
        torch.manual_seed(config.seed)
        corpus = Corpus.open(Path(config.corpus))
        normalisers = config.fitted()
        rate = config.model.sample_rate
        model = config.build()
        self.objective = objective_for(config, model)
        self.weights = self.objective.weights
        self.ema = copy.deepcopy(model).requires_grad_(False).eval()
        self.discriminators = Discriminators()
        for module in (self.objective, self.discriminators):
            use_bf16(module, bf16)
        shaped = [*model.encoder.parameters(), *model.decoder.parameters()]
        fast: dict[str, Any] = {"lr": config.learning_rate, "betas": (0.9, 0.99), "weight_decay": 1e-4}
        self.optimizer = torch.optim.AdamW(shaped, **fast)
        self.critic_optimizer = torch.optim.AdamW(model.critic.parameters(), lr=1e-3, betas=(0.9, 0.99))
        self.judge_optimizer = torch.optim.AdamW(self.discriminators.parameters(), lr=3e-4, betas=(0.8, 0.99))
        self.clock = Clock(config.minutes, config.steps)
        device = fabric.device
        self.tape = Tape(corpus, "train", config.model.controls, normalisers, device)
        margin = self.objective.margin
        if self.tape.frames <= config.crop_frames + margin:
            least = (config.crop_frames + margin + 1) * HOP / rate
            raise NeurorackError(
                f"The training split holds {self.tape.frames * HOP / rate:.2f} s of sound and training needs "
                f"{least:.1f} s: add recordings."
            )
        if config.arm == "counterfactual":
            pitch = self.objective.names.index("pitch") if "pitch" in self.objective.names else None
            frames = self.tape.sounding_controls()
            self.objective.support = Support.fit(frames.cpu(), pitch, generator_for(config.seed, 0, 0))
        held_out = "validation" if any(True for _ in corpus.split("validation")) else "train"
        tape = Tape(corpus, held_out, config.model.controls, normalisers, device)
        length = min(config.crop_frames, max(64, tape.frames - margin - 1))
        self.validation = tape.batch(16, length, margin, 0.0, generator_for(12345, 0, 0))
        self.monitor = Monitor(run, config.model.sample_rate, quiet) if fabric.is_global_zero else None

    @property
    def model(self) -> nn.Module:
        return self.objective.model

    def modules(self) -> dict[str, nn.Module]:
        return {"model": self.objective.model, "ema": self.ema, "judges": self.discriminators}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"model": self.optimizer, "critic": self.critic_optimizer, "judges": self.judge_optimizer}

    def save(self) -> None:
        """Write the checkpoint (rank 0)."""
        if self.fabric.is_global_zero:
            extra = {
                "step": self.clock.step,
                "elapsed_s": self.clock.elapsed_s,
                "progress": self.clock.progress,
            }
            save_checkpoint(self.run / NAME, self.modules(), self.optimizers(), extra)

    def resume(self) -> None:
        """Continue from the run's checkpoint."""
        extra = load_checkpoint(self.run / NAME, self.modules(), self.optimizers())
        self.clock.step, self.clock.elapsed_s = extra["step"], extra["elapsed_s"]

    def fit(self, checkpoint_every_s: float = 60.0, evaluate_every_s: float = 120.0) -> None:
        """Train until the clock says stop, then evaluate and save."""
        fabric, config = self.fabric, self.config
        self.objective.to(fabric.device)
        self.ema.to(fabric.device)
        self.discriminators.to(fabric.device)
        for optimizer in self.optimizers().values():
            _move_state(optimizer, fabric.device)
        objective = fabric.setup_module(self.objective)
        optimizer = fabric.setup_optimizers(self.optimizer)
        saved = shown = self.clock.elapsed_s
        self.clock.pause()
        first, speed_from = self.clock.step, self.clock.elapsed_s
        while self.clock.progress < 1.0:
            step, progress = self.clock.step, self.clock.progress
            judged = config.adversarial and progress >= ADVERSARIAL_FROM
            for group in self.optimizer.param_groups:
                group["lr"] = config.learning_rate * learning_rate_factor(progress, step)
            random = generator_for(config.seed, step, fabric.global_rank)
            batch = self.tape.batch(
                config.batch, config.crop_frames, self.objective.margin, config.splices, random
            )
            losses = objective(batch, step, progress, random)
            total = losses["total"]
            if judged:
                total = total + self._judge(losses)
            optimizer.zero_grad(set_to_none=True)
            fabric.backward(total)
            if judged:  # the code is settled by now; the judges shape the decoder alone
                self.objective.model.encoder.zero_grad(set_to_none=True)
            norm = nn.utils.clip_grad_norm_(self.optimizer.param_groups[0]["params"], 2.0)
            if math.isfinite(float(norm)):
                optimizer.step()
                self._average(step)
            elif self.monitor:
                self.monitor.say(f"step {step}: a non-finite gradient was skipped")
            if config.arm in CRITIC_ARMS and not judged:
                self._train_critic(losses)
            self.clock.tick()
            self._report(losses, first, speed_from, judged)
            if self.clock.elapsed_s - saved > checkpoint_every_s:
                self.save()
                saved = self.clock.elapsed_s
                self.clock.pause()
            if self.clock.elapsed_s - shown > evaluate_every_s:
                self._evaluate()
                shown = self.clock.elapsed_s
                self.clock.pause()
        self._evaluate()
        self.save()
        if self.monitor:
            self.monitor.close()
        fabric.barrier()

    def _judge(self, losses: dict[str, torch.Tensor]) -> torch.Tensor:
        """Train the judges on this step's sounds, and return what the model owes them."""
        heard, wanted = losses["heard"].float(), losses["wanted"]
        real, fake = self.discriminators(wanted), self.discriminators(heard.detach())
        loss = discriminator_loss(real, fake)
        self.judge_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._sum_gradients(self.discriminators)
        self.judge_optimizer.step()
        losses["judges"] = loss
        with torch.no_grad():
            real = self.discriminators(wanted)
        adversarial, matching = generator_losses(real, self.discriminators(heard))
        losses["matching"] = matching
        return self.weights.adversarial * adversarial + self.weights.matching * matching

    def _train_critic(self, losses: dict[str, torch.Tensor]) -> None:
        loss = self.objective.critic_step(losses)
        self.critic_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self._sum_gradients(self.objective.model.critic)
        self.critic_optimizer.step()
        losses["critic"] = loss

    def _sum_gradients(self, module: nn.Module) -> None:
        """Average gradients over devices for modules that Fabric does not wrap."""
        if self.fabric.world_size > 1:
            for parameter in module.parameters():
                if parameter.grad is not None:
                    parameter.grad = self.fabric.all_reduce(parameter.grad, reduce_op="mean")

    @torch.no_grad()
    def _average(self, step: int) -> None:
        decay = min(EMA_DECAY, (1 + step) / (20 + step))
        for average, value in zip(self.ema.parameters(), self.model.parameters(), strict=True):
            average.lerp_(value.to(average.dtype), 1 - decay)
        for average, value in zip(self.ema.buffers(), self.model.buffers(), strict=True):
            if average.is_floating_point():  # the statistics of batch normalisation, where there is any
                average.lerp_(value, 1 - decay)

    def _report(self, losses: dict[str, torch.Tensor], first: int, since_s: float, judged: bool) -> None:
        if not self.monitor or self.clock.step % 20:
            return
        scalars = {k: float(v.detach()) for k, v in losses.items() if v.dim() == 0}
        seconds = max(self.clock.elapsed_s - since_s, 1e-6)
        rate = (self.clock.step - first) / seconds
        samples = rate * self.config.batch * self.config.crop_frames * HOP * self.fabric.world_size
        stage = "adversarial" if judged else "spectral"
        self.monitor.line(
            self.clock.progress,
            stage,
            self.clock.remaining_s,
            {"step": self.clock.step, "stft": scalars["stft"], "steps/s": rate, "samples/s": samples},
        )
        self.monitor.log(
            self.clock.step, {**scalars, "samples_per_s": samples, "elapsed_s": self.clock.elapsed_s}
        )

    def _evaluate(self) -> None:
        if not self.monitor:
            return
        live = self.objective.model
        self.objective.model = self.ema
        try:
            evaluation = evaluate(self.objective, self.validation)
        finally:
            self.objective.model = live
        self.monitor.log(self.clock.step, {f"validation/{k}": v for k, v in evaluation.numbers.items()})
        self.monitor.show(self.clock.step, evaluation)


def _move_state(optimizer: torch.optim.Optimizer, device: torch.device) -> None:
    for state in optimizer.state.values():
        for key, value in state.items():
            if isinstance(value, torch.Tensor) and value.dim():
                state[key] = value.to(device)
