"""Opens what a performer's gear speaks: MIDI in, the MIDI clock out, OSC; keeps looking for new MIDI ports.

Nothing of it is needed to play: what cannot be opened is told in one sentence, and the rest works.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.play.control.hands import Hub
from neurorack.play.control.midi.clock_out import ClockOut, open_output
from neurorack.play.control.midi.ports import MidiInputs
from neurorack.play.control.osc.server import OscServer

OSC_PORT = 7474
SCAN_S = 2.0
"""How often new MIDI ports are looked for."""
SECOND_SCAN_S = 0.3
"""How soon after the first time."""


@dataclass(frozen=True)
class InputOptions:
    """What the command line asks for."""

    midi: str = "all"
    """"all" inputs, "none", or part of the name of those that are wanted; a virtual port unless "none"."""
    mpe: bool = False
    """Every MIDI port has an MPE zone of fifteen members from the start."""
    midi_relative: frozenset[int] = frozenset()
    """Controllers that are endless encoders (two's complement)."""
    midi_clock_out: str = ""
    """Part of the name of the MIDI output that gets the clock; "virtual": one of our own; "": none."""
    osc: int | None = OSC_PORT
    """UDP port (0: any free one); None: no OSC."""
    osc_lan: bool = False
    """Listen to the whole network, not to this machine only."""


class Inputs:
    """What is open. `midi` and `osc` are also kept in the hub's `inputs`, which is part of the status."""

    def __init__(self, hub: Hub, options: InputOptions) -> None:
        self._hub, self._options = hub, options
        self._midi = MidiInputs(hub, options.midi, options.mpe)
        self._osc: OscServer | None = None
        self._told = ""

    @property
    def midi(self) -> list[str]:
        """Names of the open MIDI inputs."""
        return self._midi.names

    @property
    def osc(self) -> int:
        """OSC's UDP port; 0: none."""
        return self._osc.port if self._osc is not None else 0

    async def open(self, stack: contextlib.AsyncExitStack) -> None:
        """Open everything; `stack` closes it."""
        options, midi_map = self._options, self._hub.midi_map
        midi_map.relative = options.midi_relative
        if midi_map.fault:
            self._hub.tell(midi_map.fault, "warn")
        if options.osc is not None:
            with self._telling():
                self._osc = await OscServer.open(self._hub, options.osc, options.osc_lan)
                stack.callback(self._osc.close)
        if options.midi_clock_out:
            with self._telling():
                output = await asyncio.to_thread(open_output, options.midi_clock_out)
                stack.callback(output.close_port)
                clock = ClockOut(output.send_message)
                stack.callback(clock.close)
                stack.callback(self._hub.subscribe(_following(self._hub, clock)))
        if options.midi != "none":
            stack.callback(self._midi.close)
            self._scan()
            scanning = asyncio.get_running_loop().create_task(self._keep_scanning())
            stack.push_async_callback(_cancelled, scanning)
        self._report()

    @contextlib.contextmanager
    def _telling(self) -> Any:
        try:
            yield
        except NeurorackError as error:
            self._hub.tell(str(error), "warn")

    async def _keep_scanning(self) -> None:
        await asyncio.sleep(SECOND_SCAN_S)
        while True:
            self._scan()
            await asyncio.sleep(SCAN_S)

    def _scan(self) -> None:
        self._midi.scan(asyncio.get_running_loop())
        if self._midi.fault != self._told:
            self._told = self._midi.fault
            if self._told and self._options.midi != "all":  # who asked for no port in particular misses none
                self._hub.tell(self._told, "warn")
        self._report()

    def _report(self) -> None:
        self._hub.inputs = {"midi": self.midi, "osc": self.osc}


def _following(hub: Hub, clock: ClockOut) -> Any:
    def listen(kind: str, data: dict[str, Any]) -> None:
        if kind == "telemetry" and data.get("beat") is not None and data.get("tempo_bpm") is not None:
            clock.follow(data["beat"], data["tempo_bpm"], bool(hub.state().get("transport")))

    return listen


async def _cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


@contextlib.asynccontextmanager
async def start_inputs(hub: Hub, options: InputOptions) -> AsyncIterator[Inputs]:
    """Everything open within the block, closed after it; keys that were held are let go."""
    async with contextlib.AsyncExitStack() as stack:
        inputs = Inputs(hub, options)
        await inputs.open(stack)
        try:
            yield inputs
        finally:
            hub.inputs = {"midi": [], "osc": 0}
