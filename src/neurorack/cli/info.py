"""`neurorack info`: an instrument's card, verified, as tables or as JSON."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import click


@click.command("info")
@click.argument("instrument")
@click.option("--json", "as_json", is_flag=True, help="Print the whole manifest and its latency as JSON.")
@click.option("--check", is_flag=True, help="Also run its snapshot: does it play here as where it was made?")
def command(instrument: str, as_json: bool, check: bool) -> None:
    """Show everything INSTRUMENT (a name or a .nrk file) says about itself.

    The file is verified on the way: checksums, graphs, arrays. What it holds: controls with units and ranges,
    latency, licence, where its sounds come from, how it was trained and what it scored.

    \b
    Examples:
      neurorack info Winds
      neurorack info mine.nrk --json
      neurorack info mine.nrk --check
    """
    from neurorack.core.library import find
    from neurorack.core.nrk import read_nrk

    archive = read_nrk(find(instrument))
    card = card_of(archive.path, archive.manifest)
    if check:
        from neurorack.play.engine.snapshot import verify

        card["snapshot"] = {c.graph: {"worst": c.worst, "agreeing": c.share} for c in verify(archive)}
        click.echo("It plays here as where it was made.", err=True)
    if as_json:
        click.echo(json.dumps(card, indent=1, allow_nan=False))
    else:
        _show(card)


def card_of(path: Path, manifest: Any) -> dict[str, Any]:
    """The manifest as plain values, with `path`, `bytes`, `latency_samples` and `latency_ms` added."""
    card = dataclasses.asdict(manifest)
    return {
        "name": manifest.name,
        "path": str(path),
        "bytes": path.stat().st_size,
        "latency_samples": manifest.latency_samples,
        "latency_ms": round(1000 * manifest.latency_samples / manifest.sample_rate, 2),
        **card,
    }


def _show(card: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(markup=False, emoji=False, highlight=False)
    console.print(card["title"], style="bold")
    if card["description"]:
        console.print(card["description"])
    facts = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    for label, value in (
        ("name", card["name"]),
        ("file", f"{card['path']} ({card['bytes'] / 1e6:.1f} MB, verified)"),
        ("licence", card["licence"]),
        ("rate", f"{card['sample_rate']} Hz, a frame every {card['hop']} samples"),
        ("latency", f"{card['latency_samples']} samples ({card['latency_ms']} ms)"),
        ("latent", f"{card['latent_size']} numbers a frame"),
        ("clips", ", ".join(clip["name"] for clip in card["clips"]) or "none"),
        ("format", f"{card['format_major']}.{card['format_minor']}"),
    ):
        facts.add_row(label, value)
    console.print(facts)

    console.print("\nControls", style="bold")
    table = Table("Name", "Unit", "Low", "Default", "High", "Scale", "Lag", box=None, padding=(0, 2, 0, 0))
    for column in table.columns[2:5]:
        column.justify = "right"
    for control in card["controls"]:
        lag_ms = 1000 * control["lag_frames"] * card["hop"] / card["sample_rate"]
        low, default, high = (f"{control[key]:.4g}" for key in ("low", "default", "high"))
        table.add_row(
            control["name"], control["unit"] or "-", low, default, high, control["scale"], f"{lag_ms:.0f} ms"
        )
    console.print(table)
    console.print("measured as well: " + (", ".join(_only_measured(card)) or "nothing else"))

    for title, value in (
        ("Scores", card["scores"]),
        ("Playing by itself", card["prior"] or {}),
        ("Training", card["training"]),
        ("Architecture", card["architecture"]),
        ("Provenance", {str(i + 1): item for i, item in enumerate(card["provenance"])}),
    ):
        if not value:
            continue
        console.print(f"\n{title}", style="bold")
        table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
        for key, item in _flatten(value):
            table.add_row(key, item)
        console.print(table)


def _only_measured(card: dict[str, Any]) -> list[str]:
    asked = {control["name"] for control in card["controls"]}
    return [column["name"] for column in card["measured"] if column["name"] not in asked]


def _flatten(value: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Nested tables as dotted keys; short lists on one line, long ones by their length."""
    rows: list[tuple[str, str]] = []
    for key, item in value.items():
        name = f"{prefix}{key}"
        if isinstance(item, dict):
            rows += _flatten(item, f"{name}.")
        elif isinstance(item, list):
            text = ", ".join(str(part) for part in item)
            rows.append((name, text if len(text) <= 200 else f"{len(item)} values (see --json)"))
        else:
            rows.append((name, f"{item:.4g}" if isinstance(item, float) else str(item)))
    return rows
