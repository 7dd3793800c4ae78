"""ClipReader: reads a latent clip as a loop, once, by hand (scrub), or standing still (freeze).

Whatever is turned while it plays, rows move smoothly: where the place jumps (another mode, a region moved
away under it, a restart), what is left of the old row fades out over the new ones.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.play.engine.params import CLIP_FREEZE, CLIP_LOOP, CLIP_ONE_SHOT, CLIP_SCRUB
from neurorack.play.engine.plain_state import (
    State,
    attributes,
    generator_state,
    reseed,
    restore_generator,
    set_attributes,
)

LOOP_FADE_FRAMES = 24
SCRUB_FRAMES = 7.0
"""Time constant with which the place follows the hand (20 ms)."""
FAR_FRAMES = 48
"""A hand that moves the place further at once jumps there."""
JUMP_FRAMES = 16
"""Length of the fade over a jump (46 ms)."""
DRIFT_FRAMES = 4.0
"""Standard deviation of a frozen place (12 ms): a single frame, repeated, would stand too still."""
_DRIFT_KEEP = math.exp(-1.0 / 60.0)
_STATE = (
    "_position", "_first", "_length", "_read", "_mode", "_fade", "_left", "_drift", "_drift_slow", "ended",
    "row", "_fresh",
)  # fmt: skip


class ClipReader:
    """Reads a latent clip [Z + C, T], one row a frame."""

    def __init__(self, clip: np.ndarray, seed: int = 0) -> None:
        # One row before and two after, so that every place has the four points of a Catmull-Rom curve.
        rows = np.ascontiguousarray(clip.T, np.float32)
        self._begin(np.concatenate([rows[:1], rows, rows[-1:], rows[-1:]]), seed)

    def twin(self, seed: int = 0) -> "ClipReader":
        """Another reader of the same clip, whose rows they share."""
        made = ClipReader.__new__(ClipReader)
        made._begin(self._rows, seed)
        return made

    def _begin(self, padded: np.ndarray, seed: int) -> None:
        self._rows = padded
        rows = padded[1:-2]
        self.frames = len(rows)
        self._weights = np.zeros(4, np.float32)
        self._here, self._tail = np.zeros((2, rows.shape[1]), np.float32)
        self._left = np.zeros(rows.shape[1], np.float32)
        self.row = rows[0].copy()
        self._position = self._first = self._read = 0.0
        self._length = float(max(self.frames - 1, 1))
        self._mode = CLIP_LOOP
        self._fade = 0
        self._drift = self._drift_slow = 0.0
        self._fresh = True
        self.ended = False
        """One shot: whether the end has been reached (and is held)."""
        self._random = np.random.Generator(np.random.PCG64(abs(seed)))

    def restart(self, smooth: bool = True) -> None:
        """Back to the start of the region (to its end, if played backwards).

        smooth: fade over the jump; without it (a voice that starts from silence) the row jumps. In scrub and
        freeze the hand alone decides the place.
        """
        self._position, self.ended = math.nan, False
        self._fresh = self._fresh or not smooth

    def reseed(self, seed: int) -> None:
        """Another drift of a frozen place."""
        reseed(self._random, seed)
        self._drift = self._drift_slow = 0.0

    @property
    def position(self) -> float:
        """Where in the clip, 0..1."""
        return min(max(self._read / max(self.frames - 1, 1), 0.0), 1.0)

    def read(
        self, speed: float, start: float, end: float, mode: int = CLIP_LOOP, place: float = 0.0
    ) -> np.ndarray:
        """The row here, then move on.

        speed: frames a frame, negative backwards (loop, one shot). start, end: the region, fractions of the
        clip. mode: one of CLIP_MODES. place: 0..1 of the region (scrub, freeze).
        """
        if start > end:
            start, end = end, start
        span = max(self.frames - 1, 1)
        length = max((end - start) * span, min(2.0, span))
        first = min(start * span, span - length)
        jumped = mode != self._mode and not (mode >= CLIP_SCRUB and self._mode >= CLIP_SCRUB)
        self._mode = mode
        if mode >= CLIP_SCRUB:
            far = self._by_hand(first, length, min(max(place, 0.0), 1.0), mode == CLIP_FREEZE)
            jumped = jumped or far
        elif mode == CLIP_ONE_SHOT:
            jumped = self._once(first, length, speed) or jumped
        else:
            jumped = self._round(first, length, speed) or jumped
        self._first, self._length = first, length
        self._join(self._here, jumped)
        return self.row

    def _join(self, target: np.ndarray, jumped: bool) -> None:
        """The next row: `target`, with what is left of a jump fading out over it."""
        if self._fresh:
            self._fade, self._fresh = 0, False
        elif jumped:
            np.subtract(self.row, target, out=self._left)
            self._fade = JUMP_FRAMES
        np.copyto(self.row, target)
        if self._fade > 0:
            share = self._fade / (JUMP_FRAMES + 1)
            self.row += np.float32(share * share * (3.0 - 2.0 * share)) * self._left
            self._fade -= 1

    def _by_hand(self, first: float, length: float, place: float, freeze: bool) -> bool:
        """Scrub and freeze: the row at a place that follows the hand; whether it jumped."""
        goal = first + place * length
        if freeze:
            noise = self._random.standard_normal()
            self._drift = _DRIFT_KEEP * self._drift + math.sqrt(1.0 - _DRIFT_KEEP**2) * noise
            self._drift_slow += (1.0 - _DRIFT_KEEP) * (self._drift - self._drift_slow)
            # Two equal poles in series halve the variance of one: bring it back.
            goal += min(DRIFT_FRAMES, length / 8.0) * math.sqrt(2.0) * self._drift_slow
            goal = min(max(goal, 0.0), self.frames - 1.0)
        self._position = goal - first
        far = self._fresh or abs(goal - self._read) > FAR_FRAMES
        self._read = goal if far else self._read + (goal - self._read) / SCRUB_FRAMES
        self._at(self._read, self._here)
        return far

    def _within(self, first: float, length: float, beginning: float, last: float) -> tuple[float, bool]:
        """(position in the region first.. of `length`, held within 0..last; whether it jumped)."""
        p = self._position
        if p != p:
            return beginning, True
        if first == self._first and length == self._length:
            return p, False
        p += self._first - first
        inside = min(max(p, 0.0), last)
        # A region that moves takes its seam along: what the cross-fade gave here may be gone at once.
        moved = abs(first - self._first) + abs(length - self._length)
        return inside, max(abs(p - inside), moved) > 2.0

    def _once(self, first: float, length: float, speed: float) -> bool:
        """One shot: the row here, then move on, as far as the end; whether it jumped."""
        p, jumped = self._within(first, length, length if speed < 0.0 else 0.0, length)
        self._read = first + p
        self._at(self._read, self._here)
        self.ended = p >= length if speed > 0.0 else speed < 0.0 and p <= 0.0
        self._position = min(max(p + speed, 0.0), length)
        return jumped

    def _round(self, first: float, length: float, speed: float) -> bool:
        """Loop: the row here, cross-faded over the seam, then move on; whether it jumped."""
        fade = min(LOOP_FADE_FRAMES, length / 4.0)
        period = length - fade
        p, jumped = self._within(first, length, period if speed < 0.0 else 0.0, period)
        p %= period
        self._read, self._position = first + p, p + speed
        self._at(self._read, self._here)
        if p < fade:
            share = p / fade
            self._at(self._read + period, self._tail)
            self._tail -= self._here
            self._tail *= np.float32(1.0 - share * share * (3.0 - 2.0 * share))
            self._here += self._tail
        return jumped

    def _at(self, index: float, out: np.ndarray) -> np.ndarray:
        """The row between frames, on a Catmull-Rom curve through them."""
        index = min(max(index, 0.0), self.frames - 1.0)
        low = int(index)
        t = index - low
        u = 1.0 - t
        w = self._weights
        w[:] = (
            -0.5 * t * u * u,
            1.0 + t * t * (1.5 * t - 2.5),
            1.0 + u * u * (1.5 * u - 2.5),
            -0.5 * u * t * t,
        )
        return np.matmul(w, self._rows[low : low + 4], out=out)

    def state(self) -> State:
        """Everything the reader's future depends on."""
        return {**attributes(self, _STATE), "random": generator_state(self._random)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
        restore_generator(self._random, state["random"])
