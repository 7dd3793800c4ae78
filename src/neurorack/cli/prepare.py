"""`neurorack prepare`: a folder of recordings becomes a corpus to train on."""

import json
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import click

DEFAULT_DESCRIPTORS = "loudness,brightness,boominess,noisiness,pitch"

GROUPS = """\b
Groups. Recordings of one take or gesture must stay in one split, or scores flatter.
By default each file is a group, but the words cnd cond dyn dnm rbn ribbon close far
room oh overhead micN (microphones) and rrN (round robins) in names are ignored:
a2_f_rr1_cnd.wav and a2_f_rr2_dnm.wav are one group. --group '(take\\d+)' makes a
group of all files with the same take number; the first pattern found in a path counts,
and paths without any follow the default. With fewer than three groups, recordings of
30 s or more are cut in time: the beginning trains, the end is held out.
"""


def _shares(_context: click.Context, _option: click.Parameter, value: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in value.split(","))
    except ValueError:
        raise click.BadParameter("give three shares that sum to 1, like 0.8,0.1,0.1") from None


@click.command(
    epilog=GROUPS
    + """
\b
Examples
  neurorack prepare recordings -o corpus
  neurorack prepare drums -o corpus --descriptors loudness,brightness,boominess,noisiness
  neurorack prepare takes -o corpus --group '(take\\d+)' --train-only loops/
  neurorack prepare nsynth -o corpus --layout nsynth --rate 16000
"""
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    "corpus",
    required=True,
    type=click.Path(path_type=Path),
    metavar="CORPUS",
    help="Folder to make, or to bring up to date.",
)
@click.option(
    "--descriptors",
    default=DEFAULT_DESCRIPTORS,
    show_default=True,
    metavar="NAMES",
    help="What the instrument shall be played with, separated by commas.",
)
@click.option(
    "--descriptor-file",
    "descriptor_files",
    multiple=True,
    metavar="FILE.py:CLASS",
    help="A descriptor of your own. Repeatable.",
)
@click.option("--rate", default=44_100, show_default=True, metavar="HZ", help="Sample rate to work at.")
@click.option(
    "--group",
    multiple=True,
    metavar="REGEX",
    help="Files whose (captured) parts are equal form a group. Repeatable.",
)
@click.option(
    "--layout",
    type=click.Choice(["nsynth", "sc09"]),
    default=None,
    help="FOLDER is this data set as it unpacks: groups are instruments (nsynth) or speakers (sc09), other "
    "files are left out. Both want --rate 16000.",
)
@click.option(
    "--split",
    "shares",
    default="0.8,0.1,0.1",
    show_default=True,
    callback=_shares,
    help="Shares of training, validation and test, taken in every folder of 10 groups or more.",
)
@click.option("--seed", default=0, show_default=True, help="Another seed, another split.")
@click.option(
    "--train-only",
    multiple=True,
    metavar="REGEX",
    help="Files that only ever train, like loops made from other files. Repeatable.",
)
@click.option("--exclude", multiple=True, metavar="REGEX", help="Files to leave out. Repeatable.")
@click.option("--keep-clipped", is_flag=True, help="Use clipped recordings too.")
@click.option("--workers", default=0, metavar="N", help="Processes; by default one a core.")
@click.option("--json", "as_json", is_flag=True, help="Print a summary as JSON on standard output.")
def command(
    folder: Path,
    corpus: Path,
    descriptors: str,
    descriptor_files: tuple[str, ...],
    rate: int,
    group: tuple[str, ...],
    layout: str | None,
    shares: tuple[float, ...],
    seed: int,
    train_only: tuple[str, ...],
    exclude: tuple[str, ...],
    keep_clipped: bool,
    workers: int,
    as_json: bool,
) -> None:
    """Make a corpus of every recording in FOLDER, subfolders included.

    Any format, rate and number of channels that libsndfile reads: mixed down, resampled, its descriptors
    measured, shared out over training, validation and test. What cannot be used is named, with the reason.
    Run the same command again to continue after a stop or to take up changed files; nothing is done twice.
    CORPUS/overview.html shows what came out.
    """
    from neurorack.learn.corpus.overview import summary
    from neurorack.learn.corpus.prepare import Options, prepare

    options = Options(
        descriptors=tuple(name.strip() for name in descriptors.split(",") if name.strip()),
        descriptor_files=descriptor_files,
        sample_rate=rate,
        group=group,
        layout=layout or "",
        shares=shares,
        seed=seed,
        train_only=train_only,
        exclude=exclude,
        keep_clipped=keep_clipped,
        workers=workers,
    )
    with _Bar() as bar:
        result = prepare(folder, corpus, options, bar.update)
    facts = summary(result)
    if as_json:
        json.dump(facts, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
    else:
        _report(facts)


class _Bar:
    """A progress bar on standard error, shown once there is work."""

    def __enter__(self) -> "_Bar":
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._progress = Progress(
            TextColumn("measuring"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._task: Any = None
        return self

    def update(self, done: int, total: int) -> None:
        if self._task is None:
            self._progress.start()
            self._task = self._progress.add_task("measuring", total=total)
        self._progress.update(self._task, completed=done)

    def __exit__(self, *_: object) -> None:
        self._progress.stop()


def _report(facts: dict[str, Any]) -> None:
    """The summary for a person."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    console = Console()
    table = Table(box=None)
    table.add_column("split")
    for name in ("recordings", "groups", "minutes"):
        table.add_column(name, justify="right")
    for name, split in facts["splits"].items():
        table.add_row(name, str(split["files"]), str(split["groups"]), f"{split['minutes']:.1f}")
    console.print(table)
    skipped = facts["skipped"]
    if skipped:
        console.print(f"{len(skipped)} left out:")
        for entry in skipped[:20]:
            line = f"  {escape(entry['path'])}: {escape(entry['why'])}"
            console.print(line, soft_wrap=True, highlight=False)
        if len(skipped) > 20:
            reasons = Counter(entry["why"].split(" (")[0] for entry in skipped[20:])
            rest = ", ".join(f"{count} because {why}" for why, count in reasons.most_common(4))
            more = len(skipped) - 20
            console.print(f"  and {more} more (all in the overview): {escape(rest)}", soft_wrap=True)
    for name in ("validation", "test"):
        if not facts["splits"][name]["files"]:
            console.print(
                f"[yellow]No recordings for {name}[/]: with fewer than three groups and none of 30 s or more "
                "all train. Add recordings to have some to score on."
            )
    console.print(f"Look at {escape(facts['overview'])}", soft_wrap=True)
    console.print(f"Next: neurorack train {escape(facts['corpus'])} -o RUN", soft_wrap=True)
