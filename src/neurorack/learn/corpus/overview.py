"""overview.html: one self-contained page that shows what is in a corpus and what was left out."""

import base64
import html
import io
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from neurorack.core.files import atomic_write
from neurorack.learn.corpus.corpus import Corpus
from neurorack.learn.corpus.groups import SPLITS

SOUNDING_DB = -60.0
"""Frames below this level are left out of the histograms and correlations: silence has no timbre."""

FRAMES_DRAWN = 200_000
FOLDERS_SHOWN = 60
COLOURS = {"train": "#3b6ea8", "validation": "#d08c2e", "test": "#5a9a5a"}
STYLE = """body{font:15px/1.45 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;
color:#222;background:#fff}
table{border-collapse:collapse;margin:.5rem 0 1.5rem}td,th{padding:.2rem .8rem .2rem 0;text-align:left;
border-bottom:1px solid #ddd;vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
img{max-width:100%;height:auto}p.note{color:#555}h1{margin-bottom:0}code{background:#f2f2f2;padding:0 .2em}"""


def _sounding(corpus: Corpus) -> np.ndarray:
    """Row numbers of sounding frames, at most FRAMES_DRAWN of them, evenly taken."""
    features = corpus.all_features
    stride = max(1, len(features) // FRAMES_DRAWN)
    rows = np.arange(0, len(features), stride)
    if "loudness" in corpus.outputs:
        sounding = rows[features[rows, corpus.column("loudness")] > SOUNDING_DB]
        return sounding if len(sounding) else rows
    return rows


def _picture(figure: Any, alt: str) -> str:
    """A matplotlib figure as an inline image."""
    import matplotlib.pyplot as plt

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110)
    plt.close(figure)
    data = base64.b64encode(buffer.getvalue()).decode()
    return f'<img alt="{html.escape(alt)}" src="data:image/png;base64,{data}">'


def _axis(values: np.ndarray, spec: dict[str, Any]) -> tuple[np.ndarray, bool]:
    """Histogram edges over the 0.1 to 99.9 % range, and whether the axis is logarithmic."""
    low, high = np.quantile(values, [0.001, 0.999])
    log = spec.get("scale") == "log" and low > 0
    if not high > low:
        low, high = low - 0.5, high + 0.5
        log = False
    return (np.geomspace(low, high, 61) if log else np.linspace(low, high, 61)), log


def _durations(corpus: Corpus) -> str:
    import matplotlib.pyplot as plt

    seconds = [[f.seconds for f in corpus.split(name)] for name in SPLITS]
    everything = np.concatenate([np.asarray(s) for s in seconds])
    low, high = everything.min(), everything.max()
    edges = np.geomspace(low * 0.99, high * 1.01, 41).tolist()
    figure, axes = plt.subplots(figsize=(8, 2.4), layout="constrained")
    axes.hist(seconds, edges, stacked=True, color=[COLOURS[s] for s in SPLITS], label=list(SPLITS))
    axes.set(xscale="log", xlabel="length of a recording (s)", ylabel="recordings")
    _plain_log_ticks(axes)
    axes.legend(frameon=False)
    return _picture(figure, "Histogram of the lengths of the recordings, by split")


def _plain_log_ticks(axes: Any) -> None:
    """Numbers such as 0.5, 2, 1000 instead of powers of ten."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())


def _histograms(corpus: Corpus, rows: np.ndarray) -> str:
    import matplotlib.pyplot as plt

    count = len(corpus.outputs)
    columns = min(3, count)
    lines = -(-count // columns)
    figure, grid = plt.subplots(
        lines, columns, figsize=(3.2 * columns, 2.3 * lines), layout="constrained", squeeze=False
    )
    of_split = np.concatenate([np.full(f.frames, SPLITS.index(f.split), np.int8) for f in corpus.files])[rows]
    for axes, output, spec in zip(grid.flat, corpus.outputs, corpus.specs, strict=False):
        values = corpus.all_features[rows, corpus.column(output)]
        edges, log = _axis(values, spec)
        for index, split in enumerate(SPLITS):
            part = values[of_split == index]
            if len(part):
                weights = np.full(len(part), 100.0 / len(part))
                axes.hist(part, edges, weights=weights, histtype="step", color=COLOURS[split], label=split)
        if log:
            axes.set_xscale("log")
            _plain_log_ticks(axes)
            axes.tick_params(axis="x", labelrotation=45, labelsize=8)
        unit = spec.get("unit") or ""
        axes.set(title=spec.get("label") or output, xlabel=unit, ylabel="% of frames")
    for axes in list(grid.flat)[count:]:
        axes.set_axis_off()
    grid.flat[0].legend(frameon=False, fontsize=8)
    return _picture(figure, "Histograms of the descriptors in physical units, by split")


def _correlations(corpus: Corpus, rows: np.ndarray) -> str:
    import matplotlib.pyplot as plt

    values = np.asarray(corpus.all_features[rows], dtype=np.float64)
    # Rank correlation: the ranks do not depend on units or on a log axis.
    ranks = values.argsort(axis=0).argsort(axis=0).astype(np.float64)
    constant = np.ptp(values, axis=0) == 0
    with np.errstate(invalid="ignore", divide="ignore"):
        matrix = np.atleast_2d(np.corrcoef(ranks.T))
    matrix[constant, :] = np.nan
    matrix[:, constant] = np.nan
    count = len(corpus.outputs)
    size = 2.2 + 0.62 * count
    figure, axes = plt.subplots(figsize=(size + 0.8, size), layout="constrained")
    image = axes.imshow(matrix, cmap="RdBu_r", vmin=-1, vmax=1)
    axes.set_xticks(range(count), corpus.outputs, rotation=40, ha="right")
    axes.set_yticks(range(count), corpus.outputs)
    for i in range(count):
        for j in range(count):
            shade = "white" if abs(np.nan_to_num(matrix[i, j])) > 0.6 else "black"
            axes.text(j, i, f"{matrix[i, j]:.2f}", ha="center", va="center", fontsize=8, color=shade)
    figure.colorbar(image, ax=axes, shrink=0.8)
    return _picture(figure, "Rank correlations between the descriptors")


def _table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """An HTML table; numbers are set to the right."""

    def cell(tag: str, value: object) -> str:
        right = " class=n" if isinstance(value, int | float) else ""
        return f"<{tag}{right}>{html.escape(str(value))}</{tag}>"

    numeric = [bool(rows) and isinstance(value, int | float) for value in (rows[0] if rows else head)]
    top = "".join(
        f"<th{' class=n' if right else ''}>{html.escape(name)}</th>"
        for name, right in zip(head, numeric, strict=True)
    )
    body = "".join("<tr>" + "".join(cell("td", value) for value in row) + "</tr>" for row in rows)
    return f"<table><tr>{top}</tr>{body}</table>"


def _ranges(corpus: Corpus, rows: np.ndarray) -> str:
    """Quantiles of each descriptor over the sounding frames."""
    lines = []
    for output, spec in zip(corpus.outputs, corpus.specs, strict=True):
        values = corpus.all_features[rows, corpus.column(output)]
        quantiles = np.quantile(values, [0.05, 0.25, 0.5, 0.75, 0.95])
        lines.append([output, spec.get("unit") or "", *(float(f"{value:.4g}") for value in quantiles)])
    return _table(["descriptor", "unit", "5 %", "25 %", "median", "75 %", "95 %"], lines)


def summary(corpus: Corpus) -> dict[str, Any]:
    """Counts of a corpus, as `--json` prints them."""
    splits = {}
    for name in SPLITS:
        files = corpus.split(name)
        splits[name] = {
            "files": len(files),
            "groups": len({file.group for file in files}),
            "minutes": round(sum(file.seconds for file in files) / 60, 2),
        }
    return {
        "corpus": str(corpus.path),
        "sample_rate": corpus.sample_rate,
        "outputs": corpus.outputs,
        "files": len({file.path for file in corpus.files}),
        "minutes": round(sum(file.seconds for file in corpus.files) / 60, 2),
        "splits": splits,
        "skipped": corpus.skipped,
        "overview": str(corpus.path / "overview.html"),
    }


def write_overview(corpus: Corpus) -> None:
    """Draw overview.html of a corpus."""
    import matplotlib

    matplotlib.use("Agg")
    facts = summary(corpus)
    rows = _sounding(corpus)
    folders = Counter(file.path.rpartition("/")[0] or "." for file in corpus.files)
    minutes: Counter[str] = Counter()
    held: Counter[str] = Counter()
    for file in corpus.files:
        folder = file.path.rpartition("/")[0] or "."
        minutes[folder] += file.seconds / 60  # type: ignore[assignment]
        held[folder] += file.split != "train"
    title = html.escape(str(corpus.options.get("folder", corpus.path.name)))
    turned = sum(file.gain_db < 0 for file in corpus.files)
    sections = [
        f"<h1>{title}</h1>",
        f"<p>{facts['files']} recordings, {facts['minutes']:.1f} minutes at {corpus.sample_rate} Hz. "
        f"{len(corpus.skipped)} left out"
        + (f", {turned} turned down so as not to clip" if turned else "")
        + ".</p>",
        "<h2>Splits</h2>",
        _table(
            ["split", "recordings", "groups", "minutes"],
            [[n, s["files"], s["groups"], s["minutes"]] for n, s in facts["splits"].items()],
        ),
        "<p class=note>Groups (microphones on one take, repeats of one gesture) are never divided.</p>",
        _durations(corpus),
        "<h2>Folders</h2>",
        _table(
            ["folder", "recordings", "held out", "minutes"],
            [[f, n, held[f], round(minutes[f], 2)] for f, n in sorted(folders.items())[:FOLDERS_SHOWN]],
        )
        + (f"<p>and {len(folders) - FOLDERS_SHOWN} more</p>" if len(folders) > FOLDERS_SHOWN else ""),
        "<h2>Descriptors</h2>",
        f"<p class=note>Over {len(rows)} frames louder than {SOUNDING_DB:.0f} dB, in physical units.</p>",
        _histograms(corpus, rows),
        _ranges(corpus, rows),
        "<h2>Rank correlations</h2>",
        _correlations(corpus, rows),
        "<h2>Left out</h2>",
        _table(["recording", "why"], [[entry["path"], entry["why"]] for entry in corpus.skipped])
        if corpus.skipped
        else "<p>Nothing.</p>",
    ]
    page = (
        f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}: corpus</title>"
        f"<meta name=viewport content='width=device-width'><style>{STYLE}</style>" + "\n".join(sections)
    )
    with atomic_write(corpus.path / "overview.html", "w") as out:
        out.write(page + "</html>\n")
