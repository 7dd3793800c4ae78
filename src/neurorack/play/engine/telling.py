"""Telling: what the engine tells of a block (Telemetry), and what it hears of itself where it is asked to."""

import math

import numpy as np

from neurorack.play.engine.frame import ControlFrame, Measured, Source, Telemetry
from neurorack.play.engine.meter import Meter
from neurorack.play.engine.modulation.travel import travels
from neurorack.play.engine.part import Part
from neurorack.play.engine.performer import Performer

LOOK_S = 0.05
"""How often something that is only looked at is worked out: the reachable ranges and the place on the map, in
turn, and while notes start or much sounds a little later."""
LIGHT, PATIENCE = 0.5, 4
"""A block that took less of its time than this can take that, too; after so many turns any block must."""


class Telling:
    """Notes every block; fills in a Telemetry when one is asked for, some tens of times a second."""

    def __init__(self, sample_rate: float) -> None:
        self._telemetry = Telemetry()
        self._rate = sample_rate
        self._samples = self._look_at = self._looks = 0
        self._last_load = 0.0
        self._frames = 0
        self._load = self._load_peak = 0.0
        self._block: tuple[np.ndarray, ControlFrame, Part, Performer] | None = None

    def tell(
        self, audio: np.ndarray, frame: ControlFrame, part: Part, performer: Performer, seconds: float
    ) -> None:
        """audio: the block [2, n]; seconds: how long it took to render."""
        duration = max(audio.shape[1], 1) / self._rate
        load = self._last_load = seconds / duration
        self._load += (1.0 - math.exp(-duration / 0.5)) * (load - self._load)
        self._load_peak = max(load, self._load_peak * math.exp(-duration / 2.0))
        self._samples += audio.shape[1]
        self._frames += len(part.rows)
        self._block = (audio, frame, part, performer)

    def telemetry(self) -> Telemetry:
        """What the last block was. The same object every time, filled anew."""
        tell = self._telemetry
        if self._block is None:
            return tell
        audio, frame, part, performer = self._block
        self._block = None
        voice, n = part.newest, part.shared.size
        tell.load, tell.load_peak = self._load, self._load_peak
        tell.controls, tell.frames = n, self._frames
        tell.asked[:n], tell.asked_physical[:n] = voice.asked, voice.asked_physical
        tell.source_controls[:n] = voice.source_controls
        flat = audio.reshape(-1)
        tell.level_db = 10.0 * math.log10(float(np.dot(flat, flat)) / max(len(flat), 1) + 1e-12)
        tell.peak = float(max(flat.max(), -flat.min())) if len(flat) else 0.0
        tell.voices = sum(v.on for v in part.voices)
        tell.sounding = tell.voices > 0
        tell.notes, tell.gate = performer.notes.started, any(v.gate for v in part.voices)
        tell.non_finite = part.non_finite
        tell.source, tell.position = int(frame.source), voice.tone.position
        tell.input_level_db = 10.0 * math.log10(performer.input_power + 1e-12)
        tell.f0_hz = voice.f0_hz
        part.proposing.shown(tell.proposed)
        tell.answer, tell.alone = part.proposing.phase, performer.notes.alone
        clock = performer.modulation.clock
        tell.beat, tell.tempo_bpm = clock.beat, clock.tempo_bpm
        tell.modulation[:] = voice.modulation.sources
        tell.travel[:] = travels(voice.modulation.values)
        self._look(part)
        return tell

    def _look(self, part: Part) -> None:
        tell, voice, n = self._telemetry, part.newest, part.shared.size
        if part.shared.frame.source == Source.MAP:
            tell.map_x, tell.map_y = part.place(voice)
        late = self._samples - self._look_at
        turn = int(LOOK_S * self._rate)
        if late < 0 or (self._last_load > LIGHT and late < PATIENCE * turn):
            return
        self._look_at = self._samples + turn
        self._looks += 1
        if self._looks % 2:
            low, high = part.instrument.support.reachable(np.array(voice.asked))
            tell.reachable_low[:n], tell.reachable_high[:n] = low, high
        else:
            tell.map_x, tell.map_y = part.place(voice)


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
