"""`neurorack generate`: an instrument plays by itself into a sound file."""

import json
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from neurorack.cli import options
from neurorack.cli.sounds import SoundProgress, once, sound_format, writing


@click.command("generate")
@options.played_instrument
@click.option(
    "--seconds",
    type=click.FloatRange(1.0, 10_800.0),
    default=60.0,
    show_default=True,
    help="How long it plays, up to three hours.",
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**31 - 1),
    default=0,
    show_default=True,
    help="Another seed, another performance; the same one, the same.",
)
@click.option(
    "--hold", "holds", multiple=True, metavar="NAME=VALUE", help="Hold a control: 0..1, 1200Hz, -20dB, A3."
)
@click.option(
    "--surprise",
    type=click.FloatRange(0.0, 2.0),
    default=1.0,
    show_default=True,
    help="0: the commonest way it was played; 1: as the recordings; 2: beyond.",
)
@click.option("--bpm", type=click.FloatRange(20.0, 300.0), help="A tempo to keep; without, it plays freely.")
@click.option(
    "--breath",
    "breath_s",
    type=click.FloatRange(0.2, 60.0),
    default=60.0,
    metavar="SECONDS",
    help="The longest that a note lasts; without, as long as the prior likes.",
)
@options.sound_output(required=False)
@click.option("--json", "as_json", is_flag=True, help="Print what was done, and how varied it is, as JSON.")
def command(
    instrument: str,
    seconds: float,
    seed: int,
    holds: tuple[str, ...],
    surprise: float,
    bpm: float | None,
    breath_s: float,
    output: Path | None,
    as_json: bool,
) -> None:
    """Let an instrument play by itself.

    Its priors, trained by `neurorack prior`, play what sounds and how it is played. What you hold stays where
    you hold it, and the rest is played around it. VALUE without a unit is a knob's travel 0..1 in the
    instrument's own range; with a unit it is physical.

    \b
    How varied it was is told at the end (docs/playing.md, "How varied it is"):
      different seconds   how many of them are clearly unlike each other, and in each quarter
      repeated            share of seconds that are all but equal to another
      at home             distance to the instrument's own tones; about 1 is as near as they are to each other

    \b
    Examples:
      neurorack generate -i winds --seconds 60 --seed 7 -o alone.wav
      neurorack generate -i winds --hold brightness=0.3 --hold pitch=A3 -o calm.wav
      neurorack generate -i winds --breath 3 -o phrases.wav
      neurorack generate -i skins --bpm 120 --surprise 1.4 -o groove.flac --json
    """
    if output is None and not as_json:
        raise click.UsageError("Say where to write: -o OUT.wav; or --json for the figures alone.")
    from neurorack.api import load
    from neurorack.play.session.generate import Generation
    from neurorack.play.session.variety import variety

    file_format = None if output is None else sound_format(output)
    loaded = load(instrument)
    request, notes = loaded.request(set=dict(once(holds, "--hold")))
    for note in notes:
        click.echo(f"Note: {note}", err=True)
    played = Generation(loaded, seconds, seed, request.sets, surprise, bpm, breath_s)
    started, peak = time.perf_counter(), 0.0
    target = nullcontext() if output is None else writing(output, file_format, loaded.sample_rate)  # type: ignore[arg-type]
    with target as file, SoundProgress("generate", played.samples, loaded.sample_rate) as advance:
        for block in played.blocks():
            peak = max(peak, float(abs(block).max()))
            if file is not None:
                file.write(block)
            advance(len(block))
    took_s = time.perf_counter() - started
    figures = variety(loaded, played.rows)
    length_s = played.samples / loaded.sample_rate
    if as_json:
        report: dict[str, Any] = {
            "output": None if output is None else str(output),
            "instrument": loaded.name,
            "sample_rate": loaded.sample_rate,
            "samples": played.samples,
            "seconds": length_s,
            "seed": seed,
            "surprise": surprise,
            "bpm": bpm,
            "breath_s": breath_s,
            "held": {name: {"value": a.value, "kind": a.kind} for name, a in request.sets.items()},
            "peak": peak,
            "rendered_in_s": took_s,
            "variety": figures,
            "notes": notes,
        }
        click.echo(json.dumps(report))
        return
    speed = length_s / max(took_s, 1e-9)
    click.echo(f"{output}: {length_s:.2f} s of {loaded.name}, {speed:.1f} times as fast as real time.")
    if figures:
        parts = ", ".join(f"{part:.1f}" for part in figures["over_time"])
        begun = "" if figures["beginnings"] is None else f"{figures['beginnings']} notes out of silence. "
        click.echo(
            f"{begun}Different seconds: {figures['vendi']:.1f} of {figures['seconds']} (its tones: "
            f"{figures['vendi_of_anchors']:.1f}); by quarters {parts}. "
            f"Repeated: {figures['nearest_other']['repeated']:.0%}. "
            f"At home: {figures['anchor']['median']:.2f} (95 %: {figures['anchor']['p95']:.2f})."
        )
