"""Transfer: a sound in, the same gesture in the instrument's voice out, in blocks of any length.

    sound -> encoder -> z ------------------------> decoder -> sound
          -> descriptors -> align -> requests --------^

Memory is constant, and the output is the same however the input is cut.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.timebase import frames_covering
from neurorack.play.engine.alignment import ControlBuffer, effective_lag
from neurorack.play.engine.controlling import Controller, Request
from neurorack.play.engine.graph_stream import MAX_STEPS
from neurorack.play.engine.graphs import Graphs
from neurorack.play.engine.insist import Coupling
from neurorack.play.engine.intake import Intake
from neurorack.play.engine.mapping import ControlMap
from neurorack.play.engine.streams import DecoderStream, DescriptorStream, EncoderStream


@dataclass
class OtherSound:
    """A second sound whose controls may be borrowed: blocks [n] or [n, channels] at `sample_rate`.

    `names`: the controls to take. Where it is shorter than the first sound, its last values are held.
    """

    blocks: Iterable[np.ndarray]
    sample_rate: float
    names: tuple[str, ...]


class _OtherControls:
    """Measures an OtherSound just as far as it is needed."""

    def __init__(self, other: OtherSound, graphs: Graphs, controls: ControlMap, lag: np.ndarray) -> None:
        self.rows = [controls.index(n) for n in other.names]
        self.buffer = ControlBuffer(lag)
        self._blocks: Iterator[np.ndarray] = iter(other.blocks)
        self._intake = Intake(other.sample_rate, graphs.manifest.sample_rate)
        self._descriptors = DescriptorStream(graphs)
        self._columns = controls.columns
        self._hop = graphs.manifest.hop
        self._waiting = np.zeros(0, np.float32)

    def read(self, start: int, count: int) -> np.ndarray:
        while not self.buffer.ended and self.buffer.frames < start + count + self.buffer.lookahead:
            self._advance()
        if self.buffer.frames == 0:
            raise NeurorackError("The sound to take controls from is empty: choose another.")
        values = self.buffer.read(start, count)
        self.buffer.forget(start + count)
        return values

    def _advance(self) -> None:
        block = next(self._blocks, None)
        fresh = self._intake.finish() if block is None else self._intake.feed(block)
        sound = np.concatenate([self._waiting, fresh])
        if block is None:
            self.buffer.ended = True
            sound = np.pad(sound, (0, -len(sound) % self._hop))
        whole = len(sound) // self._hop * self._hop
        self._waiting = sound[whole:]
        if whole:
            self.buffer.push(self._descriptors.process(sound[None, :whole])[0, self._columns])


class Transfer:
    """A streaming transfer through one instrument.

    Output is mono at the instrument's rate and aligned with the input: the first sample returned belongs to
    the first sample given; what `process` holds back (at most `latency_samples` + one frame + the resampler's
    delay) comes from later blocks and from `flush`. The total equals the (resampled) input's length.
    """

    def __init__(
        self,
        graphs: Graphs,
        controls: ControlMap,
        coupling: Coupling,
        sample_rate: float,
        request: Request | None = None,
        others: Iterable[OtherSound] = (),
        lookahead: bool = True,
        seed: int = 0,
    ) -> None:
        m = graphs.manifest
        request = request or Request()
        self._hop, self._rate, self._delay = m.hop, m.sample_rate, m.latency_frames
        lag = effective_lag(controls.lag_frames, m.latency_frames, lookahead)
        self._ahead = max(0, int(lag.max(initial=0)) - m.latency_frames)
        self._columns = controls.columns
        self._intake = Intake(sample_rate, m.sample_rate)
        self._encoder = EncoderStream(graphs)
        self._descriptors = DescriptorStream(graphs)
        self._decoder = DecoderStream(graphs, seed=seed)
        self._controller = Controller(controls, coupling, request)
        self._own = ControlBuffer(lag)
        self._others = [_OtherControls(o, graphs, controls, lag) for o in others]
        self._waiting = np.zeros(0, np.float32)
        self._z = np.zeros((m.latent_size, 0), np.float32)
        self._step = 0
        self._samples_in = 0
        self._samples_out = 0
        self._flushed = False

    @property
    def latency_samples(self) -> int:
        """Algorithmic delay at the instrument's rate: codec and look-ahead, without block and resampler."""
        return (self._ahead + self._delay) * self._hop

    def process(self, block: np.ndarray) -> np.ndarray:
        """The next block [n] or [n, channels], n >= 0 -> as much sound as is ready, float32 [m].

        Raises NeurorackError on non-finite samples.
        """
        if self._flushed:
            raise NeurorackError("This transfer has ended: make a new one for another sound.")
        return self._advance(self._intake.feed(block))

    def flush(self) -> np.ndarray:
        """End of the input: the rest of the sound."""
        if self._flushed:
            return np.zeros(0, np.float32)
        parts = [self._advance(self._intake.finish())]
        self._flushed = True
        if self._samples_in == 0:
            return np.zeros(0, np.float32)
        missing = frames_covering(len(self._waiting)) * self._hop - len(self._waiting)
        if missing:
            padded = np.pad(self._waiting, (0, missing))
            self._waiting = np.zeros(0, np.float32)
            self._take(padded)
        self._own.ended = True
        silence = np.zeros((1, self._delay * self._hop), np.float32)
        self._z = np.concatenate([self._z, self._encoder.process(silence)[0]], axis=1)
        parts.append(self._render(self._z.shape[1]))
        sound = np.concatenate(parts)
        excess = self._samples_out - self._samples_in
        return sound[: len(sound) - excess] if excess > 0 else sound

    def _advance(self, mono: np.ndarray) -> np.ndarray:
        """Take new mono sound at the instrument's rate; in pieces, so that a long block needs little
        memory.
        """
        parts = []
        piece = MAX_STEPS * self._hop
        for start in range(0, len(mono), piece):
            fresh = mono[start : start + piece]
            self._samples_in += len(fresh)
            sound = np.concatenate([self._waiting, fresh])
            whole = len(sound) // self._hop * self._hop
            self._waiting = sound[whole:]
            if whole:
                self._take(sound[:whole])
                ready = min(self._own.frames - self._ahead - self._step, self._z.shape[1])
                parts.append(self._render(ready))
        return np.concatenate(parts) if parts else np.zeros(0, np.float32)

    def _take(self, sound: np.ndarray) -> None:
        """Whole frames -> z and own controls."""
        self._z = np.concatenate([self._z, self._encoder.process(sound[None])[0]], axis=1)
        self._own.push(self._descriptors.process(sound[None])[0, self._columns])

    def _render(self, steps: int) -> np.ndarray:
        """Run the decoder for `steps` frames; returns their sound, less what precedes the input's start."""
        if steps <= 0:
            return np.zeros(0, np.float32)
        tau = self._step - self._delay
        own = self._own.read(tau, steps)
        other: np.ndarray | None = None
        for source in self._others:
            values = source.read(tau, steps)
            other = own.copy() if other is None else other
            other[source.rows] = values[source.rows]
        times_s = np.maximum(tau + np.arange(steps), 0) * (self._hop / self._rate)
        controls, level_db, f0_hz = self._controller.apply(own, times_s, other)
        sound = self._decoder.process(
            self._z[None, :, :steps],
            controls[None],
            None if level_db is None else level_db[None],
            None if f0_hz is None else f0_hz[None],
        )[0]
        self._z = self._z[:, steps:]
        skip = max(0, min(steps, self._delay - self._step)) * self._hop
        self._step += steps
        self._own.forget(self._step - self._delay)
        sound = sound[skip:]
        self._samples_out += len(sound)
        return sound
