"""`neurorack new`: a folder of recordings becomes an instrument, in one command."""

import json
from pathlib import Path

import click

from neurorack.cli import options


@click.command(
    "new",
    epilog="""
\b
What to expect
  two seconds       one gesture, at other pitches and levels
  five minutes      a small instrument that obeys within what was recorded
  fifty minutes     what Winds was made of
  ten hours         takes 3.5 GB of memory, 7.5 while it is read

\b
Examples
  neurorack new recordings -o mine.nrk
  neurorack new voice -o voice.nrk --minutes 60 --title "My voice" --licence CC-BY-4.0
  neurorack new drums -o drums.nrk --descriptors loudness,brightness,boominess,noisiness
  neurorack new more -o mine2.nrk --from mine.nrk --minutes 10
  neurorack play mine.nrk
""",
)
@click.argument("folder", type=click.Path(path_type=Path))
@options.instrument_output
@click.option("--minutes", type=click.FloatRange(min=0.01), help="Time to train. Default 30.")
@options.steps
@click.option(
    "--from",
    "origin",
    default="nearest",
    show_default=True,
    metavar="nearest|scratch|NAME.nrk|RUN",
    help="What training begins with: the nearest of the instruments here (bundled and yours) whose controls, "
    "sample rate and size fit; nothing; or a given instrument or run.",
)
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where corpus and run are kept. Default: NAME.work beside the output.",
)
@click.option(
    "--descriptors",
    default="",
    metavar="NAMES",
    help="What it shall be played with. Default: loudness,brightness,boominess,noisiness,pitch.",
)
@options.size
@options.title
@options.description
@options.licence
@click.option(
    "--limit",
    type=click.IntRange(min=2),
    default=6,
    show_default=True,
    metavar="N",
    help="Excerpts to score it on; `neurorack measure` scores on more.",
)
@click.option("--seed", default=0, show_default=True, help="Another seed, another training.")
@options.threads
@options.batch
@click.option(
    "--model", "changes", multiple=True, metavar="NAME=VALUE", help="As in `neurorack train`, for ablations."
)
@click.option("--json", "as_json", is_flag=True, help="Print a summary as JSON on standard output.")
@options.progress
@click.option("--quiet", is_flag=True, help="No progress, only what must be known.")
def command(
    folder: Path,
    output: Path,
    minutes: float | None,
    steps: int | None,
    origin: str,
    work: Path | None,
    descriptors: str,
    size: str,
    title: str,
    description: str,
    licence: str,
    limit: int,
    seed: int,
    threads: int | None,
    batch: int | None,
    changes: tuple[str, ...],
    as_json: bool,
    progress: str,
    quiet: bool,
) -> None:
    """Make an instrument of every recording in FOLDER: prepare, train, export and measure in one go.

    Any formats, rates and channels. Stop it at any time, even by pulling the plug: the same command goes on
    where it stopped. While it trains it says when the instrument will be playable: when the distance to
    recordings held out is within 20 % of where its curve is going to end, and below 1.4.

    The work folder keeps corpus (look at its overview.html) and run (`tensorboard --logdir`); once you have
    the instrument it may be deleted. Another FOLDER, or other options once training has begun, want another
    work folder; --title, --description and --licence may change.
    """
    from neurorack.core.errors import NeurorackError

    if output.suffix != ".nrk":
        raise NeurorackError(f"{output} must end in .nrk.")
    if minutes and steps:
        raise NeurorackError("Give --minutes or --steps, not both.")

    import torch

    from neurorack.learn.export.instrument import Card
    from neurorack.learn.new.make import Making
    from neurorack.learn.new.wish import Wish
    from neurorack.learn.train.display import Display, JsonDisplay
    from neurorack.learn.train.start import parse_changes

    if threads:
        torch.set_num_threads(threads)
    wish = Wish(
        folder,
        output,
        minutes=None if steps else minutes or 30.0,
        steps=steps,
        origin=origin,
        descriptors=tuple(name.strip() for name in descriptors.split(",") if name.strip()),
        size=size,
        changes=parse_changes(changes),
        batch=batch or 0,
        seed=seed,
    )
    display = JsonDisplay() if progress == "json" else Display(quiet)
    try:
        card = Card(output.stem, title, description, licence)
        made = Making(wish, work or output.with_suffix(".work"), card, display, limit).make()
    finally:
        display.close()
    if as_json:
        click.echo(json.dumps(made))
        return
    if made["not_measured"]:
        click.echo(f"Not measured: {made['not_measured'].rstrip('.')}.")
    elif made["control"]:
        click.echo(
            f"It obeys with a rank correlation of {made['control']['one']:.2f} when one descriptor is moved "
            f"(1 is perfect; Winds has 0.86), on at most {limit} excerpts; docs/scoring.md explains it."
        )
    facts = f"{made['bytes'] / 1e6:.1f} MB, {', '.join(made['controls'])}"
    click.echo(f"{output}: {facts}. Play it:  neurorack play {output}")
