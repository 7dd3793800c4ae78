"""FeedbackGuard: the instrument's own sound, delayed, on its way back to the input, kept from running away.

Whatever the loop's gain, what comes out stays near LEVEL_DB at most: a DC blocker takes away what would
creep, a fast level guard pulls the mean square down to the target, and a last bound holds single samples.
A trace of noise, far below hearing, lets a loop begin by itself; it is not added while feedback is off.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.output import soft_limit
from neurorack.play.engine.plain_state import (
    State,
    attributes,
    generator_state,
    restore_generator,
    set_attributes,
)

LONGEST_S = 1.0
LEVEL_DB = -20.0
"""Mean-square level above which the guard turns down, dB re full scale."""
PEAK = 0.5
"""No sample that goes back is larger."""
SEED_LEVEL = 10.0 ** (-96.0 / 20.0)
"""Standard deviation of the noise that starts a loop."""
DC_S = 0.03
"""Time constant of the mean that is taken away."""
RISE_S, FALL_S = 0.002, 0.1
"""Time constants of the guard's level: quick to notice, slow to forget."""
MOST_STRETCH = 0.5
"""A turned delay reads at most so much faster or slower (a glide in pitch, as tape does)."""
_STATE = ("_line", "_at", "_delay", "_power", "_gain", "_amount", "_mean")


class FeedbackGuard:
    """A frame at a time: `read` what goes back to the input, render, then `write` what came out."""

    def __init__(self, sample_rate: float, hop: int, seed: int = 0) -> None:
        self._rate, self._hop = sample_rate, hop
        # Reading between samples needs one sample more, and a whole frame is written at once.
        self._line = np.zeros(int(LONGEST_S * sample_rate) + 2 * hop, np.float32)
        self._ramp = (np.arange(1, hop + 1) / hop).astype(np.float64)
        frame_s = hop / sample_rate
        self._rise, self._fall, self._dc_share = (
            1.0 - math.exp(-frame_s / t) for t in (RISE_S, FALL_S, DC_S)
        )
        self._target = 10.0 ** (LEVEL_DB / 10.0)
        self._random = np.random.Generator(np.random.PCG64(abs(seed)))
        self._noise = np.zeros(hop, np.float32)
        self.reset()

    def reset(self) -> None:
        """Empty, as at the start."""
        self._line.fill(0.0)
        self._mean = 0.0
        self._at = 0
        self._delay = -1.0
        self._power = 0.0
        self._gain = 1.0
        self._amount = 0.0

    def write(self, sound: np.ndarray) -> None:
        """One frame [hop] of the instrument's output (mono)."""
        size, hop = len(self._line), self._hop
        end = self._at + hop
        finite = sound if math.isfinite(float(sound.sum())) else np.zeros(hop, np.float32)
        if end <= size:
            self._line[self._at : end] = finite
        else:
            first = size - self._at
            self._line[self._at :] = finite[:first]
            self._line[: hop - first] = finite[first:]
        self._at = end % size

    def read(self, delay_s: float, amount: float) -> np.ndarray | None:
        """What goes back to the input in the next frame: float32 [hop], or None while feedback is off.

        delay_s: from output to input; at least a frame, since the next frame's own output does not exist yet.
        amount: 0..1, the loop's gain before the guard.
        """
        if amount <= 0.0 and self._amount <= 0.0:
            self._delay = -1.0
            return None
        sound = self._delayed(min(max(delay_s * self._rate, self._hop), LONGEST_S * self._rate))
        self._random.standard_normal(out=self._noise, dtype=np.float32)
        self._noise *= np.float32(SEED_LEVEL)
        sound += self._noise
        self._block_dc(sound)
        self._guard(sound, amount)
        return sound

    def _delayed(self, delay: float) -> np.ndarray:
        before = delay if self._delay < 0.0 else self._delay
        most = MOST_STRETCH * self._hop
        delay = before + min(max(delay - before, -most), most)
        delay = max(delay, float(self._hop))
        self._delay = delay
        size, hop = len(self._line), self._hop
        start = self._at - before
        if delay == before and start == int(start):
            return self._line.take(np.arange(int(start), int(start) + hop), mode="wrap")
        places = start + (self._ramp - self._ramp[0]) * hop - (delay - before) * self._ramp
        low = np.floor(places).astype(np.intp)
        share = (places - low).astype(np.float32)
        one, two = self._line.take(low % size), self._line.take((low + 1) % size)
        return one + share * (two - one)

    def _block_dc(self, sound: np.ndarray) -> None:
        """Take the running mean away, in place."""
        before = self._mean
        self._mean += self._dc_share * (float(sound.mean()) - before)
        sound -= (before + (self._mean - before) * self._ramp).astype(np.float32)

    def _guard(self, sound: np.ndarray, amount: float) -> None:
        """Turn `sound` down to the target level, in place; the gain moves in a straight line."""
        amount = min(max(amount, 0.0), 1.0)
        power = float(np.dot(sound, sound)) / self._hop
        share = self._rise if power > self._power else self._fall
        self._power += share * (power - self._power)
        loud = max(self._power, power) * amount * amount
        gain = math.sqrt(self._target / loud) if loud > self._target else 1.0
        start, end = self._gain * self._amount, gain * amount
        sound *= (start + (end - start) * self._ramp).astype(np.float32)
        sound *= np.float32(1.0 / PEAK)
        soft_limit(sound[None])
        sound *= np.float32(PEAK)
        self._gain, self._amount = gain, amount

    def state(self) -> State:
        """Everything the guard's future depends on."""
        return {**attributes(self, _STATE), "random": generator_state(self._random)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
        restore_generator(self._random, state["random"])
