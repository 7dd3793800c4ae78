"""Crossfade: the instrument that was played before sounds on while the new one comes in."""

import numpy as np

from neurorack.play.engine.part import Part

SWAP_FRAMES = 32
"""Length (93 ms)."""


class Crossfade:
    """Plays the old instrument's last notes on, and mixes them out at equal power."""

    def __init__(self, hop: int) -> None:
        self._hop = hop
        self._old: Part | None = None
        self._left = 0
        self._steps = 0
        self._mix = np.zeros((2, hop), np.float32)

    def start(self, old: Part) -> None:
        """Begin; a cross-fade under way ends here."""
        self._old, self._left, self._steps = old, SWAP_FRAMES, 0

    def stop(self) -> None:
        """End at once."""
        self._old = None

    def step(self, sound_in: np.ndarray | None) -> None:
        """Advance the old instrument by a frame."""
        if self._old is not None:
            if self._steps == 0:
                self._mix = self._old.begin()
            self._steps += 1
            self._old.step(sound_in)

    def mix(self, sound: np.ndarray) -> bool:
        """Mix the frames stepped since the last call into `sound` [2, n], in place; whether it is stereo."""
        old, hop = self._old, self._hop
        if old is None:
            return False
        old.end()
        old.rows.clear()
        for t in range(self._steps):
            one = slice(t * hop, (t + 1) * hop)
            left = max(self._left, 0)
            start, end = left / SWAP_FRAMES, max(left - 1, 0) / SWAP_FRAMES
            old_share = np.linspace(start, end, hop, endpoint=False, dtype=np.float32)
            # Equal power: two different sounds add in power, not in amplitude.
            sound[:, one] *= np.cos(0.5 * np.pi * old_share)
            sound[:, one] += self._mix[:, one] * np.sin(0.5 * np.pi * old_share)
            self._left -= 1
        self._steps = 0
        if self._left <= 0:
            self._old = None
        return old.stereo
