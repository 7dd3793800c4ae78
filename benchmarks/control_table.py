"""The published method and ours, and ours with one thing changed: trained, exported, scored, tabled.

    python benchmarks/control_table.py CORPUS… -o FOLDER [--set published|crossed|ablations] [--arms …]
                                       --minutes M | --steps N [--seeds 0,1,2] [--limit L]
                                       [--transfer OTHER_CORPUS] [--machine TEXT] [-- options of train]

Writes control.md, control.json (every value of every seed) and control.png. An arm is METHOD@DECODER[+name=
value…]: benchmarks/control_arms.py says what that means and has the sets (`published` where none is asked
for), docs/method.md says what was scaled. With --minutes all arms get the same time, with --steps the same
number of steps and, seed by seed, the same crops. Everything that was finished in FOLDER is kept: run the
same command again to continue after a stop, or with more arms, seeds or another --limit. --tables trains
nothing and makes the tables of what is there. For NSynth or SC09: `neurorack prepare DATA -o CORPUS --layout
nsynth --rate 16000`, then this.
"""

import argparse
import json
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import passed_on
from control_arms import SETS, Arm, parse_arms
from control_report import Seeds, draw, scored, section

from neurorack.core.errors import NeurorackError

Corpora = dict[str, dict[str, Seeds]]


def neurorack(*arguments: object) -> str:
    """Run one command; its standard output. A failure ends the benchmark with the command's own words."""
    print("$ neurorack", *arguments, file=sys.stderr, flush=True)
    return _output([sys.executable, "-m", "neurorack.cli.main", *map(str, arguments)])


def published_metric(instrument: Path, corpus: Path, limit: int) -> dict[str, Any]:
    """What benchmarks/published_metric.py says."""
    said = _output(_script("published_metric", instrument, corpus, "--limit", limit))
    found: dict[str, Any] = json.loads(said)
    return found


def transfer(instrument: Path, corpus: Path, other: Path, limit: int, folder: Path) -> dict[str, Any]:
    """What benchmarks/transfer_score.py says; the instrument's own row is named "instrument"."""
    _output(_script("transfer_score", instrument, other, "--own", corpus, "-o", folder, "--limit", limit))
    found = json.loads((folder / "transfer.json").read_text(encoding="utf-8"))
    return {"instrument" if label == instrument.stem else label: row for label, row in found.items()}


def _script(name: str, *arguments: object) -> list[str]:
    return [sys.executable, str(Path(__file__).with_name(f"{name}.py")), *map(str, arguments)]


def _output(command: list[str]) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        raise SystemExit(done.returncode)
    return done.stdout


def parameters(run: Path) -> dict[str, int]:
    """Learned numbers of the encoder and the decoder of a run."""
    from neurorack.learn.train.run import RunConfig

    model = RunConfig.read(run).build()
    return {
        name: sum(p.numel() for p in getattr(model, name).parameters()) for name in ("encoder", "decoder")
    }


def logged(run: Path) -> list[dict[str, Any]]:
    """Every line that a run logged, but for one cut short; none where it logged nothing."""
    try:
        lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line) for line in lines if line.endswith("}")]


def samples_per_s(run: Path) -> float | None:
    """Samples of audio trained on in a second, as the run said last; None where it never did."""
    return next((rate for line in reversed(logged(run)) if (rate := line.get("samples_per_s"))), None)


def held_out(run: Path) -> dict[str, float]:
    """What training saw last on held-out crops: `step`, `stft`, `code`, `all/…`; {} before it looked."""
    seen = [line for line in logged(run) if "validation/stft" in line]
    return {key.removeprefix("validation/"): value for key, value in seen[-1].items()} if seen else {}


def trained(corpus: Path, arm: Arm, seed: int, options: argparse.Namespace) -> tuple[Path, Path]:
    """Folder of the run and file of the instrument of one arm, made unless they are there.

    SystemExit where what is there was begun with another budget or other options.
    """
    folder = options.output / corpus.resolve().name / arm.folder / f"seed{seed}"
    run, instrument = folder / "run", folder / f"{arm.method}-{arm.decoder}.nrk"
    asked = {
        "minutes": None if options.steps else options.minutes, "steps": options.steps, "train": options.train,
    }  # fmt: skip
    note = folder / "asked.json"
    if note.exists() and (before := json.loads(note.read_text(encoding="utf-8"))) != asked:
        raise SystemExit(f"{folder} was made with {before}: give the same options, or another -o.")
    folder.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(asked), encoding="utf-8")
    if not instrument.exists():
        length = ["--steps", options.steps] if options.steps else ["--minutes", options.minutes]
        again = ["--resume"] if (run / "run.json").exists() else []
        given = [*options.train, *arm.train_options(), "--seed", seed, *length, *again, "--quiet"]
        neurorack("train", corpus, "-o", run, *given)
        neurorack("export", run, "-o", instrument, "--title", arm.label, "--trained-on", options.machine)
    return run, instrument


def cell(corpus: Path, arm: Arm, seed: int, options: argparse.Namespace) -> dict[str, Any] | None:
    """Train, export and score one arm with one seed on one corpus, or read what was scored before.

    With --tables what is there: no "control" if only trained, None if not even that.
    """
    folder = options.output / corpus.resolve().name / arm.folder / f"seed{seed}"
    result = folder / "scores.json"
    scores: dict[str, Any] = json.loads(result.read_text(encoding="utf-8")) if result.exists() else {}
    if options.tables:
        seen = held_out(folder / "run")
        return scores or ({"arm": arm.text, "seed": seed, "held_out": seen} if seen else None)
    run, instrument = trained(corpus, arm, seed, options)
    if scores.get("limit") != options.limit:
        scores = json.loads(neurorack("measure", instrument, corpus, "--json", "--limit", options.limit))
        scores["published_metric"] = published_metric(instrument, corpus, options.limit)
        scores["training"] = json.loads(neurorack("info", instrument, "--json"))["training"]
        scores["parameters"], scores["samples_per_s"] = parameters(run), samples_per_s(run)
        scores["held_out"] = held_out(run)
        scores["arm"], scores["seed"], scores["limit"] = arm.text, seed, options.limit
        _keep(result, scores)
    if options.transfer and scores.get("transfer_of") != options.transfer.resolve().name:
        figures = transfer(instrument, corpus, options.transfer, options.limit, folder / "transfer")
        scores |= {"transfer": figures, "transfer_of": options.transfer.resolve().name}
        _keep(result, scores)
    return scores


def _keep(result: Path, scores: dict[str, Any]) -> None:
    """Write whole or not at all: a table that was stopped reads this again."""
    half = result.with_suffix(".half")
    half.write_text(json.dumps(scores, indent=1), encoding="utf-8")
    half.replace(result)


def report(corpora: Corpora, options: argparse.Namespace) -> str:
    """The Markdown of everything, with the command, budget and seeds above the tables."""
    length = f"{options.steps} steps" if options.steps else f"{options.minutes:g} minutes"
    head = f"`{options.command}`: {length} each, seed {', '.join(map(str, options.seeds))}"
    asked = [arm.text for arm in options.arms]
    return "\n".join(section(corpus, arms, asked, head) for corpus, arms in corpora.items())


def parse(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpora", type=Path, nargs="+", metavar="CORPUS", help="made by neurorack prepare")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to fill")
    parser.add_argument("--set", dest="sets", action="append", choices=SETS, default=[], help="repeatable")
    parser.add_argument("--arms", default="", help="METHOD@DECODER[+name=value…], separated by commas")
    parser.add_argument("--minutes", type=float, default=30.0, help="training time of each arm")
    parser.add_argument("--steps", type=int, help="equal steps instead of equal minutes")
    parser.add_argument("--seeds", default="0", help="separated by commas")
    parser.add_argument("--limit", type=int, default=32, help="excerpts to score")
    parser.add_argument("--transfer", type=Path, metavar="OTHER_CORPUS", help="play its sounds as well")
    parser.add_argument("--machine", default="", help="what trains, in words, for head and cards")
    parser.add_argument("--jobs", type=int, default=1, help="arms at once; with --minutes only 1 is fair")
    parser.add_argument("--tables", action="store_true", help="train and score nothing: only the tables")
    command = shlex.join(["python", "benchmarks/control_table.py", *given])
    own, train = passed_on.split(given)
    options = parser.parse_args(own)
    if not options.sets and not options.arms:
        options.sets = ["published"]
    try:
        options.arms = parse_arms(",".join([*(arm for s in options.sets for arm in SETS[s]), options.arms]))
        for arm in options.arms:  # a name that is nobody's is better said now than after hours
            arm.train_options()
    except (ValueError, NeurorackError) as error:
        parser.error(str(error))
    options.train, options.command = train, command
    options.seeds = [int(seed) for seed in options.seeds.split(",")]
    return options


def main(given: list[str] | None = None) -> None:
    options = parse(sys.argv[1:] if given is None else given)
    options.output.mkdir(parents=True, exist_ok=True)
    # Every arm once before any arm twice; the table grows as results come.
    cells = [(c, arm, seed) for seed in options.seeds for c in options.corpora for arm in options.arms]
    corpora: Corpora = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        for (corpus, arm, _), scores in zip(cells, pool.map(lambda c: cell(*c, options), cells), strict=True):
            if scores:
                corpora.setdefault(corpus.resolve().name, {}).setdefault(arm.text, []).append(scores)
                write(corpora, options)
    if not corpora:
        raise SystemExit(f"{options.output} holds no finished arm of those.")
    print(report(corpora, options))


def write(corpora: Corpora, options: argparse.Namespace) -> None:
    """Everything so far, again after every arm."""
    (options.output / "control.md").write_text(report(corpora, options), encoding="utf-8")
    (options.output / "control.json").write_text(json.dumps(corpora, indent=1), encoding="utf-8")
    if known := {corpus: found for corpus, arms in corpora.items() if (found := scored(arms))}:
        draw(known, options.output / "control.png")


if __name__ == "__main__":
    main()
