"""The load guard: takes voices, then stereo, from a performance that this machine cannot render in time.

It is pure: what it changes is changed in the frame and the events that the engine is given, which the journal
records, so that a take renders again with the voices that sounded.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from neurorack.play.engine.events import Event, Kind
from neurorack.play.engine.frame import ControlFrame
from neurorack.play.engine.params import POLY

MOST_VOICES = 4
SMOOTHING_S = 0.1
TOO_MUCH, TOO_MUCH_S = 0.85, 0.3
"""A voice is taken when the smoothed load has stayed above it for so long."""
EASY, EASY_S = 0.55, 3.0
"""One is given back when it has stayed below it for so long."""


class LoadGuard:
    """`most` voices may sound; `wide`: stereo may be more than mono."""

    def __init__(self) -> None:
        self.most = MOST_VOICES
        self.wide = True
        self._load = 0.0
        self._over_s = self._under_s = 0.0
        self._held: dict[int, None] = {}
        """Numbers of the notes held, the oldest first."""

    def measure(self, load: float, seconds: float, asked: ControlFrame) -> bool:
        """One block of `seconds` that took `load` of its time to render; asked: the frame as the hands set
        it. True if what may sound changed, by one voice or by stereo.
        """
        self._load += (1.0 - math.exp(-seconds / SMOOTHING_S)) * (load - self._load)
        self._over_s = self._over_s + seconds if self._load > TOO_MUCH else 0.0
        self._under_s = self._under_s + seconds if self._load < EASY else 0.0
        if self._over_s >= TOO_MUCH_S:
            self._over_s = 0.0
            return self._take(asked)
        if self._under_s >= EASY_S:
            self._under_s = 0.0
            return self._give()
        return False

    def _take(self, asked: ControlFrame) -> bool:
        voices = min(self.most, _voices(asked))
        if voices > 1:
            self.most = voices - 1
        elif self.wide and asked.width > 0.0:
            self.wide = False
        else:
            return False
        return True

    def _give(self) -> bool:
        if not self.wide:
            self.wide = True
        elif self.most < MOST_VOICES:
            self.most += 1
        else:
            return False
        return True

    def hold(self, asked: ControlFrame) -> ControlFrame:
        """The frame to render: `asked` itself where nothing has to be taken from it."""
        if _voices(asked) > self.most:
            asked = replace(asked, voices=float(self.most))  # type: ignore[call-arg]
        if not self.wide and asked.width > 0.0:
            asked = replace(asked, width=0.0)  # type: ignore[call-arg]
        return asked

    def releases(self, asked: ControlFrame, events: Sequence[Event]) -> list[Event]:
        """What is to happen after a block's `events`: the oldest keys beyond what may sound are let go.

        (A smaller number of voices in the frame concerns only notes to come.) To be called for every block.
        """
        for event in events:
            if event.kind in (Kind.NOTE_ON, Kind.NOTE_OFF):
                self._held.pop(event.note, None)
            if event.kind == Kind.NOTE_ON:
                self._held[event.note] = None
            elif event.kind == Kind.ALL_OFF:
                self._held.clear()
        if _voices(asked) <= self.most or len(self._held) <= self.most:
            return []
        offset = max((event.offset for event in events), default=0)
        oldest = list(self._held)[: -self.most]
        for note in oldest:
            del self._held[note]
        return [Event(Kind.NOTE_OFF, note, b=0.5, offset=offset) for note in oldest]

    def note(self, asked: ControlFrame) -> str:
        """What the performer should know, one sentence, or nothing."""
        held = "the sound is mono" if not self.wide and asked.width > 0.0 else ""
        if _voices(asked) > self.most:
            voices = f"voices are held to {self.most}"
            held = f"{voices} and {held}" if held else voices
        return f"{held[0].upper()}{held[1:]}: this machine cannot render more in time." if held else ""


def _voices(asked: ControlFrame) -> int:
    """How many voices the frame lets sound together."""
    return round(asked.voices) if int(asked.voice_mode) == POLY else 1
