"""Answering: call and response. It listens while the input sounds; when that falls silent, it answers."""

from collections.abc import Mapping
from typing import Any

from neurorack.play.engine.frame import ANSWER_ANSWERING, ANSWER_LISTENING, ANSWER_READY, ANSWER_WAITING
from neurorack.play.engine.plain_state import State, attributes, set_attributes

CALL, SILENCE = 10.0 ** (-4.2), 10.0 ** (-5.0)
"""Mean squares: a call begins above -42 dB and lasts while it is above -50 dB."""
FALL_S = 0.01
"""Time constant with which the level falls."""
PAUSE_S = 0.5
"""Silence that ends a call."""
SHORTEST_CALL_S = 0.08
"""What is shorter is a click, not a call."""
SHORTEST_S, LONGEST_S = 0.5, 30.0
"""Of an answer; between them it is as long as the call."""
DEAF_S = 0.4
"""After an answer nothing is heard for so long: its own echo is no call."""


class Answering:
    """One frame at a time; `phase` is one of ANSWERS."""

    _STATE = ("phase", "_level", "_call", "_quiet", "_left")

    def __init__(self, frame_s: float) -> None:
        self._keep = 1.0 - min(frame_s / FALL_S, 1.0)
        self._pause, self._deaf = round(PAUSE_S / frame_s), round(DEAF_S / frame_s)
        self._least_call = round(SHORTEST_CALL_S / frame_s)
        self._shortest, self._longest = round(SHORTEST_S / frame_s), round(LONGEST_S / frame_s)
        self.reset()

    def reset(self) -> None:
        """Nothing has been heard."""
        self.phase = ANSWER_READY
        self._level = 0.0
        self._call = self._quiet = self._left = 0

    @property
    def answers(self) -> bool:
        """Whether it plays now."""
        return self.phase == ANSWER_ANSWERING

    def step(self, power: float) -> int:
        """The phase in a frame of input of this mean square."""
        self._level = max(power, self._level * self._keep)
        if self.phase == ANSWER_ANSWERING:
            self._left -= 1
            if self._left <= 0:
                self.end()
        elif self.phase == ANSWER_READY:
            if self._left > 0:
                self._left -= 1
            elif self._level > CALL:
                self.phase, self._call, self._quiet = ANSWER_LISTENING, 1, 0
        else:
            self._call += 1
            if self._level > SILENCE:
                self.phase, self._quiet = ANSWER_LISTENING, 0
            else:
                self.phase = ANSWER_WAITING
                self._quiet += 1
                if self._quiet >= self._pause:
                    self._reply(self._call - self._quiet)
        return self.phase

    def end(self) -> None:
        """The answer is over; for a moment nothing is heard."""
        self.phase, self._left = ANSWER_READY, self._deaf

    def _reply(self, call: int) -> None:
        """The call of so many frames is over."""
        if call < self._least_call:
            self.phase, self._left = ANSWER_READY, 0
        else:
            self.phase, self._left = ANSWER_ANSWERING, min(max(call, self._shortest), self._longest)

    def state(self) -> State:
        """Everything later phases depend on."""
        return attributes(self, self._STATE)

    def restore(self, state: Mapping[str, Any]) -> None:
        """Put back what `state` gave."""
        set_attributes(self, self._STATE, state)
