"""Tail: what a voice's decoded frames pass on their way into the mix: guard, ramp, delay and fall.

A voice that starts at sample k of a frame is decoded from that frame on and delayed by k samples until it
ends, so that it sounds at its sample exactly. A release falls from its exact sample: `fall` bends the sound
down until the decoder, from the voice's next frame on, is asked for less.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.ghost import HEARD
from neurorack.play.engine.output import Ramp, fade_out_from
from neurorack.play.engine.plain_state import State, attributes, set_attributes

OPEN_SAMPLES = 32
"""In which a voice opens on a sound that is already there (live input)."""
_OPEN = (0.5 - 0.5 * np.cos(np.pi * (np.arange(OPEN_SAMPLES) + 0.5) / OPEN_SAMPLES)).astype(np.float32)
NEVER = 1 << 30
_STATE = (
    "delay",
    "_kept",
    "_gain",
    "_fall_from",
    "_fall_to",
    "_fall_rate",
    "_open_from",
    "_last",
    "heard",
)


class Tail:
    """One channel of one voice. Samples are counted from the start of the frame being finished."""

    def __init__(self, hop: int) -> None:
        self._hop = hop
        self._ramp = Ramp(hop)
        self._kept = np.zeros(hop, np.float32)
        self._time = np.arange(hop, dtype=np.float64)
        self.heard = np.zeros(HEARD, np.float32)
        """The last samples given out, oldest first."""
        self.failed = False
        """Whether the last frame was not finite (it was faded out)."""
        self.start(0)

    def start(self, delay: int, open_from: int = NEVER) -> None:
        """Afresh, delayed by `delay` samples; or opening at sample `open_from`, for a sound under way."""
        self.delay = delay
        self._kept.fill(0.0)
        self._ramp.value = 0.0
        self._gain = 1.0
        self._fall_from = self._fall_to = 0
        self._fall_rate = 0.0
        self._open_from = open_from
        self._last = 0.0
        self.heard.fill(0.0)

    def copy_from(self, other: "Tail") -> None:
        """Go on as `other` does."""
        self.restore(other.state())

    def fall(self, sample: int, until: int, release_s: float, sample_rate: float) -> None:
        """Fall from `sample` until `until`, by 60 dB in `release_s`, and stay there."""
        self._fall_from, self._fall_to = sample, until
        self._fall_rate = math.log(1000.0) / (max(release_s, 0.005) * sample_rate)

    def finish(self, sound: np.ndarray, gate: float) -> np.ndarray:
        """One decoded frame [hop] -> what it adds to the mix [hop] (may be `sound` itself, changed)."""
        self.failed = not math.isfinite(float(sound.sum()))
        if self.failed:
            fade_out_from(sound, self._last)
        self._last = float(sound[-1])
        self._ramp.apply(sound, gate)
        if self.delay:
            kept = sound[self._hop - self.delay :].copy()
            sound[self.delay :] = sound[: self._hop - self.delay].copy()
            sound[: self.delay] = self._kept[: self.delay]
            self._kept[: self.delay] = kept
        if self._fall_to > self._fall_from:
            passed = np.clip(self._time - self._fall_from, 0.0, self._fall_to - self._fall_from)
            sound *= (self._gain * np.exp(-self._fall_rate * passed)).astype(np.float32)
            if self._fall_to <= self._hop:
                self._gain *= math.exp(-self._fall_rate * (self._fall_to - self._fall_from))
                self._fall_from = self._fall_to = 0
            else:
                self._fall_from -= self._hop
                self._fall_to -= self._hop
        elif self._gain != 1.0:
            sound *= np.float32(self._gain)
        if self._open_from != NEVER:
            _open(sound, self._open_from)
            self._open_from -= self._hop
            if self._open_from <= -OPEN_SAMPLES:
                self._open_from = NEVER
        heard = self.heard
        heard[: -self._hop] = heard[self._hop :].copy()
        heard[-self._hop :] = sound
        return sound

    def state(self) -> State:
        """Everything later frames depend on."""
        return {**attributes(self, _STATE), "ramp": self._ramp.value}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
        self._ramp.value = float(state["ramp"])


def _open(sound: np.ndarray, start: int) -> None:
    """Silence before sample `start` (may be negative), full from OPEN_SAMPLES later on; in place."""
    first, last = max(start, 0), min(max(start + OPEN_SAMPLES, 0), len(sound))
    if last > first:
        sound[first:last] *= _OPEN[first - start : last - start]
    sound[: max(start, 0)] = 0.0
