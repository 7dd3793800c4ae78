"""Parts -> the corpus: two long arrays and corpus.json, replaced together or not at all."""

import contextlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO

from neurorack.core.files import atomic_write
from neurorack.core.timebase import HOP
from neurorack.learn.corpus.corpus import CORPUS_VERSION, PARTS, CorpusFile
from neurorack.learn.corpus.parts import read_part

ARRAYS = ("audio.i16", "features.f32")


class _Old:
    """Arrays of the corpus that is being replaced, read without a map (Windows locks mapped files)."""

    def __init__(self, corpus: Path, columns: int, stack: ExitStack) -> None:
        self._audio: BinaryIO = stack.enter_context(open(corpus / ARRAYS[0], "rb"))
        self._features: BinaryIO = stack.enter_context(open(corpus / ARRAYS[1], "rb"))
        self._columns = columns

    def read(self, file: CorpusFile) -> tuple[bytes, bytes]:
        self._audio.seek(file.start_frame * HOP * 2)
        self._features.seek(file.start_frame * self._columns * 4)
        return self._audio.read(file.samples * 2), self._features.read(file.frames * self._columns * 4)


def _sounds(
    corpus: Path,
    keys: Mapping[str, str],
    kept: Mapping[str, CorpusFile],
    columns: int,
    skipped: list[dict[str, str]],
    stack: ExitStack,
) -> Iterator[tuple[CorpusFile, bytes, bytes]]:
    """Usable recordings in order, as (facts not yet placed, audio, features); the others go to `skipped`."""
    old = _Old(corpus, columns, stack) if kept else None
    first_with: dict[str, str] = {}
    for path in sorted(keys):
        key = keys[path]
        if old is not None and key in kept:
            entry = kept[key]
            audio, features = old.read(entry)
        else:
            part = read_part(corpus / PARTS / f"{key}.npz")
            why = "its measurement was lost; run prepare again" if part is None else part.why
            if part is None or why is not None:
                skipped.append({"path": path, "why": str(why)})
                continue
            audio, features = part.audio.astype("<i2").tobytes(), part.features.astype("<f4").tobytes()
            entry = CorpusFile(path, "", "", 0, 0, 0, 0, key=key, **part.facts)
        if entry.digest in first_with:
            # The same sound in two splits would be trained on and then tested on.
            skipped.append({"path": path, "why": f"it is the same sound as {first_with[entry.digest]}"})
            continue
        first_with[entry.digest] = path
        yield replace(entry, path=path), audio, features


def assemble(
    corpus: Path,
    keys: Mapping[str, str],
    kept: Mapping[str, CorpusFile],
    facts: dict[str, Any],
    skipped: list[dict[str, str]],
    place: Callable[[list[CorpusFile]], list[CorpusFile]],
) -> int:
    """Write the corpus from its parts and from what is `kept` of an older one; how many files it has.

    `keys`: path -> part key. `facts`: the other entries of corpus.json. `skipped` is added to.
    `place` fills in groups and splits, and may cut a file in pieces. Nothing changes when no file is usable.
    While the arrays change places there is no corpus.json, so that a crash at that very moment leaves an
    unfinished corpus, never a false one.
    """
    files: list[CorpusFile] = []
    fresh = [corpus / f".{name}.part" for name in ARRAYS]
    try:
        with ExitStack() as stack:
            outs = [stack.enter_context(open(path, "wb")) for path in fresh]
            frame = 0
            for file, *blobs in _sounds(corpus, keys, kept, len(facts["outputs"]), skipped, stack):
                for out, blob in zip(outs, blobs, strict=True):
                    out.write(blob)
                frames = len(blobs[0]) // (2 * HOP)
                files.append(
                    replace(
                        file, start_sample=frame * HOP, samples=frames * HOP, start_frame=frame, frames=frames
                    )
                )
                frame += frames
            for out in outs:
                out.flush()
                os.fsync(out.fileno())
        if not files:
            return 0
        document = {
            "version": CORPUS_VERSION,
            "hop": HOP,
            **facts,
            "state": "complete",
            "files": [asdict(file) for file in place(files)],
            "skipped": sorted(skipped, key=lambda entry: entry["path"]),
        }
        (corpus / "corpus.json").unlink(missing_ok=True)
        for path, name in zip(fresh, ARRAYS, strict=True):
            os.replace(path, corpus / name)
        with atomic_write(corpus / "corpus.json", "w") as text:
            json.dump(document, text, indent=1, ensure_ascii=False)
    finally:
        for path in fresh:
            with contextlib.suppress(OSError):
                path.unlink()
    return len(files)
