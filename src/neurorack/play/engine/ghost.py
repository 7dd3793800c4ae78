"""Ghost: what a voice still says for 3 ms where another note takes its place.

Decoding it would cost as much as the new note, in the very block that has most to do. So its last sound goes
on by itself, period by period (of its own pitch, or of a stretch long enough that nothing is heard to
repeat), and fades under the attack of the note that follows.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.plain_state import State, attributes, set_attributes

FADE_SAMPLES = 128
"""In which it fades (raised cosine)."""
FRAMES = 2
"""Frames that a ghost lasts at most: it may begin at the last sample of a frame."""
HEARD = 1024
"""Samples of the past that are needed."""
JOIN_SAMPLES = 32
"""In which a step at the joint is smoothed away."""
_FADE = (0.5 + 0.5 * np.cos(np.pi * (np.arange(FADE_SAMPLES) + 0.5) / FADE_SAMPLES)).astype(np.float32)
_JOIN = (0.5 + 0.5 * np.cos(np.pi * (np.arange(JOIN_SAMPLES) + 0.5) / JOIN_SAMPLES)).astype(np.float32)
_STATE = ("sound", "channel", "frame")


def stretch(f0_hz: float, sample_rate: float, least: int) -> int:
    """Samples to go back: whole periods, at least `least` samples, within HEARD.

    Without a pitch, or with one too low for that, half of HEARD.
    """
    if f0_hz <= 0.0:
        return HEARD // 2
    period = sample_rate / f0_hz
    fewest = math.ceil(least / period)
    most = min(max(fewest, math.floor(2 * least / period)), math.floor((HEARD - 1) / period))
    if most < 1:
        return HEARD // 2
    # Of several numbers of periods the one nearest to whole samples: the rest would turn the high partials.
    return min(
        (round(n * period) for n in range(min(fewest, most), most + 1)),
        key=lambda back: abs(math.remainder(back, period)),
    )


def going_on(heard: np.ndarray, back: int, count: int) -> np.ndarray:
    """`count` samples that go on from `heard` [HEARD] as it was `back` samples ago, without a step."""
    last = heard[len(heard) - back :]
    sound = last[np.arange(count) % back]
    step = float(heard[-1]) - float(heard[-1 - back])
    joint = sound[:JOIN_SAMPLES]
    joint += np.float32(step) * _JOIN[: len(joint)]
    return sound


class Ghost:
    """One channel (2: both) of a voice that was taken. Frames of `hop` samples are read in order."""

    def __init__(self, hop: int, channel: int = 2) -> None:
        self._hop = hop
        self.channel = channel
        self.sound = np.zeros(FRAMES * hop, np.float32)
        self.frame = 0

    def haunt(self, heard: np.ndarray, f0_hz: float, sample_rate: float, sample: int) -> None:
        """Go on from what was `heard` [HEARD] until this frame, and fade from `sample` of it on."""
        count = sample + FADE_SAMPLES
        self.sound[:count] = going_on(heard, stretch(f0_hz, sample_rate, count), count)
        self.sound[sample:count] *= _FADE
        self.sound[count:] = 0.0
        self.frame = 0

    @property
    def gone(self) -> bool:
        """Whether it has ended."""
        return self.frame >= FRAMES

    def next(self) -> np.ndarray:
        """Its next frame [hop]."""
        at = self.frame * self._hop
        self.frame += 1
        return self.sound[at : at + self._hop]

    def state(self) -> State:
        """Everything its future depends on."""
        return attributes(self, _STATE)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
