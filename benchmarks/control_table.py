"""The published method and ours at equal minutes or steps: trains, exports, scores; Markdown, JSON, plot.

    python benchmarks/control_table.py CORPUS… -o FOLDER [--arms …] --minutes M | --steps N
                                       [--seeds 0,1,2] [--limit L] [-- options of neurorack train]

An arm is METHOD@DECODER. Methods: rave, c-rave, f-rave (as published), conditional, fader, counterfactual
(ours). Decoders: published (upsampling convolutions in bands, with RAVE's encoder) and ours (source-filter);
docs/method.md says what was scaled. Everything that was finished in FOLDER is kept: run the same command
again to continue after a stop, or with more arms or seeds to add them. For NSynth or SC09: `neurorack prepare
DATA -o CORPUS --layout nsynth --rate 16000`, then this.
"""

import argparse
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

METHODS = ("rave", "c-rave", "f-rave", "conditional", "fader", "counterfactual")
DECODERS = {"published": "published", "ours": "source-filter"}
DEFAULT_ARMS = (
    *("rave@published", "c-rave@published", "f-rave@published", "counterfactual@published"),
    *("rave@ours", "c-rave@ours", "f-rave@ours", "conditional@ours", "fader@ours", "counterfactual@ours"),
)
NULLS = {"copy": "*source copied*", "gain": "*source, bare gain*"}
FIXED_SET = ("loudness", "brightness", "boominess", "noisiness")
PLAIN = "rave@published"
"""What reconstruction is compared with."""

Path_ = tuple[str, ...]
COLUMNS: tuple[tuple[str, Path_], ...] = (
    ("one moved", ("control", "one", "mean")),
    ("worst", ("control", "one", "worst")),
    ("all, feasible", ("control", "all", "mean")),
    ("all, raw", ("control", "raw", "mean")),
    *((n, ("control", "one", n, "rank")) for n in FIXED_SET),
    ("loudness dB", ("loudness", "median_db")),
    ("leakage", ("leakage", "mean")),
    ("mSTFT", ("reconstruction", "mstft")),
    ("mel dB", ("reconstruction", "mel")),
)


def neurorack(*arguments: object) -> str:
    """Run one command; its standard output. A failure ends the benchmark with the command's own words."""
    command = [sys.executable, "-m", "neurorack.cli.main", *map(str, arguments)]
    print("$ neurorack", *arguments, file=sys.stderr, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout


def published_metric(instrument: Path, corpus: Path, limit: int) -> dict[str, Any]:
    """What benchmarks/published_metric.py says."""
    script = Path(__file__).with_name("published_metric.py")
    command = [sys.executable, str(script), str(instrument), str(corpus), "--limit", str(limit)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(done.returncode)
    return json.loads(done.stdout)


def parameters(run: Path) -> dict[str, int]:
    """Learned numbers of the encoder and the decoder of a run."""
    from neurorack.learn.train.run import RunConfig

    model = RunConfig.read(run).build()
    return {
        name: sum(p.numel() for p in getattr(model, name).parameters()) for name in ("encoder", "decoder")
    }


def cell(corpus: Path, arm: str, seed: int, options: argparse.Namespace) -> dict[str, Any]:
    """Train, export and score one arm with one seed on one corpus, or read what was scored before."""
    folder = options.output / corpus.resolve().name / arm.replace("@", ".") / f"seed{seed}"
    asked = {
        "minutes": None if options.steps else options.minutes, "steps": options.steps, "limit": options.limit,
        "train": options.train,
    }  # fmt: skip
    result = folder / "scores.json"
    if result.exists():
        scores = json.loads(result.read_text(encoding="utf-8"))
        if scores["asked"] != asked:
            raise SystemExit(
                f"{result} was made with {scores['asked']}: give the same options, or another -o."
            )
        return scores
    folder.mkdir(parents=True, exist_ok=True)
    run, instrument = folder / "run", folder / f"{arm.replace('@', '-')}.nrk"
    method, _, decoder = arm.partition("@")
    if not instrument.exists():
        length = ["--steps", options.steps] if options.steps else ["--minutes", options.minutes]
        shape = ["--arm", method, "--model", f"decoder={DECODERS[decoder]}", "--seed", seed]
        again = ["--resume"] if (run / "run.json").exists() else []
        neurorack("train", corpus, "-o", run, *shape, *length, *again, "--quiet", *options.train)
        neurorack("export", run, "-o", instrument, "--title", arm)
    scores = json.loads(neurorack("measure", instrument, corpus, "--json", "--limit", options.limit))
    scores["published_metric"] = published_metric(instrument, corpus, options.limit)
    info = json.loads(neurorack("info", instrument, "--json"))
    scores["training"], scores["parameters"] = info["training"], parameters(run)
    scores["asked"] = asked
    result.write_text(json.dumps(scores, indent=1), encoding="utf-8")
    return scores


def look(scores: dict[str, Any], path: Path_) -> float | None:
    """A figure by its keys, None where there is none."""
    value: Any = scores
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def shown(values: list[float | None], digits: int = 2) -> str:
    """Mean over seeds and, where there are several, how far they lie apart."""
    known = [v for v in values if v is not None]
    if not known:
        return "–"
    text = f"{np.mean(known):.{digits}f}"
    return text if len(known) < 2 else f"{text} ± {(max(known) - min(known)) / 2:.{digits}f}"


def grid(head: list[str], rows: list[list[str]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows])


def our_table(arms: dict[str, list[dict[str, Any]]]) -> str:
    """Our score, reconstruction beside plain RAVE's, and what each arm had to learn with."""
    plain = [look(s, ("reconstruction", "mstft")) for s in arms.get(PLAIN, [])]
    base = float(np.mean([p for p in plain if p is not None])) if plain else None
    rows = []
    for arm, seeds in arms.items():
        figures = [shown([look(s, path) for s in seeds]) for _, path in COLUMNS]
        mstft = [look(s, ("reconstruction", "mstft")) for s in seeds]
        ratio = [m / base if m is not None and base else None for m in mstft]
        size = seeds[0]["parameters"]
        rest = [shown(ratio), f"{sum(size.values()) / 1e3:.0f} k"]
        rest += [shown([s["training"].get("steps") for s in seeds], 0)]
        rest += [shown([s["training"].get("minutes") for s in seeds], 1)]
        rows.append([arm, *figures, *rest])
    null = next(iter(arms.values()))[0]["null"]
    for name, label in NULLS.items():
        under = {"control": null[name], "loudness": null[name].get("loudness", {})}
        rows.append([label, *(shown([look(under, path)]) for _, path in COLUMNS), *["–"] * 4])
    head = ["", *(name for name, _ in COLUMNS), "mSTFT / plain RAVE's", "weights", "steps", "minutes"]
    return grid(head, rows)


def their_table(arms: dict[str, list[dict[str, Any]]]) -> str:
    """The published metric: by number of attributes changed and by kind of curve."""
    first = next(iter(arms.values()))[0]["published_metric"]
    counts, kinds = list(first["model"]["attributes"]), list(first["model"]["kind"])

    def row(label: str, rows: list[dict[str, Any]]) -> list[str]:
        cells = [shown([r["mean"] for r in rows])]
        cells += [shown([r["attributes"][c] for r in rows]) for c in counts]
        return [label, *cells, *(shown([r["kind"][k] for r in rows]) for k in kinds)]

    rows = [row(arm, [s["published_metric"]["model"] for s in seeds]) for arm, seeds in arms.items()]
    rows += [row(label, [first[name]]) for name, label in NULLS.items()]
    return grid(["", "mean", *(f"{c} changed" for c in counts), *kinds], rows)


def draw(corpora: dict[str, dict[str, list[dict[str, Any]]]], path: Path) -> None:
    """Each arm's one moved, all moved and published metric (dots: seeds; lines: the bare gain), and mSTFT."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    panels = (
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
        for axis, (title, keys, null) in zip(line, panels, strict=True):
            for y, (arm, seeds) in zip(at, arms.items(), strict=True):
                known = [v for v in (look(s, keys) for s in seeds) if v is not None]
                if not known:
                    continue
                colour = "#b5651d" if arm.endswith("@published") else "#1f6f8b"
                axis.barh(y, np.mean(known), color=colour, alpha=0.6)
                axis.plot(known, [y] * len(known), ".", color="black", markersize=4)
            bare = look(next(iter(arms.values()))[0], null) if null else None
            if bare is not None:
                axis.axvline(bare, color="black", linestyle=":", linewidth=1)
            axis.set_title(f"{corpus}: {title}", fontsize=9)
            axis.set_yticks(at, list(arms), fontsize=8)
            axis.tick_params(axis="x", labelsize=8)
            axis.grid(axis="x", alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def report(corpora: dict[str, dict[str, list[dict[str, Any]]]], options: argparse.Namespace) -> str:
    """The Markdown of everything, with the command, machine, budget and seeds above the tables."""
    length = f"{options.steps} steps" if options.steps else f"{options.minutes:g} minutes"
    seeds = ", ".join(map(str, options.seeds))
    parts = []
    for corpus, arms in corpora.items():
        first = next(iter(arms.values()))[0]
        machine, training = first["machine"], first["training"]
        parts.append(
            f"## {corpus}: {length} each\n\n"
            f"`python benchmarks/control_table.py {' '.join(sys.argv[1:])}`, seed {seeds}; batch "
            f"{training['batch']} of {training['crop_frames']} frames, corpus of "
            f"{training['corpus_minutes']:g} minutes; scored on {first['excerpts']} excerpts of the "
            f"{first['split']} split; {machine['cores']} cores, {machine['system']} "
            f"{machine['architecture']}, torch {training['torch']}.\n\n"
            f"{our_table(arms)}\n\nThe published metric, (r + 1) / 2 pooled over the batch (chance 0.50):\n\n"
            f"{their_table(arms)}\n"
        )
    return "\n".join(parts)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpora", type=Path, nargs="+", metavar="CORPUS", help="made by neurorack prepare")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to fill")
    parser.add_argument("--arms", default=",".join(DEFAULT_ARMS), help="METHOD@DECODER, separated by commas")
    parser.add_argument("--minutes", type=float, default=30.0, help="training time of each arm")
    parser.add_argument("--steps", type=int, help="equal steps instead of equal minutes")
    parser.add_argument("--seeds", default="0", help="separated by commas")
    parser.add_argument("--limit", type=int, default=32, help="excerpts to score")
    parser.add_argument("--jobs", type=int, default=1, help="arms at once; with --minutes only 1 is fair")
    own, train = sys.argv[1:], []
    if "--" in own:
        own, train = own[: own.index("--")], own[own.index("--") + 1 :]
    options = parser.parse_args(own)
    options.train, options.arms = train, options.arms.split(",")
    options.seeds = [int(seed) for seed in options.seeds.split(",")]
    for arm in options.arms:
        method, _, decoder = arm.partition("@")
        if method not in METHODS or decoder not in DECODERS:
            parser.error(f"{arm}: METHOD is one of {', '.join(METHODS)}, DECODER of {', '.join(DECODERS)}")
    return options


def main() -> None:
    options = parse()
    options.output.mkdir(parents=True, exist_ok=True)
    # Every arm once before any arm twice; the table grows as results come.
    cells = [(c, arm, seed) for seed in options.seeds for c in options.corpora for arm in options.arms]
    corpora: dict[str, dict[str, list[dict[str, Any]]]] = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        for (corpus, arm, _), scores in zip(cells, pool.map(lambda c: cell(*c, options), cells), strict=True):
            corpora.setdefault(corpus.resolve().name, {}).setdefault(arm, []).append(scores)
            (options.output / "control.md").write_text(report(corpora, options), encoding="utf-8")
            (options.output / "control.json").write_text(json.dumps(corpora, indent=1), encoding="utf-8")
            draw(corpora, options.output / "control.png")
    print(report(corpora, options))


if __name__ == "__main__":
    main()
