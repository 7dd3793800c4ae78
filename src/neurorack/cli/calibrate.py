"""`neurorack calibrate`: how many volts the samples of a control-voltage channel are."""

import click


@click.command("calibrate")
@click.argument("channel")
@click.option("--device", help="Sound card: its number, or part of its name.")
@click.option("--output", is_flag=True, help="An output: Neurorack plays, you read a voltmeter.")
@click.option(
    "--source", help="JACK: the port to connect to; by default what the player's port is connected to."
)
@click.option(
    "--volts",
    default="0,1,2,3,4,5",
    show_default=True,
    help="Voltages to go through, one after the other.",
)
@click.option(
    "--seconds",
    default=0.5,
    show_default=True,
    type=click.FloatRange(0.05, 10.0),
    help="How long each reading is averaged.",
)
@click.option("--show", is_flag=True, help="Only show what is kept for this channel.")
def command(
    channel: str, device: str | None, output: bool, source: str | None, volts: str, seconds: float, show: bool
) -> None:
    """Calibrate CHANNEL: a number (of a sound card's channel, from 1), or a JACK port such as cv_pitch.

    For an input, patch each voltage from a source you trust (a keyboard's octaves, a calibrator) when asked.
    For an output, type what a voltmeter shows. What is found is kept in the Neurorack folder and used from
    the next start of the player on.

    \b
    Examples:
      neurorack calibrate 3 --device ES-8                input channel 3 of a card
      neurorack calibrate 3 --device ES-8 --show         what is kept for it
      neurorack calibrate cv_pitch --volts 0,1,2,3       a port of JACK
      neurorack calibrate cv_out_1 --output              an output, with a voltmeter
    """
    from neurorack.core.errors import NeurorackError
    from neurorack.play.audio import calibration
    from neurorack.play.audio.probe import CardProbe, JackProbe, Probe

    try:
        asked = [float(text) for text in volts.split(",")]
    except ValueError:
        raise click.UsageError("--volts is a list such as 0,1,2,3,4,5.") from None
    numbered = channel.isascii() and channel.isdigit()
    if numbered and int(channel) < 1:
        raise click.UsageError("Channels count from 1.")
    probe: Probe = CardProbe(device, int(channel), output) if numbered else JackProbe(channel, source, output)
    try:
        if show:
            kept = calibration.load(probe.device).get(probe.channel)
            click.echo("Not calibrated yet." if kept is None else _sentence(probe, kept))
            return
        samples: list[float] = []
        known: list[float] = []
        for value in asked:
            if output:
                sample = value / calibration.VOLTS_PER_UNIT
                probe.write(sample)
                samples.append(sample)
                known.append(click.prompt(f"A voltmeter at {probe.channel} shows, in volts", type=float))
            else:
                click.prompt(
                    f"Patch {value:g} V into {probe.channel} and press Enter", "", show_default=False
                )
                samples.append(probe.read(seconds))
                known.append(value)
                click.echo(f"  {value:g} V reads {samples[-1]:+.5f} of full scale.")
        found = calibration.fit(samples, known)
    finally:
        probe.close()
    calibration.save(probe.device, probe.channel, found.calibration)
    click.echo(_sentence(probe, found.calibration))
    click.echo(
        f"Largest error {1e3 * found.error_volts:.1f} mV ({found.error_cents:.1f} cents at 1 V per octave)."
    )
    if found.error_cents > 10:
        raise NeurorackError("That is audible: calibrate again with steadier voltages.")


def _sentence(probe, kept) -> str:
    return (
        f"{probe.device}, {probe.channel}: full scale is {kept.volts_per_unit:+.4f} V, "
        f"zero is {kept.offset_volts:+.4f} V."
    )
