"""`neurorack play`: play an instrument, with a panel in the browser."""

import json

import click


@click.command("play")
@click.argument("name", required=False)
@click.option(
    "--port", default=7373, show_default=True, type=click.IntRange(0, 65535), help="0: any free port."
)
@click.option(
    "--browser/--no-browser", default=True, help="Open the panel in the browser.", show_default=True
)
@click.option(
    "--backend",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "sounddevice", "browser", "null"]),
    help="Where the sound goes: a sound card, the panel's page, or nowhere; auto: a card if there is one.",
)
@click.option("--device", help="Sound card: its number, or part of its name.")
@click.option(
    "--block",
    default=128,
    show_default=True,
    type=click.IntRange(16, 4096),
    help="Samples rendered at a time: fewer answer quicker, more are safer.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one line of JSON (url, backend, latency_s, ...)."
)
def command(
    name: str | None,
    port: int,
    browser: bool,
    backend: str,
    device: str | None,
    block: int,
    as_json: bool,
) -> None:
    """Play an instrument: NAME as `neurorack list` shows it, or a .nrk file.

    The panel opens in the browser, on this machine only. Without a sound card the page itself plays.
    Ctrl-C ends.

    \b
    Examples:
      neurorack play
      neurorack play Skins --port 8000 --no-browser
      neurorack play mine.nrk --backend sounddevice --device USB
    """
    from dataclasses import asdict

    from neurorack.play.app import Playing, PlayOptions, play

    def tell(playing: Playing) -> None:
        if as_json:
            click.echo(json.dumps(asdict(playing)))
            return
        click.echo(f"{playing.instrument} plays through {playing.backend} ({playing.device}),", nl=False)
        click.echo(f" {playing.sample_rate} Hz, {1e3 * playing.latency_s:.1f} ms.")
        if playing.note:
            click.echo(playing.note)
        click.echo(f"Panel: {playing.url}\nCtrl-C ends.")

    options = PlayOptions(name, port, browser, backend, device, block)  # type: ignore[arg-type]
    play(options, tell)
