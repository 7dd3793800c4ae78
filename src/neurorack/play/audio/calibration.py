"""How many volts a channel's samples are: fitted from known voltages, kept for each device and channel.

The file calibration.json in the user's Neurorack folder holds, for each device by name, its channels.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.library import home_dir
from neurorack.core.strict_json import Field, parse

VOLTS_PER_UNIT = 10.0
"""Of a channel that was never calibrated: what ES-8 and most DC-coupled interfaces have at full scale."""
SMALLEST, LARGEST = 0.5, 100.0
MOST_OFFSET_V = 5.0
MOST_ERROR_V = 0.1
LEAST_SPAN_V = 0.5


@dataclass(frozen=True)
class Calibration:
    """volts = sample * volts_per_unit + offset_volts. A negative volts_per_unit is an inverting input."""

    volts_per_unit: float = VOLTS_PER_UNIT
    offset_volts: float = 0.0


@dataclass(frozen=True)
class Fit:
    """A calibration and how well it explains what was measured: the largest error, in volts."""

    calibration: Calibration
    error_volts: float

    @property
    def error_cents(self) -> float:
        """The same at 1 V per octave."""
        return 1200.0 * self.error_volts


def fit(samples: Sequence[float], volts: Sequence[float]) -> Fit:
    """The straight line through pairs of a measured mean sample and the voltage it was.

    Raises NeurorackError when the pairs make no sense: another cable, or another voltage than was said.
    """
    x, y = np.asarray(samples, np.float64), np.asarray(volts, np.float64)
    if len(x) != len(y) or len(x) < 2 or np.ptp(y) < LEAST_SPAN_V:
        raise NeurorackError(f"Calibration needs two or more voltages at least {LEAST_SPAN_V:g} V apart.")
    if not np.isfinite(x).all() or np.ptp(x) < LEAST_SPAN_V / LARGEST:
        raise NeurorackError(
            "The input did not move with the voltages: check the cable, and that the input is DC-coupled."
        )
    slope, offset = np.polyfit(x, y, 1)
    error = float(np.abs(slope * x + offset - y).max())
    if not SMALLEST <= abs(slope) <= LARGEST or abs(offset) > MOST_OFFSET_V or error > MOST_ERROR_V:
        raise NeurorackError(
            f"These readings are no straight line that an input could have (off by {error:.2f} V): "
            "repeat the calibration and wait at each voltage until it is steady."
        )
    return Fit(Calibration(float(slope), float(offset)), error)


def path() -> Path:
    """Where calibrations are kept."""
    return home_dir() / "calibration.json"


def load(device: str) -> dict[str, Calibration]:
    """Channel -> Calibration of a device; those not in it have the default.

    Raises NeurorackError when the file cannot be understood.
    """
    return _load_all().get(device, {})


def save(device: str, channel: str, calibration: Calibration) -> None:
    """Keep the calibration of one channel."""
    everything = _load_all()
    everything.setdefault(device, {})[channel] = calibration
    table = {
        name: {c: asdict(kept) for c, kept in sorted(channels.items())}
        for name, channels in sorted(everything.items())
    }
    with atomic_write(path(), "w") as file:
        json.dump({"version": 1, "devices": table}, file, indent=1, ensure_ascii=False)
        file.write("\n")


def _load_all() -> dict[str, dict[str, Calibration]]:
    try:
        data = path().read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise NeurorackError(f"The calibration {path()} cannot be read ({error.strerror}).") from error
    try:
        root = Field(parse(data))
        root.get("version").integer(1, 1)
        return {
            device: {channel: _calibration(entry) for channel, entry in channels.members()}
            for device, channels in root.get("devices").members()
        }
    except NeurorackError as error:
        raise NeurorackError(
            f"The calibration {path()} is damaged: {error}. Delete the file and calibrate again."
        ) from error


def _calibration(entry: Field) -> Calibration:
    slope = entry.get("volts_per_unit").number(-LARGEST, LARGEST)
    if math.fabs(slope) < SMALLEST:
        entry.get("volts_per_unit").fail(f"at least {SMALLEST:g} in size")
    return Calibration(slope, entry.get("offset_volts").number(-MOST_OFFSET_V, MOST_OFFSET_V))
