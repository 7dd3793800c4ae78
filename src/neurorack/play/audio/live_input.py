"""A page's microphone on its way to the encoder: a small cushion against packets that come in bursts."""

import numpy as np

from neurorack.play.control.ring import AudioRing, RingReader

CUSHION_S = 0.03


class LiveInput:
    """Reads the input ring a cushion behind its writer; nothing while there is too little."""

    def __init__(self, ring: AudioRing, sample_rate: int) -> None:
        self._reader = RingReader(ring)
        self._cushion = int(CUSHION_S * sample_rate)
        self._flowing = False

    def read(self, count: int) -> np.ndarray | None:
        """The next `count` samples, float32 [count], or None while no sound comes in."""
        waiting = self._reader.available()
        if not self._flowing and waiting >= self._cushion + count:
            self._flowing = True
        if waiting > 4 * self._cushion + count:  # the sender's clock is faster, or it stalled and caught up
            self._reader.seek_behind(self._cushion + count)
        block = self._reader.read(count) if self._flowing else None
        self._flowing = block is not None
        return None if block is None else block[0]
