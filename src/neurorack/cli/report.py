"""`neurorack report`: one page on which an instrument is heard, seen and judged before it is shipped."""

from pathlib import Path

import click

from neurorack.cli import options
from neurorack.cli.measure import progress_bar


@click.command("report")
@click.argument("instrument")
@click.argument("corpus", type=click.Path(path_type=Path))
@click.option("--output", "-o", required=True, type=click.Path(path_type=Path), help="The page, .html.")
@options.scored_split
@click.option(
    "--limit",
    type=click.IntRange(min=2),
    default=12,
    show_default=True,
    metavar="N",
    help="Excerpts (of up to 4 s) to score; four are shown, from the worst to the best.",
)
@options.score_seed
@click.option(
    "--also",
    multiple=True,
    metavar="OTHER",
    help="An instrument to compare with, a name or .nrk; repeatable.",
)
@click.option(
    "--transfer",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Sounds of another kind for it to play; by default, clips of the other bundled instruments.",
)
def command(
    instrument: str,
    corpus: Path,
    output: Path,
    split: str,
    limit: int,
    seed: int,
    also: tuple[str, ...],
    transfer: Path | None,
) -> None:
    """Make a page about INSTRUMENT (a name or a .nrk file) as it answers to CORPUS.

    One HTML file with everything inside: which goals are met and which are missed; recordings beside their
    reconstructions, from the worst to the best, heard and as spectrograms with their difference; what was
    asked and what is heard; every knob's travel; held tones; sounds of another kind; all scores beside rows
    that need no model; sources and licence. It takes a few minutes.

    \b
    Examples:
      neurorack report mine.nrk CORPUS -o mine.html
      neurorack report mine.nrk CORPUS -o mine.html --also Winds --transfer voices
    """
    from neurorack.core.errors import NeurorackError
    from neurorack.core.files import atomic_write
    from neurorack.core.library import find
    from neurorack.core.nrk import read_nrk
    from neurorack.learn.corpus.corpus import Corpus
    from neurorack.learn.report.gather import gather
    from neurorack.learn.report.page import page

    if output.is_dir():
        raise NeurorackError(f"{output} is a folder: name a file in it, such as {output / 'report.html'}")
    archive, recordings = read_nrk(find(instrument)), Corpus.open(corpus)
    others = [read_nrk(find(name)) for name in also]
    with progress_bar() as update:
        found = gather(
            archive, recordings, split, limit, seed, others, transfer,
            say=lambda text: click.echo(f"{text} …", err=True), progress=update,
        )  # fmt: skip
    with atomic_write(output, "w") as file:
        file.write(page(found))
    click.echo(f"{output}: {output.stat().st_size / 1e6:.1f} MB, everything inside.")
