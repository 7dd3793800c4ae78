"""Where training stands: one number in [0, 1] from minutes or steps, and what follows from it."""

import math
import time
from dataclasses import dataclass

WARM_UP_STEPS = 200
"""Steps over which the learning rate rises."""

ADVERSARIAL_FROM = 0.6
"""Share of the budget after which the judges join and the encoder is frozen."""


REQUEST_COST = 2.0
"""What a step costs that also answers requests, in plain steps (docs/results/control-table.md, samples/s)."""


@dataclass
class Clock:
    """Progress of a run bounded by `minutes` of training or by `steps`; survives resuming. `requests_from`:
    share of the budget after which a step costs REQUEST_COST; 1: no step does.
    """

    minutes: float | None
    steps: int | None
    requests_from: float = 1.0
    elapsed_s: float = 0.0
    step: int = 0
    _since: float | None = None
    _stepping_s: float = 0.0
    _aside_s: float = 0.0

    def tick(self) -> None:
        """Account for the time since the last tick, and for one step."""
        now = time.monotonic()
        if self._since is not None:
            self.elapsed_s += now - self._since
            self._stepping_s += now - self._since
        self._since = now
        self.step += 1

    def pause(self) -> None:
        """Forget the running stretch: what it held (an evaluation, a checkpoint) is not training."""
        now = time.monotonic()
        if self._since is not None:
            self._aside_s += now - self._since
        self._since = now

    @property
    def progress(self) -> float:
        shares = []
        if self.minutes:
            shares.append(self.elapsed_s / (60 * self.minutes))
        if self.steps:
            shares.append(self.step / self.steps)
        return min(max(shares, default=1.0), 1.0)

    def until_s(self, share: float) -> float:
        """Forecast of the seconds by the wall clock until `share` of the budget is spent, at the pace of this
        sitting: evaluations and checkpoints, which `elapsed_s` leaves out, take their time too.
        """
        done = self.progress
        if done <= 0:
            return math.inf
        spent = self._cost(done)
        return self.wall_s(max(0.0, self.elapsed_s / spent * (self._cost(share) - spent)))

    def _cost(self, share: float) -> float:
        """Training up to `share` of the budget, in proportion to its seconds."""
        if self.minutes:
            return share
        return share + (REQUEST_COST - 1.0) * max(0.0, share - self.requests_from)

    def wall_s(self, training_s: float) -> float:
        """Seconds by the wall clock that so many seconds of training take; inf where nobody knows yet."""
        if self._stepping_s <= 0:
            return math.inf
        return training_s * (1 + self._aside_s / self._stepping_s)

    @property
    def remaining_s(self) -> float:
        """Forecast of the seconds by the wall clock until training ends."""
        return self.until_s(1.0)


def learning_rate_factor(progress: float, step: int) -> float:
    """Linear warm-up over 200 steps, then a cosine down to 2 %."""
    return min(1.0, (step + 1) / WARM_UP_STEPS) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))


def rising(progress: float, after: float, over: float) -> float:
    """How far a loss counts that waits for the share `after` of training, then rises linearly over `over`."""
    return min(max((progress - after) / over, 0.0), 1.0)


@dataclass(frozen=True)
class Stage:
    """What training is about for now: a name, and the reason in half a sentence."""

    name: str
    why: str


Ramp = tuple[float, float]
"""Share of the budget before something acts, and share over which it ramps in."""


def stage_of(
    progress: float, step: int, critic: Ramp | None, adversarial: bool, requests: Ramp | None = None
) -> Stage:
    """The stage at `progress` and `step`. `critic`: when the latent critic acts; None in arms without one.
    `requests`: when requests begin that no recording shows; None where there are none or they always count.
    `adversarial`: whether judges join at the end.
    """
    if adversarial and progress >= ADVERSARIAL_FROM:
        return Stage("adversarial", "judges tell its sounds from recordings; the latent code stands still")
    if step < WARM_UP_STEPS:
        return Stage("warm-up", f"the learning rate rises for {WARM_UP_STEPS} steps")
    if critic is None:
        return Stage("spectral", "sounds are compared with the recordings by their spectra")
    begin, end = critic[0], critic[0] + critic[1]
    if progress < begin:
        return Stage("spectral", f"spectra only: the latent critic listens, and acts from {begin:.0%} on")
    if progress < end:
        return Stage(
            "critic ramps in",
            f"until {end:.0%} the code is taught, more and more, to leave the controls to the controls",
        )
    if requests is None or progress >= sum(requests):
        return Stage("spectral and critic", "the critic acts in full; the learning rate falls until the end")
    if progress < requests[0]:
        why = f"the critic acts in full; from {requests[0]:.0%} on it has to obey requests, too"
        return Stage("spectral and critic", why)
    why = f"until {sum(requests):.0%} it has to obey, more and more, what no recording shows"
    return Stage("requests ramp in", why)
