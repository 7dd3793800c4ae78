"""Leash: while a hand holds something, the prior's other controls stay near what the corpus has beside it.

A hand leads a control as no recording does, and so the prior soon goes on from where it has learned nothing:
led in noisiness for half a minute, Winds wandered to a brightness below and a boominess above everything in
its corpus, and stayed. There the decoder has no sounds that differ in noisiness, and the hand is not obeyed.

So what no hand holds is drawn, half the way each step, into the corpus's range (|c| <= 1) and, where
no training frame lies within half the instrument's radius, straight towards the nearest one until one does.
Loudness that no hand holds is left alone and out of the distance: a rest is as near as the tone before it.
With nothing held the prior plays as it is.
"""

from collections.abc import Sequence

import numpy as np

from neurorack.play.engine.support import Support

PULL = 0.5
"""Share of the way that is gone in a step: no needle leaps when a hand takes another (0.05 s in all)."""

LENGTH = 0.5
"""Share of the radius within which a request is feasible: what a hand may ask for is no place to live."""


class Leash:
    """Of one instrument; `loudness`: its row, or -1."""

    def __init__(self, support: Support, loudness: int) -> None:
        self._support = support
        self._loudness = loudness

    def draw_in(self, controls: np.ndarray, mask: Sequence[float] | np.ndarray) -> None:
        """Draw controls [C], normalised, a step nearer, in place; mask [C]: 1 where one is held."""
        free = np.asarray(mask) < 0.5
        if free.all():
            return
        apart = self._loudness if self._loudness >= 0 and free[self._loudness] else -1
        if apart >= 0:
            free[apart] = False
        if not free.any():
            return
        aim = np.where(free, np.clip(controls, -1.0, 1.0), controls)
        aim = self._support.nearer(aim, free, apart, LENGTH)
        controls += np.where(free, PULL * (aim - controls), 0.0).astype(controls.dtype)
