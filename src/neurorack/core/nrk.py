"""The .nrk file: the only thing that crosses from learn to play. Written whole or not at all, read with care.

docs/nrk-format.md is the specification; this module, manifest_io, graph_check, npy and safe_zip carry it out.
"""

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.graph_check import check_graph, signature
from neurorack.core.manifest import Manifest
from neurorack.core.manifest_io import MEMBER_PATH, manifest_from_json, manifest_to_json
from neurorack.core.npy import npy_array
from neurorack.core.safe_zip import MAX_TOTAL_BYTES, pack, unzip
from neurorack.core.snapshot import Snapshot, read_snapshot

MANIFEST_PATH = "manifest.json"
MAX_SENTENCE = 600
T = TypeVar("T")


@dataclass(frozen=True)
class Archive:
    """A verified instrument, held in memory: the file may be replaced or removed while it plays."""

    path: Path
    manifest: Manifest
    members: Mapping[str, bytes] = dataclasses.field(repr=False)

    def member(self, path: str) -> bytes:
        """Bytes of one member; NeurorackError if there is none of that name."""
        try:
            return self.members[path]
        except KeyError:
            raise NeurorackError(
                f"{self.path}: it holds no {path}; see neurorack info for what it holds."
            ) from None

    def graph(self, name: str) -> bytes:
        """The ONNX model of graph `name`: encoder, descriptors, descriptors_slow, decoder, prior_controls or
        prior_latent."""
        spec = self.manifest.graphs.get(name)
        if spec is None:
            raise NeurorackError(f"{self.path}: this instrument has no {name} graph.")
        return self.member(spec.path)

    def array(self, path: str) -> np.ndarray:
        """Read-only array of a .npy member."""
        return _within(f"{self.path}: {path}", lambda: npy_array(self.member(path)))

    def snapshot(self) -> Snapshot:
        """The self-check: inputs, and what every graph made of them on the machine that exported."""
        path = self.manifest.snapshot_path
        return _within(f"{self.path}: {path}", lambda: read_snapshot(self.member(path), self.manifest))


def read_nrk(path: Path | str) -> Archive:
    """Read and verify a whole instrument: structure, manifest, checksums, graphs, arrays, snapshot.

    Raises NeurorackError, one sentence that names the file, the fault and what to do.
    """
    path = Path(path)
    return _within(str(path), lambda: _verified(path, _unpacked(path)))


def read_manifest(path: Path | str) -> Manifest:
    """The manifest alone, validated; checksums and graphs are not looked at (for lists and cards)."""
    path = Path(path)
    return _within(str(path), lambda: _manifest(_unpacked(path)))


def write_nrk(path: Path | str, manifest: Manifest, members: Mapping[str, bytes]) -> Manifest:
    """Write an instrument atomically and return its manifest with `files` and the graphs' sha256 filled in.

    The archive is verified as a reader would before the old file, if any, is replaced.
    """
    path = Path(path)
    files = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(members.items())}
    graphs = {
        name: dataclasses.replace(spec, sha256=files.get(spec.path, "0" * 64))
        for name, spec in manifest.graphs.items()
    }
    manifest = dataclasses.replace(manifest, files=files, graphs=graphs)
    data = pack({MANIFEST_PATH: manifest_to_json(manifest), **{name: members[name] for name in files}})
    checked = _within(f"{path} was not written", lambda: _verified(path, unzip(data, MEMBER_PATH)))
    with atomic_write(path) as file:
        file.write(data)
    return checked.manifest


def _unpacked(path: Path) -> dict[str, bytes]:
    try:
        if path.is_dir():
            raise NeurorackError("it is a folder; name a .nrk file")
        if path.stat().st_size > MAX_TOTAL_BYTES:
            raise NeurorackError(f"it is larger than {MAX_TOTAL_BYTES // 2**20} MB; no instrument is")
        data = path.read_bytes()
    except FileNotFoundError:
        raise NeurorackError("there is no such file; neurorack list shows the instruments you have") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise NeurorackError(f"it cannot be read ({reason}); check the file and its permissions") from error
    return unzip(data, MEMBER_PATH)


def _manifest(members: Mapping[str, bytes]) -> Manifest:
    if MANIFEST_PATH not in members:
        raise NeurorackError("it holds no manifest.json; choose a .nrk made by neurorack export")
    return _within("manifest.json", lambda: manifest_from_json(members[MANIFEST_PATH]))


def _verified(path: Path, members: dict[str, bytes]) -> Archive:
    manifest = _manifest(members)
    present, listed = set(members) - {MANIFEST_PATH}, set(manifest.files)
    if present != listed:
        odd = min(present ^ listed)
        state = "is listed but missing" if odd in listed else "is not listed in the manifest"
        raise NeurorackError(f"{odd} {state}; download or export it again")
    for name, sha256 in manifest.files.items():
        if hashlib.sha256(members[name]).hexdigest() != sha256:
            raise NeurorackError(f"{name} does not match its checksum; download or export it again")
    for name, spec in manifest.graphs.items():
        _within(spec.path, lambda n=name, s=spec: check_graph(members[s.path], signature(manifest, n)))  # type: ignore[misc]
    archive = Archive(path, manifest, members)
    _check_arrays(archive)
    return archive


def _check_arrays(archive: Archive) -> None:
    m = archive.manifest
    controls, latent = len(m.controls), m.latent_size
    wanted: list[tuple[str, tuple[int | None, int | None]]] = [
        (m.z_anchors_path, (None, latent + controls)),
        (m.support_path, (None, controls)),
        *((clip.path, (latent + controls, clip.frames)) for clip in m.clips),
    ]
    for path, shape in wanted:
        array = _within(path, lambda p=path: npy_array(archive.members[p]))  # type: ignore[misc]
        fits = (
            array.ndim == 2
            and array.size
            and all(w in (None, g) for w, g in zip(shape, array.shape, strict=True))
        )
        if not fits or array.dtype != np.float32 or not np.isfinite(array).all():
            shown = " x ".join("any" if size is None else str(size) for size in shape)
            raise NeurorackError(
                f"{path} must hold finite float32 numbers, {shown}; export the instrument again"
            )
    _within(m.snapshot_path, lambda: read_snapshot(archive.members[m.snapshot_path], m))


def _within(place: str, action: Callable[[], T]) -> T:
    """Run `action`; put `place` in front of what it complains about, once, and end the sentence.

    Names from inside the file may be quoted in it: what a terminal would not print plainly becomes "?".
    """
    try:
        return action()
    except NeurorackError as error:
        text = str(error)
        if text.startswith(place):
            raise
        plain = "".join(char if char.isprintable() else "?" for char in text[:MAX_SENTENCE])
        raise NeurorackError(f"{place}: {plain.rstrip('.')}.") from error.__cause__
