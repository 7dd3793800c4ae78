"""`neurorack transfer`: a sound file through an instrument into another, in constant memory."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from neurorack.cli import options
from neurorack.cli.sounds import SoundProgress, once, sound_format, writing

if TYPE_CHECKING:
    import soundfile

    from neurorack.api import OtherSound, Transfer

BLOCK = 16_384


@click.command("transfer")
@click.argument("source", metavar="IN")
@options.played_instrument
@options.sound_output(required=True)
@click.option(
    "--set", "sets", multiple=True, metavar="NAME=VALUE", help="Hold a control: 0..1, 1200Hz, -20dB."
)
@click.option("--curve", "curves", multiple=True, metavar="NAME=FILE.csv", help="A control over time.")
@click.option(
    "--from", "others", multiple=True, metavar="OTHER.wav:NAMES", help="Take controls from a sound."
)
@click.option(
    "--offset", "offsets", multiple=True, metavar="NAME=±X", help="Shift a control: +0.2, -6dB, +7st."
)
@click.option(
    "--insist",
    type=click.FloatRange(0.0, 1.0),
    default=1.0,
    show_default=True,
    help="0: the other controls follow as in the corpus; 1: they hold still.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the noise.")
@click.option("--no-lookahead", is_flag=True, help="Sound as it would live: newest measurements, no delay.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def command(
    source: str,
    instrument: str,
    output: Path,
    sets: tuple[str, ...],
    curves: tuple[str, ...],
    others: tuple[str, ...],
    offsets: tuple[str, ...],
    insist: float,
    seed: int,
    no_lookahead: bool,
    as_json: bool,
) -> None:
    """Play the sound file IN through an instrument.

    Any length, rate and channel count; the result is mono at the instrument's rate, aligned with IN.

    VALUE without a unit is a knob's travel 0..1 in the instrument's own range; with a unit it is physical.
    FILE.csv holds rows of time_s,value; a header like "time_s,dB" names the unit, without it values are 0..1.

    \b
    Examples:
      neurorack transfer voice.wav --instrument Winds -o out.wav
      neurorack transfer voice.wav -i Winds -o out.wav --set brightness=0.8 --offset pitch=-12st
      neurorack transfer pad.wav -i Winds -o out.wav --from drums.wav:loudness,boominess
      neurorack transfer voice.wav -i Skins -o out.wav --curve loudness=swell.csv --insist 0
    """
    from neurorack.api import load, read_curve
    from neurorack.play.engine.requests import present

    file_format = sound_format(output)
    given = once(curves, "--curve")
    borrowed = [_borrowed(text) for text in others]
    loaded = load(instrument)
    drawn, lacking = {}, []
    for name, path in given:
        kept, messages = present([name], loaded.controls)
        lacking += messages
        if kept:
            drawn[name] = read_curve(path, loaded.map.controls[loaded.map.index(name)])
    request, notes = loaded.request(
        set=dict(once(sets, "--set")),
        curves=drawn,
        offset=dict(once(offsets, "--offset")),
        sourced=tuple(n for _, names in borrowed for n in names),
        insist=insist,
    )
    notes = [*lacking, *notes]
    for note in notes:
        click.echo(f"Note: {note}", err=True)
    with _open_sound(source) as sound:
        rate = sound.samplerate
        wanted = [(p, [n for n in names if n in request.sourced]) for p, names in borrowed]
        sounds = tuple(_other(path, tuple(names)) for path, names in wanted if names)
        stream = loaded.stream_transfer(rate, request, sounds, not no_lookahead, seed)
        started = time.perf_counter()
        samples, peak = _render(sound, stream, output, file_format, loaded.sample_rate)
        seconds = time.perf_counter() - started
    length_s = samples / loaded.sample_rate
    report: dict[str, Any] = {
        "input": source,
        "output": str(output),
        "instrument": loaded.name,
        "sample_rate": loaded.sample_rate,
        "samples": samples,
        "seconds": length_s,
        "peak": peak,
        "latency_samples": stream.latency_samples,
        "rendered_in_s": seconds,
        "notes": notes,
    }
    if as_json:
        click.echo(json.dumps(report))
    else:
        speed = length_s / max(seconds, 1e-9)
        click.echo(
            f"{output}: {length_s:.2f} s through {loaded.name}, {speed:.1f} times as fast as real time."
        )


def _borrowed(text: str) -> tuple[str, tuple[str, ...]]:
    """ "drums.wav:loudness,boominess" -> (path, names)."""
    from neurorack.core.errors import NeurorackError

    path, colon, names = text.rpartition(":")
    found = tuple(n.strip().lower() for n in names.split(",") if n.strip())
    if not colon or not path or not found:
        raise NeurorackError(f"--from {text!r} is not of the form OTHER.wav:NAME,NAME.")
    return path, found


def _open_sound(path: str) -> "soundfile.SoundFile":
    """Open a sound file, or say what is wrong with it."""
    import soundfile

    from neurorack.core.errors import NeurorackError

    file = Path(path).expanduser()
    if not file.exists():
        raise NeurorackError(f"{path}: there is no such file.")
    if file.is_dir():
        raise NeurorackError(f"{path} is a folder: name a sound file in it.")
    try:
        if file.stat().st_size == 0:
            raise NeurorackError(f"{path} is empty (0 bytes): record or export it again.")
        opened = soundfile.SoundFile(file)
    except (soundfile.LibsndfileError, OSError, TypeError) as error:
        raise NeurorackError(
            f"{path} is not a sound file that can be read: give WAV, FLAC, AIFF, OGG or MP3."
        ) from error
    if opened.frames < 128:
        count = opened.frames
        opened.close()
        raise NeurorackError(
            f"{path} is too short ({count} samples): give at least 128 samples (3 ms) of sound."
        )
    return opened


def _other(path: str, names: tuple[str, ...]) -> "OtherSound":
    from neurorack.api import OtherSound

    sound = _open_sound(path)
    return OtherSound(_blocks(sound, path), sound.samplerate, names)


def _blocks(sound: "soundfile.SoundFile", path: str):
    """Blocks [n, channels] until the end; a file that breaks off or holds no numbers is an error."""
    import numpy as np
    import soundfile

    from neurorack.core.errors import NeurorackError

    with sound:
        while True:
            try:
                block = sound.read(BLOCK, dtype="float32", always_2d=True)
            except soundfile.LibsndfileError as error:
                raise NeurorackError(
                    f"{path} breaks off after {sound.tell()} samples: export it again."
                ) from error
            if len(block) == 0:
                return
            if not np.isfinite(block).all():
                raise NeurorackError(
                    f"{path} holds samples that are not numbers (NaN or infinity) "
                    f"before {sound.tell()} samples: "
                    "repair it in a sound editor."
                )
            yield block


def _render(
    sound: "soundfile.SoundFile",
    stream: "Transfer",
    output: Path,
    file_format: tuple[str, str],
    sample_rate: int,
) -> tuple[int, float]:
    """Write the whole transfer atomically; returns (samples, peak before limiting)."""
    from neurorack.play.engine.output import soft_limit

    written, peak = 0, 0.0

    def write(target: "soundfile.SoundFile", samples) -> None:
        nonlocal written, peak
        if len(samples):
            peak = max(peak, float(abs(samples).max()))
            soft_limit(samples)
            target.write(samples)
            written += len(samples)

    with (
        writing(output, file_format, sample_rate) as target,
        SoundProgress("transfer", sound.frames, sound.samplerate) as advance,
    ):
        for block in _blocks(sound, sound.name):
            write(target, stream.process(block))
            advance(len(block))
        write(target, stream.flush())
    return written, peak
