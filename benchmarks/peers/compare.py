"""Beside the peers, in one run: RAVE and our method, trained for the same minutes and measured on one
machine.

    python benchmarks/peers/compare.py CORPUS -o FOLDER [--minutes 10] [--arms ours,rave-v2,rave-v2-small]
                                       [--speed-only] [--instrument winds] [--environment PATH] [--json]
                                       [-- options of rave train, like --batch 4]

Makes an environment for RAVE (pip's acids-rave) and one for our player in FOLDER, trains every arm on CORPUS'
training split for the same minutes with the same threads, exports it, and measures:

    reconstruction      the same held-out excerpts through the live stream of each, found in time, compared by
                        our measures (scores.py)
    real-time factor    at 128 to 2048 samples a block where the arm can run them, one thread, one clock
                        (stream.py): RAVE's streaming TorchScript (encode and decode), our live transfer
                        (encoder, descriptors, control mapping, decoder)
    latency, memory, parameters, multiply-adds, size of model and of the installed packages

Speed and the network's delays do not depend on training: --speed-only trains nothing and takes RAVE with
fresh weights and our bundled instrument. What was done in FOLDER is not done again; what was not run is said
not to have run. Writes peers.md and peers.json.

RAVE is CC BY-NC: it is a peer that this script installs and runs. None of its code is in this repository.
"""

import argparse
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import environments
import numpy as np
import scores
import table

sys.path.append(str(Path(__file__).resolve().parents[1]))

import passed_on

HERE = Path(__file__).resolve().parent
ARMS: dict[str, tuple[str, ...]] = {
    "ours": (),
    "rave-v2": ("v2.gin", "causal.gin"),
    "rave-v2-small": ("v2_small.gin", "causal.gin"),
}
"""Arm -> RAVE's configurations; none for ours."""

BLOCKS = "128,256,512,1024,2048"
SIGNAL = 131072
"""RAVE's crop unless asked otherwise, samples."""

RAVE_PARTS = (
    "acids-rave",
    "torch",
    "torchaudio",
    "pytorch-lightning",
    "cached-conv",
    "nn-tilde",
    "numpy",
    "scipy",
)
PLAYER_PARTS = ("neurorack", "onnxruntime", "numpy")


class Bench:
    """The folder of one comparison: what is in it is taken, what is missing is made."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.folder = options, options.output.resolve()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.rave_home = (options.environment or self.folder / "environments" / "rave").absolute()
        self.player_home = (options.player or self.folder / "environments" / "player").absolute()
        self.kind = "untrained" if options.speed_only else "trained"
        if self.kind == "trained":
            self._same_as_before()

    def _same_as_before(self) -> None:
        """SystemExit where trainings in the folder were begun with other options: not to be compared."""
        asked = {
            "corpus": str(self.options.corpus.resolve()), "minutes": self.options.minutes,
            "threads": self.options.threads, "rave": self.options.rave,
        }  # fmt: skip
        note = self.folder / "asked.json"
        if note.exists() and (before := read(note)) != asked:
            raise SystemExit(f"{self.folder} was begun with {before}: give the same options, or another -o.")
        keep(note, asked)

    def result(self, arm: str) -> dict[str, Any]:
        """Everything of one arm."""
        folder = self.folder / arm
        folder.mkdir(exist_ok=True)
        python, home, parts = self._environment(arm)
        found: dict[str, Any] = {"versions": environments.versions(python, list(parts))}
        weighed = self.folder / f"installed-{home.name}.json"
        if not weighed.exists():
            keep(weighed, environments.sizes_mb(home))
        found["installed_mb"] = read(weighed)
        model, run = self._model(arm)
        if self.kind == "trained":
            found["trained"] = read(folder / "trained.json")
        speed = folder / f"speed-{self.kind}.json"
        if not speed.exists():
            of = ["--run", run] if run else []
            how = ["--blocks", BLOCKS, "--seconds", self.options.seconds]
            self._inside(arm, "measure", model, *of, "-o", speed, *how)
        found["speed"], found["fresh"] = read(speed), arm != "ours" and self.options.speed_only
        if self.kind == "trained":
            scored = folder / f"reconstruction-{self.options.limit}.json"
            if not scored.exists():
                keep(scored, self._reconstruction(arm, model, int(found["speed"]["smallest_block"])))
            found["reconstruction"] = read(scored)
        return found

    def _environment(self, arm: str) -> tuple[Path, Path, tuple[str, ...]]:
        if arm == "ours":
            return environments.made_for_player(self.player_home), self.player_home, PLAYER_PARTS
        return environments.made_for_rave(self.rave_home), self.rave_home, RAVE_PARTS

    def _model(self, arm: str) -> tuple[Path | str, Path | None]:
        """What is measured (a file or an instrument's name) and RAVE's run behind it; made unless there."""
        folder = self.folder / arm
        if arm == "ours":
            return (
                (self.options.instrument, None)
                if self.options.speed_only
                else (self._train_ours(folder), None)
            )
        model = folder / f"{arm}-{self.kind}_streaming.ts"
        home = folder / self.kind
        if not model.exists():
            if self.options.speed_only:
                configs = [part for config in ARMS[arm] for part in ("--config", config)]
                self._inside(arm, "untrained", home, *configs, "--rate", self._corpus().sample_rate)
            else:
                self._train_rave(arm, folder, home)
            how = ["--streaming", "--name", f"{arm}-{self.kind}", "--output", folder]
            self._rave("export", "--run", run_in(home), *how)
        return model, run_in(home)

    def _train_ours(self, folder: Path) -> Path:
        run, instrument = folder / "run", folder / "ours.nrk"
        if not instrument.exists():
            again = ["--resume"] if (run / "run.json").exists() else []
            command = [sys.executable, "-m", "neurorack.cli.main"]
            call([*command, "train", self.options.corpus, "-o", run, "--minutes", self.options.minutes,
                  "--threads", self.options.threads, "--quiet", *again])  # fmt: skip
            call([*command, "export", run, "-o", instrument])
            told = json.loads(
                subprocess.run(
                    [*command, "info", str(instrument), "--json"], check=True, capture_output=True
                ).stdout
            )
            keep(folder / "trained.json", told["training"] | {"threads": self.options.threads})
        return instrument

    def _train_rave(self, arm: str, folder: Path, run: Path) -> None:
        database, notes = self._database(), folder / "trained.json"
        if notes.exists():
            return
        shutil.rmtree(run, ignore_errors=True)  # a training that was cut short begins again
        # A validation an epoch would cost minutes: one at the end gives RAVE its principal components.
        self._inside(
            arm, "train", "--minutes", self.options.minutes, "--threads", self.options.threads,
            "--notes", notes, "--",
            *(part for config in ARMS[arm] for part in ("--config", config)),
            "--name", arm, "--db_path", database, "--out_path", run,
            "--override", f"SAMPLING_RATE = {self._corpus().sample_rate}", "--channels", "1",
            "--workers", "0", "--val_every", "100000", "--noprogress", *self.options.rave,
        )  # fmt: skip

    def _database(self) -> Path:
        """The training split as RAVE stores it."""
        target = self.folder / "database"
        if not (target / "metadata.yaml").exists():
            corpus = self._corpus()
            pieces = [
                corpus.all_audio[f.start_sample : f.start_sample + f.samples] for f in corpus.split("train")
            ]
            np.save(self.folder / "training.npy", np.concatenate(pieces))
            how = ["--rate", corpus.sample_rate, "--signal", SIGNAL]
            self._inside("rave-v2", "database", self.folder / "training.npy", target, *how)
            (self.folder / "training.npy").unlink()
        return target

    def _reconstruction(self, arm: str, model: Path | str, block: int) -> dict[str, Any]:
        from neurorack.learn.measure.excerpts import excerpts_of_corpus

        corpus = self._corpus()
        excerpts = [e.audio for e in excerpts_of_corpus(corpus, "test", self.options.limit, 0)]
        given, answered = self.folder / "excerpts.npz", self.folder / arm / "answers.npz"
        np.savez(given, **scores.with_tails(excerpts, corpus.sample_rate))
        self._inside(
            arm, "render", model, given, "-o", answered, *(["--block", block] if arm != "ours" else [])
        )
        with np.load(answered) as answers:
            return scores.reconstruction(
                excerpts, {key: answers[key] for key in answers.files}, corpus.sample_rate
            )

    def _corpus(self) -> Any:
        from neurorack.learn.corpus.corpus import Corpus

        return Corpus.open(self.options.corpus)

    def _inside(self, arm: str, *arguments: object) -> None:
        script = "inside_ours.py" if arm == "ours" else "inside_rave.py"
        training = "train" in arguments
        python = environments.python_of(self.player_home if arm == "ours" else self.rave_home)
        call([python, HERE / script, *arguments], self.options.threads if training else 1)

    def _rave(self, *arguments: object) -> None:
        call([environments.python_of(self.rave_home).with_name("rave"), *arguments], 1)


def run_in(folder: Path) -> Path:
    """RAVE's run in a folder: a training makes one within it, named after its configuration."""
    return next(path.parent for path in sorted(folder.rglob("config.gin")))


def call(command: list[object], threads: int | None = None) -> None:
    """Run a command on so many threads; SystemExit where it fails, its own words above."""
    words = [str(word) for word in command]
    print("$", shlex.join(words), file=sys.stderr, flush=True)
    # Checkpoints of pytorch-lightning 1.9 hold more than torch loads unasked since 2.6; these are our own.
    environment = os.environ | {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1"}
    if threads:
        environment |= {"OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads)}
    if subprocess.run(words, env=environment, stdout=sys.stderr).returncode:
        raise SystemExit(
            f"That failed: {shlex.join(words)}. What was done is kept; the same command goes on."
        )


def keep(path: Path, found: object) -> None:
    """Write whole or not at all."""
    half = path.with_suffix(".half")
    half.write_text(json.dumps(found, indent=1), encoding="utf-8")
    half.replace(path)


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def head(options: argparse.Namespace, results: dict[str, Any]) -> list[str]:
    """What stands above the table: command, machine, how it was trained, versions."""
    from neurorack.play.engine.timing import machine

    host = machine()
    trained = (
        "Speed alone: nothing was trained; RAVE has fresh weights, ours is the bundled instrument "
        f"{options.instrument}. Reconstruction was **not run**."
        if options.speed_only
        else f"Trained for {options.minutes:g} minutes each with {options.threads} threads on "
        f"{options.corpus.resolve().name}; {options.limit} excerpts of its test split at most."
    )
    if options.rave:
        trained += f" RAVE trained with `{shlex.join(options.rave)}`."
    missing = [arm for arm in options.arms if arm not in results]
    lines = [
        f"`{options.command}`", "",
        f"{host['cores']} cores of {host['cpu']}, {host['system']}. {trained}",
        *([f"**Not run**: {', '.join(missing)}."] if missing else []), "",
        "Real-time factors: median / 99 % of elapsed time / mean of processor time, one thread; \"cannot\": "
        "the arm does not run such blocks. Latency in samples, without the block that a host collects "
        "but where said.", "",
    ]  # fmt: skip
    for arm, result in results.items():
        parts = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
        largest = [f"{n} {mb:.0f}" for n, mb in result["installed_mb"].items() if n != "total"]
        lines.append(f"* {arm}: {parts}. Largest of the installed, MB: {', '.join(largest)}.")
    return lines


def parse(given: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("corpus", type=Path, metavar="CORPUS", help="made by neurorack prepare")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder to fill")
    parser.add_argument("--minutes", type=float, default=10.0, help="training time of each arm")
    parser.add_argument("--arms", default=",".join(ARMS), help="separated by commas")
    parser.add_argument("--speed-only", action="store_true", help="train nothing")
    parser.add_argument(
        "--instrument", default="winds", help="ours, with --speed-only: a name or a .nrk file"
    )
    parser.add_argument("--environment", type=Path, help="one that has acids-rave already")
    parser.add_argument(
        "--player", type=Path, help="one that has neurorack already, installed without PyTorch"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1, help="of every training")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="sound computed for each real-time factor"
    )
    parser.add_argument("--limit", type=int, default=32, help="excerpts to reconstruct")
    parser.add_argument("--json", action="store_true", help="print JSON instead of Markdown")
    command = shlex.join(["python", "benchmarks/peers/compare.py", *given])
    own, rave = passed_on.split(given)
    options = parser.parse_args(own)
    options.arms = options.arms.split(",")
    if unknown := [arm for arm in options.arms if arm not in ARMS]:
        parser.error(f"there is no arm {', '.join(unknown)}: choose of {', '.join(ARMS)}")
    options.command, options.rave = command, rave
    return options


def main(given: list[str] | None = None) -> None:
    options = parse(sys.argv[1:] if given is None else given)
    bench = Bench(options)
    results: dict[str, Any] = {}
    failed: list[str] = []
    for arm in options.arms:
        try:
            results[arm] = bench.result(arm)
        except (SystemExit, subprocess.CalledProcessError) as error:  # the other arms are worth having
            print(f"{arm} was not run: {error}", file=sys.stderr, flush=True)
            failed.append(arm)
        text = table.table(results, head(options, results))
        (bench.folder / "peers.md").write_text(text, encoding="utf-8")
        keep(bench.folder / "peers.json", {"command": options.command, "not_run": failed, "arms": results})
    print(json.dumps(read(bench.folder / "peers.json"), indent=1) if options.json else text)
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
