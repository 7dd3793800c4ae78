"""Distances by packaged perceptual metrics, beside rows that need no model.

    python benchmarks/perceptual/judge.py CORPUS -o FOLDER [--instrument winds]… [--peers FOLDER] [--limit 8]
                                          [--seconds 2] [--environment PATH] [--json]

Reconstructs held-out excerpts of CORPUS with our instruments, takes RAVE's answers to the same excerpts from
a folder of benchmarks/peers/compare.py, adds rows that need no model (pairs.py) and has CDPAM and Zimtohrli
compare all of them with the recordings (inside_ears.py), in an environment of their own that pip makes in
FOLDER; both packages bring their weights. Fréchet's distances are between all half-seconds of recordings and
of a row, in both halves of CDPAM's code. What was done in FOLDER is not done again. Writes perceptual.md and
perceptual.json.
"""

import argparse
import hashlib
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from clouds import frechet

sys.path.append(str(Path(__file__).resolve().parents[1] / "peers"))

import environments
import pairs

HERE = Path(__file__).resolve().parent
PARTS = ("cdpam", "zimtohrli", "torch", "librosa")
FRECHET_SCALE = 1e3
"""Fréchet's distances are printed times this: codes have length 1, and clouds lie close."""


OURS = "ours, equal minutes"
"""pairs.of_peers' name of our arm."""


def same_as_before(options: argparse.Namespace) -> None:
    """SystemExit where the folder was begun with other sounds, or an instrument has changed since."""
    from neurorack.core.library import find

    asked = {"corpus": str(options.corpus.resolve()), "limit": options.limit, "seconds": options.seconds}
    asked |= {name: hashlib.sha256(find(name).read_bytes()).hexdigest() for name in options.instrument}
    if options.peers:
        asked["peers"] = str(options.peers.resolve())
    note = options.output / "asked.json"
    before = json.loads(note.read_text(encoding="utf-8")) if note.exists() else {}
    if other := [key for key in asked if before.get(key, asked[key]) != asked[key]]:
        raise SystemExit(f"{options.output} was begun with another {', '.join(other)}: give another -o.")
    options.output.mkdir(parents=True, exist_ok=True)
    note.write_text(json.dumps(before | asked, indent=1), encoding="utf-8")


def prepare(options: argparse.Namespace) -> None:
    """Write the pairs that are not there yet."""
    from neurorack.learn.corpus.corpus import Corpus
    from neurorack.learn.measure.excerpts import excerpts_of_corpus

    folder, corpus = options.output / "pairs", Corpus.open(options.corpus)
    chosen = [e.audio for e in excerpts_of_corpus(corpus, "test", 2 * options.limit, 0)]
    recordings, others = chosen[: options.limit], chosen[options.limit :]
    rate = corpus.sample_rate

    def keep(row: str, sounds: list[np.ndarray]) -> None:
        pairs.write(folder, row, sounds, rate, options.seconds)

    def missing(row: str) -> bool:
        return not (folder / row / f"{len(recordings) - 1:03d}.wav").exists()

    if missing(pairs.REFERENCE):
        keep(pairs.REFERENCE, recordings)
        keep(pairs.OTHER, others)
    for row, made in pairs.nulls(rate).items():
        if missing(row):
            keep(row, [made(x, i) for i, x in enumerate(recordings)])
    for name in options.instrument:
        if missing(Path(name).stem):
            keep(Path(name).stem, pairs.reconstructions(name, recordings))
    if options.peers:
        for row, answers in pairs.of_peers(options.peers, recordings, rate).items():
            if missing(row):
                keep(row, answers)


def listen(options: argparse.Namespace) -> dict[str, str]:
    """Have the metrics compare what they have not compared yet; versions of what did."""
    home = options.environment or options.output / "environment"
    python = environments.made_for_ears(home.absolute())
    command = [python, HERE / "inside_ears.py", options.output / "pairs", "-o", options.output / "heard"]
    words = [str(word) for word in (*command, "--limit", options.limit)]
    print("$", shlex.join(words), file=sys.stderr, flush=True)
    if subprocess.run(words, stdout=sys.stderr).returncode:
        raise SystemExit("The metrics did not run to their end; the same command goes on.")
    return environments.versions(python, list(PARTS))


def heard(folder: Path, row: str, limit: int) -> dict[str, dict[str, np.ndarray]]:
    """Name of a sound -> what inside_ears.py found of it."""
    found = {}
    for path in sorted((folder / row).glob("[0-9]*.npz"))[:limit]:
        with np.load(path) as archive:
            found[path.stem] = {key: archive[key] for key in archive.files}
    return found


def summary(folder: Path, limit: int) -> dict[str, dict[str, Any]]:
    """Row -> figures: means over sounds and their standard errors, each sound's own, Fréchet's distances; the
    nearest to the recordings by CDPAM first."""
    reference = heard(folder, pairs.REFERENCE, limit)
    rows = {
        p.name: heard(folder, p.name, limit)
        for p in folder.iterdir()
        if p.is_dir() and p.name != pairs.REFERENCE
    }
    found: dict[str, dict[str, Any]] = {}
    for row, sounds in rows.items():
        names = [name for name in sounds if name in reference]
        figures: dict[str, Any] = {"sounds": len(names)}
        for key in ("cdpam", "zimtohrli", "mos"):
            values = np.array([float(sounds[name][key]) for name in names])
            error = float(values.std(ddof=1) / np.sqrt(len(values))) if len(values) > 1 else None
            figures[key] = {"mean": float(values.mean()), "error": error, "each": values.tolist()}
        clouds = [np.concatenate([s[n]["windows"] for n in names], axis=1) for s in (reference, sounds)]
        figures["windows"] = [cloud.shape[1] for cloud in clouds]
        for half, key in enumerate(("frechet_acoustics", "frechet_content")):
            figures[key] = frechet(clouds[0][half], clouds[1][half])
        found[row] = figures
    return dict(sorted(found.items(), key=lambda item: item[1]["cdpam"]["mean"]))


def table(found: dict[str, dict[str, Any]]) -> list[str]:
    """Lines of Markdown, nearest by CDPAM first."""

    def pair(figure: dict[str, Any], digits: int) -> str:
        error = "" if figure["error"] is None else f" ± {figure['error']:.{digits}f}"
        return f"{figure['mean']:.{digits}f}{error}"

    lines = [
        "|  | sounds | CDPAM | Zimtohrli | its MOS | Fréchet, acoustics | Fréchet, content |",
        "|---|---|---|---|---|---|---|",
    ]
    for row, figures in found.items():
        clouds = " | ".join(
            f"{FRECHET_SCALE * figures[k]:.1f}" for k in ("frechet_acoustics", "frechet_content")
        )
        lines.append(
            f"| {row} | {figures['sounds']} | {pair(figures['cdpam'], 3)} | {pair(figures['zimtohrli'], 4)} "
            f"| {figures['mos']['mean']:.2f} | {clouds} |"
        )
    return lines


def duels(found: dict[str, dict[str, Any]]) -> list[str]:
    """In how many sounds ours, trained for the same minutes, is nearer than each peer."""

    def nearer(row: str, key: str) -> int:
        both = zip(found[OURS][key]["each"], found[row][key]["each"], strict=True)
        return sum(ours < theirs for ours, theirs in both)

    return [
        f"{OURS}: nearer than {row} in {nearer(row, 'cdpam')} of {figures['sounds']} sounds by CDPAM, "
        f"in {nearer(row, 'zimtohrli')} by Zimtohrli."
        for row, figures in found.items()
        if row.startswith("rave") and OURS in found and found[OURS]["sounds"] == figures["sounds"]
    ]


def main(given: list[str] | None = None) -> None:
    given = sys.argv[1:] if given is None else given
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path, metavar="CORPUS", help="made by neurorack prepare")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to fill")
    parser.add_argument(
        "--instrument", action="append", default=[], help="ours: a name or a .nrk file; may be repeated"
    )
    parser.add_argument("--peers", type=Path, help="a folder that benchmarks/peers/compare.py filled")
    parser.add_argument("--limit", type=int, default=8, help="excerpts; as many others stand beside them")
    parser.add_argument("--seconds", type=float, default=2.0, help="taken of the beginning of each")
    parser.add_argument("--environment", type=Path, help="one that has cdpam and zimtohrli already")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    options = parser.parse_args(given)
    same_as_before(options)
    prepare(options)
    versions = listen(options)
    from neurorack.play.engine.timing import machine

    host = machine()
    found = summary(options.output / "heard", options.limit)
    command = shlex.join(["python", "benchmarks/perceptual/judge.py", *given])
    lines = [
        f"`{command}`", "",
        f"{host['cores']} cores of {host['cpu']}, {host['system']}; "
        + ", ".join(f"{name} {version}" for name, version in versions.items())
        + f". Mean ± standard error over sounds; Fréchet's distances times {FRECHET_SCALE:.0f}.", "",
        *table(found), "", *duels(found), "",
    ]  # fmt: skip
    (options.output / "perceptual.md").write_text("\n".join(lines), encoding="utf-8")
    kept = {"command": command, "machine": host, "versions": versions, "rows": found}
    (options.output / "perceptual.json").write_text(json.dumps(kept, indent=1), encoding="utf-8")
    print(json.dumps(kept, indent=1) if options.json else "\n".join(lines))


if __name__ == "__main__":
    main()
