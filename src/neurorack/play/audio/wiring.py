"""Which channel carries which control voltage, as the options --cv-in and --cv-out say it."""

from collections.abc import Sequence
from dataclasses import dataclass

from neurorack.core.errors import NeurorackError
from neurorack.play.audio.cv import INPUTS

LISTENED = ("audio", *INPUTS)
GATE = "gate"
MOST_CHANNELS = 64


@dataclass(frozen=True)
class Plug:
    """One name at one channel (counted from 1). bipolar: a descriptor as -5..5 V instead of 0..5 V."""

    name: str
    channel: int
    bipolar: bool = False


def parse_inputs(text: str) -> tuple[Plug, ...]:
    """`pitch=3,gate=4,cv1=5,audio=1` -> plugs. Raises NeurorackError that says what is possible."""
    plugs = _parse(text, "--cv-in", "pitch=3,gate=4")
    for plug in plugs:
        if plug.name not in LISTENED or plug.bipolar:
            raise NeurorackError(f"--cv-in knows {', '.join(LISTENED)}, not {plug.name!r}.")
    return plugs


def parse_outputs(text: str) -> tuple[Plug, ...]:
    """`brightness=3,loudness=4:bipolar,gate=5` -> plugs; the instrument knows which descriptors exist."""
    return _parse(text, "--cv-out", "brightness=3,gate=4")


def default_outputs(controls: Sequence[str], channels: int) -> tuple[Plug, ...]:
    """The instrument's first descriptors, one a channel."""
    return tuple(Plug(name, i + 1) for i, name in enumerate(controls[:channels]))


def _parse(text: str, option: str, example: str) -> tuple[Plug, ...]:
    plugs = []
    for item in filter(None, (part.strip() for part in text.split(","))):
        name, _, rest = item.partition("=")
        channel, _, kind = rest.partition(":")
        channel = channel.strip()
        sound = channel.isascii() and channel.isdigit() and 1 <= int(channel) <= MOST_CHANNELS
        if not name.strip() or not sound or kind.strip() not in ("", "bipolar"):
            raise NeurorackError(f"{option} is written like {example}; {item!r} is not.")
        plugs.append(Plug(name.strip(), int(channel), kind.strip() == "bipolar"))
    names, channels = [p.name for p in plugs], [p.channel for p in plugs]
    if len(set(names)) < len(names) or len(set(channels)) < len(channels):
        raise NeurorackError(f"{option} names a channel or a voltage twice: {text}.")
    return tuple(plugs)
