"""One line of progress on standard error, for every step from recordings to an instrument."""

import json
import sys
import time

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn
from rich.table import Column


class Display:
    """A bar with the stage before it and a line of text after it, and plain speech above it.

    Where standard error is no terminal there is no bar, and what is said is a log.
    """

    def __init__(self, quiet: bool = False) -> None:
        """`quiet`: no bar, and only what `say` is given."""
        self.quiet = quiet
        self.step = ""
        """Put before every stage, like "2/4 train: "."""
        self._progress = Progress(
            TextColumn("{task.fields[stage]}"),
            BarColumn(bar_width=8),
            TextColumn("{task.percentage:4.0f} %"),
            # What does not fit on the line is cut off its end.
            TextColumn("{task.fields[line]}", table_column=Column(ratio=1, no_wrap=True)),
            expand=True,
            console=Console(stderr=True),
            disable=quiet,
            refresh_per_second=2,
        )
        self._task = self._progress.add_task("", total=1.0, stage="starting", line="")
        self._progress.start()

    def update(self, share: float, stage: str, line: str = "") -> None:
        """Show the share done in [0, 1] of this step, the stage it is in, and a few numbers."""
        self._progress.update(self._task, completed=share, stage=escape(self.step + stage), line=escape(line))

    def say(self, text: str) -> None:
        """One line of plain speech above the bar, also when quiet."""
        self._progress.console.print(text, highlight=False, markup=False, soft_wrap=True)

    def mention(self, text: str) -> None:
        """The same, but nothing when quiet."""
        if not self.quiet:
            self.say(text)

    def close(self) -> None:
        self._progress.stop()


class JsonDisplay(Display):
    """The same for a program that watches: a line of JSON on standard error for every update, at most one a
    second where only the share moves; {"say": text} for plain speech, {"mention": text} for what a log keeps.

    {"step": "2/4 train", "stage": "spectral", "share": 0.31, "line": "12:30 left, playable in about 9 min"}.
    Nobody there to read any more raises BrokenPipeError, which ends the command: its watcher is gone.
    """

    def __init__(self) -> None:
        self.quiet = False
        self.step = ""
        self._shown = ("", "")
        self._at_s = -1.0

    def update(self, share: float, stage: str, line: str = "") -> None:
        place, now_s = (self.step, stage), time.monotonic()
        if place == self._shown and share < 1.0 and now_s - self._at_s < 1.0:
            return
        self._shown, self._at_s = place, now_s
        step = self.step.strip().rstrip(":")
        self._tell({"step": step, "stage": stage, "share": round(share, 4), "line": line})

    def say(self, text: str) -> None:
        self._tell({"say": text})

    def mention(self, text: str) -> None:
        self._tell({"mention": text})

    def close(self) -> None:
        """There is nothing to close."""

    def _tell(self, what: dict[str, object]) -> None:
        sys.stderr.write(json.dumps(what) + "\n")
        sys.stderr.flush()
