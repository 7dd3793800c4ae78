"""One recording's share of the work, done in a worker process and kept in a file of its own.

A part is an .npz with the int16 audio (padded to whole frames), the features and the facts, or just the
reason why the recording cannot be used. Its name is a hash of everything it depends on (path, size, time of
change, options, descriptor sources), so a re-run takes up exactly what is still true.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.timebase import HOP, frames_covering
from neurorack.learn.corpus.decode import Unusable, decode

PART_VERSION = 1


@dataclass(frozen=True)
class Recipe:
    """What turns a recording into a part. `descriptor_files`: FILE.py:CLASS of the user's own descriptors."""

    sample_rate: int
    descriptors: tuple[str, ...]
    descriptor_files: tuple[str, ...] = ()
    keep_clipped: bool = False

    def bank(self) -> Any:
        """The descriptor bank; NeurorackError for an unknown name or a faulty file."""
        from neurorack.learn.descriptors import build

        return build(list(self.descriptors), self.sample_rate, files=list(self.descriptor_files))

    def fingerprint(self, bank: Any) -> str:
        """Hash of the options and of the source of every descriptor, ours included."""
        from neurorack.learn import descriptors

        digest = hashlib.sha256(
            json.dumps([PART_VERSION, HOP, self.sample_rate, self.descriptors, self.keep_clipped]).encode()
        )
        sources = set(Path(str(descriptors.__file__)).resolve().parent.rglob("*.py"))
        sources |= {source_file(descriptor) for descriptor in bank_descriptors(bank)}
        for source in sorted(sources):
            digest.update(source.read_bytes())
        return digest.hexdigest()


def bank_descriptors(bank: Any) -> list[Any]:
    """The descriptors of a bank in the order of its columns."""
    every = [d for part in (bank.fast, bank.slow) if part is not None for d in part.descriptors]
    return sorted(every, key=lambda descriptor: bank.outputs.index(descriptor.outputs[0]))


def source_file(descriptor: Any) -> Path:
    """The Python file a descriptor's class is written in (a user's file is no importable module)."""
    return Path(type(descriptor).forward.__code__.co_filename).resolve()


def split_spec(spec: str) -> tuple[Path, str]:
    """FILE.py:CLASS -> (path, class name); NeurorackError where it is neither."""
    file, colon, name = spec.rpartition(":")
    if not colon or not name.isidentifier():
        raise NeurorackError(f"--descriptor-file {spec!r} must be FILE.py:CLASS, like my.py:Shimmer")
    if not Path(file).is_file():
        raise NeurorackError(f"--descriptor-file {spec!r}: there is no file {file}")
    return Path(file), name


def part_key(root: Path, relative: str, fingerprint: str) -> str:
    """Name of a recording's part: changes when the file or the recipe does."""
    stat = (root / relative).stat()
    facts = json.dumps([relative, stat.st_size, stat.st_mtime_ns, fingerprint])
    return hashlib.sha256(facts.encode()).hexdigest()[:40]


def measure(bank: Any, samples: np.ndarray) -> np.ndarray:
    """Features float32 [T, D] of int16 samples [T * HOP]: measured on exactly what training will hear."""
    import torch

    audio = torch.from_numpy(samples.astype(np.float32) / np.float32(32768.0))
    try:
        with torch.no_grad():
            values = bank.measure(audio[None])[0].numpy().T
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError, AttributeError) as error:
        raise NeurorackError(
            f"Measuring {', '.join(bank.outputs)} failed ({type(error).__name__}: {error}): "
            "correct your descriptor, or free some memory"
        ) from error
    features = np.ascontiguousarray(values, dtype=np.float32)
    finite = np.atleast_1d(np.isfinite(features).all(axis=0))
    bad = [name for name, good in zip(bank.outputs, finite, strict=True) if not good]
    if bad:
        raise Unusable(f"the descriptor {', '.join(bad)} gave NaN or infinity on it")
    return features


def make_part(bank: Any, recipe: Recipe, root: Path, relative: str, target: Path) -> None:
    """Decode and measure one recording; write its part. Only trouble with the disk escapes."""
    try:
        decoded = decode(root / relative, recipe.sample_rate, recipe.keep_clipped)
        frames = frames_covering(len(decoded.samples))
        samples = np.zeros(frames * HOP, dtype=np.int16)
        samples[: len(decoded.samples)] = decoded.samples
        features = measure(bank, samples)
        facts = {
            "seconds": round(len(decoded.samples) / recipe.sample_rate, 6),
            "gain_db": round(decoded.gain_db, 3),
            "digest": hashlib.sha256(samples.tobytes()).hexdigest()[:40],
        }
    except Unusable as error:
        samples, features = np.zeros(0, np.int16), np.zeros((0, 0), np.float32)
        facts = {"why": str(error)}
    except OSError as error:
        if target.parent.is_dir() and not (root / relative).is_file():
            samples, features = np.zeros(0, np.int16), np.zeros((0, 0), np.float32)
            facts = {"why": "it vanished or cannot be opened while being read"}
        elif isinstance(error, PermissionError):
            samples, features = np.zeros(0, np.int16), np.zeros((0, 0), np.float32)
            facts = {"why": "you have no permission to read it"}
        else:
            raise
    with atomic_write(target) as file:
        np.savez(file, audio=samples, features=features, facts=np.array(json.dumps(facts)))


@dataclass(frozen=True)
class Part:
    """A finished part. `why` is the reason it cannot be used, or None."""

    audio: np.ndarray
    features: np.ndarray
    facts: dict[str, Any]

    @property
    def why(self) -> str | None:
        return self.facts.get("why")


def read_part(path: Path) -> Part | None:
    """A part, or None where it is absent or damaged (it is then made anew)."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return Part(archive["audio"], archive["features"], json.loads(str(archive["facts"])))
    except (OSError, ValueError, KeyError, EOFError):
        return None
    except Exception as error:  # zipfile raises several kinds of its own on a damaged archive
        if type(error).__module__ in ("zipfile", "zlib"):
            return None
        raise


_worker: dict[str, Any] = {}


def start_worker(recipe: Recipe) -> None:
    """Set a worker process up: one torch thread, the bank built once."""
    import signal

    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    torch.set_num_threads(1)
    _worker.update(recipe=recipe, bank=recipe.bank())


def work(root: Path, relatives: Sequence[str], targets: Sequence[Path]) -> int:
    """Make the parts of a few recordings in a worker; how many."""
    for relative, target in zip(relatives, targets, strict=True):
        make_part(_worker["bank"], _worker["recipe"], root, relative, target)
    return len(relatives)
