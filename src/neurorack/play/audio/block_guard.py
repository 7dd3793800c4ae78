"""The block guard: knows when a card loses so many blocks because they come late that longer ones are due.

A longer block has the same work to do for every sample, but less around it, and lends its quiet part to its
busy one: note starts and live measurements weigh on single blocks. It is pure: others open the card again.
"""

from collections import deque

PATIENCE = 4
"""Blocks lost late, within SPAN_S, that are borne: something else may have taken the machine's time once."""
SPAN_S = 10.0
SETTLING_S = 2.0
"""What is lost so soon after the card was opened is not counted."""


class BlockGuard:
    """`block`: samples to ask for at a time, doubled by `lengthen` up to `longest`."""

    def __init__(self, block: int, longest: int) -> None:
        self.block = block
        self._longest = longest
        self._late: int | None = None
        self._lost: deque[tuple[float, int]] = deque()
        self._settled_s = 0.0

    def opened(self, now_s: float) -> None:
        """The card begins to ask for blocks."""
        self._lost.clear()
        self._settled_s = now_s + SETTLING_S

    def look(self, late: int, now_s: float) -> bool:
        """late: blocks lost late so far, in all. True when it is time for longer ones."""
        new = 0 if self._late is None else late - self._late
        self._late = late
        if now_s < self._settled_s:
            return False
        if new > 0:
            self._lost.append((now_s, new))
        while self._lost and self._lost[0][0] < now_s - SPAN_S:
            self._lost.popleft()
        return 2 * self.block <= self._longest and sum(count for _, count in self._lost) > PATIENCE

    def lengthen(self) -> str:
        """Double the block; what to tell the performer, one sentence."""
        before, self.block = self.block, 2 * self.block
        return (
            f"Blocks have {self.block} samples now: with {before} this machine was late too often "
            f"(--block {before} keeps them)."
        )
