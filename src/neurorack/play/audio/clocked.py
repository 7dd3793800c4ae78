"""A backend without a card: a thread that renders blocks at the pace of the system's clock.

As "browser" its sound reaches the performer through the panel; as "null" nobody hears it. Sleeping is never
exact, so a late thread catches up by rendering several blocks at once, which a listener's jitter buffer
hides.
Only when it has fallen further behind than that buffer could hide are the lost blocks counted and let go.
"""

import threading
import time

from neurorack.play.audio.backend import Drops, Render
from neurorack.play.audio.priority import raise_thread_priority

TOLERANCE_S = 0.06


class ClockedBackend:
    """Renders `block` samples every block / sample_rate seconds."""

    inputs = ""
    outputs = "left,right"

    def __init__(self, name: str, sample_rate: int, block: int, drops: Drops) -> None:
        self.name = name
        self.device = "this page" if name == "browser" else "nowhere"
        self.device_rate = sample_rate
        self.latency_s = 0.0
        self.block = block
        self.failure: BaseException | None = None
        self._drops = drops
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
        render_s = 0.0
        try:
            while not self._stopping.is_set():
                now = time.perf_counter()
                if now < due:
                    time.sleep(due - now)
                elif now - due > max(TOLERANCE_S, 3 * self._period_s):
                    lost = int((now - due) / self._period_s)
                    self._drops.lose(lost, render_s, self._period_s, "This machine's clock")
                    due += lost * self._period_s
                began = time.perf_counter()
                render(self.block)
                render_s = time.perf_counter() - began
                due += self._period_s
        except BaseException as error:  # the process must learn of it, whatever it is
            self.failure = error
