"""The training loop: Fabric, one clock, exact resume.

Every random choice of a step comes from a generator seeded by (seed, step, rank), so that a resumed run
sees the same
batches, noise and requests as one that was never interrupted.
"""

import copy
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from neurorack.core.timebase import HOP
from neurorack.learn.model.streaming import use_bf16
from neurorack.learn.train.batches import AUDIBLE, Batch, Tape
from neurorack.learn.train.counterfactual import Support
from neurorack.learn.train.discriminator import Discriminators, discriminator_loss, generator_losses
from neurorack.learn.train.display import Display
from neurorack.learn.train.evaluate import evaluate
from neurorack.learn.train.keeping import Keeping, move_state
from neurorack.learn.train.looks import Looks
from neurorack.learn.train.material import fitting_crop, open_corpus, silent_share
from neurorack.learn.train.monitor import Monitor
from neurorack.learn.train.objective import objective_for
from neurorack.learn.train.run import RunConfig
from neurorack.learn.train.schedule import (
    ADVERSARIAL_FROM,
    WARM_UP_STEPS,
    Clock,
    Ramp,
    learning_rate_factor,
    stage_of,
)
from neurorack.learn.train.watch import Watch, silence_in_words

EMA_DECAY = 0.998

DRAWS = 8
"""Times a batch that holds nothing but silence is drawn again."""


def generator_for(seed: int, step: int, rank: int) -> torch.Generator:
    """The source of every random choice of one step."""
    return torch.Generator().manual_seed((seed * 1_000_003 + step * 64 + rank) % 2**63)


class Trainer:
    """Everything a run holds while it trains."""

    def __init__(
        self,
        run: Path,
        config: RunConfig,
        fabric: Fabric,
        quiet: bool = False,
        bf16: bool = False,
        display: Display | None = None,
    ) -> None:
        self.run, self.fabric = run, fabric
        torch.manual_seed(config.seed)
        corpus = open_corpus(config)
        normalisers = config.fitted()
        model = config.build()
        self.objective = objective_for(config, model)
        self.weights = self.objective.weights
        if config.keep_code:
            self.objective.keep_code = True
            model.encoder.requires_grad_(False)
        self.ema = copy.deepcopy(model).requires_grad_(False).eval()
        self.discriminators = Discriminators()
        for module in (self.objective, self.discriminators):
            use_bf16(module, bf16)
        shaped = [*model.encoder.parameters(), *model.decoder.parameters()]
        fast: dict[str, Any] = {"lr": config.learning_rate, "betas": (0.9, 0.99), "weight_decay": 1e-4}
        self.optimizer = torch.optim.AdamW(shaped, **fast)
        self.critic_optimizer = torch.optim.AdamW(model.critic.parameters(), lr=1e-3, betas=(0.9, 0.99))
        self.judge_optimizer = torch.optim.AdamW(self.discriminators.parameters(), lr=3e-4, betas=(0.8, 0.99))
        self.clock = Clock(config.minutes, config.steps, self._requests[0] if self._requests else 1.0)
        device = fabric.device
        self.tape = Tape(corpus, "train", config.model.controls, normalisers, device, config.balance)
        margin = self.objective.margin
        self.config = config = fitting_crop(config, self.tape.frames, margin)
        self.silent = silent_share(self.tape)
        if config.arm == "counterfactual":
            frames, random = self.tape.sounding_controls().cpu(), generator_for(config.seed, 0, 0)
            self.objective.support = Support.fit(frames, self.objective.pitch, random)
        held_out = "validation" if any(True for _ in corpus.split("validation")) else "train"
        tape = Tape(corpus, held_out, config.model.controls, normalisers, device, config.balance)
        length = min(config.crop_frames, max(64, tape.frames - margin - 1))
        self.validation = tape.batch(16, length, margin, 0.0, generator_for(12345, 0, 0))
        self.watch, self.keeping = Watch(), Keeping(self)
        self.spread = 0.0
        """The spread loss of late."""
        main = fabric.is_global_zero
        self.monitor = Monitor(run, config.model.sample_rate, quiet, display) if main else None

    @property
    def model(self) -> nn.Module:
        return self.objective.model

    def modules(self) -> dict[str, nn.Module]:
        return {"model": self.objective.model, "ema": self.ema, "judges": self.discriminators}

    def optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"model": self.optimizer, "critic": self.critic_optimizer, "judges": self.judge_optimizer}

    def say(self, text: str) -> None:
        """Plain speech to whoever watches (rank 0)."""
        if self.monitor:
            self.monitor.say(text)

    def fit(self, checkpoint_every_s: float = 60.0, evaluate_every_s: float = 120.0) -> None:
        """Train until the clock says stop, then evaluate and save."""
        fabric, config = self.fabric, self.config
        self.objective.to(fabric.device)
        self.ema.to(fabric.device)
        self.discriminators.to(fabric.device)
        for optimizer in self.optimizers().values():
            move_state(optimizer, fabric.device)
        objective = fabric.setup_module(self.objective)
        optimizer = fabric.setup_optimizers(self.optimizer)
        if words := silence_in_words(self.silent):
            self.say(words)
        if not self.clock.step:
            self.keeping.save()  # what there is to go back to
        saved = self.clock.elapsed_s
        self.looks = Looks(evaluate_every_s, saved)
        self.clock.pause()
        first, speed_from = self.clock.step, self.clock.elapsed_s
        looked = -1
        while self.clock.progress < 1.0:
            step, progress = self.clock.step, self.clock.progress
            judged = config.adversarial and progress >= ADVERSARIAL_FROM
            if self.monitor:
                stage = stage_of(progress, step, self._critic, config.adversarial, self._requests)
                self.monitor.enter(progress, stage)
            rate = config.learning_rate * self.keeping.slower * learning_rate_factor(progress, step)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            random = generator_for(config.seed, step, fabric.global_rank)
            batch = self._draw(random)
            losses = objective(batch, step, progress, random)
            total = losses["total"]
            distance = self._shared(losses["stft"] + 0 * total)
            sane = math.isfinite(distance)
            if judged and sane:
                total = total + self._judge(losses)
            optimizer.zero_grad(set_to_none=True)
            fabric.backward(total)
            if judged:  # the code is settled by now; the judges shape the decoder alone
                self.objective.model.encoder.zero_grad(set_to_none=True)
            norm = nn.utils.clip_grad_norm_(self.optimizer.param_groups[0]["params"], 2.0)
            sane = sane and math.isfinite(float(norm))
            if sane:
                optimizer.step()
                self._average(step)
            else:
                self.say(f"step {step}: a gradient that is no number was skipped")
            if self.objective.taught and not judged and sane:
                self._train_critic(losses)
            if trouble := self.watch.step(distance, float(norm)):
                self.keeping.go_back(trouble)
            self.clock.tick()
            self._report(losses, first, speed_from)
            if self.clock.elapsed_s - saved > checkpoint_every_s:
                self.keeping.save()
                saved = self.clock.elapsed_s
                self.clock.pause()
            if self.clock.step == WARM_UP_STEPS:
                self.looks.warmed_up(self.clock.elapsed_s)
            if self.looks.due(self.clock.elapsed_s):
                self.looks.made(self.clock.elapsed_s)
                self._evaluate()
                looked = self.clock.step
                self.clock.pause()
        if looked != self.clock.step:
            self._evaluate()
        self.keeping.save(last=True)
        fabric.barrier()

    def _draw(self, random: torch.Generator) -> Batch:
        """A batch that is not all silence, if there is any sound to be found."""
        config = self.config
        for _ in range(DRAWS if self.silent > 0 else 1):
            batch = self.tape.batch(
                config.batch, config.crop_frames, self.objective.margin, config.splices, random
            )
            if self.silent == 0 or float(batch.audio.abs().max()) > AUDIBLE:
                break
        return batch

    def _shared(self, value: torch.Tensor) -> float:
        """A number's mean over all devices, so that all decide alike."""
        value = value.detach()
        if self.fabric.world_size > 1:
            value = self.fabric.all_reduce(value, reduce_op="mean")  # type: ignore[assignment]
        return float(value)

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

    def _report(self, losses: dict[str, torch.Tensor], first: int, since_s: float) -> None:
        if not self.monitor or self.clock.step % 20:
            return
        scalars = {k: float(v.detach()) for k, v in losses.items() if v.dim() == 0}
        self.spread = scalars.get("spread", 0.0)
        seconds = max(self.clock.elapsed_s - since_s, 1e-6)
        rate = (self.clock.step - first) / seconds
        samples = rate * self.config.batch * self.config.crop_frames * HOP * self.fabric.world_size
        self.monitor.line(
            self.clock,
            self.config.spectral_end,
            self._known_in_s(),
            {"step": self.clock.step, "stft": scalars["stft"], "steps/s": rate},
        )
        self.monitor.log(
            self.clock.step, {**scalars, "samples_per_s": samples, "elapsed_s": self.clock.elapsed_s}
        )

    @property
    def _critic(self) -> Ramp | None:
        return (self.weights.critic_warm, self.weights.ramp) if self.objective.taught else None

    @property
    def _requests(self) -> Ramp | None:
        asked = self.objective.arm == "counterfactual" and self.weights.counterfactual_warm > 0
        return (self.weights.counterfactual_warm, self.weights.ramp) if asked else None

    def _known_in_s(self) -> Callable[[int], float | None]:
        """Evaluations that are still wanted -> seconds by the wall clock until they have been made; None
        where training, or what the forecast may use of it, ends before.
        """
        clock = self.clock
        warm_up_s = max(0, WARM_UP_STEPS - clock.step) * clock.elapsed_s / max(1, clock.step)

        def known(more: int) -> float | None:
            seconds = clock.wall_s(self.looks.until_s(more, clock.elapsed_s, warm_up_s))
            return seconds if seconds < clock.until_s(self.config.spectral_end) else None

        return known

    def _evaluate(self) -> None:
        if not self.monitor:
            return
        live = self.objective.model
        self.objective.model = self.ema
        try:
            evaluation = evaluate(self.objective, self.validation)
        finally:
            self.objective.model = live
        self.monitor.show(self.clock, evaluation, self.config.spectral_end, self._known_in_s())
        if words := self.watch.look(evaluation.numbers, self.spread, self.clock.progress, self.clock.step):
            self.say(words)
