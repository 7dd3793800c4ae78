"""Hands: what MIDI and OSC need to know of the hub that they speak to, and nothing more."""

from collections.abc import Callable
from typing import Any, Protocol

from neurorack.play.control.messages import Message
from neurorack.play.control.midi.learn import MidiMap

Listener = Callable[[str, dict[str, Any]], None]
"""Called with a kind ("state", "telemetry", "library" …) and its data, as told to the panels."""


class Hub(Protocol):
    """Everybody's one entry to the performance. All of it is called on the event loop's thread only."""

    midi_map: MidiMap
    """Which MIDI controller moves what; Learn and Unlearn messages go to it by way of `perform`."""

    inputs: dict[str, Any]
    """"midi": names of the open MIDI inputs; "osc": the UDP port (0: none). Kept up to date from here."""

    def tell(self, text: str, level: str = "error") -> None:
        """A sentence for the performer; level: info, warn, error."""

    def perform(self, hand: int, message: Message) -> None:
        """Carry out what a hand says; never raises for a checked message."""

    def hand(self) -> int:
        """A fresh hand number: keys and gates belong to the hand that holds them."""

    def leave(self, hand: int) -> None:
        """A hand lets go of everything that it holds."""

    def state(self) -> dict[str, Any]:
        """The performance: "numbers", "asked", "source", "transport" … as the panels know it."""

    def library(self) -> dict[str, Any]:
        """ "clips", "presets", "tunings", "takes"."""

    def telemetry(self) -> dict[str, Any]:
        """The last measurements; empty before the first."""

    def instrument(self) -> dict[str, Any]:
        """The instrument as the hello describes it: "name", "controls": [{"name", "label", "unit" …}]."""

    def subscribe(self, listener: Listener, looks: Callable[[], bool] = ...) -> Callable[[], None]:
        """Have `listener` called from now on; the result ends that. looks: whether it has any use for
        telemetry now; by default it always has.
        """
