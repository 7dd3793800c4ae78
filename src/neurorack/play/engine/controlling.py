"""Controlling: from a sound's own controls to the controls the decoder gets, as the user's requests say."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.play.engine.insist import Coupling
from neurorack.play.engine.mapping import ControlMap
from neurorack.play.engine.requests import Amount, Curve

F0_RANGE_HZ = (16.0, 8_000.0)
"""Pitches a decoder is asked for at most."""


@dataclass(frozen=True)
class Request:
    """What to change in a transfer, by control name.

    sets: constant values; curves: values over time; offsets: added to what the sound (or set, or curve) says;
    sourced: controls taken from another sound; insist: see play.engine.insist. Moving other controls never
    moves pitch along: a melody is not a timbre.
    """

    sets: Mapping[str, Amount] = field(default_factory=dict)
    curves: Mapping[str, Curve] = field(default_factory=dict)
    offsets: Mapping[str, Amount] = field(default_factory=dict)
    sourced: tuple[str, ...] = ()
    insist: float = 1.0

    def __post_init__(self) -> None:
        given = [*self.sets, *self.curves, *self.sourced]
        twice = {n for n in given if given.count(n) > 1}
        if twice:
            raise NeurorackError(
                f"{min(twice)} is given twice: use one of set, curve and source for each control."
            )
        if not 0.0 <= self.insist <= 1.0:
            raise NeurorackError(f"insist must lie in 0..1, not {self.insist}.")


class Controller:
    """Applies a Request to frames. Stateless in time: any cut of the frames gives the same result."""

    def __init__(self, controls: ControlMap, coupling: Coupling, request: Request) -> None:
        self._map, self._coupling, self._request = controls, coupling, request
        self._sets = {controls.index(n): a for n, a in request.sets.items()}
        self._curves = {controls.index(n): c for n, c in request.curves.items()}
        self._offsets = {controls.index(n): a for n, a in request.offsets.items()}
        self._sourced = [controls.index(n) for n in request.sourced]
        self._moved = sorted({*self._sets, *self._curves, *self._offsets, *self._sourced})

    def apply(
        self, own: np.ndarray, times_s: np.ndarray, other: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
        """Controls for the decoder.

        own: [C, T] physical, the sound's own; times_s: [T], the time in the sound of each frame; other: [C,
        T] physical of the other sound (rows not sourced are ignored), or None. Returns (controls [C, T] in
        ±1.25, level_db [T] or None, f0_hz [T] or None).
        """
        m = self._map
        own_controls = m.all_to_control(own)
        physical = own.astype(np.float32, copy=True)
        if not self._moved:
            return own_controls, self._level(physical), self._pitch(physical)
        delta = np.zeros((len(self._moved), own.shape[1]), np.float64)
        for place, row in enumerate(self._moved):
            target, value = self._target(row, own[row], own_controls[row], times_s, other)
            physical[row] = value
            delta[place] = target - own_controls[row]
        controls = self._coupling.move_others(own_controls, self._moved, delta, self._request.insist)
        if m.pitch >= 0 and m.pitch not in self._moved:
            controls[m.pitch] = own_controls[m.pitch]
        if m.loudness >= 0 and m.loudness not in self._moved:
            # Add the change, so that levels under the corpus's quietest (silence) keep their depth.
            after = m.to_physical(m.loudness, controls[m.loudness])
            physical[m.loudness] += after - m.to_physical(m.loudness, own_controls[m.loudness])
        return controls, self._level(physical), self._pitch(physical)

    def _target(
        self,
        row: int,
        own: np.ndarray,
        own_control: np.ndarray,
        times_s: np.ndarray,
        other: np.ndarray | None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """(control, physical) asked of `row`, each [T]."""
        m = self._map
        control, value = own_control.astype(np.float64), own.astype(np.float64)
        asked: Amount | None = None
        if row in self._sets:
            asked = self._sets[row]
            value = np.full(len(own), asked.value)
        elif row in self._curves:
            curve = self._curves[row]
            asked = Amount(0.0, curve.kind)
            value = curve.at(times_s)
        elif row in self._sourced and other is not None:
            asked = Amount(0.0, "physical")
            value = other[row].astype(np.float64)
        if asked is not None:
            if asked.kind == "travel":
                control = 2.0 * value - 1.0
                value = m.to_physical(row, control)
            else:
                control = m.to_control(row, value)
        offset = self._offsets.get(row)
        if offset is not None:
            if offset.kind == "travel":
                moved = np.clip(control + 2.0 * offset.value, -1.25, 1.25)
                value = value + m.to_physical(row, moved) - m.to_physical(row, control)
                control = moved
            else:
                value = (
                    value * 2.0 ** (offset.value / 12.0)
                    if offset.kind == "semitones"
                    else value + offset.value
                )
                control = m.to_control(row, value)
        return control, value

    def _level(self, physical: np.ndarray) -> np.ndarray | None:
        return physical[self._map.loudness] if self._map.loudness >= 0 else None

    def _pitch(self, physical: np.ndarray) -> np.ndarray | None:
        return np.clip(physical[self._map.pitch], *F0_RANGE_HZ) if self._map.pitch >= 0 else None
