"""Pages that cover the others for a moment: a parameter under the hand, a clip just kept, MIDI learn."""

from typing import Any

from neurorack.play.engine.params import PARAM_BY_NAME
from neurorack.play.rack.canvas import WIDTH, Canvas
from neurorack.play.rack.font import text_width
from neurorack.play.rack.reading import items, mapping, number, text
from neurorack.play.rack.wording import short


def wanted(state: dict[str, Any]) -> bool:
    """Whether one of these pages is to be shown."""
    return bool(mapping(state.get("touched")) or mapping(state.get("kept")) or text(state.get("learn")))


def draw(canvas: Canvas, state: dict[str, Any], instrument: dict[str, Any]) -> None:
    """The parameter page before the kept page before the learn page."""
    if touched := mapping(state.get("touched")):
        _parameter(canvas, touched, instrument)
    elif kept := mapping(state.get("kept")):
        canvas.text(0, 8, "Kept", scale=2, align="centre")
        canvas.text(0, 30, text(kept.get("title")), align="centre")
        canvas.text(0, 44, f"{number(kept.get('seconds'), low=0.0):.1f} s", align="centre")
    else:
        canvas.text(0, 6, "MIDI learn", align="centre")
        canvas.text(0, 20, label(text(state.get("learn")), instrument), scale=2, align="centre")
        canvas.text(0, 46, "move a controller", align="centre")


def label(name: str, instrument: dict[str, Any]) -> str:
    """What the front says of a parameter or control of that name."""
    for control in items(instrument.get("controls")):
        if mapping(control).get("name") == name:
            return text(mapping(control).get("label")) or name
    spec = PARAM_BY_NAME.get(name)
    if spec is None:
        return name.replace("_", " ")
    # The label of an LFO, envelope or random source says nothing without the group's name.
    numbered = spec.group[-1:].isdigit()
    return f"{spec.group.upper()} {spec.label.lower()}" if numbered else spec.label


def _parameter(canvas: Canvas, touched: dict[str, Any], instrument: dict[str, Any]) -> None:
    travel = number(touched.get("value"), 0.0, 0.0, 1.0)
    value = text(touched.get("text")) or short(travel)
    canvas.text(0, 2, label(text(touched.get("name")), instrument), align="centre")
    if text_width(value, 4) <= WIDTH:
        canvas.text(0, 15, value, scale=4, align="centre")
    elif text_width(value, 2) <= WIDTH:
        canvas.text(0, 22, value, scale=2, align="centre")
    else:
        canvas.text(0, 26, value, align="centre")
    canvas.frame(2, 55, WIDTH - 4, 7)
    canvas.box(4, 57, round(travel * (WIDTH - 8)), 3)
