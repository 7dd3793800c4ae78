"""Which backend sounds: what was asked for, else a card if one exists, else the browser."""

from neurorack.core.errors import NeurorackError
from neurorack.play.audio.backend import AudioOptions, Backend, Drops, Render
from neurorack.play.audio.card import CardBackend
from neurorack.play.audio.clocked import ClockedBackend


def start_backend(
    options: AudioOptions, sample_rate: int, drops: Drops, render: Render
) -> tuple[Backend, str]:
    """A started backend, and a note for the performer when it is not the one asked for (else empty).

    It never fails for want of a card: the stream then goes to the browser, and the note says why.
    """
    note = ""
    if options.backend in ("auto", "sounddevice"):
        try:
            card = CardBackend(sample_rate, options.block, drops, options.device)
            card.start(render)
            return card, ""
        except NeurorackError as error:
            if options.backend == "sounddevice" or options.device:
                note = f"{error} The sound comes from this page."
    name = "null" if options.backend == "null" else "browser"
    backend = ClockedBackend(name, sample_rate, options.block, drops)
    backend.start(render)
    return backend, note
