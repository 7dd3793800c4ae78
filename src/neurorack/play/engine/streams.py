"""EncoderStream, DescriptorStream, DecoderStream: sound and latent frames in pieces of any whole number of
frames.

Streaming equals offline: the same frames in pieces of any size give the same output (to float rounding).
All arrays are float32, batch first; B = `batch` independent sounds.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.core.noise import white
from neurorack.core.timebase import SLOW_EVERY
from neurorack.play.engine.graph_stream import MAX_STEPS
from neurorack.play.engine.graphs import Graphs
from neurorack.play.engine.plain_state import State

VOICED = 0.5
"""Periodicity from which a frame counts as voiced; pitch is held through the others."""

SLOW_MOST_WAIT = SLOW_EVERY - 1
"""Frames for which slow descriptors wait at most: then the next are due."""

LIVE_FRAMES = (1, 2, 4, 8, 16)
"""Run lengths (frames) bound and warmed when a stream is made for live use."""


class EncoderStream:
    """audio [B, 128 T] -> z [B, Z, T]."""

    def __init__(self, graphs: Graphs, batch: int = 1, warm: tuple[int, ...] = (1,)) -> None:
        self.hop = graphs.manifest.hop
        self.size = graphs.manifest.latent_size
        self.graph = graphs.stream("encoder", batch, warm)
        self.frames = 0

    def reset(self) -> None:
        """Start a new sound."""
        self.graph.reset()
        self.frames = 0

    def state(self) -> State:
        """What later frames depend on."""
        return {"graph": self.graph.state.copy(), "frames": self.frames}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self.graph.state[:] = state["graph"]
        self.frames = int(state["frames"])

    def process(self, audio: np.ndarray) -> np.ndarray:
        """The next T frames of sound -> their latent frames (a new array)."""
        steps = audio.shape[1] // self.hop
        z = np.empty((self.graph.batch, self.size, steps), np.float32)
        for start in range(0, steps, MAX_STEPS):
            count = min(MAX_STEPS, steps - start)
            self.graph.inputs(count)["audio"][:] = audio[:, start * self.hop : (start + count) * self.hop]
            z[:, :, start : start + count] = self.graph.run(count)["z"]
        self.frames += steps
        return z

    def step(self, audio: np.ndarray) -> np.ndarray:
        """The next frame of one sound [1, 128] -> z [Z], valid until the next call."""
        self.graph.inputs(1)["audio"][:] = audio
        self.frames += 1
        return self.graph.run(1)["z"][0, :, 0]


class DescriptorStream:
    """audio [B, 128 T] -> values [B, D, T], physical units, rows in the order of `manifest.measured`.

    Slow descriptors are evaluated on frames t with t % 4 == 3 (t counts from the last reset) and held; before
    the first, the manifest's default stands. A value that is not finite is replaced by the last that was.
    Pitch is held through frames with periodicity below VOICED, as in a prepared corpus.
    """

    def __init__(self, graphs: Graphs, batch: int = 1, warm: tuple[int, ...] = (1,)) -> None:
        self.hop = graphs.manifest.hop
        self._measured = graphs.manifest.measured
        self._fast_rows, self._slow_rows = graphs.fast, graphs.slow
        self.fast = graphs.stream("descriptors", batch, warm)
        self.slow = graphs.stream("descriptors_slow", batch) if self._slow_rows else None
        self.batch = batch
        names = [m.name for m in self._measured]
        voiced = "pitch" in names and "periodicity" in names
        self._pitch = names.index("pitch") if voiced else -1
        self._periodicity = names.index("periodicity") if voiced else -1
        self._defaults = np.array([m.default for m in self._measured], np.float32)
        self._last = np.empty((batch, len(names)), np.float32)
        self._pending = np.zeros((batch, SLOW_EVERY * self.hop), np.float32)
        self._pair = np.zeros((batch, 2 * self.hop), np.float32)
        self._two = np.empty((batch, len(names), 2), np.float32)
        self._fast_waits = False
        self._slow_waits = -1
        self.reset()

    def reset(self) -> None:
        """Start a new sound."""
        self.fast.reset()
        if self.slow is not None:
            self.slow.reset()
        self._last[:] = self._defaults
        self._pending.fill(0.0)
        self._pair.fill(0.0)
        self._two[:] = self._defaults[:, None]
        self._fast_waits, self._slow_waits = False, -1
        self.frames = 0

    def state(self) -> State:
        """What later frames depend on."""
        slow = {}
        if self.slow is not None:
            slow = {"slow": self.slow.state.copy(), "whole": self.slow.inputs(1)["audio"].copy()}
        waits = {"fast_waits": int(self._fast_waits), "slow_waits": self._slow_waits}
        own = {"last": self._last.copy(), "pending": self._pending.copy(), "frames": self.frames}
        own |= {"pair": self._pair.copy(), "two": self._two.copy()}
        return {"fast": self.fast.state.copy(), **slow, **waits, **own}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        self.fast.state[:] = state["fast"]
        if self.slow is not None:
            self.slow.state[:] = state["slow"]
            self.slow.inputs(1)["audio"][:] = state["whole"]
        self._fast_waits, self._slow_waits = bool(state["fast_waits"]), int(state["slow_waits"])
        self._last[:], self._pending[:] = state["last"], state["pending"]
        self._pair[:], self._two[:] = state["pair"], state["two"]
        self.fast.inputs(2)["audio"][:] = self._pair
        self.frames = int(state["frames"])

    def process(self, audio: np.ndarray) -> np.ndarray:
        """The next T frames of sound -> their descriptors (a new array)."""
        steps = audio.shape[1] // self.hop
        values = np.empty((self.batch, len(self._measured), steps), np.float32)
        for start in range(0, steps, MAX_STEPS):
            count = min(MAX_STEPS, steps - start)
            piece = audio[:, start * self.hop : (start + count) * self.hop]
            out = values[:, :, start : start + count]
            self.fast.inputs(count)["audio"][:] = piece
            out[:, self._fast_rows] = self.fast.run(count)["values"]
            if self.slow is not None:
                self._process_slow(piece, out)
            self._hold_finite(out)
            self.frames += count
        return values

    def step(self, audio: np.ndarray, busy: bool = False) -> np.ndarray:
        """One frame of sound [B, 128] -> descriptors of the frame before and of this one [B, D, 2] (valid
        until the next call); for playing, with the least work at once.

        Fast descriptors of two frames are evaluated together, in the frames between those with slow ones: in
        every other frame both columns repeat the newest values there are. In a frame that is `busy` with
        other work both wait, the fast ones for one frame, the slow ones for SLOW_MOST_WAIT at most. Use
        `process` or `step`, not both.
        """
        two, hop = self._two, self.hop
        two[:, :, 0] = two[:, :, 1]
        waited, full = self._fast_waits, self.frames % 2 == 0
        if waited:
            two[:, self._fast_rows] = self.fast.run(2)["values"][:, :, 1:]
        self._pair[:, full * hop : (full + 1) * hop] = audio
        if full:
            self.fast.inputs(2)["audio"][:] = self._pair
            if not busy:
                two[:, self._fast_rows] = self.fast.run(2)["values"]
        self._fast_waits = full and busy
        if waited or (full and not busy):
            self._hold_finite(two)
            busy = True
        if self.slow is not None:
            self._step_slow(audio, busy)
            two[:, self._slow_rows, 1] = self._last[:, self._slow_rows]
        self.frames += 1
        return two

    def _step_slow(self, audio: np.ndarray, busy: bool) -> None:
        """Take in one frame; evaluate the last quadruple if it waits and there is time."""
        assert self.slow is not None
        place = self.frames % SLOW_EVERY
        self._pending[:, place * self.hop : (place + 1) * self.hop] = audio
        if place == SLOW_EVERY - 1:
            self.slow.inputs(1)["audio"][:] = self._pending
            self._slow_waits = 0
        if self._slow_waits < 0:
            return
        if busy and self._slow_waits < SLOW_MOST_WAIT:
            self._slow_waits += 1
            return
        self._slow_waits = -1
        self._take_slow(self.slow.run(1)["values"][:, :, 0])

    def _hold_finite(self, out: np.ndarray) -> None:
        """Replace NaN and infinity, should a graph ever give them, by the row's last finite value; in
        place.
        """
        if not np.isfinite(out).all():
            good = np.isfinite(out)
            where = np.where(good, np.arange(out.shape[2]), -1)
            last = np.maximum.accumulate(where, axis=2)
            filled = np.take_along_axis(out, np.maximum(last, 0), axis=2)
            out[:] = np.where(last >= 0, filled, self._last[:, :, None])
        self._last[:, self._fast_rows] = out[:, self._fast_rows, -1]

    def _process_slow(self, piece: np.ndarray, out: np.ndarray) -> None:
        """Fill the slow rows of `out` [B, D, count]; evaluate every quadruple of frames that `piece`
        completes.
        """
        assert self.slow is not None
        count = out.shape[2]
        phase = self.frames % SLOW_EVERY
        out[:, self._slow_rows] = self._last[:, self._slow_rows, None]
        used = 0
        position = phase
        while used < count:
            if position == 0 and count - used >= SLOW_EVERY:
                used += self._whole_quadruples(piece, out, used)
                continue
            take = min(SLOW_EVERY - position, count - used)
            self._pending[:, position * self.hop : (position + take) * self.hop] = piece[
                :, used * self.hop : (used + take) * self.hop
            ]
            used += take
            position += take
            if position == SLOW_EVERY:
                position = 0
                self.slow.inputs(1)["audio"][:] = self._pending
                self._take_slow(self.slow.run(1)["values"][:, :, 0])
                out[:, self._slow_rows, used - 1 :] = self._last[:, self._slow_rows, None]

    def _whole_quadruples(self, piece: np.ndarray, out: np.ndarray, first: int) -> int:
        """Evaluate all quadruples of frames that `piece` holds whole from frame `first` on, in one call, and
        fill the slow rows of `out`; how many frames they are.
        """
        assert self.slow is not None
        quadruples = (out.shape[2] - first) // SLOW_EVERY
        stop = first + quadruples * SLOW_EVERY
        self.slow.inputs(quadruples)["audio"][:] = piece[:, first * self.hop : stop * self.hop]
        values = self.slow.run(quadruples)["values"]
        for k in range(quadruples):
            self._take_slow(values[:, :, k])
            out[:, self._slow_rows, first + (k + 1) * SLOW_EVERY - 1 :] = self._last[:, self._slow_rows, None]
        return stop - first

    def _take_slow(self, fresh: np.ndarray) -> None:
        held = self._last[:, self._pitch].copy() if self._pitch >= 0 else None
        self._last[:, self._slow_rows] = np.where(np.isfinite(fresh), fresh, self._last[:, self._slow_rows])
        if held is not None:
            voiced = self._last[:, self._periodicity] >= VOICED
            self._last[:, self._pitch] = np.where(voiced, self._last[:, self._pitch], held)


class DecoderStream:
    """z [B, Z, T], controls [B, C, T] (and level, pitch) -> audio [B, 128 T].

    The noise of row b is `white(seed + b, sample index)`, so that sound is a function of inputs and seed.
    """

    def __init__(self, graphs: Graphs, batch: int = 1, seed: int = 0, warm: tuple[int, ...] = (1,)) -> None:
        m = graphs.manifest
        self.hop = m.hop
        self.seed = seed
        self._loudness = m.control_index("loudness") if m.gained else -1
        self._f0 = m.control_index("pitch") if m.pitched else -1
        self._controls = m.controls
        self.graph = graphs.stream("decoder", batch, warm)
        self.frames = 0

    def reset(self) -> None:
        """Start from silence, noise from its first sample."""
        self.graph.reset()
        self.frames = 0

    def process(
        self,
        z: np.ndarray,
        controls: np.ndarray,
        level_db: np.ndarray | None = None,
        f0_hz: np.ndarray | None = None,
    ) -> np.ndarray:
        """The next T frames -> sound (a new array).

        `level_db`, `f0_hz`: [B, T], physical values of the loudness and pitch controls; None = what their
        rows of `controls` say. Give them where they may lie outside the corpus's range (silence, any note).
        """
        steps = z.shape[2]
        audio = np.empty((self.graph.batch, steps * self.hop), np.float32)
        for start in range(0, steps, MAX_STEPS):
            cut = slice(start, min(start + MAX_STEPS, steps))
            audio[:, start * self.hop : cut.stop * self.hop] = self._piece(
                z[:, :, cut],
                controls[:, :, cut],
                None if level_db is None else level_db[:, cut],
                None if f0_hz is None else f0_hz[:, cut],
            )
        return audio

    def _piece(
        self, z: np.ndarray, controls: np.ndarray, level_db: np.ndarray | None, f0_hz: np.ndarray | None
    ) -> np.ndarray:
        count = z.shape[2]
        inputs = self.graph.inputs(count)
        inputs["z"][:] = z
        inputs["controls"][:] = controls
        for name, row, given in (("level_db", self._loudness, level_db), ("f0_hz", self._f0, f0_hz)):
            if row >= 0:
                if given is None:
                    given = self._controls[row].normaliser.to_physical(controls[:, row])
                inputs[name][:, 0] = given
        noise = inputs["noise"]
        for b in range(self.graph.batch):
            noise[b] = white(self.seed + b, self.frames * self.hop, count * self.hop)
        self.frames += count
        return self.graph.run(count)["audio"]
