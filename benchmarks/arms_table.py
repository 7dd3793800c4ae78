"""The three arms at equal minutes: train, export and measure each by command line; Markdown and JSON.

    python benchmarks/arms_table.py CORPUS -o FOLDER --minutes 10

An arm that has been scored in FOLDER already is not run again, so that the table can be continued after a
stop. With --prepare, CORPUS is a folder of recordings; everything after -- goes to `neurorack train`.
"""

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ARMS = ("conditional", "fader", "counterfactual")
NULLS = {"copy": "source copied", "gain": "source, bare gain"}
FIXED_SET = ("loudness", "brightness", "boominess", "noisiness")


def neurorack(*arguments: object) -> str:
    """Run one command; its standard output. A failure ends the benchmark with the command's own words."""
    command = [sys.executable, "-m", "neurorack.cli.main", *map(str, arguments)]
    print("$ neurorack", *arguments, file=sys.stderr, flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(done.returncode)
    return done.stdout


def score_arm(arm: str, corpus: Path, folder: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Train, export and measure one arm, or read what was measured before."""
    result = folder / f"{arm}.json"
    if result.exists():
        return json.loads(result.read_text(encoding="utf-8"))
    run, instrument = folder / arm, folder / f"{arm}.nrk"
    if not instrument.exists():
        length = ["--steps", options.steps] if options.steps else ["--minutes", options.minutes]
        again = ["--resume"] if (run / "run.json").exists() else []
        neurorack(
            "train", corpus, "-o", run, "--arm", arm, *length, "--seed", options.seed, *again, *options.train
        )
        neurorack("export", run, "-o", instrument, "--title", f"Arm {arm}")
    text = neurorack(
        "measure", instrument, corpus, "--json", "--limit", options.limit, "--seed", options.seed
    )
    scores = json.loads(text)
    info = json.loads(neurorack("info", instrument, "--json"))
    scores["training"] = info["training"]
    result.write_text(json.dumps(scores, indent=1), encoding="utf-8")
    return scores


def cell(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"


def table(arms: dict[str, dict[str, Any]]) -> str:
    """Markdown: arms and null rows down, figures across. One moved and all moved are rank correlations."""
    heads = ["", "one moved, mean", "worst", "all moved, feasible", "raw", *(f"one: {n}" for n in FIXED_SET)]
    heads += ["loudness dB", "leakage", "mSTFT", "steps"]
    lines = ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]

    def line(label: str, control: dict[str, Any], rest: list[str]) -> None:
        cells = [label, cell(control["one"]["mean"]), cell(control["one"]["worst"])]
        cells += [cell(control["all"]["mean"]), cell(control["raw"]["mean"])]
        cells += [cell(control["one"].get(n, {}).get("rank")) for n in FIXED_SET]
        lines.append("| " + " | ".join(cells + rest) + " |")

    for arm, s in arms.items():
        rest = [
            cell(s["loudness"]["median_db"]),
            cell(s["leakage"]["mean"]),
            cell(s["reconstruction"]["mstft"]),
        ]
        line(arm, s["control"], [*rest, str(s["training"].get("steps", "–"))])
    null = next(iter(arms.values()))["null"]
    for name, label in NULLS.items():
        line(label, null[name], [cell(null[name]["loudness"]["median_db"]), "–", "–", "–"])
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("corpus", type=Path, help="made by neurorack prepare")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to fill")
    parser.add_argument("--prepare", action="store_true", help="CORPUS is recordings: prepare them first")
    parser.add_argument("--minutes", type=float, default=10.0, help="training time of each arm")
    parser.add_argument("--steps", type=int, help="equal steps instead of equal minutes")
    parser.add_argument("--limit", type=int, default=32, help="excerpts to score")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--arms", default=",".join(ARMS), help="which, separated by commas")
    own, train = sys.argv[1:], []
    if "--" in own:
        own, train = own[: own.index("--")], own[own.index("--") + 1 :]
    options = parser.parse_args(own)
    options.train = train
    options.output.mkdir(parents=True, exist_ok=True)
    corpus = options.corpus
    if options.prepare:
        corpus = options.output / "corpus"
        neurorack("prepare", options.corpus, "-o", corpus, "--json")
    arms = {arm: score_arm(arm, corpus, options.output, options) for arm in options.arms.split(",")}
    first = next(iter(arms.values()))
    length = f"{options.steps} steps" if options.steps else f"{options.minutes:g} minutes"
    text = (
        f"Arms after {length} each on {first['corpus']}; {first['excerpts']} excerpts of the "
        f"{first['split']} split, seed {first['seed']}.\n\n{table(arms)}\n"
    )
    (options.output / "arms.md").write_text(text, encoding="utf-8")
    (options.output / "arms.json").write_text(json.dumps(arms, indent=1), encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
