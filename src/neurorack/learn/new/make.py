"""The four steps of `neurorack new`. Each takes up what an earlier command left of it."""

import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.expect import of_material
from neurorack.core.nrk import read_manifest, read_nrk
from neurorack.learn.corpus import Corpus
from neurorack.learn.corpus.prepare import Options, prepare, usable_cores
from neurorack.learn.corpus.scan import scan
from neurorack.learn.export.instrument import Card, export
from neurorack.learn.measure.score import score_instrument, write_scores
from neurorack.learn.model.config import ModelConfig, make_config
from neurorack.learn.new.expect import measuring_pace, seconds_of
from neurorack.learn.new.nearest import fits, nearest
from neurorack.learn.new.wish import CORPUS, RUN, Wish
from neurorack.learn.train.batches import fit_normalisers
from neurorack.learn.train.checkpoint import NAME, load_checkpoint
from neurorack.learn.train.display import Display
from neurorack.learn.train.monitor import clock_words
from neurorack.learn.train.run import RUN_FILE, RunConfig, find_origin
from neurorack.learn.train.start import NOT_CONTROLS, make_fabric, new_run, train

STEPS = ("prepare", "train", "export", "measure")

FRESH_RATE, TUNING_RATE = 1.5e-3, 1e-3
"""Peak learning rates of fresh weights, and of those another instrument has learnt."""

LONG_S = 20.0
"""Waits from which it is worth saying beforehand how long they will take."""


@dataclass(frozen=True)
class Begun:
    """Weights to begin with: a file or folder and the order of controls they were trained with."""

    path: Path | None
    controls: tuple[str, ...]


class Making:
    """One instrument in the making."""

    def __init__(self, wish: Wish, work: Path, card: Card, display: Display, excerpts: int) -> None:
        """`excerpts`: how many to score on at most."""
        self.wish, self.work, self.card = wish, work, card
        self.display, self.excerpts = display, excerpts
        self.corpus_path, self.run = work / CORPUS, work / RUN

    def make(self) -> dict[str, Any]:
        """All four steps; the summary. NeurorackError says what to do, and the same command then goes on."""
        trained = (self.run / RUN_FILE).exists()
        if not trained:
            scan(self.wish.folder)  # no work folder for recordings that are not there
        self.wish.keep(self.work)
        corpus = self._prepare(trained)
        self._train(corpus)
        self._export()
        why_not = self._measure(corpus)
        return self._summary(corpus, why_not)

    def _step(self, name: str, stage: str) -> None:
        self.display.step = f"{STEPS.index(name) + 1}/{len(STEPS)} {name}: "
        self.display.update(0.0, stage)

    def _prepare(self, trained: bool) -> Corpus:
        self._step("prepare", "looking")
        if trained:
            corpus = Corpus.open(self.corpus_path)
            self._compare(corpus)
            return corpus
        options = Options()
        if self.wish.descriptors:
            options = replace(options, descriptors=self.wish.descriptors)
        bar = _Measuring(self.wish.folder, options, self.display)
        corpus = prepare(self.wish.folder, self.corpus_path, options, bar.update)
        train_files = corpus.split("train")
        if corpus.skipped:
            first = corpus.skipped[0]
            self.display.say(
                f"{len(corpus.skipped)} left out, like {first['path']}: {first['why']}. All in "
                f"{self.corpus_path / 'overview.html'}."
            )
        self.display.say(of_material(sum(f.seconds for f in train_files), len(train_files)))
        return corpus

    def _compare(self, corpus: Corpus) -> None:
        """Say so where the folder has changed since training began; it is not read again."""
        try:
            found = scan(self.wish.folder)
        except NeurorackError:
            return  # what was prepared is all that is needed
        known = {f.path for f in corpus.files} | {s["path"] for s in corpus.skipped}
        if fresh := [path for path in found.recordings if path not in known]:
            self.display.say(
                f"New in {self.wish.folder} since training began, and not taken up: {len(fresh)}, like "
                f"{fresh[0]}; give another --work to begin anew with them."
            )

    def _train(self, corpus: Corpus) -> None:
        self._step("train", "starting")
        fabric = make_fabric("auto", "1", "auto")
        fabric.launch()
        gpu = fabric.device.type == "cuda"
        if not (self.run / RUN_FILE).exists():
            origin = self._origin(corpus)
            new_run(
                self.run,
                self.corpus_path,
                size=self.wish.size,
                arm="counterfactual",
                minutes=self.wish.minutes,
                steps=self.wish.steps,
                batch=self.wish.batch or (32 if gpu else 4),
                crop_frames=256,
                learning_rate=TUNING_RATE if origin.path else FRESH_RATE,
                adversarial=None,
                seed=self.wish.seed,
                weights={},
                changes=self.wish.changes,
                controls=origin.controls,
                origin=origin.path,
            )
        # The corpus goes with the work folder, wherever that has been moved to.
        config = replace(RunConfig.read(self.run), corpus=str(self.corpus_path.resolve()))
        config.write(self.run)
        checkpoint = self.run / NAME
        if checkpoint.exists() and load_checkpoint(checkpoint, {})["progress"] >= 1:
            return
        train(self.run, config, resume=True, fabric=fabric, display=self.display)

    def _origin(self, corpus: Corpus) -> Begun:
        """What to begin with, and a sentence about it."""
        names = tuple(n for n in corpus.outputs if n not in NOT_CONTROLS)
        asked = make_config(self.wish.size, names, corpus.sample_rate, **self.wish.changes)
        wanted = ModelConfig.from_dict(asked.to_dict())  # lists of --model as the tuples they stand for
        if self.wish.origin == "scratch":
            return Begun(None, names)
        if self.wish.origin != "nearest":
            return self._given(wanted)
        found = nearest(fit_normalisers(corpus, names), wanted)
        if found is None:
            self.display.say(
                f"Training begins from scratch: no instrument here has the controls {', '.join(names)}, "
                f"{corpus.sample_rate} Hz and this size."
            )
            return Begun(None, names)
        self.display.say(
            f"Training begins with {found.title}, the nearest instrument: distance {found.distance:.2f} "
            "(0: the same distribution of every control; 1.25: nothing in common)."
        )
        return Begun(found.path, found.controls)

    def _given(self, wanted: ModelConfig) -> Begun:
        """A run's folder or an instrument by name or path, if its weights fit."""
        path = find_origin(self.wish.origin)
        if path.is_dir():
            theirs = RunConfig.read(path).model
            controls = theirs.controls
            good = (
                set(controls) == set(wanted.controls)
                and replace(theirs, controls=wanted.controls, response_frames=wanted.response_frames)
                == wanted
            )
        else:
            manifest = read_manifest(path)
            controls = tuple(c.name for c in manifest.controls)
            good = fits(manifest, wanted)
        if not good:
            raise NeurorackError(
                f"{self.wish.origin} has other controls ({', '.join(controls)}), another sample rate or "
                "another size: choose another --from, or nearest, or scratch."
            )
        return Begun(path, controls)

    def _export(self) -> None:
        self._step("export", "writing")
        output, card = self.wish.output, self.card
        if output.exists() and output.stat().st_mtime_ns >= (self.run / NAME).stat().st_mtime_ns:
            manifest = read_manifest(output)
            if (manifest.title, manifest.licence) == (card.title or card.name, card.licence):
                return
        export(self.run, output, card)
        self.display.update(1.0, "written")

    def _measure(self, corpus: Corpus) -> str:
        """Score the instrument and store the scores; why it could not be, or ""."""
        self._step("measure", "scoring")
        archive = read_nrk(self.wish.output)
        if archive.manifest.scores:
            return ""

        if not corpus.split("test"):
            return "so few recordings all train, and none is held out to score on"

        def told(done: int, total: int) -> None:
            self.display.update(done / total, "scoring", f"{done} of {total} excerpts")

        try:
            scores = score_instrument(archive, corpus, "test", self.excerpts, progress=told)
        except NeurorackError as error:
            return str(error)
        write_scores(self.wish.output, archive, scores)
        return ""

    def _summary(self, corpus: Corpus, why_not: str) -> dict[str, Any]:
        manifest, config = read_manifest(self.wish.output), RunConfig.read(self.run)
        control = manifest.scores.get("control", {})
        return {
            "path": str(self.wish.output),
            "bytes": self.wish.output.stat().st_size,
            "controls": [c.name for c in manifest.controls],
            "from": Path(config.origin).stem if config.origin else "scratch",
            "corpus_minutes": round(sum(f.seconds for f in corpus.split("train")) / 60, 3),
            "left_out": len(corpus.skipped),
            "steps": manifest.training["steps"],
            "minutes": manifest.training["minutes"],
            "control": {mode: control[mode]["mean"] for mode in ("one", "all") if mode in control},
            "reconstruction": manifest.scores.get("reconstruction", {}).get("mstft"),
            "not_measured": why_not,
            "work": str(self.work),
        }


class _Measuring:
    """Progress and forecast of `prepare`: by the size of what is done; at first by this machine's pace."""

    def __init__(self, folder: Path, options: Options, display: Display) -> None:
        self.display = display
        recordings = scan(folder).recordings
        sizes = sorted(((folder / path).stat().st_size for path in recordings), reverse=True)
        self.done_bytes = np.concatenate([[0], np.cumsum(sizes)])
        seconds = seconds_of(folder, recordings)
        workers = max(1, min(usable_cores(), len(recordings) // 4))
        self.guess_s = seconds / (measuring_pace(options.recipe()) * workers)
        self.begun = time.monotonic()
        if self.guess_s > LONG_S:
            display.say(
                f"{len(recordings)} recordings, {clock_words(seconds)} together: preparing them takes about "
                f"{clock_words(self.guess_s)}."
            )

    def update(self, done: int, total: int) -> None:
        """`done` of `total` recordings that were not measured yet; large ones come first."""
        if not total:
            return
        left = self.done_bytes[-1] or 1
        share = float(self.done_bytes[done] / left) if total == len(self.done_bytes) - 1 else done / total
        spent = time.monotonic() - self.begun
        remaining = spent / share * (1 - share) if share > 0.1 else max(0.0, self.guess_s - spent)
        line = f"{done} of {total} recordings, {clock_words(remaining)} left"
        self.display.update(share, "measuring", line)
