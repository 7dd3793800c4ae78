"""The small display, 128×64 pixels of one bit: one renderer for the browser, a hardware OLED and pictures.

`render_display` takes what panels are told (the JSON of state, telemetry and instrument) and returns pixels;
it is pure, and shows what it can of values that are missing or senseless. What covers what:

    overlay (something was touched, kept or is to be learnt)  >  fault page (no sound)  >  play page
"""

import io
from typing import Any

from neurorack.play.rack import overlay, play_page
from neurorack.play.rack.canvas import HEIGHT, WIDTH, Canvas
from neurorack.play.rack.reading import mapping, text

__all__ = ["HEIGHT", "WIDTH", "display_png", "render_display"]


def render_display(
    state: dict[str, Any], telemetry: dict[str, Any] | None, instrument: dict[str, Any]
) -> bytes:
    """1024 bytes: 64 rows of 16, the leftmost pixel in the highest bit.

    `state`, `telemetry` (None: none has come yet) and `instrument` are the objects panels get. Besides,
    `state` may have, for as long as they are to be shown,
    - "touched": {"name": of a parameter or control, "value": its travel 0..1, "text": the value in words};
    - "kept": {"seconds": length, "title": name} of the clip that was just made.
    """
    state, instrument = mapping(state), mapping(instrument)
    canvas = Canvas()
    told = mapping(telemetry)
    status = mapping(told.get("status"))
    if overlay.wanted(state):
        overlay.draw(canvas, state, instrument)
    elif telemetry is None or not status.get("running", True):
        _fault_page(canvas, telemetry is None, text(status.get("why")))
    else:
        play_page.draw(canvas, state, told, instrument)
    return canvas.bits()


def display_png(bits: bytes, scale: int = 4) -> bytes:
    """A PNG of `render_display`'s pixels, each `scale` pixels wide and high."""
    from PIL import Image

    picture = Image.frombytes("1", (WIDTH, HEIGHT), bits)
    picture = picture.resize((WIDTH * scale, HEIGHT * scale), Image.Resampling.NEAREST)
    file = io.BytesIO()
    picture.save(file, "png", optimize=True)
    return file.getvalue()


def _fault_page(canvas: Canvas, starting: bool, why: str) -> None:
    if starting:
        canvas.text(0, 20, "neurorack", scale=2, align="centre")
        canvas.text(0, 44, "waiting for the sound", align="centre")
        return
    canvas.box(0, 0, WIDTH, 11)
    title = Canvas()
    title.text(0, 2, "No sound", align="centre")
    canvas.pixels ^= title.pixels
    canvas.wrapped(2, 15, why or "The sound is being started again.", WIDTH - 4, 5)
