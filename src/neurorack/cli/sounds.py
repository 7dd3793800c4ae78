"""What commands that write sound have in common: formats, assignments, a progress bar."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import soundfile


def once(texts: tuple[str, ...], option: str) -> list[tuple[str, str]]:
    """NAME=VALUE of every use of an option, each name once; else NeurorackError."""
    from neurorack.core.errors import NeurorackError
    from neurorack.play.engine.requests import split_assignment

    pairs = [split_assignment(text, option) for text in texts]
    names = [n for n, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise NeurorackError(f"{option} {name} is given twice: give it once.")
    return pairs


def sound_format(output: Path) -> tuple[str, str]:
    """(format, subtype) for libsndfile by the output's suffix; else NeurorackError."""
    from neurorack.core.errors import NeurorackError

    formats = {
        ".wav": ("WAV", "PCM_24"),
        ".flac": ("FLAC", "PCM_24"),
        ".aiff": ("AIFF", "PCM_24"),
        ".aif": ("AIFF", "PCM_24"),
        ".ogg": ("OGG", "VORBIS"),
    }
    found = formats.get(output.suffix.lower())
    if found is None:
        raise NeurorackError(f"{output}: its ending says no sound format; use {', '.join(formats)}.")
    if output.is_dir():
        raise NeurorackError(f"{output} is a folder: name a file in it.")
    return found


@contextmanager
def writing(output: Path, file_format: tuple[str, str], sample_rate: int) -> Iterator["soundfile.SoundFile"]:
    """A mono sound file to write into; it appears whole or not at all. NeurorackError where it cannot."""
    import soundfile

    from neurorack.core.errors import NeurorackError
    from neurorack.core.files import atomic_write

    try:
        with atomic_write(output, "w+b") as file:
            kind, subtype = file_format
            with soundfile.SoundFile(file, "w", sample_rate, 1, subtype, format=kind) as target:
                yield target
    except soundfile.LibsndfileError as error:
        raise NeurorackError(
            f"{output} cannot be written ({error}): choose another place or format."
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise NeurorackError(
            f"{output} cannot be written ({reason}): choose a folder you may write to."
        ) from error


class SoundProgress:
    """A progress bar on a terminal's stderr, in seconds of sound; nothing where there is none. Entered, it
    gives a function that takes how many samples are done more.
    """

    def __init__(self, what: str, frames: int, rate: int) -> None:
        self._what = what
        self._seconds = frames / rate
        self._rate = rate

    def __enter__(self):
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        console = Console(stderr=True)
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f} of {task.total:.0f} s"),
            TimeRemainingColumn(),
            console=console,
            disable=not console.is_terminal,
            transient=True,
        )
        self._bar.start()
        task = self._bar.add_task(self._what, total=self._seconds)
        return lambda samples: self._bar.advance(task, samples / self._rate)

    def __exit__(self, *error: object) -> None:
        self._bar.stop()
