"""Where training is shown: a console line with its stage and forecast, metrics.jsonl, and TensorBoard."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.files import DISK_FULL
from neurorack.learn.train.display import Display
from neurorack.learn.train.evaluate import Evaluation
from neurorack.learn.train.forecast import LEAST_LOOKS, Forecast, forecast, in_words, words_before
from neurorack.learn.train.schedule import WARM_UP_STEPS, Clock, Stage

METRICS = "metrics.jsonl"

KnownIn = Callable[[int], float | None]
"""Evaluations still wanted -> seconds from now until they have been made; None: not in this training."""

ROOM_BYTES = 32_000_000
"""Free space below which TensorBoard's files stop growing: what is left is for checkpoints."""


def clock_words(seconds: float) -> str:
    """Seconds as h:mm:ss or m:ss; … where nobody knows."""
    if not np.isfinite(seconds):
        return "…"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


class Monitor:
    """Shows and keeps numbers. Only rank 0 has one.

    A full disk costs the numbers that did not fit, never the training.
    """

    def __init__(
        self, run: Path, sample_rate: int, quiet: bool = False, display: Display | None = None
    ) -> None:
        """`display`: where to show, if another than its own; it stays open."""
        self.run = run
        self.sample_rate = sample_rate
        self._board: Any = None
        self.display = display or Display(quiet)
        self._own = display is None
        self._stage = ""
        self._told_of_disk = False
        self.looks: list[tuple[float, float]] = []
        """(share of the budget, validation distance) of every evaluation after the warm-up."""

    def remember(self) -> None:
        """Take up the evaluations of a run that is continued."""
        if not (self.run / METRICS).exists():
            return
        for text in (self.run / METRICS).read_text("utf-8").splitlines():
            line = json.loads(text)  # `start` has dropped any line a kill cut short
            if "validation/stft" in line and "progress" in line and line["step"] >= WARM_UP_STEPS:
                self.looks.append((line["progress"], line["validation/stft"]))

    def found(self, end: float) -> Forecast | None:
        """What the evaluations so far foretell. `end`: the share at which the spectral stages end."""
        return forecast([x for x, _ in self.looks], [d for _, d in self.looks], end)

    def outlook(self, clock: Clock, found: Forecast | None, known_in_s: KnownIn) -> str:
        """When the run is playable, in words."""
        if found is not None:
            return in_words(found, clock.until_s)
        distance = self.looks[-1][1] if self.looks else None
        return words_before(distance, known_in_s(max(1, LEAST_LOOKS - len(self.looks))))

    def enter(self, progress: float, stage: Stage) -> None:
        """Say which stage begins, and why, if it is another than before."""
        if stage.name != self._stage:
            self._stage = stage.name
            self.display.mention(f"{stage.name}: {stage.why}")
            self.display.update(progress, stage.name)

    def line(self, clock: Clock, end: float, known_in_s: KnownIn, numbers: dict[str, float]) -> None:
        """Refresh the console line."""
        text = "  ".join(f"{k} {v:.3g}" for k, v in numbers.items())
        left = clock_words(clock.remaining_s)
        outlook = self.outlook(clock, self.found(end), known_in_s)
        self.display.update(clock.progress, self._stage, f"{left} left, {outlook}  {text}")

    def log(self, step: int, numbers: dict[str, Any]) -> None:
        """Append to metrics.jsonl and TensorBoard."""
        with self._as_far_as_the_disk_goes():
            with open(self.run / METRICS, "a", encoding="utf-8") as file:
                file.write(json.dumps({"step": step, **numbers}) + "\n")
            if board := self._tensorboard():
                for key, value in numbers.items():
                    if isinstance(value, int | float):
                        board.add_scalar(key, value, step)

    def show(self, clock: Clock, evaluation: Evaluation, end: float, known_in_s: KnownIn) -> None:
        """Numbers and forecast to the console, and to metrics.jsonl; sound, spectrograms and asked against
        measured curves to TensorBoard. `end`: as for `found`.
        """
        kept = {f"validation/{k}": v for k, v in evaluation.numbers.items()}
        if clock.step >= WARM_UP_STEPS:
            self.looks.append((clock.progress, evaluation.numbers["stft"]))
        found = self.found(end)
        said = self.outlook(clock, found, known_in_s) if clock.progress < 1 else ""
        foretold = {f"forecast/{k}": v for k, v in found.shares().items()} if found else {}
        place = {"progress": clock.progress, "elapsed_s": clock.elapsed_s, "stage": self._stage}
        self.log(clock.step, {**kept, **place, **foretold, "said": said})
        numbers = "  ".join(f"{k} {v:.3f}" for k, v in evaluation.numbers.items())
        if said:
            numbers += f"  ({said})"
        self.display.mention(f"step {clock.step}: {numbers}")
        with self._as_far_as_the_disk_goes():
            if board := self._tensorboard():
                self._draw(board, clock.step, evaluation)

    def _tensorboard(self) -> Any:
        """TensorBoard's writer; None while the disk is nearly full."""
        if shutil.disk_usage(self.run).free < ROOM_BYTES:
            return None
        if self._board is None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(self.run / "tensorboard"))
        return self._board

    def _draw(self, board: Any, step: int, evaluation: Evaluation) -> None:
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot as plt

        for name, audio in (("heard", evaluation.heard), ("wanted", evaluation.wanted)):
            board.add_audio(name, np.clip(audio, -1, 1), step, self.sample_rate)
        rows = max(1, len(evaluation.names))
        figure, axes = plt.subplots(rows + 2, 1, figsize=(8, 2 * (rows + 2)), constrained_layout=True)
        for axis, name, audio in (
            (axes[0], "wanted", evaluation.wanted),
            (axes[1], "heard", evaluation.heard),
        ):
            # Silence has no logarithm: a hiss of -140 dB stands below it.
            hiss = 1e-7 * np.random.default_rng(0).standard_normal(len(audio))
            axis.specgram(audio + hiss, NFFT=1024, noverlap=768, Fs=self.sample_rate, vmin=-140, vmax=-30)
            axis.set_title(name)
        for k, name in enumerate(evaluation.names):
            axes[2 + k].plot(evaluation.asked[k], label="asked")
            axes[2 + k].plot(evaluation.measured[k], label="measured")
            axes[2 + k].set_title(name)
            axes[2 + k].legend()
        board.add_figure("look", figure, step)
        plt.close(figure)

    @contextmanager
    def _as_far_as_the_disk_goes(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            if error.errno not in DISK_FULL:
                raise
            if not self._told_of_disk:
                self._told_of_disk = True
                self.say("The disk is full: figures of this training are lost until there is room.")

    def say(self, text: str) -> None:
        """One line of plain speech above the bar."""
        self.display.say(text)

    def close(self) -> None:
        """Put everything on disk, as far as it goes."""
        if self._own:
            self.display.close()
        if self._board is not None:
            with self._as_far_as_the_disk_goes():
                self._board.close()
