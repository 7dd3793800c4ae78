"""Lead-in: the state in which a decoder begins a note, so that the note starts as it goes on.

From a state of zeros a decoder needs 40 ms until its filters are full; meanwhile it breaks out in noise, and
its gain stage, which divides by the level of the last 70 ms, lets through far too much. So a note begins in
a state that the decoder reaches when it has played the nearest anchor for a while, at the note's pitch; a few
frames of the note itself are decoded unheard, its first one in the same call; and then the gain stage is told
that it has always been so. (Nearest in the controls: they multiply into the network and shape its memory more
than z does.)

Every unheard frame must be computed in the block in which the note starts, so they have to be few. Pitch is
what a note changes most: the anchors have been played at PITCHES pitches beforehand, with the same noise, and
states between two of them are a mixture of both. And a decoder whose state begins with a mark
(docs/nrk-format.md) takes its network's part of the state for unknown while the mark is 0: it then stands as
the note itself wants it, and what is left to lead in is the sound on its way through the filters.
"""

import numpy as np

from neurorack.core.level import FLOOR_DB, FLOOR_POWER, TAPS
from neurorack.core.manifest import Manifest
from neurorack.core.timebase import HOP
from neurorack.play.engine.graphs import Graphs

LEAD_FRAMES, SHORT_LEAD_FRAMES = 6, 2
"""Frames of a note that are decoded unheard, and how many where several notes sound or start: they must all
fit into a block as one does."""
OLD_LEAD_FRAMES, OLD_SHORT_LEAD_FRAMES = 6, 4
"""The same for decoders the state of which is not known."""
KNOWN_FRAMES = 8
"""Frames, at least, of which the gain stage takes the powers for the note's own."""
PITCHES = 5
"""Pitches at which every anchor has been played, equally spaced over the control."""
REST_FRAMES = 16
"""Frames for which each of them has been played."""
TOGETHER = 8
SUB_BLOCKS = 4
"""Powers a frame in the gain stage's slow window."""
SLOW = 96 - SUB_BLOCKS
FRAMES = TAPS - 1
PASSES = 3
GAIN_SIZE = SLOW + (1 + PASSES) * FRAMES + 2
"""The gain stage's memory, the last numbers of a decoder's state (docs/nrk-format.md): powers of sub-blocks
and of frames; for each of its passes, powers of frames at its gains; the gains at the ends of the last two
frames."""

_BACKWARDS = np.arange(-SLOW, 0)
_MEAN = np.full(SUB_BLOCKS, 1.0 / SUB_BLOCKS, np.float32)
_RAMP = (np.arange(HOP, dtype=np.float32) + 1.0) / HOP


class LeadIn:
    """States for notes to begin in. anchors_z [A, Z], anchors_controls [A, C]."""

    def __init__(self, graphs: Graphs, anchors_z: np.ndarray, anchors_controls: np.ndarray) -> None:
        self._manifest = m = graphs.manifest
        self._pitch = m.control_index("pitch") if m.pitched else -1
        self._others = [i for i in range(len(m.controls)) if i != self._pitch]
        self._controls = anchors_controls[:, self._others]
        self._rests = _rests(graphs, anchors_z, anchors_controls, self._pitch)
        first = (graphs, anchors_z[:1], anchors_controls[:1])
        self._tells = m.gained and self._remembers(*first)
        self._marked = self._marks_its_begin(*first)
        if self._marked:
            self._rests[..., 0] = 0.0

    @property
    def frames(self) -> tuple[int, int]:
        """How many unheard frames a note needs, and with how many it makes do where many sound or start."""
        known = self._marked and (self._tells or not self._manifest.gained)
        return (LEAD_FRAMES, SHORT_LEAD_FRAMES) if known else (OLD_LEAD_FRAMES, OLD_SHORT_LEAD_FRAMES)

    def begin(self, controls: np.ndarray) -> np.ndarray:
        """The state [S] to begin a note in, the first frame of which asks for these controls [C]."""
        nearest = int(np.argmin(np.square(self._controls - controls[self._others]).sum(axis=1)))
        rests = self._rests[nearest]
        if len(rests) == 1:
            return rests[0]
        place = (min(max(float(controls[self._pitch]), -1.0), 1.0) + 1.0) * 0.5 * (len(rests) - 1)
        low = min(int(place), len(rests) - 2)
        mixed = rests[low + 1] - rests[low]
        mixed *= np.float32(place - low)
        mixed += rests[low]
        return mixed

    def settle(
        self, state: np.ndarray, sound: np.ndarray, level_db: float, f0_hz: float, frames: int
    ) -> None:
        """Tell the gain stage that a note has always been going on; play its first frame at that gain.

        state: [S], after the note's first frame; sound: that frame [hop]; both are changed. level_db, f0_hz:
        what the note asks for (f0_hz 0: no pitch); frames: how many were decoded, unheard ones too.
        """
        if not self._tells:
            return
        memory = state[len(state) - GAIN_SIZE :]
        fine = memory[:SLOW]
        known = (max(frames, KNOWN_FRAMES) - 1) * SUB_BLOCKS
        block_hz = self._manifest.sample_rate / self._manifest.hop * SUB_BLOCKS
        period = known
        if f0_hz > 0.0 and block_hz / f0_hz <= known:
            period = max(round(int(known * f0_hz / block_hz) * block_hz / f0_hz), 1)
        last = fine[SLOW - period :].copy()
        np.take(last, _BACKWARDS % period, out=fine)
        power = fine[-FRAMES * SUB_BLOCKS :].reshape(-1, SUB_BLOCKS) @ _MEAN
        squared = max(10.0 ** (max(level_db, FLOOR_DB) / 10.0) - FLOOR_POWER, 0.0) / (last.mean() + 1e-6)
        memory[SLOW : SLOW + FRAMES] = power
        memory[SLOW + FRAMES : -2] = np.tile(power * squared, PASSES)
        gain = max(squared, 1e-12) ** 0.5
        before, after = float(memory[-2]), float(memory[-1])
        sound *= np.float32(gain) / (np.float32(before) + _RAMP * np.float32(after - before))
        memory[-2:] = gain

    def _marks_its_begin(self, graphs: Graphs, z: np.ndarray, controls: np.ndarray) -> bool:
        """Whether the state's first number is 1 once a frame has been decoded, whatever it was."""
        stream = graphs.stream("decoder")
        marks = []
        for asked in (controls, -controls):
            stream.reset()
            _fill(stream.inputs(1), self._manifest, z, asked, 0)
            stream.run(1)
            marks.append(float(stream.state[0, 0]))
        return marks == [1.0, 1.0]

    def _remembers(self, graphs: Graphs, z: np.ndarray, controls: np.ndarray) -> bool:
        """Whether the state's end is the gain stage's memory as it is known here."""
        if self._manifest.graphs["decoder"].state_size < GAIN_SIZE:
            return False
        stream = graphs.stream("decoder")
        found = []
        for frame in range(2):
            _fill(stream.inputs(1), self._manifest, z, controls, frame)
            stream.run(1)
            found.append(stream.state[0, -GAIN_SIZE:].copy())
        first, second = found
        newest = second[:SLOW].reshape(-1, SUB_BLOCKS).mean(axis=1)[-FRAMES:]
        return bool(
            second[SLOW - 1] > 0.0
            and np.array_equal(first[SUB_BLOCKS:SLOW], second[: SLOW - SUB_BLOCKS])
            and first[-1] == second[-2] > 0.0
            and np.allclose(newest, second[SLOW : SLOW + FRAMES], rtol=1e-4)
        )


def _fill(inputs: dict, manifest: Manifest, z: np.ndarray, controls: np.ndarray, seed: int) -> None:
    """Inputs for frames that all ask for the same: z [B, Z], controls [B, C]; the same noise in every row."""
    inputs["z"][:] = z[:, :, None]
    inputs["controls"][:] = controls[:, :, None]
    for name, control in (("level_db", "loudness"), ("f0_hz", "pitch")):
        if name in inputs:
            row = manifest.control_index(control)
            asked = manifest.controls[row].normaliser.to_physical(controls[:, row])
            inputs[name][:] = asked[:, None, None]
    inputs["noise"][:] = np.random.Generator(np.random.PCG64(seed)).standard_normal(inputs["noise"].shape[1])


def _rests(graphs: Graphs, anchors_z: np.ndarray, anchors_controls: np.ndarray, pitch: int) -> np.ndarray:
    """The decoder's states [A, P, S] after it has played each anchor at each pitch for REST_FRAMES.

    pitch: the row of the pitch control; -1: there is none, and P is 1.
    """
    pitches = PITCHES if pitch >= 0 else 1
    z, controls = np.repeat(anchors_z, pitches, axis=0), np.repeat(anchors_controls, pitches, axis=0)
    if pitch >= 0:
        controls[:, pitch] = np.tile(np.linspace(-1.0, 1.0, pitches), len(anchors_z))
    count = len(z)
    rests = np.empty((count, graphs.manifest.graphs["decoder"].state_size), np.float32)
    stream = graphs.stream("decoder", TOGETHER, ())
    for start in range(0, count, TOGETHER):
        which = np.minimum(np.arange(start, start + TOGETHER), count - 1)
        stream.state.fill(0.0)
        _fill(stream.inputs(REST_FRAMES), graphs.manifest, z[which], controls[which], 0)
        stream.run(REST_FRAMES)
        rests[which] = stream.state
    return rests.reshape(len(anchors_z), pitches, -1)
