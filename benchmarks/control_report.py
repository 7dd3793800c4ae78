"""The control table as Markdown and as a picture, from the scores of every arm, seed and corpus.

Scores: corpus -> arm's text -> one dictionary a seed, as benchmarks/control_table.py keeps them. One
without "control" was trained and not yet scored.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from control_arms import PLAIN, parse_arm

Seeds = list[dict[str, Any]]
Keys = tuple[str, ...]

FIXED_SET = ("loudness", "brightness", "boominess", "noisiness")
NULLS = {"copy": "*source copied*", "gain": "*source, bare gain*"}
COLUMNS: tuple[tuple[str, Keys], ...] = (
    ("one moved", ("control", "one", "mean")),
    ("worst", ("control", "one", "worst")),
    ("all, feasible", ("control", "all", "mean")),
    ("all, raw", ("control", "raw", "mean")),
    *((name, ("control", "one", name, "rank")) for name in FIXED_SET),
    ("loudness dB", ("loudness", "median_db")),
    ("leakage", ("leakage", "mean")),
    ("mSTFT", ("reconstruction", "mstft")),
    ("mel dB", ("reconstruction", "mel")),
)
TRANSFER = {
    "loudness": "loudness kept", "pitch": "pitch kept", "onsets": "onsets kept", "moved": "timbre moved",
    "way": "of the way",
}  # fmt: skip


def look(scores: dict[str, Any], keys: Keys) -> float | None:
    """A figure by its keys, None where there is none."""
    value: Any = scores
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def shown(values: list[float | None], digits: int = 2, sign: str = "", unit: str = "") -> str:
    """Mean over seeds and, where they differ, the least and the most of them in brackets."""
    known = [v for v in values if v is not None]
    if not known:
        return "–"

    def one(value: float) -> str:
        return f"{round(value, digits) + 0.0:{sign}.{digits}f}"  # + 0.0: no "-0"

    text, least, most = one(float(np.mean(known))) + unit, one(min(known)), one(max(known))
    return text if least == most else f"{text} ({least} to {most})"


def against_plain(seeds: Seeds, plain: Seeds) -> list[float | None]:
    """mSTFT of each seed against the mean of plain RAVE's, in per cent more (worse) or less."""
    known = [m for m in (look(s, ("reconstruction", "mstft")) for s in plain) if m is not None]
    base = float(np.mean(known)) if known else 0.0
    found = [look(s, ("reconstruction", "mstft")) for s in seeds]
    return [100 * (m / base - 1) if m is not None and base else None for m in found]


def grid(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def our_table(arms: dict[str, Seeds]) -> str:
    """Our score, reconstruction against plain RAVE's, and what each arm had to learn with."""
    rows = []
    for arm, seeds in arms.items():
        row = [parse_arm(arm).label, *(shown([look(s, keys) for s in seeds]) for _, keys in COLUMNS)]
        row += [shown(against_plain(seeds, arms.get(PLAIN, [])), 0, "+", " %")]
        row += [f"{sum(seeds[0]['parameters'].values()) / 1e3:.0f} k"]
        row += [shown([s["training"].get("steps") for s in seeds], 0)]
        row += [shown([s["training"].get("minutes") for s in seeds], 1)]
        rate = [s.get("samples_per_s") for s in seeds]
        rows.append([*row, shown([r / 1e3 if r else None for r in rate], 0, unit=" k")])
    null = next(iter(arms.values()))[0]["null"]
    for name, label in NULLS.items():
        under = {"control": null[name], "loudness": null[name].get("loudness", {})}
        rows.append([label, *(shown([look(under, keys)]) for _, keys in COLUMNS), *["–"] * 5])
    last = ["mSTFT against plain RAVE", "weights", "steps", "minutes", "samples/s"]
    return grid(["", *(name for name, _ in COLUMNS), *last], rows)


def their_table(arms: dict[str, Seeds]) -> str:
    """The published metric: by number of attributes changed and by kind of curve."""
    first = next(iter(arms.values()))[0]["published_metric"]
    counts, kinds = list(first["model"]["attributes"]), list(first["model"]["kind"])

    def row(label: str, found: list[dict[str, Any]]) -> list[str]:
        cells = [shown([r["mean"] for r in found])]
        cells += [shown([r["attributes"][c] for r in found]) for c in counts]
        return [label, *cells, *(shown([r["kind"][k] for r in found]) for k in kinds)]

    known = {a: [s["published_metric"]["model"] for s in seeds] for a, seeds in arms.items()}
    rows = [row(parse_arm(arm).label, found) for arm, found in known.items()]
    rows += [row(label, [first[name]]) for name, label in NULLS.items()]
    return grid(["", "mean", *(f"{c} changed" for c in counts), *kinds], rows)


def transfer_table(arms: dict[str, Seeds]) -> str:
    """Timbre transfer, where it was asked for: what is kept of the other sounds, and how far they go."""
    known = {a: [s["transfer"] for s in seeds if "transfer" in s] for a, seeds in arms.items()}
    known = {a: found for a, found in known.items() if found}
    if not known:
        return ""

    def row(label: str, found: list[dict[str, Any]]) -> list[str]:
        return [label, *(shown([f.get(key) for f in found]) for key in TRANSFER)]

    rows = [row(parse_arm(a).label, [f["instrument"] for f in found]) for a, found in known.items()]
    first = next(iter(known.values()))[0]
    rows += [row(f"*{label}*", [figures]) for label, figures in first.items() if label != "instrument"]
    return grid(["", *TRANSFER.values()], rows)


def training_table(arms: dict[str, Seeds]) -> str:
    """What training saw last on crops held out: there before anything is scored, and no score."""
    known = {a: [s["held_out"] for s in seeds if s.get("held_out")] for a, seeds in arms.items()}
    known = {a: found for a, found in known.items() if found}
    names = dict.fromkeys(k for found in known.values() for k in found[0] if k.startswith("all/"))
    rows = [
        [parse_arm(a).label, shown([f["step"] for f in found], 0), shown([f["stft"] for f in found])]
        + [shown([f.get(name) for f in found]) for name in (*names, "code")]
        for a, found in known.items()
    ]
    return grid(["", "steps", "mSTFT", *names, "another's z"], rows) if rows else ""


def scored(arms: dict[str, Seeds]) -> dict[str, Seeds]:
    """Those arms and seeds that have a score; others have only been trained."""
    known = {arm: [s for s in seeds if "control" in s] for arm, seeds in arms.items()}
    return {arm: seeds for arm, seeds in known.items() if seeds}


def section(corpus: str, arms: dict[str, Seeds], asked: list[str], head: str) -> str:
    """One corpus: what it was made with, the tables, and which of the arms `asked` for have none."""
    parts = [f"## {corpus}", *_scores(scored(arms), head)]
    if seen := training_table(arms):
        parts += [
            "While training: 16 crops of the validation split, spectral distance as trained, the pooled rank "
            "correlation of asked and measured with all controls but pitch from another crop, by the "
            "instrument's own measures, and how much distance another z costs. No null rows, no score:",
            seen,
        ]
    if whys := [f"* {parse_arm(a).label}: {parse_arm(a).why}." for a in arms if parse_arm(a).why]:
        parts.append("\n".join(whys))
    if missing := [parse_arm(a).label for a in asked if a not in scored(arms)]:
        parts.append(f"Not scored: {'; '.join(missing)}.")
    return "\n\n".join(parts) + "\n"


def _scores(arms: dict[str, Seeds], head: str) -> list[str]:
    if not arms:
        return [f"{head}; nothing is scored yet."]
    first = next(iter(arms.values()))[0]
    machine, training = first["machine"], first["training"]
    several = any(len(seeds) > 1 for seeds in arms.values())
    where = training.get("machine") or f"{machine['cores']} cores"
    spread = " Means over seeds; in brackets the least and the most." if several else ""
    parts = [
        f"{head}; batch {training['batch']} of {training['crop_frames']} frames, corpus of "
        f"{training['corpus_minutes']:g} minutes; scored on {first['excerpts']} excerpts of the "
        f"{first['split']} split; {where}, {machine['system']} {machine['architecture']}, torch "
        f"{training['torch']}.{spread}",
        our_table(arms),
        "The published metric, (r + 1) / 2 pooled over the batch (chance 0.50):",
        their_table(arms),
    ]
    transfer = transfer_table(arms)
    return [*parts, "Timbre transfer (docs/scoring.md):", transfer] if transfer else parts


def draw(corpora: dict[str, dict[str, Seeds]], path: Path) -> None:
    """Each arm's one moved, all moved and published metric (dots: seeds; lines: the bare gain), and mSTFT."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels: tuple[tuple[str, Keys, Keys], ...] = (
        ("one moved", ("control", "one", "mean"), ("null", "gain", "one", "mean")),
        ("all moved, feasible", ("control", "all", "mean"), ("null", "gain", "all", "mean")),
        ("published metric", ("published_metric", "model", "mean"), ("published_metric", "gain", "mean")),
        ("mSTFT (lower is better)", ("reconstruction", "mstft"), ()),
    )
    tall = max(len(arms) for arms in corpora.values())
    figure, axes = plt.subplots(
        len(corpora), len(panels), figsize=(13, (1.2 + 0.34 * tall) * len(corpora)), squeeze=False,
        sharey="row",
    )  # fmt: skip
    for line, (corpus, arms) in zip(axes, corpora.items(), strict=True):
        at = np.arange(len(arms))[::-1]
        labels = [parse_arm(arm).label.replace(", ", ",\n", 1) for arm in arms]
        for axis, (title, keys, null) in zip(line, panels, strict=True):
            _bars(axis, at, arms, lambda s, keys=keys: look(s, keys))
            bare = look(next(iter(arms.values()))[0], null) if null else None
            if bare is not None:
                axis.axvline(bare, color="black", linestyle=":", linewidth=1)
            axis.set_title(f"{corpus}: {title}", fontsize=9)
            axis.set_yticks(at, labels, fontsize=7)
            axis.tick_params(axis="x", labelsize=8)
            axis.grid(axis="x", alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _bars(axis: Any, at: np.ndarray, arms: dict[str, Seeds], figure: Callable[[Any], float | None]) -> None:
    for y, (arm, seeds) in zip(at, arms.items(), strict=True):
        known = [v for v in map(figure, seeds) if v is not None]
        if known:
            colour = "#b5651d" if parse_arm(arm).decoder == "published" else "#1f6f8b"
            axis.barh(y, np.mean(known), color=colour, alpha=0.6)
            axis.plot(known, [y] * len(known), ".", color="black", markersize=4)
