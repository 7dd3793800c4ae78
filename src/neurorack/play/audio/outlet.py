"""The outlet: sees to it that some backend always asks for sound, and changes it while the engine goes on.

When a backend fails or falls silent, a clocked one takes over at once, so that the page, recordings and
clocks go on; then the lost one is tried again every RETRY_S until it is back. Where blocks are lost because
they come late, the sound is made a block ahead; a card that goes on losing them is opened again with longer
ones.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Sequence

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.play.audio.ahead import Ahead
from neurorack.play.audio.backend import CHANNELS, AudioOptions, Backend, Drops, Render
from neurorack.play.audio.block_guard import BlockGuard
from neurorack.play.audio.cv import CV_NOTE
from neurorack.play.audio.open_backend import Open, candidates, open_first
from neurorack.play.engine.events import Event, Kind

STALLED_S = 0.5
RETRY_S = 2.0
CARD = "sounddevice"
NAMES = {"jack": "The JACK server", CARD: "The sound device"}


class Tap:
    """One backend's way to the renderer: silence until it is opened and once it is closed.

    So two backends may overlap while one takes over from the other, and a callback that wakes up late does
    no harm.
    """

    def __init__(self, render: Render) -> None:
        self._render = render
        self._busy = threading.Lock()
        self._open = False
        self.asked = 0
        """Blocks asked for, silent ones too."""

    def __call__(
        self, count: int, audio_in: np.ndarray | None = None, events: Sequence[Event] = ()
    ) -> np.ndarray:
        """A block of sound, or of silence."""
        self.asked += 1
        if not self._open or not self._busy.acquire(blocking=False):
            return np.zeros((CHANNELS, count), np.float32)
        try:
            return self._render(count, audio_in, events) if self._open else _silence(count)
        finally:
            self._busy.release()

    def open(self) -> None:
        """From now on there is sound."""
        self._open = True

    def close(self) -> None:
        """From now on there is silence; waits for a block that is being rendered."""
        self._open = False
        if self._busy.acquire(timeout=1.0):
            self._busy.release()


def _silence(count: int) -> np.ndarray:
    return np.zeros((CHANNELS, count), np.float32)


class Outlet:
    """Owns the backend that sounds. `note` is what the performer should know about it, or empty.

    later: takes events for the next block (the gate of a device that has gone is let go). drops: what the
    backends count.
    """

    def __init__(
        self,
        options: AudioOptions,
        open_backend: Open,
        render: Render,
        later: Callable[[Sequence[Event]], None],
        drops: Drops,
    ) -> None:
        self._options = options
        self._drops = drops
        self._guard = BlockGuard(options.block, options.longest_block)
        self._open_backend = open_backend
        self._ahead = Ahead(render)
        self._goes_ahead = options.ahead == "on"
        self._later = later
        self._lost = ""
        self._retry_at = 0.0
        self._seen, self._seen_at = 0, 0.0
        self._closing: threading.Thread | None = None
        names = candidates(options)
        self.note = ""
        backend, self.note = open_first(options, names, self._started)
        self.backend: Backend = backend
        self._take()
        if self.note and backend.name != names[0]:
            self._lost = names[0]
        self._retry_at = time.monotonic() + RETRY_S

    def watch(self) -> None:
        """Look after the backend; to be called about twenty times a second."""
        now = time.monotonic()
        if self._tap.asked != self._seen:
            self._seen, self._seen_at = self._tap.asked, now
        failure = self.backend.failure
        if failure is not None or now - self._seen_at > STALLED_S + 4 * self._block_s():
            self._fall_back(failure)
        elif self._lost and now >= self._retry_at:
            self._try_again()
            self._retry_at = time.monotonic() + RETRY_S
        else:
            self._guard.look(self._drops.late, now)
            self._relieve(now)

    @property
    def ahead_samples(self) -> int:
        """By how many samples of the instrument the sound is made ahead now."""
        return self._ahead.samples

    def stop(self) -> None:
        """No more sound."""
        self._tap.close()
        self.backend.stop()

    def _block_s(self) -> float:
        return self.backend.block / max(self.backend.device_rate, 1)

    def _started(self, name: str, again: bool = False) -> Backend:
        """A backend that asks for blocks of a tap still closed."""
        backend, tap = self._open_backend(name, again, self._guard.block), Tap(self._ahead)
        try:
            backend.start(tap)
        except BaseException:
            with contextlib.suppress(Exception):
                backend.stop()
            raise
        self._tap = tap
        return backend

    def _fall_back(self, failure: BaseException | None) -> None:
        old = self.backend
        self._tap.close()
        self._later([Event(Kind.NOTE_OFF, CV_NOTE)])
        if old.name in NAMES:
            self._lost = old.name
            why = str(failure) if isinstance(failure, NeurorackError) else f"{NAMES[old.name]} stopped."
            self.note = f"{why} The sound comes from this page until it is back."
        fallback = "null" if self._options.backend == "null" else "browser"
        self.backend = self._started(fallback)
        self._take()
        # Closing a device that has gone may take long, or for ever.
        self._closing = threading.Thread(target=old.stop, name="closing", daemon=True)
        self._closing.start()
        self._retry_at = time.monotonic() + RETRY_S

    def _try_again(self) -> None:
        if self._closing is not None and self._closing.is_alive():
            return
        old, old_tap = self.backend, self._tap
        try:
            backend = self._started(self._lost, again=True)
        except NeurorackError:
            return
        old_tap.close()
        self.backend, self._lost, self.note = backend, "", ""
        self._take()
        old.stop()

    def _relieve(self, now: float) -> None:
        """Do something about blocks that come late, if it is due."""
        has_deadlines = self.backend.name in NAMES
        if has_deadlines and self._may_go_ahead and self._guard.ahead_is_due:
            self._goes_ahead = self._ahead.wanted = True
            self._guard.opened(now)
            self.note = (
                "This machine was late at times, so the sound is made a block ahead: "
                f"{1e3 * self._block_s():.1f} ms later (--ahead off prevents it)."
            )
        elif self.backend.name == CARD and self._guard.longer_is_due:
            self._lengthen()

    @property
    def _may_go_ahead(self) -> bool:
        return self._options.ahead == "auto" and not self._goes_ahead

    def _lengthen(self) -> None:
        """The card again, with longer blocks: it is closed first, for few can be opened twice."""
        card = self.backend
        note = self._guard.lengthen()
        self._tap.close()
        card.stop()
        try:
            self.backend = self._started(CARD)
        except NeurorackError as error:
            self._fall_back(error)
            return
        self.note = note
        self._take()

    def _take(self) -> None:
        """Let the backend started last sound, and watch it from now on. A clocked one has time enough."""
        self._ahead.wanted = self._goes_ahead and self.backend.name in NAMES
        self._tap.open()
        now = time.monotonic()
        self._seen, self._seen_at = 0, now
        self._guard.opened(now)
