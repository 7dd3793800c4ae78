"""Telling: what the engine tells of a block (Telemetry), and what it hears of itself where it is asked to."""

import math

import numpy as np

from neurorack.play.engine.frame import ControlFrame, Measured, Telemetry
from neurorack.play.engine.meter import Meter
from neurorack.play.engine.modulation.travel import travels
from neurorack.play.engine.part import Part
from neurorack.play.engine.performer import Performer

REACHABLE_S = 0.1
"""How often the reachable ranges are worked out: they are only looked at."""


class Telling:
    """Fills `telemetry` after every block."""

    def __init__(self, sample_rate: float) -> None:
        self.telemetry = Telemetry()
        self._rate = sample_rate
        self._samples = 0
        self._due = 0
        self._load = self._load_peak = 0.0

    def tell(
        self, audio: np.ndarray, frame: ControlFrame, part: Part, performer: Performer, seconds: float
    ) -> None:
        """audio: the block [2, n]; seconds: how long it took to render."""
        tell, voice, n = self.telemetry, part.newest, part.shared.size
        samples = max(audio.shape[1], 1)
        duration = samples / self._rate
        load = seconds / duration
        self._load += (1.0 - math.exp(-duration / 0.5)) * (load - self._load)
        self._load_peak = max(load, self._load_peak * math.exp(-duration / 2.0))
        tell.load, tell.load_peak = self._load, self._load_peak
        tell.controls = n
        tell.frames += len(part.rows)
        tell.asked[:n], tell.asked_physical[:n] = voice.asked, voice.asked_physical
        tell.source_controls[:n] = voice.source_controls
        flat = audio.reshape(-1)
        tell.level_db = 10.0 * math.log10(float(np.dot(flat, flat)) / (2 * samples) + 1e-12)
        tell.peak = float(max(flat.max(), -flat.min())) if len(flat) else 0.0
        sounding = sum(v.on for v in part.voices)
        tell.voices, tell.sounding = sounding, sounding > 0
        tell.notes, tell.gate = performer.notes.started, any(v.gate for v in part.voices)
        tell.non_finite = part.non_finite
        tell.source, tell.position = int(frame.source), voice.tone.position
        tell.input_level_db = 10.0 * math.log10(performer.input_power + 1e-12)
        tell.f0_hz = voice.f0_hz
        tell.map_x, tell.map_y = part.place(voice)
        clock = performer.modulation.clock
        tell.beat, tell.tempo_bpm = clock.beat, clock.tempo_bpm
        self._due -= samples
        if self._due <= 0:
            self._due = int(REACHABLE_S * self._rate)
            asked = np.array(voice.asked)
            tell.reachable_low[:n], tell.reachable_high[:n] = part.instrument.coupling.reachable(asked)
        self._samples += samples
        tell.modulation[:] = voice.modulation.sources
        tell.travel[:] = travels(voice.modulation.values)


class Listening:
    """Measures the engine's own sound, in the thread that makes it: for offline use."""

    def __init__(self) -> None:
        self.measured = Measured()
        self._part: Part | None = None
        self._meter: Meter | None = None

    def feed(self, sound: np.ndarray, part: Part, frames: int) -> None:
        """One finished frame [2, hop], of which `frames` have gone by."""
        controls = part.instrument.map
        if part is not self._part:
            self._part = part
            self._meter = Meter(part.instrument.graphs, controls.columns, controls.defaults)
        assert self._meter is not None
        if self._meter.feed(0.5 * (sound[0] + sound[1])):
            told, n = self.measured, controls.size
            told.controls, told.measuring, told.sample = n, self._meter.ready, frames * sound.shape[1]
            told.physical[:n] = self._meter.physical
            controls.all_to_control(self._meter.physical, out=told.normalised[:n])
