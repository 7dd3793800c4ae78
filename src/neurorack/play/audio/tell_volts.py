"""What the output voltages say: measured descriptors, and whether the gate is open."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from neurorack.play.audio.calibration import Calibration
from neurorack.play.audio.cv import GATE_V, CvOutput, descriptor_volts
from neurorack.play.audio.wiring import GATE, Plug
from neurorack.play.control.latest import LatestValue


class Listening:
    """The newest of what the engine told and the ears measured, by name."""

    def __init__(self, measured: LatestValue, gate: Callable[[], bool]) -> None:
        self._measured = measured
        self.gate = gate
        """Whether a note is held."""
        self._normalised: np.ndarray | None = None
        self._rows: dict[str, int] = {}
        self.controls: tuple[str, ...] = ()
        self.wanted = False
        """Whether the last block told anything measured."""

    def follow(self, controls: Sequence[str]) -> None:
        """Another instrument: the names of its controls, in order."""
        self.controls = tuple(controls)
        self._rows = {name: row for row, name in enumerate(controls)}

    def update(self) -> None:
        """Look for newer measurements; once a block."""
        record = self._measured.read()
        if record is not None:
            self._normalised = record["normalised"]

    def normalised(self, name: str) -> float | None:
        """A control's measured value, None while it is unknown."""
        row = self._rows.get(name)
        return None if row is None or self._normalised is None else float(self._normalised[row])


class Voltages:
    """The output voltages of one device."""

    def __init__(
        self, plugs: Sequence[Plug], listening: Listening, calibrations: dict[int, Calibration]
    ) -> None:
        self._listening = listening
        self._outputs = [(plug, CvOutput(calibrations.get(plug.channel))) for plug in plugs]

    def write(self, out: Mapping[int, np.ndarray]) -> None:
        """Fill one block of each channel in `out` (channel -> float32 [n]: those that somebody hears); those
        without a plug are 0.
        """
        listening = self._listening
        if not out:
            listening.wanted = False
            return
        listening.wanted = any(plug.channel in out and plug.name != GATE for plug, _ in self._outputs)
        listening.update()
        for block in out.values():
            block.fill(0.0)
        for plug, output in self._outputs:
            if plug.channel not in out:
                continue
            if plug.name == GATE:
                output.write(GATE_V if listening.gate() else 0.0, out[plug.channel], step=True)
            else:
                value = listening.normalised(plug.name)
                volts = output.volts if value is None else descriptor_volts(value, plug.bipolar)
                output.write(volts, out[plug.channel])
