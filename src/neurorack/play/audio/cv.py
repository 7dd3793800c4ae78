"""Control voltages: samples of a DC-coupled input become events, and descriptors become samples. Pure.

Pitch is 1 V per octave, 0 V is C4. A gate opens above 1 V and closes below 0.5 V, at exactly the sample that
crosses. With a gate connected, pitch belongs to its note: read when the gate opens and followed while it is
open. Without one, pitch bends everything that sounds.
"""

import math
from collections.abc import Mapping

import numpy as np

from neurorack.play.audio.calibration import Calibration
from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.params import MOD_INDEX

INPUTS = ("pitch", "gate", "cv1", "cv2", "cv3", "cv4")
CV_NOTE = 1 << 20
"""The note that the gate input plays, far from every number a key can have."""
C4_HZ = 440.0 * 2.0 ** (-9.0 / 12.0)
OPEN_V, CLOSE_V = 1.0, 0.5
PIECE = 128
"""Samples between two readings of pitch and of the other voltages."""
SETTLE = 32
"""Samples after a gate from which its pitch is read, as far as the block has them."""
MOVED_OCTAVES = 0.3 / 1200.0
MOVED_CV = 1e-3
MOST_OCTAVES = 6.0
CV_V = 5.0
"""Volts that are the value 1 of a cv source, and of a descriptor at its upper end."""
GATE_V = 5.0


class CvInput:
    """Turns the voltages of one device into events. Velocity -1 of its notes: the knob's."""

    def __init__(self, calibrations: Mapping[str, Calibration] | None = None) -> None:
        self._calibrations = dict(calibrations or {})
        self._open = False
        self._octaves = 0.0
        self._bend = 0.0
        self._values = dict.fromkeys(INPUTS[2:], 0.0)

    def read(self, signals: Mapping[str, np.ndarray]) -> list[Event]:
        """Events of one block. signals: name of a connected input -> samples of the device, float32 [n]."""
        volts = {name: self._volts(name, signals[name]) for name in INPUTS if name in signals}
        events: list[Event] = []
        if "gate" not in volts:
            events += self.release()
        if "pitch" not in volts and self._bend:
            self._bend = 0.0
            events.append(Event(Kind.BEND, -1, 0.0))
        length = min((len(v) for v in volts.values()), default=0)
        for start in range(0, length, PIECE):
            piece = {name: v[start : min(start + PIECE, length)] for name, v in volts.items()}
            self._read_values(piece, start, events)
            if "gate" in piece:
                self._read_note(piece["gate"], piece.get("pitch"), start, events)
            elif "pitch" in piece:
                self._read_bend(piece["pitch"], start, events)
        return events

    def release(self) -> list[Event]:
        """What is to happen when the gate's cable or device has gone."""
        if not self._open:
            return []
        self._open = False
        return [Event(Kind.NOTE_OFF, CV_NOTE)]

    def _volts(self, name: str, samples: np.ndarray) -> np.ndarray:
        calibration = self._calibrations.get(name, Calibration())
        volts = samples.astype(np.float64) * calibration.volts_per_unit + calibration.offset_volts
        if not math.isfinite(volts.sum()):
            volts = np.nan_to_num(volts, nan=0.0, posinf=0.0, neginf=0.0)
        return volts

    def _read_values(self, piece: Mapping[str, np.ndarray], start: int, events: list[Event]) -> None:
        for name, before in self._values.items():
            if name in piece:
                value = min(max(_median(piece[name]) / CV_V, -1.0), 1.0)
                if abs(value - before) > MOVED_CV:
                    self._values[name] = value
                    events.append(Event(Kind.EXTERNAL, MOD_INDEX[name], value, offset=start))

    def _read_note(self, gate: np.ndarray, pitch: np.ndarray | None, start: int, events: list[Event]) -> None:
        at = 0
        while True:
            crossed = gate[at:] < CLOSE_V if self._open else gate[at:] >= OPEN_V
            edge = at + int(crossed.argmax())
            found = bool(crossed[edge - at])
            if self._open and pitch is not None:
                self._follow(pitch[at : edge if found else len(pitch)], start + at, events)
            if not found:
                return
            self._open = not self._open
            if self._open:
                f0_hz = 0.0
                if pitch is not None:
                    self._octaves = _octaves(pitch[edge : edge + SETTLE])
                    f0_hz = C4_HZ * 2.0**self._octaves
                events.append(Event(Kind.NOTE_ON, CV_NOTE, f0_hz, -1.0, offset=start + edge))
            else:
                events.append(Event(Kind.NOTE_OFF, CV_NOTE, offset=start + edge))
            at = edge
            if at + 1 >= len(gate):
                return
            at += 1

    def _follow(self, pitch: np.ndarray, at: int, events: list[Event]) -> None:
        if len(pitch) < min(SETTLE, PIECE):
            return  # too little to tell from noise; the next piece will say
        octaves = _octaves(pitch)
        if abs(octaves - self._octaves) > MOVED_OCTAVES:
            self._octaves = octaves
            events.append(Event(Kind.PITCH, CV_NOTE, C4_HZ * 2.0**octaves, offset=at))

    def _read_bend(self, pitch: np.ndarray, start: int, events: list[Event]) -> None:
        octaves = _octaves(pitch)
        if abs(octaves - self._bend) > MOVED_OCTAVES:
            self._bend = octaves
            events.append(Event(Kind.BEND, -1, octaves, offset=start))


def _median(values: np.ndarray) -> float:
    """The upper median: one quick selection, deaf to single wild samples."""
    middle = len(values) // 2
    return float(np.partition(values, middle)[middle])


def _octaves(volts: np.ndarray) -> float:
    return min(max(_median(volts), -MOST_OCTAVES), MOST_OCTAVES)


class CvOutput:
    """One output voltage: moves to each block's target in a straight line. `volts` is where it stands."""

    def __init__(self, calibration: Calibration | None = None) -> None:
        self._calibration = calibration or Calibration()
        self.volts = 0.0

    def write(self, volts: float, out: np.ndarray, step: bool = False) -> None:
        """Fill `out`, float32 [n], with samples of the device. step: jump instead (gates)."""
        c = self._calibration
        if volts != volts:
            volts = self.volts
        if step or volts == self.volts:
            out.fill((volts - c.offset_volts) / c.volts_per_unit)
        else:
            line = self.volts + (volts - self.volts) * (np.arange(1, len(out) + 1) / max(len(out), 1))
            out[:] = (line - c.offset_volts) / c.volts_per_unit
        self.volts = volts


def descriptor_volts(normalised: float, bipolar: bool) -> float:
    """A control's normalised value -1..1 as 0..5 V, or -5..5 V."""
    value = min(max(normalised, -1.0), 1.0) if normalised == normalised else 0.0
    return CV_V * value if bipolar else 0.5 * CV_V * (value + 1.0)
