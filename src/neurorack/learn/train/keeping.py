"""Keeping what was learnt: when a checkpoint is written, what a full disk costs, and going back to it."""

from typing import TYPE_CHECKING

import torch

from neurorack.core.errors import NeurorackError
from neurorack.core.files import DISK_FULL
from neurorack.learn.train.checkpoint import NAME, load_checkpoint, save_checkpoint

if TYPE_CHECKING:
    from neurorack.learn.train.loop import Trainer


class Keeping:
    """The checkpoint of one trainer. `slower`: factor on the learning rate, halved at every going back."""

    def __init__(self, trainer: "Trainer") -> None:
        self.trainer = trainer
        self.path = trainer.run / NAME
        self.slower = 1.0
        self.saved_step = 0

    def save(self, last: bool = False) -> None:
        """Write the checkpoint (rank 0), unless the weights are in doubt: then the one before stands.

        Where the disk is full it says so and training goes on; at the `last` one, NeurorackError.
        """
        trainer = self.trainer
        if not trainer.fabric.is_global_zero or not (last or trainer.watch.steady) or not self._finite():
            return
        clock = trainer.clock
        extra = {
            "step": clock.step,
            "elapsed_s": clock.elapsed_s,
            "progress": clock.progress,
            "slower": self.slower,
        }
        try:
            save_checkpoint(self.path, trainer.modules(), trainer.optimizers(), extra)
            self.saved_step = clock.step
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            full = f"The disk that holds {trainer.run} is full; {self._safe()}"
            if last or not self.path.exists():
                raise NeurorackError(f"{full} Free some space, then go on with --resume.") from error
            trainer.say(f"{full} Training goes on: free some space.")

    def _safe(self) -> str:
        if not self.path.exists():
            return "nothing has been kept yet."
        return f"what was learnt until step {self.saved_step} is safe."

    def load(self) -> None:
        """Take up weights, optimisers and clock from the checkpoint."""
        trainer = self.trainer
        extra = load_checkpoint(self.path, trainer.modules(), trainer.optimizers())
        trainer.clock.step, trainer.clock.elapsed_s = extra["step"], extra["elapsed_s"]
        self.slower, self.saved_step = extra.get("slower", 1.0), extra["step"]
        if not self._finite():
            raise NeurorackError(
                f"{self.path} holds values that are no numbers: train again into another folder, with a "
                "lower --lr."
            )

    def go_back(self, why: str) -> None:
        """Back to the weights of the checkpoint, at half the learning rate; the clock goes on, so that other
        batches follow. NeurorackError once that has not helped several times.
        """
        trainer, step = self.trainer, self.trainer.clock.step
        if trainer.watch.exhausted:
            raise NeurorackError(
                f"Step {step}: {why}, and going back did not help. What was learnt until step "
                f"{self.saved_step} is in {trainer.run}: export it, or train again with a lower --lr (it was "
                f"{trainer.config.learning_rate:g})."
            )
        load_checkpoint(self.path, trainer.modules(), trainer.optimizers())
        for optimizer in trainer.optimizers().values():
            move_state(optimizer, trainer.fabric.device)
        self.slower *= 0.5
        trainer.watch.recovered()
        trainer.say(
            f"Step {step}: {why}. Training goes on from what it was at step {self.saved_step}, at half the "
            "learning rate."
        )

    def _finite(self) -> bool:
        models = (self.trainer.model, self.trainer.ema)
        return all(bool(torch.isfinite(p).all()) for model in models for p in model.parameters())


def move_state(optimizer: torch.optim.Optimizer, device: torch.device) -> None:
    """An optimiser's state to where its parameters are."""
    for state in optimizer.state.values():
        for key, value in state.items():
            if isinstance(value, torch.Tensor) and value.dim():
                state[key] = value.to(device)
