"""Numbers as a small display writes them: few characters, the digits that matter."""

import math

NOTE_NAMES = ("C", "C♯", "D", "E♭", "E", "F", "F♯", "G", "A♭", "A", "B♭", "B")


def short(value: float) -> str:
    """A number in at most five characters: 12345 -> 12.3k, 0.1234 -> 0.12."""
    size = abs(value)
    if size >= 99_950:
        return f"{value / 1000:.0f}k"
    if size >= 9_999.5:
        return f"{value / 1000:.1f}k"
    if size >= 99.95:
        return f"{value:.0f}"
    return f"{value:.1f}" if size >= 9.995 else f"{value:.2f}"


def note(f0_hz: float) -> str:
    """Nearest note of equal temperament (A4 = 440 Hz), with the cents that are missing: "A3 +12"."""
    if not 1.0 <= f0_hz <= 100_000.0:
        return ""
    midi = 69.0 + 12.0 * math.log2(f0_hz / 440.0)
    nearest = round(midi)
    cents = round(100.0 * (midi - nearest))
    name = f"{NOTE_NAMES[nearest % 12]}{nearest // 12 - 1}"
    return name if cents == 0 else f"{name} {cents:+d}"


def clock(seconds: float) -> str:
    """A duration as minutes and seconds: 1:05."""
    whole = int(max(seconds, 0.0))
    return f"{whole // 60}:{whole % 60:02d}"
