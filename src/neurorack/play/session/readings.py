"""Readings: what is measured of the sound, read from the bridge as listeners are told of it."""

from typing import Any

from neurorack.core.manifest import Manifest
from neurorack.play.audio.supervisor import Supervisor
from neurorack.play.engine.frame import Measured, Telemetry
from neurorack.play.session.spectrum import METER, WINDOW, Spectrum, side_levels_db
from neurorack.play.session.telemetry import status_dict, telemetry_dict


class Readings:
    """The newest measurements. `adopt` an instrument before reading."""

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor
        self._bridge = supervisor.bridge
        self._measured = Measured()
        self.told: dict[str, Any] = {}
        """The last reading; empty before the first."""

    def adopt(self, manifest: Manifest) -> None:
        """Go on with an instrument."""
        self._spectrum = Spectrum(manifest.sample_rate)

    def read(self, inputs: dict[str, Any]) -> dict[str, Any] | None:
        """Read anew; `inputs` (MIDI, OSC) join the status. None while nothing sounds yet."""
        record, heard = self._bridge.telemetry.read(), self._bridge.measured.read()
        if heard is not None:
            self._measured = Measured.read_from(heard)
        if record is None:
            return None
        ring = self._bridge.output
        newest = ring.copy(max(0, ring.written - WINDOW), WINDOW)
        supervisor = self._supervisor
        status = status_dict(supervisor.status, supervisor.running, supervisor.restarts)
        self.told = telemetry_dict(Telemetry.read_from(record), self._measured) | {
            "spectrum": self._spectrum.levels_db(newest.mean(axis=0)),
            "levels_db": side_levels_db(newest[:, -METER:]),
            "status": status | inputs,
        }
        return self.told
