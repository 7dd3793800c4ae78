"""Opening the backend that was asked for; for "auto" the best one: a JACK server, a card, the browser."""

from collections.abc import Callable
from dataclasses import replace

from neurorack.core.errors import NeurorackError
from neurorack.play.audio.backend import AudioOptions, Backend, Drops
from neurorack.play.audio.calibration import load
from neurorack.play.audio.card import CardBackend, look_again
from neurorack.play.audio.clocked import ClockedBackend
from neurorack.play.audio.jack_server import JackBackend
from neurorack.play.audio.tell_volts import Listening
from neurorack.play.audio.wiring import parse_outputs

JACK_CALIBRATION = "JACK"
"""The device under whose name calibrations of JACK's ports are kept."""

Open = Callable[[str, bool, int], Backend]
"""(name of a backend, whether to look for new devices, samples of a block) -> an opened one that does not yet
ask for blocks."""


def opener(options: AudioOptions, sample_rate: int, drops: Drops, listening: Listening) -> Open:
    """An Open for these options; it raises NeurorackError when that backend cannot be had."""

    def open_backend(name: str, again: bool, block: int) -> Backend:
        if name == "jack":
            plugs = parse_outputs(options.cv_out)
            return JackBackend(sample_rate, drops, listening, plugs, load(JACK_CALIBRATION))
        if name == "sounddevice":
            if again:
                look_again()
            return CardBackend(sample_rate, replace(options, block=block), drops, listening)
        return ClockedBackend(name, sample_rate, block, drops)

    return open_backend


def candidates(options: AudioOptions) -> list[str]:
    """Names of the backends to try, best first; the last of them always works."""
    if options.backend == "auto":
        names_card = bool(options.device or options.input or options.cv_in)
        return [*([] if names_card else ["jack"]), "sounddevice", "browser"]
    return [options.backend] if options.backend in ("browser", "null") else [options.backend, "browser"]


def only_if_there(options: AudioOptions, name: str) -> bool:
    """Whether it is nothing worth saying when this backend cannot be had."""
    return options.backend == "auto" and not (name == "sounddevice" and options.device)


def open_first(
    options: AudioOptions, names: list[str], opened: Callable[[str], Backend]
) -> tuple[Backend, str]:
    """The first backend of `names` that `opened` gives, and what to tell the performer (or "")."""
    note = ""
    for name in names[:-1]:
        try:
            return opened(name), note
        except NeurorackError as error:
            if not only_if_there(options, name):
                note = str(error)
    return opened(names[-1]), f"{note} The sound comes from this page." if note else ""
