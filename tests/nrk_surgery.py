"""Takes .nrk files apart and puts them together again wrongly, for tests of the reader."""

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any


def take_apart(path: Path) -> dict[str, bytes]:
    """All members, manifest.json included."""
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def manifest_of(members: dict[str, bytes]) -> dict[str, Any]:
    return json.loads(members["manifest.json"])


def zip_bytes(members: dict[str, bytes], compression: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def with_manifest(members: dict[str, bytes], manifest: Any, **dumps: Any) -> dict[str, bytes]:
    return {**members, "manifest.json": json.dumps(manifest, **dumps).encode()}


def resealed(members: dict[str, bytes], **changed: bytes) -> dict[str, bytes]:
    """Members with `changed` ones (a dot in the name written as __) and every checksum made right again."""
    members = {**members, **{name.replace("__", "."): data for name, data in changed.items()}}
    manifest = manifest_of(members)
    manifest["files"] = {
        name: hashlib.sha256(data).hexdigest() for name, data in members.items() if name != "manifest.json"
    }
    for graph in manifest["graphs"].values():
        graph["sha256"] = manifest["files"][graph["path"]]
    return with_manifest(members, manifest)
