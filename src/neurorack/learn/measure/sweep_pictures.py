"""One picture for each control's sweep: what is heard against the setting, what else moves, and one sound."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from neurorack.learn.measure.pictures import ASKED, HEARD, save, spectrogram
from neurorack.learn.measure.sweeps import Ranges, Sweep

AXES = {"loudness": "loudness, dB", "brightness": "brightness, octaves above 1 Hz"}


def draw_sweeps(
    sweeps: Mapping[str, Sequence[Sweep]], ranges: Ranges, sample_rate: int, folder: Path
) -> list[Path]:
    """Draw sweep_<control>.png for each control into `folder`; their paths."""
    paths = []
    for name, rows in sweeps.items():
        if rows:
            paths.append(folder / f"sweep_{name}.png")
            save(sweep_figure(name, rows, ranges, sample_rate), paths[-1])
    return paths


def sweep_figure(name: str, rows: Sequence[Sweep], ranges: Ranges, sample_rate: int) -> Figure:
    """Left: heard against setting, a line an anchor, the corpus's 5 to 95 % shaded. Middle: the others, in
    their IQR from where they began. Right: the spectrogram of one anchor."""
    figure = Figure(figsize=(12, 3.4), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    left.axhspan(*ranges.ends[name], color=ASKED, alpha=0.12)
    for row in rows:
        left.plot(row.setting, row.heard[name], color=HEARD, lw=0.9, alpha=0.8)
    left.set_xlabel("setting, normalised")
    left.set_ylabel(AXES.get(name, name))
    left.set_title(f"{name} of {len(rows)} held sounds; shaded: the corpus", fontsize=9, loc="left")
    for colour, other in zip(
        ("#2a9d8f", "#e9a03b", "#5e548e"), [n for n in rows[0].heard if n != name], strict=False
    ):
        drift = np.array([(r.heard[other] - r.heard[other][0]) / ranges.iqr[other] for r in rows])
        middle.plot(rows[0].setting, drift.T, color=colour, lw=0.6, alpha=0.5)
        middle.plot(rows[0].setting, np.median(drift, axis=0), color=colour, lw=1.6, label=other)
    middle.axhline(0, color=ASKED, lw=0.6)
    middle.set_xlabel("setting, normalised")
    middle.set_title("the others meanwhile, in IQR", fontsize=9, loc="left")
    middle.legend(fontsize=8)
    spectrogram(right, rows[len(rows) // 2].audio, sample_rate, f"{name} swept")
    right.set_xlabel("s")
    return figure
