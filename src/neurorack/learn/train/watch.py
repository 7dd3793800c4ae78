"""What can go wrong in training, seen from its numbers and put into words: spikes, values that are no
numbers, a latent code that carries nothing, silence.
"""

import math
import statistics
from collections import deque

from neurorack.learn.train.schedule import WARM_UP_STEPS

SKIPS = 5
"""Steps in a row without a usable gradient after which the weights themselves are suspected."""

NOW, USUAL = 20, 150
"""Steps whose median is what the distance is now, and those before them that it is compared with."""

SPIKE = 2.5
"""Times its usual value from which a distance that lasts is a spike."""

MOST_RECOVERIES = 3

COLLAPSED = 0.02
"""A code is worth nothing if another sound's makes reconstruction worse by less than this share of it."""

SHRUNKEN = 0.5
"""Spread loss from which the code's axes are too small or too alike (0: as they should be, 1: nothing)."""

SILENT_SHARE = 0.5
"""Share of silence in the training split from which it is worth a word."""


class Watch:
    """Follows one run. Every question it answers is asked with numbers all devices share."""

    def __init__(self) -> None:
        self.recoveries = 0
        self._skipped = 0
        self._now: deque[float] = deque(maxlen=NOW)
        self._usual: deque[float] = deque(maxlen=USUAL)
        self._empty_looks = 0
        self._told_of_code = False

    @property
    def steady(self) -> bool:
        """Whether the weights are worth a checkpoint: no gradient is being skipped, no spike is going on."""
        return self._skipped == 0 and not self._spiking()

    def _spiking(self) -> bool:
        if len(self._now) < NOW or len(self._usual) < USUAL // 2:
            return False
        return statistics.median(self._now) > SPIKE * statistics.median(self._usual)

    def step(self, distance: float, gradient: float) -> str:
        """Take in one step's spectral distance and gradient norm; why the last checkpoint should be gone back
        to, or "".
        """
        if not (math.isfinite(distance) and math.isfinite(gradient)):
            self._skipped += 1
            if self._skipped < SKIPS:
                return ""
            what = "loss" if not math.isfinite(distance) else "gradient"
            return f"the {what} has been no number for {SKIPS} steps"
        self._skipped = 0
        if len(self._now) == NOW:
            self._usual.append(self._now[0])
        self._now.append(distance)
        if self._spiking():
            now, usual = statistics.median(self._now), statistics.median(self._usual)
            return f"the distance has jumped from about {usual:.2f} to {now:.2f} and stays there"
        return ""

    def recovered(self) -> None:
        """The weights are those of the last checkpoint again: begin to compare anew."""
        self.recoveries += 1
        self._skipped = 0
        self._now.clear()
        self._usual.clear()

    @property
    def exhausted(self) -> bool:
        return self.recoveries >= MOST_RECOVERIES

    def look(self, numbers: dict[str, float], spread: float, progress: float, step: int) -> str:
        """What an evaluation's `numbers` and the latest `spread` loss tell about the latent code, once: a
        sentence, or "". Fresh weights take their time to make use of it.
        """
        early = progress < 0.3 or step < WARM_UP_STEPS
        if early or "code" not in numbers or self._told_of_code:
            return ""
        empty = numbers["code"] < COLLAPSED * numbers["stft"] or spread > SHRUNKEN
        self._empty_looks = self._empty_looks + 1 if empty else 0
        if self._empty_looks < 2:
            return ""
        self._told_of_code = True
        worse = 100 * numbers["code"] / numbers["stft"]
        return (
            f"The latent code says hardly anything: with another sound's code, reconstruction is only "
            f"{worse:.1f} % worse (spread {spread:.2f}). With recordings of one gesture that is to be "
            "expected; else train again with --weight fader=0, or --from this run with --new-code."
        )


def silence_in_words(silent: float) -> str:
    """A sentence where much of the training split is silence (share of its frames), else ""."""
    if silent < SILENT_SHARE:
        return ""
    return (
        f"{100 * silent:.0f} % of the training split is silence (peaks below -60 dBFS). Batches of nothing "
        "else are drawn again; cut long silence away, and the time goes into sound."
    )
