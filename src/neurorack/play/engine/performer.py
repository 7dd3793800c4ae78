"""Performer: obeys frames and events in time: parameters, notes, clock, panic and seed, frame by frame."""

import math
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

import numpy as np

from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import ControlFrame, Source
from neurorack.play.engine.modulation.matrix import Modulation
from neurorack.play.engine.notes import ANSWER_KEY, GATE_KEY, GOES_ON_KEY, Key, Notes
from neurorack.play.engine.params import GOES_ON_BEATS, PARAM_INDEX, PARAM_NAMES, PARAMS
from neurorack.play.engine.part import Part
from neurorack.play.engine.plain_state import State, attributes, gather, scatter, set_attributes
from neurorack.play.engine.sources.feedback import FeedbackGuard

_read = attrgetter(*PARAM_NAMES)
(_MODE, _VOICES, _VELOCITY, _GAIN, _GATE, _GATE_LENGTH) = (
    PARAM_INDEX[name]
    for name in ("voice_mode", "voices", "velocity", "input_gain_db", "gate_division", "gate_length")
)
_LEVEL, _FEEDBACK, _DELAY = (PARAM_INDEX[name] for name in ("level_db", "feedback", "feedback_delay_s"))
_GOES_ON = PARAM_INDEX["prior_goes_on"]
SILENT_DB = -60.0
"""The level's lowest value is silence."""
_STATE = ("_panic", "_seed", "_gate_f0", "_fed_back", "_alone")


class Performer:
    """What is performed, whichever instrument plays it."""

    def __init__(self, modulation: Modulation) -> None:
        self.modulation = modulation
        self.notes = Notes()
        self.input_power = 0.0
        self._events: list[tuple[int, Event]] = []
        self._seen: tuple[float, ...] = ()
        self._base: list[float] = []
        self._panic = self._seed = 0
        self._gate_f0 = 0.0
        self._alone = 0.0
        """Beats for which the prior has gone on without a key."""
        self._fed_back = self._feedback_set = False

    def schedule(self, sample: int, event: Event) -> None:
        """`event` takes effect at this sample of the stream; later ones never come first."""
        self._events.append((sample, event))

    def aim(self, frame: ControlFrame) -> list[float]:
        """The frame's PARAMS within their ranges."""
        values = _read(frame)
        if values != self._seen:
            self._seen = values
            self._base = [spec.clamp(float(v)) for spec, v in zip(PARAMS, values, strict=True)]
        self.modulation.read_routes(frame)
        self._feedback_set = self._base[_FEEDBACK] > 0.0
        return self._base

    def step(
        self, part: Part, frame: ControlFrame, base: list[float], start: int, sound_in: np.ndarray | None
    ) -> None:
        """One frame of `part`, which begins at sample `start` of the stream."""
        part.aim(frame, base)
        if frame.panic != self._panic:
            self._panic = frame.panic
            part.silence()
            self.notes.held.clear()
        if frame.seed != self._seed:
            self._seed = frame.seed
            self.modulation.restart(frame.seed)
            part.reseed(frame.seed, int(frame.anchor))
        self.modulation.step(part.newest.modulation.values, self.input_power)
        self._obey(part, frame, base, start)
        part.shared.bend = self.notes.bend
        part.step(sound_in)

    def level(self, part: Part) -> float:
        """The output's gain."""
        level_db = part.newest.modulation.values[_LEVEL]
        return 10.0 ** (level_db / 20.0) if level_db > SILENT_DB else 0.0

    def feeds_back(self, part: Part) -> bool:
        """Whether the output goes back to the input."""
        return self._fed_back or part.newest.modulation.values[_FEEDBACK] > 0.0 or self._feedback_set

    def listen(
        self, part: Part, frame: ControlFrame, sound_in: np.ndarray, hears: bool, feedback: FeedbackGuard
    ) -> np.ndarray | None:
        """The live input of one frame [hop]: the sound that comes in, with gain, and what is fed back."""
        values = part.newest.modulation.values
        heard = None
        self.input_power = 0.0
        if hears or frame.source == Source.LIVE:
            heard = sound_in * np.float32(10.0 ** (values[_GAIN] / 20.0))
            power = float(np.dot(heard, heard)) / len(heard)
            self.input_power = power if power < math.inf else 0.0
        fed = feedback.read(values[_DELAY], values[_FEEDBACK])
        self._fed_back = fed is not None
        if fed is None:
            return heard
        # An instrument plays a sound back as loud as it hears it: only a little more makes the loop sing.
        fed *= np.float32(1.0 + values[_FEEDBACK])
        return fed if heard is None else heard + fed

    def _obey(self, part: Part, frame: ControlFrame, base: list[float], start: int) -> None:
        """The gate button, the clocked gate and the events of this frame."""
        notes, voices = self.notes, part.voices
        mode, limit = int(base[_MODE]), int(base[_VOICES])
        division = int(base[_GATE])
        # The clock's gate is taken first: a note that comes with its opening starts once.
        notes.clock(division == 0 or self.modulation.clock.gate(division, base[_GATE_LENGTH]), voices)
        self._hold_for_prior(part, base, mode, limit)
        held = notes.held.get(GATE_KEY)
        if frame.gate and held is None:
            self._gate_f0 = frame.f0_hz
            pressed = Event(Kind.NOTE_ON, GATE_KEY, frame.f0_hz, base[_VELOCITY])
            notes.take(pressed, 0, voices, mode, limit)
        elif held is not None and not frame.gate:
            notes.let_go(GATE_KEY, 0, voices, mode)
        elif held is not None and frame.f0_hz != self._gate_f0:
            self._gate_f0 = frame.f0_hz
            notes.take(Event(Kind.PITCH, GATE_KEY, frame.f0_hz, 1.0), 0, voices, mode, limit)
        if not self._events:
            return
        end = start + part.hop
        due = [e for e in self._events if e[0] < end]
        if not due:
            return
        self._events = [e for e in self._events if e[0] >= end]
        clock = self.modulation.clock
        for sample, event in due:
            at = min(max(sample - start, 0), part.hop - 1)
            if event.kind == Kind.EXTERNAL:
                self.modulation.set_external(int(event.note), float(event.a))
            elif event.kind == Kind.CLOCK:
                clock.pulse((part.hop - at) * clock.frame_s / part.hop)
            elif event.kind == Kind.START:
                clock.start()
            elif event.kind == Kind.STOP:
                clock.stop()
            else:
                if event.kind == Kind.ALL_OFF:
                    part.proposing.hush()
                notes.take(event, at, voices, mode, limit)

    def _hold_for_prior(self, part: Part, base: list[float], mode: int, limit: int) -> None:
        """The keys that the prior holds: of its answers, and where it goes on from what was played."""
        notes, proposing = self.notes, part.proposing
        if proposing.answers != (ANSWER_KEY in notes.held):
            if proposing.answers:
                notes.press(Key(ANSWER_KEY, 0.0, base[_VELOCITY]), 0, part.voices, mode, limit)
            else:
                notes.let_go(ANSWER_KEY, 0, part.voices, mode)
        beats = GOES_ON_BEATS[int(base[_GOES_ON])]
        notes.goes_on = beats > 0.0 and proposing.wanted
        if GOES_ON_KEY not in notes.held:
            self._alone = 0.0
            return
        clock = self.modulation.clock
        self._alone += clock.tempo_bpm * clock.frame_s / 60.0
        if not notes.goes_on or self._alone >= beats:
            notes.let_go(GOES_ON_KEY, 0, part.voices, mode)

    def move(self, old: Part, new: Part, frame: ControlFrame, base: list[float]) -> None:
        """Another instrument goes on with the notes that are held."""
        new.aim(frame, base)
        for before, after in zip(old.voices, new.voices, strict=True):
            after.serial = before.serial
            after.modulation.values[:] = before.modulation.values
            if before.key is not None and before.gate:
                after.start(before.key, 0)
                after.serial = before.serial

    def state(self) -> State:
        """Everything later frames depend on, without the modulation."""
        numbers = [(s, e.kind, e.note, e.a, e.b, e.tone) for s, e in self._events]
        events = np.array(numbers, np.float64).reshape(-1, 6)
        return {**attributes(self, _STATE), "events": events, **gather({"notes": self.notes})}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, {"_alone": 0.0, **state})
        self._events = [
            (int(s), Event(int(kind), int(note), a, b, int(tone)))
            for s, kind, note, a, b, tone in state["events"].tolist()
        ]
        scatter({"notes": self.notes}, state)
