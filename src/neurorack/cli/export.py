"""`neurorack export`: a run becomes an instrument."""

import json
from pathlib import Path

import click

from neurorack.cli import options


@click.command(
    epilog="""
\b
Examples
  neurorack export run -o growl.nrk --title "Growl" --licence CC-BY-4.0
  neurorack export tuned -o growl.nrk --keep growl.nrk     a decoder trained further with --keep-code
  neurorack info growl.nrk
  neurorack play growl.nrk
"""
)
@click.argument("run", type=click.Path(path_type=Path))
@options.instrument_output
@options.title
@options.description
@options.licence
@click.option(
    "--provenance",
    type=click.Path(path_type=Path),
    metavar="FILE.json",
    help="A JSON list of sources: [{source, licence, attribution, …}].",
)
@click.option(
    "--keep",
    metavar="INSTRUMENT",
    help="For a run that began with this instrument (train --from) and kept its code (--keep-code): only the "
    "decoder is new; clips, presets, priors, licence and sources stay. Measure it again afterwards.",
)
@click.option("--trained-on", default="", help="The machine it was trained on, in words, for the card.")
@click.option("--json", "as_json", is_flag=True, help="Print a summary as JSON.")
def command(
    run: Path,
    output: Path,
    title: str,
    description: str,
    licence: str,
    provenance: Path | None,
    keep: str | None,
    trained_on: str,
    as_json: bool,
) -> None:
    """Make the playable instrument NAME.nrk of RUN: one file that needs no PyTorch."""
    from neurorack.core.errors import NeurorackError
    from neurorack.core.library import find
    from neurorack.learn.export.instrument import Card, export
    from neurorack.learn.export.renew import retaught

    sources = []
    if provenance:
        try:
            sources = json.loads(provenance.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise NeurorackError(
                f"{provenance} cannot be read as JSON ({error}); give a list of sources."
            ) from error
    if output.suffix != ".nrk":
        raise NeurorackError(f"{output} must end in .nrk.")
    card = Card(output.stem, title, description, licence, sources, trained_on)
    manifest = retaught(run, find(keep), output, card) if keep else export(run, output, card)
    size, names = output.stat().st_size, [c.name for c in manifest.controls]
    summary = {
        "path": str(output),
        "bytes": size,
        "controls": names,
        "latency_samples": manifest.latency_samples,
        "clips": len(manifest.clips),
    }
    if as_json:
        click.echo(json.dumps(summary))
    else:
        click.echo(f"{output}: {size / 1e6:.1f} MB, {', '.join(names)}. Play it:  neurorack play {output}")
