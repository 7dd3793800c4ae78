"""The parts of the page that are heard and seen: excerpts, requests, sweeps, held tones, transfers."""

import html
from collections.abc import Iterator, Mapping

import numpy as np

from neurorack.core.timebase import HOP
from neurorack.learn.report import drawings
from neurorack.learn.report.album import Album, Pair, Reply
from neurorack.learn.report.drawings import DEPTH_DB, Line, chart
from neurorack.learn.report.gather import Findings, Transferred
from neurorack.learn.report.sounds import as_float, player

UNITS = {"loudness": "dB", "brightness": "Hz", "pitch": "Hz"}
KNOB = {-0.84: "5 %", 0.0: "50 %", 0.84: "95 %"}
"""Ticks of a knob's travel from -0.9 to 0.9, a little inside."""

KINDS = {
    "donor": "another file's curve",
    "steps": "steps",
    "walk": "a random walk",
    "all": "another file's curves",
}
KEY = '<p class="key"><b class="a"></b>asked<b class="h"></b>heard</p>'
SHOWN_PAIRS = 4


def escaped(text: object) -> str:
    return html.escape(str(text))


def number(value: float | None, unit: str = "") -> str:
    """Three significant figures with a proper minus; a dash for none."""
    if value is None:
        return "–"
    shown = f"{value:.3g}" if 0.0005 <= abs(value) < 1000 or value == 0 else f"{value:.0f}" if value else "0"
    return shown.replace("-", "−") + (f"\u202f{unit}" if unit else "")


def figure(picture: str, caption: str, sound: str = "") -> str:
    return f"<figure><figcaption>{caption}</figcaption>{picture}{sound}</figure>"


def framed(image: str, seconds: float, sample_rate: int) -> str:
    """A spectrogram with its ticks and a mark that follows the player."""
    marks = "".join(
        f'<span class="f" style="bottom:{100 * at:.1f}%">{label}</span>'
        for at, label in drawings.frequency_ticks(sample_rate)
    )
    times = "".join(
        f'<span class="t" style="left:{100 * t / seconds:.1f}%">{label}</span>'
        for t, label in ((0.0, "0"), (seconds / 2, f"{seconds / 2:.1f}"), (seconds, f"{seconds:.1f} s"))
    )
    return f'<div class="spec">{image}{marks}{times}<i></i></div>'


def pictured(audio: np.ndarray, sample_rate: int, caption: str) -> str:
    """A sound by itself: spectrogram and player."""
    levels = drawings.mel_levels(as_float(audio), sample_rate)
    image = drawings.spectrogram(levels, float(levels.max()), f"spectrogram: {caption}")
    picture = framed(image, len(audio) / sample_rate, sample_rate)
    return figure(picture, escaped(caption), player(audio, sample_rate, caption))


def compared(left: np.ndarray, right: np.ndarray, names: tuple[str, str], sample_rate: int) -> str:
    """Two sounds side by side in the same colours, and their difference band by band."""
    levels = [drawings.mel_levels(as_float(a), sample_rate) for a in (left, right)]
    top = float(levels[0].max())
    seconds = len(left) / sample_rate
    cells = [
        figure(
            framed(drawings.spectrogram(level, top, f"spectrogram: {name}"), seconds, sample_rate),
            escaped(name),
            player(audio, sample_rate, name),
        )
        for level, audio, name in zip(levels, (left, right), names, strict=True)
    ]
    apart = drawings.difference(*levels, top, "difference")
    cells.append(
        figure(
            framed(apart, seconds, sample_rate),
            "difference, ±20 dB; red: louder, blue: softer",
        )
    )
    cells += _charts(levels, top, seconds, sample_rate)
    key = f'<p class="key"><b class="a"></b>{escaped(names[0])}<b class="h"></b>{escaped(names[1])}</p>'
    return f'<div class="three">{"".join(cells)}</div>{key}'


def _charts(levels: list[np.ndarray], top_db: float, seconds: float, sample_rate: int) -> list[str]:
    """Level over time, mean spectrum, and difference by band of two sounds' levels [128, K]."""
    floor = top_db - DEPTH_DB
    over_time = [np.maximum(10 * np.log10(np.sum(10 ** (level / 10), axis=0)), floor) for level in levels]
    by_band = [np.maximum(10 * np.log10(np.mean(10 ** (level / 10), axis=1)), floor) for level in levels]
    apart = drawings.differing(*levels, top_db)
    heard = np.max(levels, axis=0) > floor
    signed = (apart * heard).sum(axis=1) / np.maximum(heard.sum(axis=1), 1)
    t = np.linspace(0, seconds, len(over_time[0]))
    bands = np.arange(drawings.BANDS) / drawings.BANDS
    ticks = drawings.band_ticks(sample_rate)
    roles, loudest = ("asked", "heard"), float(over_time[0].max())
    return [
        figure(
            chart([Line(t, y - loudest, r) for y, r in zip(over_time, roles, strict=True)], "level over time",
                  unit="dB", named=drawings.time_ticks(seconds)),
            "level over time",
        ),
        figure(
            chart([Line(bands, y - top_db, r) for y, r in zip(by_band, roles, strict=True)], "mean spectrum",
                  unit="dB", named=ticks),
            "mean spectrum",
        ),
        figure(
            chart([Line(bands, signed, "heard")], "difference by band", level=0.0, unit="dB", named=ticks),
            "difference by band, mean over time",
        ),
    ]  # fmt: skip


def pairs(findings: Findings) -> Iterator[str]:
    """Recordings beside their reconstructions, the worst first."""
    rate = findings.manifest.sample_rate
    for place, pair in findings.album.shown_pairs(SHOWN_PAIRS):
        more = f" and {len(pair.files) - 1} more" if len(pair.files) > 1 else ""
        yield (
            f'<article class="card pair"><h3>{escaped(pair.files[0])}{more}</h3>'
            f"<p class=soft>{place}: {number(pair.mel_db, 'dB')} mel apart</p>"
            + compared(pair.recording, pair.answer, ("recording", "reconstruction"), rate)
            + _also(findings, pair)
            + "</article>"
        )


def _also(findings: Findings, pair: Pair) -> str:
    """The same excerpt through the instruments that are compared."""
    cells = []
    for manifest, _, album in findings.others:
        same = next((p for p in album.pairs if p.files == pair.files), None)
        if same is not None:
            caption = f"{manifest.title}: {number(same.mel_db, 'dB')} mel apart"
            cells.append(pictured(same.answer, manifest.sample_rate, caption))
    return f'<div class="grid four low">{"".join(cells)}</div>' if cells else ""


def requests(findings: Findings) -> Iterator[str]:
    """Asked and heard: each control alone, then all together; the worst and the middle one of each."""
    rate, album = findings.manifest.sample_rate, findings.album
    names = [n for n in findings.scores["control"]["one"] if any(n in r.curves for r in album.replies)]
    cards = [
        f'<article class="card reply"><h3>{escaped(name.capitalize())} moved</h3>'
        + "".join(_reply(what, reply, album, rate) for what, reply in album.shown_replies(name))
        + "</article>"
        for name in names
    ]
    yield f'<div class="grid four">{"".join(cards)}</div>'
    together = [_reply(what, reply, album, rate) for what, reply in album.shown_replies(None)]
    if together:
        cells = "".join(f'<article class="card reply">{reply}</article>' for reply in together)
        yield f'<h3 class="between">All moved together</h3><div class="grid two">{cells}</div>'


def _reply(what: str, reply: Reply, album: Album, sample_rate: int) -> str:
    caption = f"{what}: {KINDS.get(reply.kind, reply.kind)}"
    charts = []
    for name, curve in reply.curves.items():
        t = np.arange(len(curve.asked)) * HOP / sample_rate
        lines = [Line(t, album.as_shown(name, curve.asked), "asked"), Line(t, curve.heard, "heard")]
        drawn = chart(
            lines,
            f"{name} asked and heard",
            log=name == "brightness",
            unit=UNITS.get(name, ""),
            named=drawings.time_ticks(float(t[-1])),
        )
        title = f"{caption}, rank correlation" if len(reply.curves) == 1 else f"{name}, rank correlation"
        charts.append(figure(drawn, f"{escaped(title)} {number(curve.rank)}"))
    lead = "" if len(reply.curves) == 1 else f"<p class=soft>{escaped(caption)}</p>"
    return f'{lead}<div class="charts">{"".join(charts)}</div>{player(reply.audio, sample_rate, caption)}'


def sweeps(findings: Findings) -> Iterator[str]:
    """Each control's whole travel on held sounds."""
    rate = findings.manifest.sample_rate
    for name, rows in findings.sweeps.items():
        if not rows:
            continue
        figures: Mapping[str, float | None] = findings.sweep_figures[name]
        in_hz = name == "brightness"
        lines = [Line(r.setting, 2 ** r.heard[name] if in_hz else r.heard[name], "thin") for r in rows]
        low, high = findings.ranges.ends[name]
        drawn = chart(
            lines,
            f"sweep of {name}",
            log=in_hz,
            band=(2**low, 2**high) if in_hz else (low, high),
            unit=UNITS.get(name, ""),
            named=KNOB,
        )
        yield (
            f'<article class="card sweep low"><h3>{escaped(name.capitalize())}</h3>'
            f"<p class=soft>reaches {number(figures['span'])} of the corpus's range (worst "
            f"{number(figures['worst_span'])}), monotone {number(figures['monotone'])}, moves the others by "
            f"{number(figures['leak_mean'])} IQR, click {number(figures['click'])}</p>"
            + figure(drawn, f"{len(rows)} held sounds; shaded: the corpus")
            + pictured(rows[len(rows) // 2].audio, rate, "one of them, from low to high")
            + "</article>"
        )


def held(findings: Findings) -> Iterator[str]:
    """Frozen tones."""
    for tone, row in findings.held:
        line = "none found" if row["comb_db"] <= -119 else number(row["comb_db"], "dB")
        cents = row.get("pitch_cents")
        said = f"steady to {number(row['steadiness_db'], 'dB')}, line at the frame rate: {line}"
        said += f", pitch off by {number(abs(cents), 'cents')}" if cents is not None else ""
        notes = ", ".join(f"{k} {number(v, UNITS.get(k, ''))}" for k, v in tone.asked.items())
        caption = f"asked: {notes}"
        yield (
            f'<article class="card held low">{pictured(tone.audio, tone.sample_rate, caption)}'
            f"<p class=soft>{said}</p></article>"
        )


def transfers(findings: Findings) -> Iterator[str]:
    """Sounds of another kind, and what the instrument makes of them."""
    for item in findings.transfers:
        yield _transfer(item, findings.manifest.sample_rate)


def _transfer(item: Transferred, sample_rate: int) -> str:
    kept = item.kept
    within = kept["pitch_within_50_cents"]
    said = [
        f"loudness kept {number(kept['loudness'])}",
        f"onsets kept {number(kept['onsets'])}",
        *([] if within is None else [f"{number(100 * within)} % within 50 cents"]),
    ]
    return (
        f'<article class="card transfer low"><h3>{escaped(item.source.name)}</h3>'
        f"<p class=soft>{', '.join(said)}</p>"
        f"{pictured(item.source.audio, sample_rate, 'the sound')}"
        f"{pictured(item.answer, sample_rate, 'played by the instrument')}</article>"
    )
