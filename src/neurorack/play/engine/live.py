"""LiveSource: the input's latent frames and controls, and the small queue between blocks and frames."""

import math

import numpy as np

from neurorack.core.timebase import SLOW_EVERY
from neurorack.play.engine.alignment import effective_lag
from neurorack.play.engine.graphs import Graphs
from neurorack.play.engine.mapping import ControlMap
from neurorack.play.engine.streams import DescriptorStream, EncoderStream

QUEUE_SAMPLES = 16_384


class InputQueue:
    """Input samples waiting to fill a frame, in fixed memory.

    Blocks that are whole frames pass with no delay. Otherwise just enough silence goes in front, once, that
    frames never lack samples: 128 - gcd(n, 128) for blocks of n.
    """

    def __init__(self, hop: int) -> None:
        self._hop = hop
        self._data = np.zeros(QUEUE_SAMPLES, np.float32)
        self._count = 0
        self.delay_samples = 0
        self._started = False

    def reset(self) -> None:
        """Forget everything; the next block decides the delay anew."""
        self._count = self.delay_samples = 0
        self._started = False

    def push(self, block: np.ndarray) -> None:
        """Append a block [n]; if it does not fit, the oldest samples go."""
        block = block[-QUEUE_SAMPLES:]
        n = len(block)
        if not self._started:
            self._started = True
            if n % self._hop:
                self._pad(self._hop - math.gcd(n, self._hop))
        excess = self._count + n - QUEUE_SAMPLES
        if excess > 0:
            self._drop(excess)
        self._data[self._count : self._count + n] = block
        self._count += n

    def take(self, out: np.ndarray) -> None:
        """Fill `out`; what is missing is made up by silence in front."""
        missing = len(out) - self._count
        if missing > 0:
            self._pad(missing)
        out[:] = self._data[: len(out)]
        self._drop(len(out))

    def _pad(self, count: int) -> None:
        self._data[count : count + self._count] = self._data[: self._count].copy()
        self._data[:count] = 0.0
        self._count += count
        self.delay_samples += count

    def _drop(self, count: int) -> None:
        self._data[: self._count - count] = self._data[count : self._count].copy()
        self._count -= count


class LiveSource:
    """Encoder and descriptors on the input, one frame at a time; controls as new as can be (no
    look-ahead).
    """

    def __init__(self, graphs: Graphs, controls: ControlMap) -> None:
        self._encoder = EncoderStream(graphs)
        self._descriptors = DescriptorStream(graphs)
        self._map = controls
        latency = graphs.manifest.latency_frames
        self._delay = latency - effective_lag(controls.lag_frames, latency, lookahead=False)
        depth = int(self._delay.max(initial=0)) + 1
        self._history = np.zeros((controls.size, depth), np.float32)
        self._audio = np.zeros((1, graphs.manifest.hop), np.float32)
        self._rows = np.arange(controls.size)
        self.physical = np.zeros(controls.size, np.float32)
        """The input's controls beside the sound now made, physical [C]."""
        self.row = np.zeros(graphs.manifest.latent_size + controls.size, np.float32)
        """z, then the same controls normalised."""
        self.power = 0.0
        self.reset()

    @property
    def slow_ran(self) -> bool:
        """Whether the last frame evaluated the slow descriptors."""
        return self._descriptors.slow is not None and self._descriptors.frames % SLOW_EVERY == 0

    def reset(self) -> None:
        """Start from silence."""
        self._encoder.reset()
        self._descriptors.reset()
        self._fresh = True
        self.power = 0.0

    def step(self, audio: np.ndarray, gain: float) -> np.ndarray:
        """One input frame [hop] -> its row."""
        np.multiply(audio, np.float32(gain), out=self._audio[0])
        np.clip(self._audio, -8.0, 8.0, out=self._audio)
        if not math.isfinite(float(self._audio.sum())):
            self._audio.fill(0.0)
        self.power = float(np.dot(self._audio[0], self._audio[0])) / self._audio.shape[1]
        latent = self._encoder.process(self._audio)[0, :, 0]
        if not math.isfinite(float(latent.sum())):
            self._encoder.reset()
            latent = np.zeros_like(latent)
        measured = self._descriptors.process(self._audio)[0, self._map.columns, 0]
        if self._fresh:
            self._history[:] = measured[:, None]
            self._fresh = False
        else:
            self._history[:, 1:] = self._history[:, :-1].copy()
            self._history[:, 0] = measured
        self.physical[:] = self._history[self._rows, self._delay]
        self.row[: len(latent)] = latent
        self._map.all_to_control(self.physical, out=self.row[len(latent) :])
        return self.row
