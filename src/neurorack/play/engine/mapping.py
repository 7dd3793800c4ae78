"""ControlMap: from measured columns to controls and back, for all controls of an instrument at once."""

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.manifest import Control, Manifest
from neurorack.core.normaliser import OVERSHOOT


class ControlMap:
    """Vectorised normalisation. Axis -2 of every array runs over controls (or measured columns), -1 over
    time.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.controls: tuple[Control, ...] = manifest.controls
        self.names = tuple(c.name for c in manifest.controls)
        self.size = len(self.names)
        columns = {m.name: i for i, m in enumerate(manifest.measured)}
        missing = [n for n in self.names if n not in columns]
        if missing:
            raise NeurorackError(
                f"The instrument {manifest.name} does not measure its own control {missing[0]}: "
                "export it again."
            )
        self.columns = np.array([columns[n] for n in self.names], np.intp)
        self.defaults = np.array([c.default for c in manifest.controls], np.float32)
        self.default_controls = np.array(
            [c.normaliser.to_control(np.array(c.default)) for c in manifest.controls], np.float32
        )
        self.loudness = self.names.index("loudness") if "loudness" in self.names else -1
        self.pitch = self.names.index("pitch") if "pitch" in self.names else -1
        self.lag_frames = np.array([c.lag_frames for c in manifest.controls], np.intp)
        self.tables = [self._table(c) for c in manifest.controls]

    @staticmethod
    def _table(control: Control) -> tuple[np.ndarray, np.ndarray]:
        ends = control.normaliser.to_physical(np.array([-OVERSHOOT, OVERSHOOT]))
        knots = np.asarray(control.knots, np.float64)
        grid = np.concatenate([[-OVERSHOOT], np.linspace(-1.0, 1.0, len(knots)), [OVERSHOOT]])
        return np.concatenate([[ends[0]], knots, [ends[1]]]), grid

    def index(self, name: str) -> int:
        """Row of control `name`. Raises NeurorackError naming those there are."""
        if name not in self.names:
            raise NeurorackError(
                f"This instrument has no control named {name!r}: choose among {', '.join(self.names)}."
            )
        return self.names.index(name)

    def to_control(self, row: int, physical: np.ndarray | float) -> np.ndarray:
        """Physical values of control `row` -> [-1.25, 1.25]."""
        knots, grid = self.tables[row]
        return np.interp(physical, knots, grid)

    def to_physical(self, row: int, control: np.ndarray | float) -> np.ndarray:
        """Normalised values of control `row` -> its physical unit."""
        knots, grid = self.tables[row]
        return np.interp(control, grid, knots)

    def all_to_control(self, physical: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """[C] or [C, T] physical -> normalised float32."""
        out = np.empty(physical.shape, np.float32) if out is None else out
        for row in range(self.size):
            out[row] = self.to_control(row, physical[row])
        return out

    def all_to_physical(self, control: np.ndarray, out: np.ndarray | None = None) -> np.ndarray:
        """[C] or [C, T] normalised -> physical float32."""
        out = np.empty(control.shape, np.float32) if out is None else out
        for row in range(self.size):
            out[row] = self.to_physical(row, control[row])
        return out
