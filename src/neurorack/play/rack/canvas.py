"""A one-bit picture of fixed size and the few strokes that small displays need."""

import numpy as np

from neurorack.play.rack.font import ASCENT, fitted, text_pixels

WIDTH, HEIGHT = 128, 64


class Canvas:
    """128×64 pixels, dark at first; x to the right, y down. Whatever lies outside is cut off."""

    def __init__(self) -> None:
        self.pixels = np.zeros((HEIGHT, WIDTH), np.bool_)

    def text(self, x: int, y: int, text: str, width: int = WIDTH, scale: int = 1, align: str = "left") -> int:
        """Write on the line whose letters' tops are at `y`, in `width` columns from `x`; columns used.

        `align` is left, centre or right within those columns.
        """
        glyphs = text_pixels(fitted(text, width, scale), scale)
        spare = max(0, width - glyphs.shape[1])
        self._lay(x + {"left": 0, "centre": spare // 2, "right": spare}[align], y, glyphs)
        return glyphs.shape[1]

    def box(self, x: int, y: int, width: int, height: int, lit: bool = True) -> None:
        """A filled rectangle."""
        x_end, y_end = x + max(width, 0), y + max(height, 0)
        self.pixels[max(y, 0) : max(y_end, 0), max(x, 0) : max(x_end, 0)] = lit

    def frame(self, x: int, y: int, width: int, height: int) -> None:
        """The outline of a rectangle."""
        self.box(x, y, width, height)
        self.box(x + 1, y + 1, width - 2, height - 2, lit=False)

    def dots(self, x: int, y: int, width: int, every: int) -> None:
        """A dotted horizontal line."""
        self.pixels[max(y, 0) : y + 1, max(x, 0) : max(x + width, 0) : every] = True

    def invert(self, x: int, y: int, width: int, height: int) -> None:
        """Light becomes dark in a rectangle, and dark light."""
        area = self.pixels[max(y, 0) : max(y + height, 0), max(x, 0) : max(x + width, 0)]
        np.logical_not(area, out=area)

    def wrapped(self, x: int, y: int, text: str, width: int, lines: int) -> None:
        """Write `text` on at most `lines` lines, broken between words; the last line is cut to fit."""
        words, line = text.split(), 0
        while words and line < lines:
            shown = words.pop(0)
            if line == lines - 1:
                shown = " ".join([shown, *words])
            else:
                while words and fitted(f"{shown} {words[0]}", width) == f"{shown} {words[0]}":
                    shown = f"{shown} {words.pop(0)}"
            self.text(x, y + line * (ASCENT + 3), shown, width)
            line += 1

    def bits(self) -> bytes:
        """1024 bytes: 64 rows of 16, the leftmost pixel in the highest bit."""
        return np.packbits(self.pixels, axis=1).tobytes()

    def _lay(self, x: int, y: int, glyphs: np.ndarray) -> None:
        height, width = glyphs.shape
        left, top = max(x, 0), max(y, 0)
        right, bottom = min(x + width, WIDTH), min(y + height, HEIGHT)
        if left < right and top < bottom:
            self.pixels[top:bottom, left:right] |= glyphs[top - y : bottom - y, left - x : right - x]
