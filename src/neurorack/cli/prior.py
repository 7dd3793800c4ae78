"""`neurorack prior`: an instrument learns to play by itself."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from neurorack.cli import options


@click.command(
    epilog="""
\b
Examples
  neurorack prior mine.nrk CORPUS                  learn for five minutes
  neurorack prior mine.nrk CORPUS --minutes 15     the same, better
  neurorack info mine.nrk                          what they scored
"""
)
@click.argument("instrument", type=click.Path(path_type=Path), metavar="NAME.nrk")
@click.argument("corpus", type=click.Path(path_type=Path))
@click.option(
    "--minutes", type=click.FloatRange(min=0.01), default=5.0, show_default=True, help="Time to train."
)
@options.steps
@click.option("--seed", default=0, show_default=True, help="Another seed, another character.")
@click.option(
    "--family",
    type=click.Choice(["mixture", "diagonal", "flow", "implicit"]),
    default="mixture",
    show_default=True,
    help="What says how a step may go on; docs/prior.md compares them.",
)
@click.option(
    "--scored-seconds",
    type=click.FloatRange(min=20),
    default=600.0,
    show_default=True,
    help="How long it plays by itself to be scored.",
)
@click.option(
    "--again",
    is_flag=True,
    help="Train nothing: what was learned gets the graphs of today and is scored again.",
)
@options.threads
@click.option("--json", "as_json", is_flag=True, help="Print the scores as JSON on standard output.")
def command(
    instrument: Path,
    corpus: Path,
    minutes: float,
    steps: int | None,
    seed: int,
    family: str,
    scored_seconds: float,
    again: bool,
    threads: int | None,
    as_json: bool,
) -> None:
    """Teach the instrument NAME.nrk to play by itself, as CORPUS is played.

    CORPUS is the one that the instrument was trained on (made by `neurorack prepare`). Two small models are
    learned from it: one for how it is played (loudness, brightness, pitch …, all together; a hand may hold
    any of them while the model plays the rest), one for what sounds. They are scored on recordings held out,
    beside predictions that need no model, and written into NAME.nrk, which is replaced whole or not at all;
    everything else in it stays as it is. Run it again to replace them.

    Corpora of single notes say how a note goes, not which one comes next: docs/prior.md says what is added,
    and what the scores mean.
    """
    import torch

    from neurorack.core.errors import NeurorackError
    from neurorack.core.library import bundled_dir, find
    from neurorack.learn.prior.make import Wish, make_priors

    path = find(instrument)
    if path.parent == bundled_dir():
        raise NeurorackError(
            f"{path.stem} came with the program; copy {path} elsewhere and give the copy, which then has "
            "priors of its own."
        )
    if threads:
        torch.set_num_threads(threads)
    wish = Wish(minutes, steps, seed, family, scored_seconds, again=again)  # type: ignore[arg-type]
    with progress() as update:
        manifest = make_priors(path, corpus, wish, update)
    assert manifest.prior is not None
    if as_json:
        click.echo(json.dumps(manifest.prior.scores, indent=1, allow_nan=False))
    else:
        show(manifest.title, manifest.prior.scores)
        click.echo(f"{path} plays by itself now.")


class progress:
    """A bar on standard error that names its stage."""

    def __enter__(self) -> Any:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self._bar = Progress(
            TextColumn("{task.description:<18}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeElapsedColumn(),
            TextColumn("{task.fields[words]}"),
            console=Console(file=sys.stderr),
        )
        self._bar.start()
        self._tasks: dict[str, Any] = {}
        return self._update

    def _update(self, stage: str, share: float, words: str) -> None:
        if stage not in self._tasks:
            self._tasks[stage] = self._bar.add_task(stage, total=1.0, words="")
        self._bar.update(self._tasks[stage], completed=share, words=words)

    def __exit__(self, *_: object) -> None:
        self._bar.stop()


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3g}"


ROWS = {"prior": "this instrument", "hold_last": "hold last", "walk": "matched walk", "shuffled": "shuffled"}


def show(title: str, scores: dict[str, Any]) -> None:
    """The scores as tables on standard output."""
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, emoji=False, highlight=False)
    console.print(f"{title}: {scores['recordings']} recordings of the {scores['split']} split")
    table = Table(box=None)
    table.add_column("what comes next")
    for label in ROWS.values():
        table.add_column(label, justify="right")
    for which, found in scores["foresight"].items():
        nats = found["nats"]
        table.add_row(f"{which}: nats a number", *(_number(nats.get(key)) for key in ROWS))
        for steps, row in found["energy"].items():
            table.add_row(f"  energy score, {steps} steps on", *(_number(row.get(key)) for key in ROWS))
    console.print(table)

    prior, trained = scores["likeness"]["prior"], scores["likeness"]["trained"]
    table = Table(box=None)
    for label in ("playing by itself", "this instrument", "training phrases"):
        table.add_column(label, justify="right" if table.columns else "left")
    for name in prior["distribution"]:
        pair = (row["distribution"][name]["wasserstein"] for row in (prior, trained))
        table.add_row(f"distribution of {name} off by", *map(_number, pair))
    for key, label in (
        ("auto_1", "autocorrelation off by, 1 step"), ("auto_8", "  8 steps"), ("auto_43", "  43 steps"),
        ("cross", "correlation of two controls off by"),
    ):  # fmt: skip
        table.add_row(label, _number(prior["motion"][key]), _number(trained["motion"][key]))
    for key, label in (
        ("vendi", "different seconds of 128 (Vendi)"), ("repeats", "nearest other second"),
        ("nearest", "note beginnings: distance to the corpus"), ("copied", "  copied"),
        ("strange", "  strange"), ("sounding", "share that sounds"),
        ("onsets_per_second", "onsets a second"),
    ):  # fmt: skip
        table.add_row(label, _number(prior.get(key)), _number(trained.get(key)))
    console.print(table)

    facts = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    drift, hand, clock = scores["drift"], scores["hand"], scores["clock"]
    facts.add_row(
        f"drift in {scores['seconds']:.0f} s",
        f"{_number(drift['last_from_first'])} (by chance {_number(drift['chance'])})",
    )
    facts.add_row(
        "a held control",
        f"kept to {_number(hand['kept'])}; the others answer as in the corpus: "
        f"r = {_number(hand['answer'])}, slope {_number(hand['slope'])}",
    )
    if clock:
        facts.add_row(
            "strokes on the beat's quarters",
            f"{_number(clock['clocked'])} with the clock, {_number(clock['free'])} without (1: all)",
        )
    cost = scores["cost"]["real_time"]
    facts.add_row(
        "share of a core", f"{_number(cost['median'])} (by the 99.9th percentile {_number(cost['p999'])})"
    )
    console.print(facts)
