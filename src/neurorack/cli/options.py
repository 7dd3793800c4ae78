"""Options that several commands have, said once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

instrument_output = click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    metavar="NAME.nrk",
    help="The instrument to write; its name is the instrument's name.",
)

played_instrument = click.option(
    "-i",
    "--instrument",
    required=True,
    metavar="NAME",
    help="The instrument to play: a name or a .nrk file.",
)


def sound_output(required: bool) -> Callable[[Any], Any]:
    """-o, a sound file to write; without it only figures, where a command has some to give."""
    return click.option(
        "-o",
        "--output",
        required=required,
        type=click.Path(path_type=Path),
        help="The sound file to write: .wav, .flac or .aiff.",
    )


title = click.option("--title", default="", help="A name for people.")
description = click.option("--description", default="", help="A sentence or two about it.")
licence = click.option(
    "--licence", default="unspecified", show_default=True, help="Licence of the instrument, like CC0-1.0."
)

steps = click.option("--steps", type=click.IntRange(min=1), help="Steps to train, instead of minutes.")
size = click.option(
    "--size",
    type=click.Choice(["rack", "studio"]),
    default="rack",
    show_default=True,
    help="rack: for small computers. studio: larger, for laptops and up.",
)
batch = click.option("--batch", type=click.IntRange(min=2), help="Crops a step. Default 4, on a GPU 32.")
threads = click.option("--threads", type=click.IntRange(min=1), help="CPU threads to use.")

progress = click.option(
    "--progress",
    type=click.Choice(["bar", "json"]),
    default="bar",
    show_default=True,
    help="json: for programs, lines of JSON on standard error.",
)

scored_split = click.option(
    "--split",
    type=click.Choice(["test", "validation", "train"]),
    default="test",
    show_default=True,
    help="Which recordings to score on; only test says what is worth saying.",
)
score_seed = click.option(
    "--seed", default=0, show_default=True, help="Another seed, other excerpts and requests."
)
