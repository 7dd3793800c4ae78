"""Where training stands: one number in [0, 1] from minutes or steps, and what follows from it."""

import math
import time
from dataclasses import dataclass


@dataclass
class Clock:
    """Progress of a run bounded by `minutes` of training or by `steps`; survives resuming."""

    minutes: float | None
    steps: int | None
    elapsed_s: float = 0.0
    step: int = 0
    _since: float | None = None

    def tick(self) -> None:
        """Account for the time since the last tick, and for one step."""
        now = time.monotonic()
        if self._since is not None:
            self.elapsed_s += now - self._since
        self._since = now
        self.step += 1

    def pause(self) -> None:
        """Forget the running stretch: what follows (an evaluation, a checkpoint) is not training."""
        self._since = time.monotonic()

    @property
    def progress(self) -> float:
        shares = []
        if self.minutes:
            shares.append(self.elapsed_s / (60 * self.minutes))
        if self.steps:
            shares.append(self.step / self.steps)
        return min(max(shares, default=1.0), 1.0)

    @property
    def remaining_s(self) -> float:
        """Forecast at the pace so far."""
        done = self.progress
        return self.elapsed_s / done * (1 - done) if done > 0 else math.inf


def learning_rate_factor(progress: float, step: int) -> float:
    """Linear warm-up over 200 steps, then a cosine down to 2 %."""
    return min(1.0, (step + 1) / 200) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
