"""Clock: counts beats, at a tempo of its own or at that of incoming 24-per-beat pulses.

Pulses jitter (USB MIDI by a millisecond or two, of twenty between them), so their times pass an alpha-beta
filter: the straight line through all pulses at first, then one that forgets older ones. The beat follows
that line by running a little faster or slower; it never jumps, and never runs backwards, except to zero at
`start`.
"""

import math
from collections.abc import Mapping
from typing import Any

from neurorack.play.engine.params import BEATS
from neurorack.play.engine.plain_state import State, attributes, set_attributes

PULSES_PER_BEAT = 24
COAST_S = 0.5
"""Without a pulse for so long, the clock returns to its own tempo."""
FOLLOW_S = 0.1
"""Time in which the beat catches up with the pulses."""
MOST_CORRECTION = 0.5
"""Largest share of its rate by which the beat hurries or waits."""
LEAST_ALPHA, LEAST_BETA = 0.2, 0.022
"""Gains of the filter once it has settled (beta = alpha² / (2 - alpha): no overshoot)."""
LOST = 0.4
"""A pulse that is off by this share of the period, twice in a row, starts the filter afresh."""
SLOWEST_PULSE_S = 60.0 / (10.0 * PULSES_PER_BEAT)
_STATE = (
    "beat", "tempo_bpm", "running", "_base", "_count", "_own_tempo", "_now", "_following", "_line",
    "_line_beat", "_period", "_pulses", "_missed", "_last", "_from_zero",
)  # fmt: skip


class Clock:
    """Beats since the start, advanced once a frame of `frame_s` seconds."""

    def __init__(self, frame_s: float) -> None:
        self.frame_s = frame_s
        self.beat = 0.0
        """Beats (quarter notes) since the clock started."""
        self.tempo_bpm = 120.0
        """Beats per minute now."""
        self.running = True
        self._own_tempo = 0.0
        self._base, self._count = 0.0, 0
        self._now = 0.0
        self._following = False
        self._from_zero = True
        # The line through the pulses: its last point (time, beat) and seconds per pulse.
        self._line, self._line_beat, self._period = 0.0, 0.0, 0.0
        self._pulses, self._missed, self._last = 0, 0, -math.inf

    @property
    def following(self) -> bool:
        """Whether pulses set the tempo."""
        return self._following

    def start(self) -> None:
        """Beat zero, running; the next pulse is the one of beat zero."""
        self.beat, self.running, self._from_zero = 0.0, True, True
        self._base, self._count = 0.0, 0
        self._line_beat = 0.0

    def stop(self) -> None:
        """The beat stands still until `start`."""
        self.running = False

    def pulse(self, ago_s: float = 0.0) -> None:
        """One of 24 pulses per beat came `ago_s` seconds before now (the end of the last step)."""
        time = self._now - ago_s
        gap = time - self._last
        self._last = time
        if gap > COAST_S or self._pulses == 0:
            self._begin(time)
            return
        if self._pulses == 1:
            self._period = min(max(gap, 1e-3), SLOWEST_PULSE_S)
            self._line, self._pulses = time, 2
            self._next_beat()
            return
        error = time - (self._line + self._period)
        if abs(error) > LOST * self._period:
            self._missed += 1
            if self._missed > 1:
                # Another tempo: measure it from these two pulses, and keep counting.
                self._period = min(max(gap, 1e-3), SLOWEST_PULSE_S)
                self._line, self._pulses, self._missed = time, 2, 0
                self._next_beat()
                return
        else:
            self._missed = 0
        n = self._pulses
        alpha = max(2.0 * (2 * n + 1) / ((n + 1) * (n + 2)), LEAST_ALPHA)
        beta = max(6.0 / ((n + 1) * (n + 2)), LEAST_BETA)
        self._line += self._period + alpha * error
        self._period = min(max(self._period + beta * error, 1e-3), SLOWEST_PULSE_S)
        self._pulses = n + 1
        self._next_beat()

    def _begin(self, time: float) -> None:
        """First pulse of a series: after `start` it is beat zero, else the nearest pulse of our own beat."""
        beat = 0.0 if self._from_zero else round(self.beat * PULSES_PER_BEAT) / PULSES_PER_BEAT
        self._line, self._line_beat, self._pulses, self._missed = time, beat, 1, 0
        self._from_zero = False

    def _next_beat(self) -> None:
        if self._from_zero:
            self._line_beat, self._from_zero = 0.0, False
        elif self.running:
            self._line_beat += 1.0 / PULSES_PER_BEAT

    def step(self, tempo_bpm: float) -> float:
        """Advance by one frame at `tempo_bpm`, unless pulses say otherwise. Gives the beat."""
        self._now += self.frame_s
        self._following = self._pulses > 1 and self._now - self._last < COAST_S
        if self._following:
            self._follow()
        else:
            if self._now - self._last >= COAST_S:
                self._pulses = 0
            if tempo_bpm != self._own_tempo or not self.running:
                self._own_tempo, self._base, self._count = tempo_bpm, self.beat, 0
            self.tempo_bpm = tempo_bpm
            if self.running:
                # Counted in whole frames from the last change of tempo: no rounding adds up.
                self._count += 1
                self.beat = self._base + self._count * (tempo_bpm * self.frame_s / 60.0)
        return self.beat

    def _follow(self) -> None:
        rate = 1.0 / (PULSES_PER_BEAT * self._period)
        self.tempo_bpm = 60.0 * rate
        if self.running:
            usual = self.beat + rate * self.frame_s
            ahead = self._line_beat + (self._now - self._line) * rate - usual
            correction = min(max((ahead / FOLLOW_S) / rate, -MOST_CORRECTION), MOST_CORRECTION)
            self.beat = usual + rate * correction * self.frame_s
        self._base, self._count, self._own_tempo = self.beat, 0, 0.0

    def gate(self, division: int, length: float) -> bool:
        """Whether a gate played at a division (index in DIVISIONS, not 0) is open; `length` 0..1 of it.

        Each one opens for at least a frame and, at a length below 1, closes for at least a frame before the
        next, so that each is a new note.
        """
        if not self.running:
            return False
        beats = BEATS[division]
        place = math.fmod(self.beat / beats, 1.0)
        if length < 1.0:
            frame = self.tempo_bpm * self.frame_s / (60.0 * beats)
            length = min(max(length, 1.01 * frame), 1.0 - 1.01 * frame)
        return place < length

    def state(self) -> State:
        """Everything the clock's future depends on."""
        return attributes(self, _STATE)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, _STATE, state)
