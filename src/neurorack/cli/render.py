"""`neurorack render`: a recorded take, or a preset, rendered to a file without playing it."""

from pathlib import Path

import click


@click.command("render")
@click.argument("take", required=False, type=click.Path(path_type=Path), metavar="[TAKE.nrt]")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="WAV to write.")
@click.option("--check", is_flag=True, help="Compare with the WAV recorded beside the take, bit for bit.")
@click.option("--instrument", "-i", help="Name of an instrument, or a .nrk file.")
@click.option("--preset", help="Render a preset instead of a take.")
@click.option(
    "--notes", default="", metavar='"C3:1 E3:0.5"', help="Notes with seconds, one after the other; -: rest."
)
@click.option("--seconds", type=click.FloatRange(0.1, 3600.0), help="Length; without notes the gate is open.")
@click.option(
    "--input", "input_path", type=click.Path(path_type=Path), help="Sound for presets that follow the input."
)
def command(
    take: Path | None,
    output: Path | None,
    check: bool,
    instrument: str | None,
    preset: str | None,
    notes: str,
    seconds: float | None,
    input_path: Path | None,
) -> int:
    """Render a take again, or a preset.

    A take is what `neurorack play` recorded: NAME.nrt beside NAME.wav. On the same machine and instrument
    it comes out bit by bit as it sounded; --check says whether it does, and exits with 1 if it does not.

    \b
    Examples:
      neurorack render take.nrt -o again.wav
      neurorack render take.nrt --check
      neurorack render -i winds --preset "Slow dawn" --seconds 10 -o dawn.wav
      neurorack render -i winds --preset Lead --notes "C3:1 E3:1 -:0.5 G3:2" -o notes.wav
    """
    if (take is None) == (preset is None):
        raise click.UsageError("Give a take, or --preset NAME.")
    if take is not None:
        from neurorack.play.session.offline import again

        told, equal = again(take, output, check, instrument)
        click.echo(told)
        return 0 if equal else 1
    if output is None:
        raise click.UsageError("Say where to write: -o OUT.wav.")
    from neurorack.play.session.offline import render_preset_file

    assert preset is not None
    click.echo(render_preset_file(instrument or "winds", preset, notes, seconds, input_path, output))
    return 0
