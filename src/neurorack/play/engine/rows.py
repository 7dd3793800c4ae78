"""Rows: every sounding tone is one row of a single decoder call, with a state, noise and output of its own.

Graph streams for every number of rows are bound and warmed beforehand, so that a row joins or leaves between
two frames by copying states: nothing is prepared, and nothing depends on when something was ready.
"""

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from neurorack.core.noise import WhiteNoise
from neurorack.play.engine.graph_stream import GraphStream
from neurorack.play.engine.graphs import Graphs
from neurorack.play.engine.lead_in import LeadIn
from neurorack.play.engine.plain_state import State, attributes, set_attributes

MAX_FRAMES = 16
"""Most frames rendered in one decoder call."""
SIZES = (1, 2, 3, 4, 6, 8)
"""Numbers of rows that streams are kept for; others take the next larger one."""
WARM_FRAMES = (1, 2, 3, 4, 5, 8, 16)
_STATE = ("z", "controls", "level_db", "f0_hz", "memory", "seed", "frames", "like_left", "fresh")


class Row:
    """Inputs of one decoder row for up to MAX_FRAMES frames; `state` and noise go on from frame to frame."""

    def __init__(self, latent: int, controls: int, state_size: int, hop: int) -> None:
        self.z = np.zeros((latent, MAX_FRAMES), np.float32)
        self.controls = np.zeros((controls, MAX_FRAMES), np.float32)
        self.level_db = np.full(MAX_FRAMES, -90.0, np.float32)
        self.f0_hz = np.zeros(MAX_FRAMES, np.float32)
        self.memory = np.zeros(state_size, np.float32)
        """The decoder's state while the row is in no stream; inside one, the stream's is the valid one."""
        self.noise = WhiteNoise(MAX_FRAMES * hop)
        self.seed = 0
        self.frames = 0
        """Frames decoded since the row started: its place in its noise."""
        self.like_left = False
        """Whether this is the right of a pair, the left of which goes before it: their noise is alike."""
        self.fresh = True
        """Whether nothing has been decoded since the start."""

    def start(self, seed: int) -> None:
        """Afresh from silence."""
        self.memory.fill(0.0)
        self.seed, self.frames, self.like_left = seed, 0, False
        self.fresh = True

    def copy_from(self, other: "Row") -> None:
        """Go on as `other` does (whose state must have been taken out of its stream)."""
        for name in ("z", "controls", "level_db", "f0_hz", "memory"):
            np.copyto(getattr(self, name), getattr(other, name))
        self.seed, self.frames = other.seed, other.frames
        self.like_left, self.fresh = other.like_left, other.fresh

    def state(self) -> State:
        """Everything the row's future depends on (its state taken out of the stream before)."""
        return attributes(self, _STATE)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)


class DecoderRows:
    """Decodes any rows together. The caller says which; those that stay keep their states in the stream."""

    def __init__(self, graphs: Graphs, leads: LeadIn) -> None:
        m = graphs.manifest
        self._leads = leads
        self._hop = m.hop
        self._shape = (m.latent_size, len(m.controls), m.graphs["decoder"].state_size)
        self._gained, self._pitched = m.gained, m.pitched
        self._streams: dict[int, GraphStream] = {}
        for size in SIZES:
            self._streams[size] = stream = graphs.stream("decoder", size, WARM_FRAMES)
            # The first two runs of a length lay out its memory: not in the block in which a note starts.
            for frames in leads.frames:
                stream.run(frames + 1)
                stream.run(frames + 1)
            stream.reset()
        self._made = np.zeros((SIZES[-1], MAX_FRAMES * m.hop), np.float32)
        self._rows: list[Row] = []
        self._stream = self._streams[1]

    def new_row(self) -> Row:
        """A row that fits this decoder, silent."""
        return Row(*self._shape, self._hop)

    def take_out(self) -> None:
        """Bring every row's state home, so that rows may be copied, started and stored."""
        state = self._stream.state
        for place, row in enumerate(self._rows):
            np.copyto(row.memory, state[place])
        self._rows = []

    def process(self, rows: list[Row], count: int, likeness: float = 1.0) -> np.ndarray:
        """The next `count` frames of up to 8 rows -> sound [>= len(rows), count * hop], valid until the
        next call.

        likeness: correlation of the noise of a right row with its left row's, 0..1.
        """
        if rows == self._rows:
            return self._run(rows, slice(0, count), count, likeness)
        fresh = [row for row in rows if row.fresh]
        if not fresh:
            self._enter(rows)
            return self._run(rows, slice(0, count), count, likeness)
        return self._begin(rows, fresh, count, likeness)

    def _begin(self, rows: list[Row], fresh: list[Row], count: int, likeness: float) -> np.ndarray:
        """As `process`, where `fresh` ones begin: their first frame apart from the others, then all."""
        hop, made = self._hop, self._made
        others = [row for row in rows if not row.fresh]
        # What sounds beside them takes its time, too: then they are led in for less long.
        long, short = self._leads.frames
        first = self._lead_in(fresh, long if not others and len(fresh) <= 2 else short, likeness)
        for row, sound in zip(fresh, first, strict=False):
            made[rows.index(row), :hop] = sound
        if others:
            self._enter(others)
            now = self._run(others, slice(0, 1), 1, likeness)
            for row, sound in zip(others, now, strict=False):
                made[rows.index(row), :hop] = sound
        if rows != self._rows:
            self._enter(rows)
        if count > 1:
            rest = self._run(rows, slice(1, count), count - 1, likeness)
            made[: len(rows), hop : count * hop] = rest[: len(rows)]
        return made

    def _lead_in(self, rows: list[Row], frames: int, likeness: float) -> np.ndarray:
        """First frame [>= rows, hop] of rows that start, as if it had stood for `frames` frames before."""
        self.take_out()
        for row in rows:
            row.memory[:] = self._leads.begin(row.controls[:, 0])
        self._enter(rows)
        audio = self._run(rows, slice(0, 1), frames + 1, likeness)[:, frames * self._hop :]
        for row, state, sound in zip(rows, self._stream.state, audio, strict=False):
            self._leads.settle(state, sound, float(row.level_db[0]), float(row.f0_hz[0]), frames + 1)
            row.fresh = False
        return audio

    def _run(self, rows: list[Row], columns: slice, count: int, likeness: float) -> np.ndarray:
        """Decode `count` frames from columns of the rows' inputs (a single one is repeated)."""
        inputs = self._stream.inputs(count)
        z, controls = inputs["z"], inputs["controls"]
        noise, samples = inputs["noise"], count * self._hop
        for place, row in enumerate(rows):
            z[place] = row.z[:, columns]
            controls[place] = row.controls[:, columns]
            if self._gained:
                inputs["level_db"][place, 0] = row.level_db[columns]
            if self._pitched:
                inputs["f0_hz"][place, 0] = row.f0_hz[columns]
            noise[place] = row.noise.read(row.seed, row.frames * self._hop, samples)
            row.frames += count
        for place, row in enumerate(rows):
            if row.like_left:
                own, left = noise[place], noise[place - 1]
                own *= np.float32(math.sqrt(1.0 - likeness**2))
                own += np.float32(likeness) * left
        return self._stream.run(count)["audio"]

    def _enter(self, rows: list[Row]) -> None:
        self.take_out()
        size = next(size for size in SIZES if size >= len(rows))
        self._stream = self._streams[size]
        state = self._stream.state
        for place, row in enumerate(rows):
            state[place] = row.memory
        state[len(rows) :] = 0.0
        self._rows = list(rows)
