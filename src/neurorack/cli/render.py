"""`neurorack render`: a recorded take, or a preset, rendered to a file without playing it."""

from pathlib import Path

import click


@click.command("render")
@click.argument("take", required=False, type=click.Path(path_type=Path), metavar="[TAKE.nrt]")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="WAV to write (float32, stereo).")
@click.option("--check", is_flag=True, help="Compare with the WAV recorded beside the take, bit for bit.")
@click.option(
    "--instrument",
    "-i",
    help="Instrument: a name or a .nrk file. By default the take's own; for presets, winds.",
)
@click.option("--preset", help="Render a preset, the instrument's or your own, instead of a take.")
@click.option(
    "--notes",
    default="",
    metavar='"C3:1 E3:0.5"',
    help="Notes with seconds, one after the other: C3:1, 60:1, or -:1 for a rest.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0.1, 3600.0),
    help="Length of the file; without --notes the gate is open for it (8 s).",
)
@click.option(
    "--input",
    "input_path",
    type=click.Path(path_type=Path),
    help="Sound file at the input, for presets that follow it.",
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

    A take is what Record in `neurorack play` wrote into takes/ in your Neurorack folder: NAME.nrt beside
    NAME.wav. On the same machine and instrument it comes out bit by bit as it sounded; --check says whether
    it does, and exits with 1 if it does not. The panel's page Presets lists the presets.

    \b
    Examples:
      neurorack render take.nrt -o again.wav
      neurorack render take.nrt --check
      neurorack render -i winds --preset "Slow Dawn" --seconds 10 -o dawn.wav
      neurorack render -i winds --preset "Solo Reed" --notes "C3:1 E3:1 -:0.5 G3:2" -o notes.wav
      neurorack render -i winds --preset "Your Breath" --input voice.wav --seconds 10 -o breath.wav
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
