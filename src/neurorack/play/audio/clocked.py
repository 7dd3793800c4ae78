"""A backend without a card: a thread that renders blocks at the pace of the system's clock.

As "browser" its sound reaches the performer through the panel; as "null" nobody hears it. Sleeping is never
exact, so a late thread catches up by rendering several blocks at once, which a listener's jitter buffer
hides.
Only when it has fallen further behind than that buffer could hide are the lost blocks counted and let go.
"""

import threading
import time

from neurorack.play.audio.backend import Render
from neurorack.play.audio.priority import raise_thread_priority

TOLERANCE_S = 0.06


class ClockedBackend:
    """Renders `block` samples every block / sample_rate seconds."""

    def __init__(self, name: str, sample_rate: int, block: int) -> None:
        self.name = name
        self.device = "this page" if name == "browser" else "nowhere"
        self.device_rate = sample_rate
        self.latency_s = 0.0
        self.dropped = 0
        self.failure: BaseException | None = None
        self._block = block
        self._period_s = block / sample_rate
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, render: Render) -> None:
        """Begin to render."""
        self._thread = threading.Thread(target=self._run, args=(render,), name="sound", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Render no more; waits for the last block."""
        self._stopping.set()
        if self._thread:
            self._thread.join(2.0)

    def _run(self, render: Render) -> None:
        raise_thread_priority()
        due = time.perf_counter()
        try:
            while not self._stopping.is_set():
                wait = due - time.perf_counter()
                if wait > 0:
                    time.sleep(wait)
                elif -wait > max(TOLERANCE_S, 3 * self._period_s):
                    lost = int(-wait / self._period_s)
                    self.dropped += lost
                    due += lost * self._period_s
                render(self._block)
                due += self._period_s
        except BaseException as error:  # the process must learn of it, whatever it is
            self.failure = error
