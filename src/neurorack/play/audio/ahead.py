"""Ahead: sound made one block before it is heard, by a thread of its own, where a machine is late at times.

A block takes a third of the time it sounds, and is late all the same when the system gives the processor to
something else at the wrong moment. Rendered one block ahead, it is heard in time as long as it is late by
less than a block, and what comes after may catch up. That costs a block of latency, so it is done only once
blocks have been lost: until then, and with a backend that has a buffer of its own, `Ahead` calls through.

Neither change makes a gap: on going ahead the sound goes on by itself for the block that has to be filled, as
that of a stolen voice does (engine/ghost.py); on coming back the block that waits is cross-faded away.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np

from neurorack.play.audio.backend import CHANNELS, Render
from neurorack.play.audio.priority import raise_thread_priority
from neurorack.play.engine.events import Event
from neurorack.play.engine.ghost import HEARD, going_on, stretch

FADE_SAMPLES = 128
"""Most samples in which sound that went on by itself gives way to what was rendered."""


class Ahead:
    """A Render around another. Set `wanted` at any time, from any thread; calls come from one at a time."""

    def __init__(self, render: Render) -> None:
        self._render = render
        self.wanted = False
        self.samples = 0
        """By how much the sound is later now."""
        self._maker: _Maker | None = None
        self._last: deque[np.ndarray] = deque()
        self._kept = 0

    def __call__(
        self, count: int, audio_in: np.ndarray | None = None, events: Sequence[Event] = ()
    ) -> np.ndarray:
        """A block of sound; while ahead, the one asked for before. `audio_in` must stay as it is until then.

        Raises what the render raised, from then on calling through.
        """
        if self.samples:
            waiting = self._take()
            if self.wanted and waiting.shape[1] == count:
                self._made_later(count, audio_in, events)
                return waiting
            self.samples = 0
            audio = _cross_faded(waiting, self._render(count, audio_in, events))
        elif self.wanted:
            filler, rest = self._gone_on(count)
            self._made_later(count, audio_in, events, rest)
            self.samples = count
            return filler
        else:
            audio = self._render(count, audio_in, events)
        self._keep(audio)
        return audio

    def _made_later(
        self, count: int, audio_in: np.ndarray | None, events: Sequence[Event], rest: np.ndarray | None = None
    ) -> None:
        """Have a block rendered meanwhile; `rest` fades into it."""

        def make() -> np.ndarray:
            made = self._render(count, audio_in, events)
            return made if rest is None else _cross_faded(rest, made)

        if self._maker is None:
            self._maker = _Maker()
        self._maker.start(make)

    def _take(self) -> np.ndarray:
        assert self._maker is not None
        try:
            return self._maker.take()
        except BaseException:
            self._maker, self.wanted, self.samples = None, False, 0
            raise

    def _keep(self, audio: np.ndarray) -> None:
        """Remember the newest HEARD samples, in blocks as they were rendered."""
        self._last.append(audio)
        self._kept += audio.shape[1]
        while self._kept - self._last[0].shape[1] >= HEARD:
            self._kept -= self._last.popleft().shape[1]

    def _gone_on(self, count: int) -> tuple[np.ndarray, np.ndarray]:
        """What goes on by itself from the blocks remembered: [2, count], and as much as fades after it."""
        heard = np.zeros((CHANNELS, HEARD), np.float32)
        if self._last:
            recent = np.concatenate(self._last, axis=1)[:, -HEARD:]
            heard[:, HEARD - recent.shape[1] :] = recent
        self._last.clear()
        self._kept = 0
        length = count + min(count, FADE_SAMPLES)
        back = stretch(heard.mean(axis=0), FADE_SAMPLES)
        sound = np.stack([going_on(channel, back, length) for channel in heard])
        return sound[:, :count], sound[:, count:]


class _Maker:
    """A thread at the sound's priority that makes one thing at a time. It ends with what goes wrong."""

    def __init__(self) -> None:
        self._go, self._done = threading.Lock(), threading.Lock()
        self._go.acquire()
        self._done.acquire()
        self._make: Callable[[], np.ndarray] | None = None
        self._made: np.ndarray | BaseException | None = None
        threading.Thread(target=self._run, name="ahead", daemon=True).start()

    def start(self, make: Callable[[], np.ndarray]) -> None:
        """Begin; returns at once. What was started before must have been taken."""
        self._make = make
        self._go.release()

    def take(self) -> np.ndarray:
        """What was made; waits for it. Raises what `make` raised."""
        self._done.acquire()
        if isinstance(self._made, BaseException):
            raise self._made
        assert self._made is not None
        return self._made

    def _run(self) -> None:
        raise_thread_priority()
        while not isinstance(self._made, BaseException):
            self._go.acquire()
            try:
                assert self._make is not None
                self._made = self._make()
            except BaseException as error:  # the backend that asks must learn of it
                self._made = error
            self._done.release()


def _cross_faded(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """`after` [2, n], into which the first samples of `before` fade (raised cosine)."""
    count = min(before.shape[1], after.shape[1], FADE_SAMPLES)
    share = (0.5 + 0.5 * np.cos(np.pi * (np.arange(count) + 0.5) / max(count, 1))).astype(np.float32)
    mixed = after.copy()
    mixed[:, :count] += share * (before[:, :count] - after[:, :count])
    return mixed
