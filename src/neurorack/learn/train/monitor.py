"""Where training is shown: a console line with a forecast, metrics.jsonl, and TensorBoard."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from neurorack.learn.train.evaluate import Evaluation


def _clock(seconds: float) -> str:
    if not np.isfinite(seconds):
        return "…"
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


class Monitor:
    """Shows and keeps numbers. Only rank 0 has one."""

    def __init__(self, run: Path, sample_rate: int, quiet: bool = False) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self.run = run
        self.sample_rate = sample_rate
        self.board = SummaryWriter(str(run / "tensorboard"))
        self.progress = Progress(
            TextColumn("{task.fields[stage]}"),
            BarColumn(),
            TextColumn("{task.percentage:5.1f} %"),
            TextColumn("{task.fields[line]}"),
            console=Console(stderr=True),
            disable=quiet,
            refresh_per_second=2,
        )
        self.task = self.progress.add_task("train", total=1.0, stage="starting", line="")
        self.progress.start()

    def line(self, progress: float, stage: str, remaining_s: float, numbers: dict[str, float]) -> None:
        """Refresh the console line."""
        text = "  ".join(f"{k} {v:.3g}" for k, v in numbers.items())
        self.progress.update(
            self.task,
            completed=progress,
            stage=stage,
            line=f"{text}  playable in about {_clock(remaining_s)}",
        )

    def log(self, step: int, numbers: dict[str, Any]) -> None:
        """Append to metrics.jsonl and TensorBoard."""
        with open(self.run / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps({"step": step, **numbers}) + "\n")
        for key, value in numbers.items():
            if isinstance(value, int | float):
                self.board.add_scalar(key, value, step)

    def show(self, step: int, evaluation: Evaluation) -> None:
        """Audio, spectrograms and asked-against-measured curves to TensorBoard; numbers to the console."""
        import matplotlib

        matplotlib.use("Agg")
        from matplotlib import pyplot as plt

        numbers = "  ".join(f"{k} {v:.3f}" for k, v in evaluation.numbers.items())
        self.progress.console.print(f"step {step}: {numbers}", highlight=False)
        for name, audio in (("heard", evaluation.heard), ("wanted", evaluation.wanted)):
            self.board.add_audio(name, np.clip(audio, -1, 1), step, self.sample_rate)
        rows = max(1, len(evaluation.names))
        figure, axes = plt.subplots(rows + 2, 1, figsize=(8, 2 * (rows + 2)), constrained_layout=True)
        for axis, name, audio in (
            (axes[0], "wanted", evaluation.wanted),
            (axes[1], "heard", evaluation.heard),
        ):
            axis.specgram(audio + 1e-9, NFFT=1024, noverlap=768, Fs=self.sample_rate, vmin=-140, vmax=-30)
            axis.set_title(name)
        for k, name in enumerate(evaluation.names):
            axes[2 + k].plot(evaluation.asked[k], label="asked")
            axes[2 + k].plot(evaluation.measured[k], label="measured")
            axes[2 + k].set_title(name)
            axes[2 + k].legend()
        self.board.add_figure("look", figure, step)
        plt.close(figure)

    def say(self, text: str) -> None:
        """One line of plain speech above the bar."""
        self.progress.console.print(text, highlight=False)

    def close(self) -> None:
        self.progress.stop()
        self.board.close()
