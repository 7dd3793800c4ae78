"""`neurorack measure`: score an instrument on recordings it never heard, beside rows that need no model."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from neurorack.cli import options

NULLS = {"copy": "copy of the source", "gain": "bare gain", "mismatch": "wrong request"}

MODES = {
    "one": "one moved",
    "sustained": "  on sustained frames",
    "fast": "  what moves within 0.5 s",
    "second": "  by a second ear",
    "all": "all moved, feasible",
    "raw": "all moved, raw",
}
IN_FULL = ("one", "all", "raw")


@click.command("measure")
@click.argument("instrument")
@click.argument("corpus", type=click.Path(path_type=Path))
@options.scored_split
@click.option(
    "--limit",
    type=click.IntRange(min=2),
    default=32,
    show_default=True,
    metavar="N",
    help="Excerpts (of up to 4 s) to score.",
)
@options.score_seed
@click.option("--write", is_flag=True, help="Store the scores in the instrument, where `info` shows them.")
@click.option(
    "--pictures",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Draw reconstructions, a knob's sweep, and asked against heard, as PNG files.",
)
@click.option(
    "--sweeps",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Sweep every control of held sounds over its whole travel: figures, and a PNG file for each.",
)
@click.option("--probe", is_flag=True, help="Train a small network to read each control from z: leakage.")
@click.option("--json", "as_json", is_flag=True, help="Print every figure as JSON on standard output.")
def command(
    instrument: str,
    corpus: Path,
    split: str,
    limit: int,
    seed: int,
    write: bool,
    pictures: Path | None,
    sweeps: Path | None,
    probe: bool,
    as_json: bool,
) -> None:
    """Score INSTRUMENT (a name or a .nrk file) on the CORPUS that `neurorack prepare` made.

    It is asked for loudness, brightness, boominess and noisiness that its sources do not have, one at a time
    and all together; implementations of these measures that share nothing with the instrument's own listen to
    what it answers. Answers that need no model (the source copied, the source with only its gain moved) and
    its own answers judged by the wrong request are scored in the same way: a figure means something only
    beside theirs. docs/scoring.md explains each one.

    \b
    Examples:
      neurorack measure mine.nrk CORPUS
      neurorack measure Winds CORPUS --json --write --pictures pictures
      neurorack measure Winds CORPUS --probe --sweeps pictures
    """
    from neurorack.core.library import find
    from neurorack.core.nrk import read_nrk
    from neurorack.learn.corpus.corpus import Corpus
    from neurorack.learn.measure.score import (
        probe_instrument,
        score_instrument,
        sweep_into,
        write_scores,
    )

    path = find(instrument)
    archive, recordings = read_nrk(path), Corpus.open(corpus)
    with progress_bar() as update:
        scores = score_instrument(archive, recordings, split, limit, seed, update)
    if probe:
        scores["probe"] = probe_instrument(archive, recordings, seed)
    if sweeps is not None:
        scores["sweeps"], drawn = sweep_into(archive, recordings, sweeps, split, limit, seed)
        click.echo(f"Drew {', '.join(p.name for p in drawn)} in {sweeps}", err=True)
    if write:
        write_scores(path, archive, scores)
    if as_json:
        click.echo(json.dumps(scores, indent=1, allow_nan=False))
    else:
        _show(archive.manifest.title, scores)
    if pictures is not None:
        from neurorack.learn.measure.pictures import draw_all

        drawn = draw_all(archive, recordings, pictures, split, seed)
        click.echo(f"Drew {', '.join(p.name for p in drawn)} in {pictures}", err=True)


class progress_bar:
    """A progress bar on standard error."""

    def __enter__(self) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar = Progress(
            TextColumn("scoring"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
        )
        self._task: Any = None
        return self._update

    def _update(self, done: int, total: int) -> None:
        if self._task is None:
            self._bar.start()
            self._task = self._bar.add_task("scoring", total=total)
        self._bar.update(self._task, completed=done)

    def __exit__(self, *_: object) -> None:
        if self._task is not None:
            self._bar.stop()


def _number(value: float | None, unit: str = "") -> str:
    return "–" if value is None else f"{value:.3g}{unit}"


def _show(title: str, scores: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, emoji=False, highlight=False)
    console.print(
        f"{title} on {scores['excerpts']} excerpts ({scores['seconds']:.0f} s, {scores['files']} files) "
        f"of the {scores['split']} split of {scores['corpus']}, seed {scores['seed']}"
    )
    table = Table(box=None)
    table.add_column("rank correlation of asked and heard")
    table.add_column("this instrument", justify="right")
    for label in NULLS.values():
        table.add_column(label, justify="right")
    control, null = scores["control"], scores["null"]
    for mode, label in MODES.items():
        rows = [control[mode], *(null[name].get(mode) for name in NULLS)]
        names = [n for n, v in rows[0].items() if isinstance(v, dict)]
        table.add_row(
            label,
            *("" if r is None else f"{_number(r['mean'])} (worst {_number(r['worst'])})" for r in rows),
        )
        for name in names if mode in IN_FULL else ():
            table.add_row(f"  {name}", *("" if r is None else _number(r[name]["rank"]) for r in rows))
    console.print(table)
    figures = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    loudness, feasible = scores["loudness"], scores["feasible"]
    figures.add_row(
        "loudness error", f"{_number(loudness['median_db'])} dB median, {_number(loudness['p90_db'])} p90"
    )
    alone = _number(null["gain"]["leakage"]["mean"])
    figures.add_row(
        "leakage", f"{_number(scores['leakage']['mean'])} IQR per IQR moved (bare gain, by loudness: {alone})"
    )
    figures.add_row(
        "feasible requests",
        f"{_number(feasible['share'])} of all moved, {_number(feasible['one_share'])} of one moved",
    )
    reconstruction = scores["reconstruction"]
    figures.add_row(
        "reconstruction",
        f"{_number(reconstruction['mstft'])} multi-scale STFT, {_number(reconstruction['mel'])} dB mel "
        f"(noise in its mel bands: {_number(null['bands']['mstft'])}, {_number(null['bands']['mel'])} dB)",
    )
    figures.add_row(
        "… where it is worst",
        f"{_number(reconstruction['mel_worst_tenth'])} dB mel in the worst tenth, attacks "
        f"{_number(reconstruction['transient'])}, harmonic to noise {_number(reconstruction['hnr_db'])} dB "
        f"off, digital silence answered at {_number(reconstruction['nothing_db'])} dB",
    )
    if varied := scores.get("diversity"):
        figures.add_row(
            "played at random",
            f"{_number(varied['vendi'])} different sounds of {varied['sounds']} (the corpus "
            f"{_number(varied['corpus']['vendi'])}), coverage {_number(varied['coverage'])} "
            f"({_number(varied['corpus']['coverage'])}), volume {_number(varied['volume'])} "
            f"({_number(varied['corpus']['volume'])})",
        )
        if rare := varied["rare"]:
            figures.add_row(
                "rare recordings",
                f"{_number(rare['recall'])} known when rebuilt, typical ones {_number(rare['typical'])}, "
                f"by chance {_number(rare['chance'])}",
            )
    if real := scores.get("real"):
        figures.add_row(
            "distance to the corpus",
            f"edited {_number(real['ratio'])} of reconstructions' where feasible "
            f"({_number(real['ratio_raw'])} everywhere), reconstructions "
            f"{_number(real['reconstruction_ratio'])} of recordings' (noise {_number(real['noise_ratio'])})",
        )
    if probe := scores.get("probe"):
        figures.add_row(
            "read from z",
            f"R² {_number(probe['mean_r2'])} (by chance {_number(probe['mean_shuffled'])}), inside "
            f"recordings {_number(probe['mean_within_r2'])} ({_number(probe['mean_within_shuffled'])})",
        )
    if scores.get("pitch"):
        figures.add_row("pitch error", f"{_number(scores['pitch']['median_cents'])} cents median")
    for name, row in scores["travel"].items():
        figures.add_row(
            f"travel of {name}",
            f"{_number(row['span'])} of the corpus's range, monotone {_number(row['monotone'])}",
        )
    for name, row in scores.get("sweeps", {}).items():
        figures.add_row(
            f"sweep of {name}",
            f"{_number(row['span'])} of the range, monotone {_number(row['monotone'])}, largest jump "
            f"{_number(row['jump'])}, others {_number(row['leak_mean'])} IQR, click {_number(row['click'])}",
        )
    held = scores["held"]
    if "flux" in held:
        figures.add_row(
            "held for 10 s",
            f"flux {_number(held['flux'])}, steady to {_number(held['steadiness_db'])} dB, "
            f"frame-rate lines {_number(held['comb_db'])} dB",
        )
    console.print(figures)
