"""The page one plays by: what sounds, four descriptors asked against measured, pitch, level, drops."""

from typing import Any

from neurorack.play.rack.canvas import WIDTH, Canvas
from neurorack.play.rack.font import text_width
from neurorack.play.rack.reading import at, items, mapping, number, text
from neurorack.play.rack.wording import clock, note, short

BARS = 4
BAR_X, BAR_WIDTH = 49, 49
VALUE_X = 101
FIRST_BAR_Y, BAR_STEP = 22, 8
METER_Y, METER_HEIGHT, METER_LOW_DB = 57, 5, -60.0


def draw(
    canvas: Canvas, state: dict[str, Any], telemetry: dict[str, Any], instrument: dict[str, Any]
) -> None:
    """The whole page."""
    _title(canvas, state, instrument)
    _source(canvas, state, telemetry, instrument)
    shown = [
        (index, mapping(control))
        for index, control in enumerate(items(instrument.get("controls")))
        if mapping(control).get("name") != "pitch"  # the note says it better
    ]
    for place, (index, control) in enumerate(shown[:BARS]):
        _bar(canvas, FIRST_BAR_Y + place * BAR_STEP, index, control, state, telemetry)
    _meter(canvas, state, telemetry)


def _title(canvas: Canvas, state: dict[str, Any], instrument: dict[str, Any]) -> None:
    title = text(instrument.get("title")) or text(instrument.get("name"))
    right = ""
    if morph := mapping(state.get("morph")):
        title = f"{text(morph.get('a'))} → {text(morph.get('b'))}"
        right = f"{100.0 * number(morph.get('position'), 0.0, 0.0, 1.0):.0f}%"
    if recording := mapping(state.get("recording")):
        right = f"●{clock(number(recording.get('seconds')))}"
    room = WIDTH - (canvas.text(0, 0, right, align="right") + 3 if right else 0)
    preset = text(state.get("preset"))
    if preset and not morph:
        name = preset + ("*" if state.get("dirty") is True else "")
        title = f"{name} · {title}" if text_width(f"{name} · {title}") <= room else name
    canvas.text(0, 0, title, room)
    canvas.box(0, 9, WIDTH, 1)


def _source(
    canvas: Canvas, state: dict[str, Any], telemetry: dict[str, Any], instrument: dict[str, Any]
) -> None:
    right = note(number(telemetry.get("f0_hz"))) if instrument.get("pitched") is True else ""
    voices = int(number(telemetry.get("voices"), low=0.0, high=16.0))
    if voices > 1:
        right = f"{right} ×{voices}" if right else f"×{voices}"
    width = canvas.text(0, 12, right, align="right")
    canvas.text(0, 12, _source_text(state, telemetry, instrument), WIDTH - width - 4)


def _source_text(state: dict[str, Any], telemetry: dict[str, Any], instrument: dict[str, Any]) -> str:
    source = text(state.get("source"))
    if source in ("hold", "wander"):
        words = f"{source} {number(state.get('anchor')) + 1:.0f}"
    elif source == "clip":
        words = _clip_title(text(state.get("clip")), instrument) or "clip"
    elif source == "live":
        words = f"live {number(telemetry.get('input_level_db'), -120.0):.0f} dB"
    elif source == "map":
        place = telemetry.get("map")
        words = f"map {100.0 * at(place, 0):.0f} {100.0 * at(place, 1):.0f}"
    elif source == "prior":
        answer = text(telemetry.get("answer"))
        words = answer if answer in ("listening", "waiting", "answering") else source
    else:
        words = source
    morph = number(mapping(state.get("numbers")).get("morph"), 0.0, 0.0, 1.0)
    return f"{words} →{100.0 * morph:.0f}%" if morph > 0.005 else words


def _clip_title(clip: str, instrument: dict[str, Any]) -> str:
    for known in items(instrument.get("clips")):
        names = mapping(known)
        if clip and clip in (names.get("id"), names.get("name")):
            return text(names.get("title")) or text(names.get("name")) or clip
    return clip


def _bar(
    canvas: Canvas,
    y: int,
    index: int,
    control: dict[str, Any],
    state: dict[str, Any],
    telemetry: dict[str, Any],
) -> None:
    """Label, the reachable range as a line, the asked value as a needle (whole while a hand holds it, else
    its ends), the measured value as a dot and in its unit.
    """
    name = text(control.get("name"))
    canvas.text(0, y, text(control.get("label")) or name, BAR_X - 2)
    middle = y + 3
    canvas.dots(BAR_X, middle, BAR_WIDTH, 4)
    low = _place(at(telemetry.get("reachable_low"), index, -1.0))
    high = _place(at(telemetry.get("reachable_high"), index, 1.0))
    if low < high:
        canvas.box(low, middle, high - low + 1, 1)
    if telemetry.get("measuring", True) is True and index < len(items(telemetry.get("measured"))):
        canvas.box(_place(at(telemetry.get("measured"), index)) - 1, middle - 1, 3, 3)
        if isinstance(value := _item(telemetry.get("measured_physical"), index), int | float):
            canvas.text(VALUE_X, y, short(number(value)), WIDTH - VALUE_X, align="right")
    if index < len(items(telemetry.get("asked"))):
        needle = _place(at(telemetry.get("asked"), index))
        canvas.box(needle, y, 1, 7)
        if name not in mapping(state.get("asked")):
            canvas.box(needle, y + 2, 1, 3, lit=False)
            canvas.box(needle, middle, 1, 1)


def _place(normalised: float) -> int:
    """Column of a normalised value; what lies beyond -1..1 stands at the end."""
    return BAR_X + round((min(max(normalised, -1.0), 1.0) + 1.0) / 2.0 * (BAR_WIDTH - 1))


def _item(values: Any, index: int) -> Any:
    values = items(values)
    return values[index] if index < len(values) else None


def _meter(canvas: Canvas, state: dict[str, Any], telemetry: dict[str, Any]) -> None:
    canvas.text(0, METER_Y - 1, "▶" if telemetry.get("gate", state.get("gate")) is True else "■")
    mark = _mark(state, telemetry)
    right = WIDTH - (canvas.text(0, METER_Y - 1, mark, align="right") + 3 if mark else 0)
    width = right - 8
    canvas.frame(8, METER_Y, width, METER_HEIGHT)
    level = number(telemetry.get("level_db"), METER_LOW_DB, METER_LOW_DB, 0.0)
    canvas.box(10, METER_Y + 2, round((width - 4) * (1.0 - level / METER_LOW_DB)), METER_HEIGHT - 4)
    peak = number(telemetry.get("peak"), 0.0, 0.0, 1.0)
    if peak >= 1.0:  # full scale: the limiter works
        canvas.box(right - 4, METER_Y, 4, METER_HEIGHT)


def _mark(state: dict[str, Any], telemetry: dict[str, Any]) -> str:
    """What needs the eye: dropped blocks, else the tempo while the clock runs."""
    dropped = number(mapping(telemetry.get("status")).get("dropped"), 0.0, 0.0)
    if dropped >= 1.0:
        mark = f"!{short(dropped) if dropped > 9999 else int(dropped)}"
        return mark if text_width(mark) < 40 else "!"
    if state.get("transport") is True:
        return f"{number(telemetry.get('tempo_bpm')):.0f}"
    return ""
