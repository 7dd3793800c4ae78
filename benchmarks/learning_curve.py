"""How good an instrument gets in how many minutes, and whether the forecasts on the way were right.

    python benchmarks/learning_curve.py RUN… -o FOLDER [--machine TEXT]

RUN is a folder that `neurorack train` or `neurorack new` (its run/) has written; it may still be training.
Reads metrics.jsonl and run.json; trains and measures nothing. Writes learning-curve.md, .json and .png:

  distance   multi-scale STFT of the averaged weights on held-out crops; smaller is better
  control    rank correlation of asked and measured with all descriptors swapped, by the instrument's own ears
  pace       samples of audio trained on in a second, as the run says
  forecast   the range of minutes in which the run was said to become playable, at every evaluation, beside
             the minute in which it was: the first at which the curve, straight between evaluations, is within
             20 % of its end and below 1.4. That is known once training has ended, and only for a spectral
             stage that has.

Minutes are minutes of training: evaluations and checkpoints are left out. Runs from before forecasts were
kept have them worked out again from what was known at each moment, by the forecast of today, and marked so.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from learning_runs import Look, Run, read
from matplotlib.figure import Figure

from neurorack.core.errors import NeurorackError
from neurorack.core.timebase import HOP
from neurorack.learn.measure.pictures import save
from neurorack.learn.train.forecast import PLAYABLE_DISTANCE

SMOOTH = 9
"""Logged batches whose median is drawn, faintly: of training, with splices, through unaveraged weights."""


def document(run: Run) -> dict[str, Any]:
    """Everything of a run as JSON."""
    config, playable = run.config, run.playable
    judged = [verdict for look in run.looks if (verdict := run.right(look)) is not None]
    return {
        "run": run.name,
        "corpus": Path(config.corpus).name,
        "from": Path(config.origin).stem if config.origin else "scratch",
        "size": config.size,
        "arm": config.arm,
        "batch": config.batch,
        "done": run.done,
        "minutes": run.looks[-1].minutes,
        "steps": run.looks[-1].step,
        "samples_per_s": run.samples_per_s,
        "times_real_time": run.samples_per_s / config.model.sample_rate,
        "steps_per_s": run.samples_per_s / (config.batch * config.crop_frames * HOP),
        "playable_minutes": None if playable is None else run.minutes_at(playable),
        "forecasts": len(judged),
        "forecasts_right": sum(judged),
        "looks": [
            {
                "step": look.step, "minutes": look.minutes, "stage": look.stage,
                "distance": look.distance, "control": look.control,
                "said": look.said, "replayed": look.replayed, "right": run.right(look),
                **(look.found.shares() if look.found else {}),
            }
            for look in run.looks
        ],
    }  # fmt: skip


def markdown(runs: Sequence[Run], machine: str) -> str:
    """The tables: one row a run, then every run's evaluations."""
    lines = [
        "| run | begun from | steps | minutes | samples/s | × real time | distance after ¼ | ½ | end "
        "| control at the end | playable from minute | forecasts right |",
        "|" + "---|" * 12,
    ]
    for run in runs:
        about, last = document(run), run.looks[-1]
        quarters = [_at(run, share) for share in (0.25, 0.5)]
        cells = [
            run.name if run.done else f"{run.name} (goes on)",
            about["from"],
            f"{last.step}",
            f"{last.minutes:.1f}",
            f"{run.samples_per_s:,.0f}".replace(",", " "),
            f"{about['times_real_time']:.1f}",
            *(_number(value) for value in (*quarters, last.distance, last.control)),
            _playable(run),
            f"{about['forecasts_right']} of {about['forecasts']}" if about["forecasts"] else "–",
        ]
        lines.append("| " + " | ".join(cells) + " |")
    lines += ["", f"Machine: {machine or 'not named'}.", ""]
    for run in runs:
        lines += [
            f"### {run.name}",
            "",
            "| minute | step | stage | distance | control | said | in minutes | right |",
            "|" + "---|" * 8,
        ]
        lines += [_row(run, look) for look in run.looks]
        if any(look.replayed for look in run.looks):
            lines += ["", "This run kept no forecasts: these are today's, from what was known at the time."]
        lines.append("")
    return "\n".join(lines)


def _at(run: Run, share: float) -> float | None:
    """The distance at a share of the budget, straight between evaluations; None beyond what there is."""
    shares = [look.share for look in run.looks]
    if not shares[0] <= share <= shares[-1]:
        return None
    return float(np.interp(share, shares, [look.distance for look in run.looks]))


def _number(value: float | None) -> str:
    return "–" if value is None or not np.isfinite(value) else f"{value:.2f}"


def _playable(run: Run) -> str:
    share = run.playable
    if share is None:
        return "never" if run.done and len(run.spectral) > 1 else "–"
    if share == 0:
        return f"{run.spectral[0].minutes:.1f} or before"
    return f"{run.minutes_at(share):.1f}"


def _row(run: Run, look: Look) -> str:
    span = "–"
    if found := look.found:
        low = "never" if found.earliest is None else f"{run.minutes_at(found.earliest):.1f}"
        high = "…" if found.latest is None else f"{run.minutes_at(found.latest):.1f}"
        span = low if found.earliest is None else f"{low} to {high}"
    verdict = {True: "yes", False: "no", None: "–"}[run.right(look)]
    cells = (
        f"{look.minutes:.1f}", f"{look.step}", look.stage, f"{look.distance:.3f}", _number(look.control),
        look.said or "–", span, verdict,
    )  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def draw(runs: Sequence[Run]) -> Figure:
    """Distance and control against minutes, and below each run's forecasts beside the truth."""
    shown = [run for run in runs if any(look.found for look in run.looks)]
    rows = 1 + (len(shown) + 1) // 2
    figure = Figure(figsize=(11, 3.6 * rows), layout="constrained")
    grid = figure.add_gridspec(rows, 2)
    for column, (title, field) in enumerate((("distance", "distance"), ("control, all moved", "control"))):
        axis = figure.add_subplot(grid[0, column])
        for run in runs:
            minutes = [look.minutes for look in run.looks]
            (line,) = axis.plot(minutes, [getattr(look, field) for look in run.looks], ".-", label=run.name)
            if field == "distance" and len(run.steps) > SMOOTH:
                axis.plot(*_smooth(run), color=line.get_color(), alpha=0.35)
        axis.set(title=title, xlabel="minutes of training")
        axis.grid(alpha=0.3)
        if field == "distance":
            axis.axhline(PLAYABLE_DISTANCE, color="grey", linestyle=":")
            axis.legend(fontsize="small")
    for index, run in enumerate(shown):
        _forecasts(figure.add_subplot(grid[1 + index // 2, index % 2]), run)
    return figure


def _smooth(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Minutes and running median of the distances of single batches."""
    minutes, distances = np.array(run.steps).T
    windows = np.lib.stride_tricks.sliding_window_view(distances, SMOOTH)
    return minutes[SMOOTH // 2 :][: len(windows)], np.median(windows, axis=1)


def _forecasts(axis: Any, run: Run) -> None:
    for look in run.looks:
        if not look.found or look.found.earliest is None:
            continue
        low = run.minutes_at(look.found.earliest)
        high = run.minutes_at(1.0 if look.found.latest is None else look.found.latest)
        colour = "#d1495b" if run.right(look) is False else "#444444"
        axis.plot([look.minutes] * 2, [low, high], "-", color=colour, marker="_", linewidth=2)
    if run.playable is not None:
        label = "playable" if run.playable else "playable from here or before"
        first = max(run.playable, run.spectral[0].share)
        axis.axhline(run.minutes_at(first), color="#2a9d8f", label=label)
        axis.legend(fontsize="small")
    axis.set(title=f"{run.name}: forecast range", xlabel="said in minute", ylabel="playable in minute")
    axis.grid(alpha=0.3)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("runs", type=Path, nargs="+", metavar="RUN")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--machine", default="", help="the machine, in words")
    options = parser.parse_args()
    try:
        runs = [read(folder) for folder in options.runs]
    except NeurorackError as error:
        raise SystemExit(f"Error: {error}") from error
    options.output.mkdir(parents=True, exist_ok=True)
    text = markdown(runs, options.machine)
    (options.output / "learning-curve.md").write_text(text, encoding="utf-8")
    found = json.dumps([document(run) for run in runs], indent=1)
    (options.output / "learning-curve.json").write_text(found, encoding="utf-8")
    save(draw(runs), options.output / "learning-curve.png")
    print(text)


if __name__ == "__main__":
    main()
