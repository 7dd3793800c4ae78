"""The small display's picture for panels: what was touched last shows for a moment; only changes are sent."""

import base64
from typing import Any

import numpy as np

from neurorack.core.manifest import Manifest
from neurorack.play.control import messages as m
from neurorack.play.engine.params import PARAM_BY_NAME
from neurorack.play.rack.display import render_display
from neurorack.play.rack.wording import short

TOUCHED_S = 1.5
KEPT_S = 2.0


class Display:
    """Draws at most when asked; remembers what is on it."""

    def __init__(self) -> None:
        self._touched: tuple[m.SetNumber | m.SetControl, Manifest] | None = None
        self._kept: dict[str, Any] | None = None
        self._touched_until = self._kept_until = 0.0
        self._bits = b""

    def touch(self, message: m.Message, manifest: Manifest, now_s: float) -> None:
        """A hand moved a number or a control: show it large for a while."""
        if isinstance(message, m.SetControl) and message.name not in (c.name for c in manifest.controls):
            return
        if isinstance(message, m.SetNumber | m.SetControl):
            self._touched, self._touched_until = (message, manifest), now_s + TOUCHED_S

    def kept(self, seconds: float, title: str, now_s: float) -> None:
        """A clip was just made: say so for a while."""
        self._kept, self._kept_until = {"seconds": seconds, "title": title}, now_s + KEPT_S

    def message(
        self,
        state: dict[str, Any],
        telemetry: dict[str, Any] | None,
        instrument: dict[str, Any],
        now_s: float,
    ) -> dict[str, Any] | None:
        """{"bits": …} (base64 of 1024 bytes, rows of 16, highest bit left), None when nothing changed."""
        state = dict(state)
        if self._touched is not None and now_s < self._touched_until:
            state["touched"] = _touched(*self._touched)
        if self._kept is not None and now_s < self._kept_until:
            state["kept"] = self._kept
        bits = render_display(state, telemetry, instrument)
        if bits == self._bits:
            return None
        self._bits = bits
        return self.present()

    def present(self) -> dict[str, Any]:
        """What is on it now."""
        return {"bits": base64.b64encode(self._bits).decode()}


def _touched(message: m.SetNumber | m.SetControl, manifest: Manifest) -> dict[str, Any]:
    """Name, travel 0..1 and text of what a hand moved."""
    name, value = message.name, message.value
    if isinstance(message, m.SetNumber):
        spec = PARAM_BY_NAME[name]
        text = spec.choices[round(value)] if spec.choices else f"{short(value)} {spec.unit}".strip()
        travel = spec.to_travel(value)
    else:
        control = next(c for c in manifest.controls if c.name == name)
        physical = float(control.normaliser.to_physical(np.array(value)))
        text, travel = f"{short(physical)} {control.unit}".strip(), 0.5 + 0.5 * value
    return {"name": name, "value": min(max(travel, 0.0), 1.0), "text": text}
