"""The block guard: knows when so many blocks are lost because they come late that something is to be done.

First the sound is made a block ahead (ahead.py), which is not heard. Then a card gets longer blocks: they
have the same work to do for every sample, but less around it, and lend their quiet part to their busy one:
note starts and live measurements weigh on single blocks. It is pure: others do what it says.
"""

from collections import deque

PATIENCE = 4
"""Blocks lost late, within SPAN_S, that are borne before blocks grow: something else may have taken the
machine's time once."""
AHEAD_PATIENCE = 1
"""The same before sound is made ahead, which costs less."""
SPAN_S = 10.0
SETTLING_S = 2.0
"""What is lost so soon after a backend was opened, or something was done, is not counted."""


class BlockGuard:
    """`block`: samples to ask for at a time, doubled by `lengthen` up to `longest`. It is told (`look`) about
    twenty times a second how many blocks were lost late.
    """

    def __init__(self, block: int, longest: int) -> None:
        self.block = block
        self._longest = longest
        self._late: int | None = None
        self._lost: deque[tuple[float, int]] = deque()
        self._settled_s = 0.0

    def opened(self, now_s: float) -> None:
        """A backend begins to ask for blocks, or asks for them another way."""
        self._lost.clear()
        self._settled_s = now_s + SETTLING_S

    def look(self, late: int, now_s: float) -> None:
        """late: blocks lost late so far, in all."""
        new = 0 if self._late is None else late - self._late
        self._late = late
        if now_s < self._settled_s:
            return
        if new > 0:
            self._lost.append((now_s, new))
        while self._lost and self._lost[0][0] < now_s - SPAN_S:
            self._lost.popleft()

    @property
    def ahead_is_due(self) -> bool:
        """Whether it is time to make the sound ahead."""
        return self._recent > AHEAD_PATIENCE

    @property
    def longer_is_due(self) -> bool:
        """Whether it is time for longer blocks, and there are any."""
        return 2 * self.block <= self._longest and self._recent > PATIENCE

    @property
    def _recent(self) -> int:
        return sum(count for _, count in self._lost)

    def lengthen(self) -> str:
        """Double the block; what to tell the performer, one sentence."""
        before, self.block = self.block, 2 * self.block
        return (
            f"Blocks have {self.block} samples now: with {before} this machine was late too often "
            f"(--block {before} keeps them)."
        )
