"""Bridge: the one block of shared memory between the main process and the audio process.

    main ─► frame (ControlFrame), command (which instrument), input (live audio) ─► audio process
    main ◄─ telemetry, status, output (what sounds, for browsers and the spectrum) ◄─ audio process

The main process creates and removes it; the audio process attaches by name. Nothing in it ever blocks.
"""

from dataclasses import dataclass
from multiprocessing import shared_memory

from neurorack.play.control.latest import LatestValue
from neurorack.play.control.records import COMMAND_DTYPE, STATUS_DTYPE
from neurorack.play.control.ring import AudioRing
from neurorack.play.engine.frame import FRAME_DTYPE, TELEMETRY_DTYPE

OUTPUT_CAPACITY = 1 << 16
INPUT_CAPACITY = 1 << 16


@dataclass(frozen=True)
class BridgeAddress:
    """What a process needs to attach."""

    name: str
    channels: int


class Bridge:
    """The five channels of the shared block; `frame`, `command`, `input` flow down, the others up."""

    def __init__(self, memory: shared_memory.SharedMemory, channels: int, owner: bool) -> None:
        self._memory = memory
        self._owner = owner
        self.address = BridgeAddress(memory.name, channels)
        assert memory.buf is not None  # it is not closed
        view = memoryview(memory.buf)
        at = 0

        def take(size: int) -> memoryview:
            nonlocal at
            piece = view[at : at + size]
            at += -(-size // 64) * 64
            return piece

        self.frame = LatestValue(take(LatestValue.nbytes(FRAME_DTYPE)), FRAME_DTYPE)
        self.command = LatestValue(take(LatestValue.nbytes(COMMAND_DTYPE)), COMMAND_DTYPE)
        self.telemetry = LatestValue(take(LatestValue.nbytes(TELEMETRY_DTYPE)), TELEMETRY_DTYPE)
        self.status = LatestValue(take(LatestValue.nbytes(STATUS_DTYPE)), STATUS_DTYPE)
        self.output = AudioRing(take(AudioRing.nbytes(channels, OUTPUT_CAPACITY)), channels, OUTPUT_CAPACITY)
        self.input = AudioRing(take(AudioRing.nbytes(1, INPUT_CAPACITY)), 1, INPUT_CAPACITY)
        view.release()

    @staticmethod
    def nbytes(channels: int) -> int:
        """Size of the whole block, each part on a cache line of its own."""
        values = (FRAME_DTYPE, COMMAND_DTYPE, TELEMETRY_DTYPE, STATUS_DTYPE)
        sizes = [LatestValue.nbytes(dtype) for dtype in values]
        sizes += [AudioRing.nbytes(channels, OUTPUT_CAPACITY), AudioRing.nbytes(1, INPUT_CAPACITY)]
        return sum(-(-size // 64) * 64 for size in sizes)

    @classmethod
    def create(cls, channels: int = 1) -> "Bridge":
        """Make the block (zeroed); the caller must `close` it."""
        memory = shared_memory.SharedMemory(create=True, size=cls.nbytes(channels))
        return cls(memory, channels, owner=True)

    @classmethod
    def attach(cls, address: BridgeAddress) -> "Bridge":
        """Attach to a block that another process created."""
        return cls(shared_memory.SharedMemory(address.name), address.channels, owner=False)

    def close(self) -> None:
        """Let go of the block; its owner also removes it."""
        for part in (self.frame, self.command, self.telemetry, self.status, self.output, self.input):
            part.release()
        self._memory.close()
        if self._owner:
            self._memory.unlink()
