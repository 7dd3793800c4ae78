"""What a learned controller may move, and how: parameters, an instrument's controls, buttons.

Knobs move by *pickup*: a knob does nothing until it has come to, or passed, the value that its target has, so
that a sound never jumps because a knob stood elsewhere.
"""

from collections.abc import Callable

from neurorack.core.control_spec import ControlSpec
from neurorack.play.control import messages as m
from neurorack.play.control.hands import Hub
from neurorack.play.control.midi.learn import Binding, Movement
from neurorack.play.engine.params import PARAM_BY_NAME

BUTTONS: dict[str, Callable[[bool], m.Message | None]] = {
    "gate": m.Gate,
    "latch": m.Latch,
    "transport": m.Transport,
    "record": m.Record,
    "tap": lambda on: m.Tap() if on else None,
    "keep": lambda on: m.Keep() if on else None,
    "undo": lambda on: m.Undo() if on else None,
    "redo": lambda on: m.Redo() if on else None,
    "take_me_there": lambda on: m.TakeMeThere() if on else None,
    "reseed": lambda on: m.Reseed() if on else None,
    "panic": lambda on: m.Panic() if on else None,
}
"""Targets that are no numbers: pressed from the middle of a controller's travel on."""
NEAR = 1.5 / 127
"""Travel within which a knob has come to its target's value."""
MOVED = 1e-3
"""Travel by which a value must differ from what the knob said for another hand to have moved it."""
CONTROL_SPEC = ControlSpec("", "", "", -1.0, 1.0, 0.0)
"""Travel of every descriptor control: its normalised value."""


class Targets:
    """Turns movements of learned controllers into messages."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._knobs: dict[Binding, _Knob] = {}
        self._pressed: dict[Binding, bool] = {}

    def message(self, movement: Movement) -> m.Message | None:
        """What the movement says; None while a knob is not picked up, or its target does not exist here."""
        target = movement.binding.target
        if target in BUTTONS:
            return self._button(movement)
        spec = PARAM_BY_NAME.get(target)
        if spec is None:
            if all(control["name"] != target for control in self._hub.instrument()["controls"]):
                return None
            spec = CONTROL_SPEC
        value = self._present(target, spec)
        if movement.position is None:
            now = spec.default if value is None else value
            asked = now + movement.steps if spec.stepped else None
            if asked is None:
                asked = spec.from_travel(spec.to_travel(now) + movement.steps / 127)
            return self._set(target, spec, spec.clamp(asked))
        knob = self._knobs.setdefault(movement.binding, _Knob())
        if not knob.moves(movement.position, None if value is None else spec.to_travel(value), _near(spec)):
            return None
        asked = spec.from_travel(movement.position)
        knob.said = spec.to_travel(asked)
        return self._set(target, spec, asked)

    def _set(self, target: str, spec: ControlSpec, value: float) -> m.Message:
        return m.SetControl(target, value) if spec is CONTROL_SPEC else m.SetNumber(target, value)

    def _button(self, movement: Movement) -> m.Message | None:
        down = movement.steps > 0 if movement.position is None else movement.position >= 0.5
        if self._pressed.get(movement.binding, False) == down:
            return None
        self._pressed[movement.binding] = down
        return BUTTONS[movement.binding.target](down)

    def _present(self, target: str, spec: ControlSpec) -> float | None:
        """The target's value now; None: unknown."""
        state = self._hub.state()
        if spec is not CONTROL_SPEC:
            return state["numbers"].get(target)
        if target in state["asked"]:
            return state["asked"][target]
        names = [control["name"] for control in self._hub.instrument()["controls"]]
        asked = self._hub.telemetry().get("asked") or []
        index = names.index(target)
        return asked[index] if index < len(asked) else None


class _Knob:
    """Pickup of one knob. `said` is the travel that it set last, None while it is not picked up."""

    def __init__(self) -> None:
        self.said: float | None = None
        self._last: float | None = None

    def moves(self, position: float, present: float | None, near: float) -> bool:
        """Whether the knob, now at `position`, has hold of a target that stands at `present` (travels)."""
        last, self._last = self._last, position
        if present is None or (self.said is not None and abs(present - self.said) <= MOVED):
            return True
        passed = last is not None and (last - present) * (position - present) <= 0.0
        if passed or abs(position - present) <= near:
            return True
        self.said = None
        return False


def _near(spec: ControlSpec) -> float:
    """Travel that counts as having come to a value: for a switch, half the way to the next choice."""
    return max(NEAR, 0.5 / (spec.high - spec.low)) if spec.stepped else NEAR
