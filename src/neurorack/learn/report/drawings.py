"""Pictures inside the page: spectrograms as PNG, curves as SVG that takes its colours from the page."""

import base64
import html
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import librosa
import matplotlib
import numpy as np
from PIL import Image

BANDS = 128
DEPTH_DB = 80.0
DIFFERENCE_DB = 20.0
"""Where the difference's colours end."""

TICKS_HZ = (100, 500, 1000, 2000, 5000, 10000)
WIDTH, HEIGHT = 270, 120
LEFT, RIGHT, TOP, BOTTOM = 44, 10, 8, 20
MOST_POINTS = 400


def mel_levels(audio: np.ndarray, sample_rate: int) -> np.ndarray:
    """Level in dB in 128 mel bands every 512 samples (2048 samples), at least -100: [128, K]."""
    power = np.abs(librosa.stft(np.asarray(audio, dtype=np.float32), n_fft=2048, hop_length=512)) ** 2
    mel = librosa.filters.mel(sr=sample_rate, n_fft=2048, n_mels=BANDS) @ power
    return 10 * np.log10(np.maximum(mel, 1e-10))


def spectrogram(levels: np.ndarray, top_db: float, alt: str) -> str:
    """<img> of levels [128, K] between `top_db` and 80 dB below."""
    return _image((levels - top_db) / DEPTH_DB + 1, "magma", alt)


def band_ticks(sample_rate: int) -> dict[float, str]:
    """Ticks of a chart whose x is the band, 0..1."""
    return {at: label for at, label in frequency_ticks(sample_rate) if label not in ("500", "2 k")}


def time_ticks(seconds: float) -> dict[float, str]:
    """Ticks of a chart whose x is time: round seconds, the last with its unit."""
    ticks = {t: _short(t) for t in _ticks(0.0, seconds, False) if t <= seconds}
    return {t: label if t < max(ticks) else f"{label} s" for t, label in ticks.items()}


def difference(levels: np.ndarray, other: np.ndarray, top_db: float, alt: str) -> str:
    """<img> of other less levels, ±20 dB; what lies 80 dB under `top_db` in both differs by nothing."""
    return _image(differing(levels, other, top_db) / (2 * DIFFERENCE_DB) + 0.5, "RdBu_r", alt)


def differing(levels: np.ndarray, other: np.ndarray, top_db: float) -> np.ndarray:
    """Other less levels in dB [128, K], both floored 80 dB under `top_db`."""
    floor = top_db - DEPTH_DB
    return np.maximum(other, floor) - np.maximum(levels, floor)


def _image(values: np.ndarray, colours: str, alt: str) -> str:
    index = np.clip(np.rint(values[::-1] * 255), 0, 255).astype(np.uint8)
    image = Image.fromarray(index, mode="P")
    table = matplotlib.colormaps[colours](np.arange(256), bytes=True)[:, :3]
    image.putpalette(np.ascontiguousarray(table).tobytes())
    data = io.BytesIO()
    image.save(data, format="png", optimize=True)
    text = base64.b64encode(data.getvalue()).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{text}">'


def frequency_ticks(sample_rate: int) -> list[tuple[float, str]]:
    """(height 0..1 above the lower edge, label) of round frequencies on a spectrogram."""
    centres = librosa.mel_frequencies(n_mels=BANDS + 2, fmax=sample_rate / 2)[1:-1]
    kept = [hz for hz in TICKS_HZ if hz < sample_rate / 2]
    heights = (np.interp(kept, centres, np.arange(BANDS)) + 0.5) / BANDS
    return [(float(at), _short(hz)) for at, hz in zip(heights, kept, strict=True)]


@dataclass(frozen=True)
class Line:
    """`x` and `y` [N], NaN where the line is broken; `role` is a class the page's style knows."""

    x: np.ndarray
    y: np.ndarray
    role: str


def chart(
    lines: Sequence[Line],
    alt: str,
    log: bool = False,
    band: tuple[float, float] | None = None,
    level: float | None = None,
    unit: str = "",
    named: Mapping[float, str] | None = None,
) -> str:
    """<svg> of lines over one pair of axes; the highest tick names the `unit`, `band` shades from one y to
    another, `level` draws a line at y, `named` gives the ticks of x (else round numbers)."""
    shown = [v for line in lines for v in line.y[np.isfinite(line.y)]]
    shown += [*(band or ()), *([] if level is None else [level])]
    if not shown:
        return f'<p class="none">{html.escape(alt)}: nothing that counts</p>'
    low_x, high_x = min(line.x[0] for line in lines), max(line.x[-1] for line in lines)
    low, high = float(min(shown)), float(max(shown))
    log = log and low > 0
    ticks = _ticks(low, high, log)
    low, high = min(low, ticks[0]), max(high, ticks[-1])

    def across(x: np.ndarray | float) -> np.ndarray:
        return LEFT + (np.asarray(x) - low_x) / max(high_x - low_x, 1e-9) * (WIDTH - LEFT - RIGHT)

    def up(y: np.ndarray | float) -> np.ndarray:
        a, b, v = (np.log(low), np.log(high), np.log(y)) if log else (low, high, np.asarray(y))
        return HEIGHT - BOTTOM - (v - a) / max(b - a, 1e-9) * (HEIGHT - TOP - BOTTOM)

    parts = []
    if band:
        top, bottom = float(up(band[1])), float(up(band[0]))
        parts.append(
            f'<rect class="band" x="{LEFT}" y="{top:.1f}" width="{WIDTH - LEFT - RIGHT}" '
            f'height="{bottom - top:.1f}"/>'
        )
    for tick in ticks:
        y = float(up(tick))
        parts.append(f'<line class="rule" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        label = f"{_short(tick)} {unit if tick == ticks[-1] else ''}".strip().replace("k Hz", "kHz")
        parts.append(f'<text x="{LEFT - 4}" y="{y + 3.5:.1f}" text-anchor="end">{label}</text>')
    if level is not None:
        y = float(up(level))
        parts.append(f'<line class="level" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
    for line in lines:
        step = max(1, len(line.x) // MOST_POINTS)
        for x, y in _pieces(across(line.x[::step]), up(line.y[::step])):
            points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
            parts.append(f'<polyline class="{line.role}" points="{points}"/>')
    across_ticks = named or {t: _short(t) for t in _ticks(float(low_x), float(high_x), False)}
    for at, label in across_ticks.items():
        if low_x <= at <= high_x:
            parts.append(
                f'<text x="{float(across(at)):.1f}" y="{HEIGHT - 6}" text-anchor="middle">{label}</text>'
            )
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{html.escape(alt)}">'
        + "".join(parts)
        + "</svg>"
    )


def _pieces(x: np.ndarray, y: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Unbroken stretches of at least two points."""
    breaks = np.flatnonzero(np.diff(np.isfinite(y).astype(int))) + 1
    parts = zip(np.split(x, breaks), np.split(y, breaks), strict=True)
    return [(a, b) for a, b in parts if len(b) > 1 and np.isfinite(b[0])]


def _ticks(low: float, high: float, log: bool) -> list[float]:
    """Three to six round values about a range."""
    if log:
        rounds = [m * 10.0**e for e in range(-4, 6) for m in (1, 2, 5)]
        inside = [r for r in rounds if low * 0.99 <= r <= high * 1.01]
        if len(inside) > 1:
            return inside[:: max(1, len(inside) // 5 + 1)]
    span = max(high - low, 1e-6 + 1e-6 * abs(high))
    step = 10.0 ** np.floor(np.log10(span / 3))
    step *= next(m for m in (1, 2, 5, 10) if span / (m * step) <= 5)
    return [float(v) for v in np.arange(np.ceil(low / step), np.floor(high / step) + 1) * step] or [low, high]


def _short(value: float) -> str:
    if abs(value) >= 1000:
        return f"{value / 1000:g} k"
    return f"{value + 0.0:.3g}".replace("-", "−") if abs(value) > 1e-9 else "0"
