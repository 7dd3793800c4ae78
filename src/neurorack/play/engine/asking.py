"""Asking: from the controls a tone has of its own to those the decoder is asked for, one frame of one voice.

Own or other sound -> scale and offset -> hand -> what moves along (insist) -> velocity. Modulation, envelope
and note come after. Plain numbers throughout: a handful of controls is too few for arrays to pay.
"""

import math

from neurorack.core.normaliser import OVERSHOOT
from neurorack.play.engine.frame import ControlFrame, Origin
from neurorack.play.engine.hand import Hand
from neurorack.play.engine.insist import Coupling
from neurorack.play.engine.mapping import ControlMap
from neurorack.play.engine.scalar import ScalarMap, from_score, to_score


class Asking:
    """Shared by all voices of an instrument; the hand and the frame's origins are set once a frame."""

    def __init__(self, controls: ControlMap, coupling: Coupling, hand: Hand) -> None:
        self.map = ScalarMap(controls)
        self.size = controls.size
        self.loudness, self.pitch = controls.loudness, controls.pitch
        self._coupling = coupling
        self._hand = hand
        self._weights: dict[tuple[int, ...], list[list[float]]] = {}
        self._by_loudness = [row[0] for row in self._moving((self.loudness,))] if self.loudness >= 0 else []
        self._origins: list[tuple[int, int, float, float]] = []
        self.origins: list[int] = [0] * controls.size
        """The present origin of each control."""

    def aim(self, frame: ControlFrame) -> None:
        """Take the frame's origins, scales and offsets."""
        n = self.size
        self.origins = frame.origin[:n].tolist()
        rows = zip(
            range(n),
            self.origins,
            frame.scale[:n].tolist(),
            frame.offset[:n].tolist(),
            strict=True,
        )
        self._origins = [
            (i, origin, scale if math.isfinite(scale) else 1.0, offset if math.isfinite(offset) else 0.0)
            for i, origin, scale, offset in rows
            if origin or scale != 1.0 or offset != 0.0
        ]

    def wants(self, origin: Origin) -> bool:
        """Whether any control comes from there."""
        return any(o[1] == origin for o in self._origins)

    def _moving(self, rows: tuple[int, ...]) -> list[list[float]]:
        found = self._weights.get(rows)
        if found is None:
            found = self._weights[rows] = self._coupling.weights(rows).tolist()
        return found

    def base(
        self,
        own: list[float],
        other: list[float] | None,
        live: list[float] | None,
        prior: list[float] | None = None,
    ) -> list[float]:
        """Own controls [C] -> those of their origins, scaled and offset. A new list."""
        base = own[:]
        for i, origin, scale, offset in self._origins:
            if origin == Origin.OTHER and other is not None:
                base[i] = other[i]
            elif origin == Origin.LIVE and live is not None:
                base[i] = live[i]
            elif origin == Origin.PRIOR and prior is not None:
                base[i] = prior[i]
            base[i] = min(max(base[i] * scale + offset, -OVERSHOOT), OVERSHOOT)
        return base

    def asked(self, base: list[float], note: float | None, insist: float, dynamics_db: float) -> list[float]:
        """Controls [C] asked for: the hand's where it holds, others following it as far as insist lets them.

        note: the pitch control of the note played, or None. dynamics_db: by how much velocity lowers the
        loudness asked later; here the others, where no hand holds them, follow as in the corpus (at any
        insist: a softer note is another tone, not a quieter copy).
        """
        hand, pitch = self._hand, self.pitch
        asked = base[:]
        moved: list[int] = []
        if hand.active:
            for i, weight in enumerate(hand.weight):
                if weight > 0.0:
                    asked[i] = min(max(base[i] + weight * (hand.value[i] - base[i]), -OVERSHOOT), OVERSHOOT)
                    moved.append(i)
        if note is not None:
            asked[pitch] = note
            if pitch not in moved:
                moved.append(pitch)
        if insist < 1.0 and moved:
            matrix = self._moving(tuple(moved))
            change = [to_score(asked[i]) - to_score(base[i]) for i in moved]
            for i in range(self.size):
                if i not in moved and i != pitch:
                    pull = sum(a * b for a, b in zip(matrix[i], change, strict=True))
                    asked[i] = from_score(to_score(base[i]) + (1.0 - insist) * pull)
        if dynamics_db and self.loudness >= 0:
            self._follow_dynamics(asked, dynamics_db)
        return asked

    def _follow_dynamics(self, asked: list[float], dynamics_db: float) -> None:
        """Move the other controls as the corpus does when its loudness changes by so much; in place."""
        row, weight = self.loudness, self._hand.weight
        to_physical, to_control = self.map.to_physical[row], self.map.to_control[row]
        softer = to_control(to_physical(asked[row]) + dynamics_db)
        change = to_score(softer) - to_score(asked[row])
        for i, pull in enumerate(self._by_loudness):
            if i not in (row, self.pitch) and weight[i] < 1.0:
                moved = from_score(to_score(asked[i]) + pull * change)
                asked[i] += (1.0 - weight[i]) * (moved - asked[i])
