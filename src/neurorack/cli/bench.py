"""`neurorack bench`: what an instrument costs on paper and on this machine."""

import json
from collections.abc import Sequence
from typing import Any

import click


@click.command("bench")
@click.argument("instrument", metavar="NAME")
@click.option(
    "--seconds",
    type=click.FloatRange(0.5, 600.0),
    default=10.0,
    show_default=True,
    help="Sound computed for each figure; more makes the rare slow blocks show.",
)
@click.option(
    "--way", "only", multiple=True, metavar="WAY", help="Time only this way of playing: hold, prior, live …"
)
@click.option(
    "--block",
    "blocks",
    multiple=True,
    type=click.Choice(["128", "256", "512", "2048"]),
    help="Time only blocks of so many samples.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def command(
    instrument: str, seconds: float, only: tuple[str, ...], blocks: tuple[str, ...], as_json: bool
) -> None:
    """Measure what instrument NAME (or a .nrk file) costs on one core of this machine.

    The real-time factor is computing time over sounding time: below 1 keeps up, the lower the better. What
    decides whether blocks are dropped is not the median but the slowest: "99.9 %" means that one block in a
    thousand takes longer. "CPU only" leaves out the time that other programs took.

    The first timed table is the instrument's graphs alone; "both" is the whole chain of a live transfer. The
    second is the player's engine, with everything that happens in a block, for each way of playing.

    \b
    Examples:
      neurorack bench Winds
      neurorack bench mine.nrk --seconds 60 --json
      neurorack bench Winds --way prior --block 128 --seconds 60
    """
    report = measure(instrument, seconds, only, [int(block) for block in blocks])
    if as_json:
        click.echo(json.dumps(report, indent=1, allow_nan=False))
    else:
        _show(report)


def measure(
    name: str, seconds: float, only: Sequence[str] = (), blocks: Sequence[int] = ()
) -> dict[str, Any]:
    """All figures of one instrument as plain values. only, blocks: what is timed; empty for all."""
    from neurorack.core.errors import NeurorackError
    from neurorack.core.library import find
    from neurorack.core.manifest_io import PRIOR_GRAPHS
    from neurorack.core.nrk import read_nrk
    from neurorack.play.engine.cost import graph_cost
    from neurorack.play.engine.engine_timing import engine_factors, ways_of
    from neurorack.play.engine.instrument import Instrument
    from neurorack.play.engine.timing import BLOCKS, machine, real_time_factors

    archive = read_nrk(find(name))
    costs = {graph: graph_cost(archive, graph) for graph in archive.manifest.graphs}
    host = machine()
    loaded = Instrument(archive)
    ways = [way for way in ways_of(loaded) if not only or way in only]
    blocks = blocks or BLOCKS
    if strange := set(only) - set(ways):
        raise NeurorackError(
            f"{loaded.name} is not played in the way {sorted(strange)[0]!r}: {', '.join(ways_of(loaded))}."
        )

    def grouped(field: str) -> dict[str, Any]:
        """By graph, slow descriptors among the descriptors; the total is a live transfer: without priors."""
        values = {g: getattr(c, field) for g, c in costs.items()}
        values["descriptors"] = values["descriptors"] + values.pop("descriptors_slow", 0)
        return {**values, "total": sum(v for g, v in values.items() if g not in PRIOR_GRAPHS)}

    return {
        "name": loaded.name,
        # Weights that were learnt: descriptors hold tables (windows, band edges), nothing trained.
        "params": sum(costs[g].params for g in ("encoder", "decoder")),
        "params_by_graph": grouped("params"),
        "gmac_per_s": {g: macs * 1e-9 for g, macs in grouped("macs_per_s").items()},
        "nodes": grouped("nodes"),
        "nodes_run": grouped("nodes_run"),
        "latency_samples": loaded.latency_samples,
        "latency_ms": 1000.0 * loaded.latency_samples / loaded.sample_rate,
        "sample_rate": loaded.sample_rate,
        "rtf": {str(block): real_time_factors(loaded, block, seconds) for block in blocks},
        "engine_rtf": {
            str(block): {way: engine_factors(loaded, way, block, seconds) for way in ways} for block in blocks
        },
        "machine": host,
    }


def _show(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console()
    host = report["machine"]
    console.print(
        f"[bold]{report['name']}[/bold]: {report['params'] / 1e6:.2f} M parameters, audio in to out "
        f"{report['latency_samples']} samples ({report['latency_ms']:.1f} ms) plus one block."
    )
    paper = Table("graph", "GMAC a second", "nodes", "nodes run", title="On paper")
    for graph in report["gmac_per_s"]:
        paper.add_row(
            graph,
            f"{report['gmac_per_s'][graph]:.3f}",
            str(report["nodes"][graph]),
            str(report["nodes_run"][graph]),
        )
    console.print(paper)
    for field, title, column in (
        ("rtf", "Real-time factor of the graphs, one core", "part"),
        ("engine_rtf", "Real-time factor of playing, one core", "playing"),
    ):
        timed = Table("samples a block", column, "median", "99 %", "99.9 %", "CPU only", title=title)
        for block, parts in report[field].items():
            for part, figures in parts.items():
                row = (f"{figures[k]:.3f}" for k in ("median", "p99", "p999", "cpu"))
                timed.add_row(block, part, *row, end_section=part == list(parts)[-1])
        console.print(timed)
    busy = "" if host["load_average"] is None else f", load average {host['load_average']}"
    console.print(
        f"{host['cpu']}, {host['cores']} cores{busy}; {host['system']}, Python {host['python']}, "
        f"ONNX Runtime {host['onnxruntime']}."
    )
