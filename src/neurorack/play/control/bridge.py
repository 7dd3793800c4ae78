"""Bridge: the one block of shared memory between the player's processes.

    main ─► frame, events (what the hands do), command (which instrument and clips), input ─► audio process
    main ─► eyes (whether anybody looks) ─► ears process
    main ◄─ telemetry, status, output (60 s), rows (60 s), journal ◄─ audio process
    main, audio ◄─ measured ◄─ ears process, which listens to output

The main process creates and removes it; the others attach by name. Every channel has one writer, and nothing
in it ever blocks.
"""

from dataclasses import dataclass
from multiprocessing import shared_memory

import numpy as np

from neurorack.play.control.latest import LatestValue
from neurorack.play.control.record_ring import RecordRing
from neurorack.play.control.records import COMMAND_DTYPE, STATUS_DTYPE
from neurorack.play.control.ring import AudioRing
from neurorack.play.engine.events import EVENT_DTYPE
from neurorack.play.engine.frame import FRAME_DTYPE, MEASURED_DTYPE, TELEMETRY_DTYPE

CAPTURE_S = 60
OUTPUT_CHANNELS = 2
OUTPUT_CAPACITY = 48_000 * (CAPTURE_S + 4)
"""Samples: the retrospective capture at any usual rate, and room to read it while more is written."""
INPUT_CAPACITY = 1 << 16
HEARD_CAPACITY = 1 << 18
EVENT_CAPACITY = 4096
MAX_ROW = 64
"""Most numbers of a latent row: z, then controls."""
ROW_DTYPE = np.dtype([("frame", np.int64), ("gate", np.float32), ("row", np.float32, (MAX_ROW,))])
"""One latent frame as the decoder got it (the newest voice's): engine frame number, envelope 0..1, row."""
ROW_CAPACITY = 375 * (CAPTURE_S + 4)
JOURNAL_DTYPE = np.dtype(
    [
        ("start", np.int64),
        ("samples", np.int32),
        ("frame", np.int64),
        ("events", np.int64),
        ("heard", np.int64),
    ]
)
"""One rendered block: its first sample, its length, and how many frames were in `frames_used`, events in
`events_used` and samples in `heard` when it was rendered (its own counted). A block had input when `heard`
rose by its length, and none when it did not rise."""
EYES_DTYPE = np.dtype([("look", np.bool_)])
"""Whether anybody looks at what is measured; until it is written, somebody might."""
JOURNAL_CAPACITY = 1 << 14
FRAMES_USED_CAPACITY = 1 << 10
EVENTS_USED_CAPACITY = 1 << 13


@dataclass(frozen=True)
class BridgeAddress:
    """What a process needs to attach."""

    name: str


class Bridge:
    """All channels of the shared block.

    Values: `frame`, `command`, `eyes`, `telemetry`, `status`, `measured`. Sound: `output` (stereo, as it left
    the engine), `input` (from a page's microphone), `heard` (mono, the input exactly as the engine got it,
    when it did). Records: `events` (to the engine), `rows` (every latent frame played), and the journal of
    what was rendered from what: `journal`, `frames_used`, `events_used`.
    """

    def __init__(self, memory: shared_memory.SharedMemory, owner: bool) -> None:
        self._memory = memory
        self._owner = owner
        self.address = BridgeAddress(memory.name)
        assert memory.buf is not None  # it is not closed
        view = memoryview(memory.buf)
        at = 0

        def take(size: int) -> memoryview:
            nonlocal at
            piece = view[at : at + size]
            at += -(-size // 64) * 64
            return piece

        def value(dtype: np.dtype) -> LatestValue:
            return LatestValue(take(LatestValue.nbytes(dtype)), dtype)

        def sound(channels: int, capacity: int) -> AudioRing:
            return AudioRing(take(AudioRing.nbytes(channels, capacity)), channels, capacity)

        def records(dtype: np.dtype, capacity: int) -> RecordRing:
            return RecordRing(take(RecordRing.nbytes(dtype, capacity)), dtype, capacity)

        self.frame, self.command = value(FRAME_DTYPE), value(COMMAND_DTYPE)
        self.telemetry, self.status = value(TELEMETRY_DTYPE), value(STATUS_DTYPE)
        self.measured, self.eyes = value(MEASURED_DTYPE), value(EYES_DTYPE)
        self.output = sound(OUTPUT_CHANNELS, OUTPUT_CAPACITY)
        self.input, self.heard = sound(1, INPUT_CAPACITY), sound(1, HEARD_CAPACITY)
        self.events = records(EVENT_DTYPE, EVENT_CAPACITY)
        self.rows = records(ROW_DTYPE, ROW_CAPACITY)
        self.journal = records(JOURNAL_DTYPE, JOURNAL_CAPACITY)
        self.frames_used = records(FRAME_DTYPE, FRAMES_USED_CAPACITY)
        self.events_used = records(EVENT_DTYPE, EVENTS_USED_CAPACITY)
        view.release()

    @staticmethod
    def nbytes() -> int:
        """Size of the whole block, each part on a cache line of its own."""
        values = (FRAME_DTYPE, COMMAND_DTYPE, TELEMETRY_DTYPE, STATUS_DTYPE, MEASURED_DTYPE, EYES_DTYPE)
        sizes = [LatestValue.nbytes(dtype) for dtype in values]
        sizes += [
            AudioRing.nbytes(OUTPUT_CHANNELS, OUTPUT_CAPACITY),
            AudioRing.nbytes(1, INPUT_CAPACITY),
            AudioRing.nbytes(1, HEARD_CAPACITY),
            RecordRing.nbytes(EVENT_DTYPE, EVENT_CAPACITY),
            RecordRing.nbytes(ROW_DTYPE, ROW_CAPACITY),
            RecordRing.nbytes(JOURNAL_DTYPE, JOURNAL_CAPACITY),
            RecordRing.nbytes(FRAME_DTYPE, FRAMES_USED_CAPACITY),
            RecordRing.nbytes(EVENT_DTYPE, EVENTS_USED_CAPACITY),
        ]
        return sum(-(-size // 64) * 64 for size in sizes)

    @classmethod
    def create(cls) -> "Bridge":
        """Make the block (zeroed); the caller must `close` it."""
        memory = shared_memory.SharedMemory(create=True, size=cls.nbytes())
        return cls(memory, owner=True)

    @classmethod
    def attach(cls, address: BridgeAddress) -> "Bridge":
        """Attach to a block that another process created."""
        return cls(shared_memory.SharedMemory(address.name), owner=False)

    def close(self) -> None:
        """Let go of the block; its owner also removes it."""
        for part in vars(self).values():
            if isinstance(part, LatestValue | AudioRing | RecordRing):
                part.release()
        self._memory.close()
        if self._owner:
            self._memory.unlink()
