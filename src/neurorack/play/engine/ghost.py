"""Ghost: what a voice still says for 3 ms where another note takes its place.

Decoding it would cost as much as the new note, in the very block that has most to do. So its last sound goes
on by itself: it is taken up again where, a little earlier, it was most like it is now (as in WSOLA, Verhelst
and Roelands, 1993), and fades under the attack of the note that follows.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.plain_state import State, attributes, set_attributes

FADE_SAMPLES = 128
"""In which it fades (raised cosine)."""
FRAMES = 2
"""Frames that a ghost lasts at most: it may begin at the last sample of a frame."""
HEARD = 1280
"""Samples of the past that are needed."""
MATCH_SAMPLES = 96
"""How much of the newest sound must be alike where the past is taken up again."""
JOIN_SAMPLES, BEND_SAMPLES = 32, 12
"""In which a step and a bend at the joint are smoothed away."""
_FADE = (0.5 + 0.5 * np.cos(np.pi * (np.arange(FADE_SAMPLES) + 0.5) / FADE_SAMPLES)).astype(np.float32)
_JOIN = (0.5 + 0.5 * np.cos(np.pi * (np.arange(JOIN_SAMPLES) + 0.5) / JOIN_SAMPLES)).astype(np.float32)
_STEPS = np.arange(BEND_SAMPLES)
_BEND = (0.5 + 0.5 * np.cos(np.pi * (_STEPS + 0.5) / BEND_SAMPLES)) * (_STEPS + 1.0)
_BEND = np.pad(_BEND, (0, JOIN_SAMPLES - BEND_SAMPLES)).astype(np.float32)
_LINE = ((_STEPS - _STEPS.mean()) / np.square(_STEPS - _STEPS.mean()).sum()).astype(np.float32)
"""What a dot product with gives the slope of a line through BEND_SAMPLES values."""
_STATE = ("sound", "channel", "frame")


def stretch(heard: np.ndarray, least: int) -> int:
    """How far back in `heard` [HEARD], by at least `least` samples, it was most like what it is now.

    Least squares over MATCH_SAMPLES: whole periods of a tone, the likeliest place in anything else.
    """
    last, past = heard[-MATCH_SAMPLES:], heard[: len(heard) - least]
    power = np.cumsum(np.square(past), dtype=np.float64)
    power[MATCH_SAMPLES:] -= power[:-MATCH_SAMPLES].copy()
    apart = power[MATCH_SAMPLES - 1 :] - 2.0 * np.correlate(past, last, "valid")
    return len(heard) - MATCH_SAMPLES - int(np.argmin(apart))


def going_on(heard: np.ndarray, back: int, count: int) -> np.ndarray:
    """`count` samples that go on from `heard` [HEARD] as it was `back` samples ago, without step or bend."""
    end = len(heard)
    sound = heard[end - back :][np.arange(count) % back]
    apart = heard[end - BEND_SAMPLES :] - heard[end - BEND_SAMPLES - back : end - back]
    joint = sound[:JOIN_SAMPLES]
    joint += (apart[-1] * _JOIN + np.dot(apart, _LINE) * _BEND)[: len(joint)]
    return sound


class Ghost:
    """One channel (2: both) of a voice that was taken. Frames of `hop` samples are read in order."""

    def __init__(self, hop: int, channel: int = 2) -> None:
        self._hop = hop
        self.channel = channel
        self.sound = np.zeros(FRAMES * hop, np.float32)
        self.frame = 0

    def haunt(self, heard: np.ndarray, sample: int) -> None:
        """Go on from what was `heard` [HEARD] until this frame, and fade from `sample` of it on."""
        count = sample + FADE_SAMPLES
        self.sound[:count] = going_on(heard, stretch(heard, count), count)
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
