"""`prepare`: a folder of recordings -> a corpus. Resumable, parallel, and plain about what it left out."""

import errno
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.core.files import DISK_FULL
from neurorack.core.timebase import HOP
from neurorack.learn.corpus import parts
from neurorack.learn.corpus.assemble import assemble
from neurorack.learn.corpus.corpus import PARTS, Corpus, CorpusFile
from neurorack.learn.corpus.groups import SPLITS, assign_groups, assign_splits, compile_patterns
from neurorack.learn.corpus.layouts import arrange
from neurorack.learn.corpus.overview import write_overview
from neurorack.learn.corpus.scan import Found, scan

DEFAULT_DESCRIPTORS = ("loudness", "brightness", "boominess", "noisiness", "pitch")
CUT_FROM_S = 30.0
"""Recordings at least this long are cut in time when there are too few groups to hold one out."""

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Options:
    """What `prepare` is asked for; see `neurorack prepare --help`."""

    descriptors: tuple[str, ...] = DEFAULT_DESCRIPTORS
    descriptor_files: tuple[str, ...] = ()
    sample_rate: int = 44_100
    group: tuple[str, ...] = ()
    layout: str = ""
    shares: tuple[float, ...] = (0.8, 0.1, 0.1)
    seed: int = 0
    train_only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    keep_clipped: bool = False
    workers: int = 0

    def recipe(self) -> parts.Recipe:
        return parts.Recipe(self.sample_rate, self.descriptors, self.descriptor_files, self.keep_clipped)


def usable_cores() -> int:
    """Processor cores this process may use."""
    if sys.platform.startswith("linux"):
        return max(1, len(os.sched_getaffinity(0)))
    return max(1, os.cpu_count() or 1)


@contextmanager
def _disk_errors(corpus: Path) -> Iterator[None]:
    """Turn trouble with the disk into a sentence."""
    try:
        yield
    except OSError as error:
        if error.errno in DISK_FULL:
            raise NeurorackError(
                f"The disk that holds {corpus} is full: free some space and run the same command again, "
                "it continues where it stopped"
            ) from error
        if isinstance(error, PermissionError) or error.errno == errno.EROFS:
            raise NeurorackError(f"{corpus} cannot be written ({error}): choose another -o") from error
        raise


def _run(recipe: parts.Recipe, root: Path, jobs: dict[str, Path], workers: int, progress: Progress) -> None:
    """Make the parts of `jobs` (relative path -> target): here if one worker, else in processes."""
    done, total = 0, len(jobs)
    progress(0, total)
    # Large files first, so that no worker is left alone with a long one at the end.
    order = sorted(jobs, key=lambda relative: -(root / relative).stat().st_size)
    # A worker takes about two seconds to import torch: a handful of files is not worth one.
    workers = max(1, min(workers, total // 4))
    if workers == 1:
        bank = recipe.bank()
        for relative in order:
            parts.make_part(bank, recipe, root, relative, jobs[relative])
            done += 1
            progress(done, total)
        return
    step = max(1, min(8, total // (workers * 8)))
    batches = [order[i : i + step] for i in range(0, total, step)]
    pool = ProcessPoolExecutor(workers, get_context("spawn"), parts.start_worker, (recipe,))
    try:
        pending = {pool.submit(parts.work, root, b, [jobs[r] for r in b]) for b in batches}
        while pending:
            finished, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in finished:
                done += future.result()
            progress(done, total)
    except BrokenProcessPool as error:
        raise NeurorackError(
            "A worker process was killed, most likely for want of memory: run the same command with fewer "
            "--workers, it continues where it stopped"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _describe(options: Options, bank: Any) -> dict[str, Any]:
    """Everything in corpus.json that says how the corpus was measured."""
    own = {name: file for file, name in map(parts.split_spec, options.descriptor_files)}
    descriptors = []
    for descriptor in parts.bank_descriptors(bank):
        file = own.get(type(descriptor).__name__)
        if file is not None and parts.source_file(descriptor) != file.resolve():
            file = None
        descriptors.append(
            {
                "name": descriptor.name,
                "outputs": list(descriptor.outputs),
                "options": {"file": file.name, "class": type(descriptor).__name__} if file else {},
                "source": file.read_text(encoding="utf-8") if file else None,
            }
        )
    return {
        "sample_rate": options.sample_rate,
        "outputs": list(bank.outputs),
        "specs": [asdict(spec) for spec in bank.specs],
        "descriptors": descriptors,
    }


def _nothing_usable(folder: Path, found: Found, skipped: Sequence[dict[str, str]]) -> NeurorackError:
    """The sentence for a folder without one usable recording: it lists the reasons."""
    if not found.recordings and not found.hopeless:
        if found.excluded:
            return NeurorackError(f"--exclude left none of the {len(found.excluded)} recordings in {folder}")
        return NeurorackError(
            f"{folder} holds no recordings ({found.other} other files): "
            "give a folder with WAV, FLAC, AIFF, OGG or MP3 files, in subfolders or not"
        )
    shown = "; ".join(f"{entry['path']}: {entry['why']}" for entry in skipped[:8])
    more = f"; and {len(skipped) - 8} more" if len(skipped) > 8 else ""
    return NeurorackError(f"None of the {len(skipped)} recordings in {folder} can be used. {shown}{more}")


def prepare(
    folder: Path | str, corpus: Path | str, options: Options | None = None, progress: Progress | None = None
) -> Corpus:
    """Make (or bring up to date) a corpus of every recording in `folder`.

    `progress(done, total)` is told as recordings finish. Work that an earlier run finished, and that is still
    true, is taken up. Raises NeurorackError where nothing can be used, or an option or the disk is at fault.
    """
    folder, corpus, options = Path(folder), Path(corpus), options or Options()
    progress = progress or (lambda done, total: None)
    if not 8_000 <= options.sample_rate <= 192_000:
        raise NeurorackError(f"--rate {options.sample_rate} must lie between 8000 and 192000 Hz")
    if corpus.is_file():
        raise NeurorackError(f"{corpus} is a file: give -o the name of a folder to be made")
    if corpus.is_dir() and any(corpus.iterdir()) and not _is_ours(corpus):
        raise NeurorackError(f"{corpus} holds other things: give -o a new or empty folder or an older corpus")
    for spec in options.descriptor_files:
        parts.split_spec(spec)
    found = scan(folder, options.exclude, corpus)
    if not found.recordings:
        skipped = [{"path": path, "why": why} for path, why in found.hopeless.items()]
        raise _nothing_usable(folder, found, skipped)
    if options.layout:
        arrangement = arrange(options.layout, folder, found.recordings)
        found.recordings = list(arrangement.groups)
        found.excluded += arrangement.others
        groups = arrangement.groups
    else:
        groups = assign_groups(found.recordings, options.group)
    assign_splits(groups, options.shares, options.seed, options.train_only)  # refuse bad options before work
    recipe = options.recipe()
    bank = recipe.bank()
    facts = _describe(options, bank)
    fingerprint = recipe.fingerprint(bank)

    with _disk_errors(corpus):
        store = corpus / PARTS
        store.mkdir(parents=True, exist_ok=True)
        keys = {path: parts.part_key(folder, path, fingerprint) for path in found.recordings}
        kept = _kept(corpus, set(keys.values()))
        jobs = {
            path: store / f"{key}.npz"
            for path, key in keys.items()
            if key not in kept and parts.read_part(store / f"{key}.npz") is None
        }
        if jobs:
            _run(recipe, folder, jobs, options.workers or usable_cores(), progress)
        asked = {name: value for name, value in asdict(options).items() if name != "workers"}
        facts["options"] = {**asked, "folder": folder.resolve().name, "fingerprint": fingerprint}
        facts["excluded"], facts["other_files"] = found.excluded, found.other
        skipped = [{"path": path, "why": why} for path, why in found.hopeless.items()]

        if not assemble(corpus, keys, kept, facts, skipped, partial(place, options, groups)):
            raise _nothing_usable(folder, found, skipped)
        result = Corpus.open(corpus)
        write_overview(result)
        shutil.rmtree(store, ignore_errors=True)
    return result


def place(options: Options, groups: dict[str, str], files: list[CorpusFile]) -> list[CorpusFile]:
    """Fill in group and split. With too few groups to hold any out, long recordings are cut in time instead:
    their beginning trains, what follows is for validation, the end for testing."""
    mine = {file.path: groups[file.path] for file in files}
    splits = assign_splits(mine, options.shares, options.seed, options.train_only)
    placed = [replace(f, group=mine[f.path], split=splits[mine[f.path]]) for f in files]
    if set(splits.values()) != {"train"}:
        return placed
    fixed = compile_patterns(options.train_only, "--train-only")
    pieces = []
    for file in placed:
        whole = file.seconds < CUT_FROM_S or any(expression.search(file.path) for expression in fixed)
        pieces += [file] if whole else _cut(file, options)
    return pieces


def _cut(file: CorpusFile, options: Options) -> list[CorpusFile]:
    """One recording as consecutive pieces, one for each split, by the shares asked for."""
    pieces, begin, total = [], 0, 0.0
    for name, share in zip(SPLITS, options.shares, strict=True):
        total += share
        end = round(min(total, 1.0) * file.frames)
        if end > begin:
            first = begin * HOP / options.sample_rate
            seconds = min(file.seconds, end * HOP / options.sample_rate) - first
            pieces.append(
                replace(
                    file, group=f"{file.group} ({name})", split=name, seconds=seconds,
                    start_frame=file.start_frame + begin, start_sample=file.start_sample + begin * HOP,
                    frames=end - begin, samples=(end - begin) * HOP,
                )
            )  # fmt: skip
        begin = end
    return pieces


def _is_ours(corpus: Path) -> bool:
    """Whether a folder is a corpus or one begun, so that nobody's files are mixed with ours."""
    names = {path.name for path in corpus.iterdir()}
    return "corpus.json" in names or PARTS in names


def _kept(corpus: Path, wanted: set[str]) -> dict[str, CorpusFile]:
    """Files of an earlier, whole corpus here that are still true: key -> CorpusFile."""
    try:
        document = json.loads((corpus / "corpus.json").read_text(encoding="utf-8"))
        if not isinstance(document, dict):
            return {}
        whole: dict[str, CorpusFile] = {}
        for file in Corpus.open(corpus).files:
            if file.key in wanted:
                first = whole.get(file.key)  # of a recording cut in pieces, which follow one another
                whole[file.key] = file if first is None else _joined(first, file)
        return whole
    except (OSError, ValueError, NeurorackError):
        return {}


def _joined(first: CorpusFile, second: CorpusFile) -> CorpusFile:
    """Two consecutive pieces of one recording as one."""
    return replace(
        first,
        samples=first.samples + second.samples,
        frames=first.frames + second.frames,
        seconds=round(first.seconds + second.seconds, 6),
    )
