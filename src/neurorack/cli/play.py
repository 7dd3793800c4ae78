"""`neurorack play`: play an instrument, with a panel in the browser."""

import json

import click


@click.command("play")
@click.argument("name", required=False)
@click.option(
    "--port",
    default=7373,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="The panel's port; 0: any free one.",
)
@click.option(
    "--browser/--no-browser", default=True, help="Open the panel in the browser.", show_default=True
)
@click.option(
    "--lan", is_flag=True, help="Let other machines open the panel; the printed address holds the key."
)
@click.option(
    "--backend",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "jack", "sounddevice", "browser", "null"]),
    help="Where the sound goes: JACK, a sound card, the panel's page, or nowhere; auto: the first there is.",
)
@click.option("--device", help="Sound card to play through: its number, or part of its name.")
@click.option(
    "--input", "input_device", help='Sound card to listen to: its number, part of its name, or "default".'
)
@click.option("--cv-in", default="", help="What the card's inputs carry: audio=1,pitch=3,gate=4,cv1=5.")
@click.option("--cv-out", default="", help="Voltages on the card's outputs: brightness=3,gate=4.")
@click.option(
    "--block",
    type=click.IntRange(16, 4096),
    help="Samples rendered at a time: fewer answer quicker, more are safer. Default 128, growing to 512 "
    "while a card loses blocks because they come late; a number given here stays.",
)
@click.option(
    "--ahead",
    type=click.Choice(["auto", "on", "off"]),
    default="auto",
    show_default=True,
    help="Make the sound a block ahead, for JACK and cards: a block later, but hardly ever late. auto: once "
    "blocks are lost.",
)
@click.option("--midi", default="all", show_default=True, help="MIDI inputs: all, none, or part of a name.")
@click.option("--mpe", is_flag=True, help="Every MIDI input is an MPE controller from the start.")
@click.option("--midi-relative", default="", help="MIDI controllers that are endless encoders: 16,17,18.")
@click.option(
    "--midi-clock-out", default="", help="MIDI output that gets the clock: part of its name, or virtual."
)
@click.option(
    "--osc",
    default=7474,
    show_default=True,
    type=click.IntRange(0, 65535),
    help="UDP port of OSC; 0: any free one.",
)
@click.option("--no-osc", is_flag=True, help="Do not listen to OSC.")
@click.option("--osc-lan", is_flag=True, help="Listen to OSC from other machines too; OSC has no password.")
@click.option(
    "--json", "as_json", is_flag=True, help="Print one line of JSON (url, backend, latency_s, ...)."
)
def command(
    name: str | None,
    port: int,
    browser: bool,
    lan: bool,
    backend: str,
    device: str | None,
    input_device: str | None,
    cv_in: str,
    cv_out: str,
    block: int | None,
    ahead: str,
    midi: str,
    mpe: bool,
    midi_relative: str,
    midi_clock_out: str,
    osc: int,
    no_osc: bool,
    osc_lan: bool,
    as_json: bool,
) -> None:
    """Play an instrument: NAME as `neurorack list` shows it, or a .nrk file.

    The panel opens in the browser, on this machine only. Press Play there, drag the pad. Without a sound card
    the page itself plays. No MIDI, OSC or input is needed; what cannot be opened is told, and the rest works.
    Ctrl-C ends. Presets, clips and recordings are kept in your Neurorack folder (NEURORACK_HOME chooses it).

    \b
    Examples:
      neurorack play
      neurorack play Skins --port 8000 --no-browser
      neurorack play mine.nrk --backend sounddevice --device USB
      neurorack play --input default                         sing or speak into it: source Live
      neurorack play --backend jack --midi Keystep --osc 9000
      neurorack play --device ES-8 --input ES-8 --cv-in pitch=1,gate=2
      neurorack play --lan                                   play it from a phone
    """
    from dataclasses import asdict

    from neurorack.play.app import Playing, PlayOptions, play
    from neurorack.play.control.inputs import InputOptions

    def tell(playing: Playing) -> None:
        if as_json:
            click.echo(json.dumps(asdict(playing)))
            return
        clocked = {"browser": "plays in the panel's page,", "null": "plays silently,"}
        where = clocked.get(playing.backend, f"plays through {playing.backend} ({playing.device}),")
        click.echo(f"{playing.instrument} {where}", nl=False)
        click.echo(f" {playing.sample_rate} Hz, {1e3 * playing.latency_s:.1f} ms.")
        if playing.midi:
            click.echo(f"MIDI: {', '.join(playing.midi)}.")
        if playing.osc:
            click.echo(f"OSC: UDP port {playing.osc}.")
        if playing.note:
            click.echo(playing.note)
        click.echo(f"Panel: {playing.url}\nCtrl-C ends.")

    inputs = InputOptions(
        midi=midi,
        mpe=mpe,
        midi_relative=_controllers(midi_relative),
        midi_clock_out=midi_clock_out,
        osc=None if no_osc else osc,
        osc_lan=osc_lan,
    )
    options = PlayOptions(
        name=name,
        port=port,
        browser=browser,
        backend=backend,  # type: ignore[arg-type]
        device=device,
        block=block,
        ahead=ahead,  # type: ignore[arg-type]
        lan=lan,
        input=input_device,
        cv_in=cv_in,
        cv_out=cv_out,
        inputs=inputs,
    )
    play(options, tell)


def _controllers(text: str) -> frozenset[int]:
    """ "16,17" -> {16, 17}."""
    numbers = [part.strip() for part in text.split(",") if part.strip()]
    if not all(part.isdigit() and int(part) < 128 for part in numbers):
        raise click.BadParameter("numbers from 0 to 127 with commas between", param_hint="--midi-relative")
    return frozenset(int(part) for part in numbers)
