"""Zip archives from strangers, unpacked into memory under limits that hold before anything is inflated."""

import io
import re
import struct
import zipfile
import zlib

from neurorack.core.errors import NeurorackError

MAX_TOTAL_BYTES = 256 * 2**20
MAX_MEMBERS = 512
MAX_DIRECTORY_BYTES = 256 * 2**10
MAX_RATIO = 100
RATIO_FREE_BYTES = 2**20
"""Members smaller than this may compress as well as they like (a page of zeros is not a bomb)."""

_END = struct.Struct("<4s4H2LH")
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    IndexError,
    KeyError,
    OverflowError,
    NotImplementedError,
    RuntimeError,
    OSError,
)


def unzip(data: bytes, member_path: str) -> dict[str, bytes]:
    """All members of the zip `data`, by name.

    `member_path` is the regular expression that every name must match as a whole. Refuses with NeurorackError
    (a clause without the file's name): no zip, cut short, damaged, encrypted, exotic compression, odd names,
    names repeated (also when only case differs), too many members, too many bytes, too high a ratio.
    """
    _check_end_record(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            _check_directory(infos, member_path)
            return {info.filename: _inflate(archive, info) for info in infos}
    except _DAMAGE as error:
        raise NeurorackError(f"it is damaged ({error}); download or export it again") from error


def _check_end_record(data: bytes) -> None:
    """Look at the end record before zipfile does, so that a giant directory is never parsed."""
    if not data:
        raise NeurorackError("it is empty; download or export it again")
    if not data.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        raise NeurorackError("it is not a Neurorack instrument; choose a .nrk made by neurorack export")
    if len(data) < _END.size or data[-_END.size :][:4] != b"PK\x05\x06":
        raise NeurorackError("it is cut short or has something appended; download or export it again")
    _, _, _, _, entries, size, offset, comment = _END.unpack(data[-_END.size :])
    zip64 = 0xFFFF == entries or 0xFFFFFFFF in (size, offset) or data[-42:-38] == b"PK\x06\x07"
    if entries > MAX_MEMBERS or size > MAX_DIRECTORY_BYTES or zip64 or comment:
        raise NeurorackError(
            f"its directory is larger than {MAX_MEMBERS} members need; do not trust this file"
        )


def _check_directory(infos: list[zipfile.ZipInfo], member_path: str) -> None:
    total = 0
    seen: set[str] = set()
    for info in infos:
        name = info.filename
        if len(name) > 200 or not re.fullmatch(member_path, info.orig_filename):
            raise NeurorackError(
                f"it holds a member named {name[:60]!r}, which no instrument needs; do not trust it"
            )
        if name.lower() in seen:
            raise NeurorackError(f"it holds {name} twice; download or export it again")
        seen.add(name.lower())
        if info.flag_bits & 0x1:
            raise NeurorackError(f"{name} is encrypted; ask for an open file")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise NeurorackError(f"{name} uses an unusual compression; zip it again, stored or deflated")
        total += info.file_size
        ratio = info.file_size / max(info.compress_size, 1)
        if total > MAX_TOTAL_BYTES or (info.file_size > RATIO_FREE_BYTES and ratio > MAX_RATIO):
            raise NeurorackError(
                f"it would unpack to more than {MAX_TOTAL_BYTES // 2**20} MB or {MAX_RATIO} times its size "
                f"(a zip bomb?); do not trust it"
            )


def _inflate(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """One member; zipfile hands out at most the declared size and compares the CRC at the end."""
    parts = []
    left = info.file_size
    with archive.open(info) as stream:
        while True:
            part = stream.read(min(left, 2**20) + 1)
            if not part:
                break
            left -= len(part)
            if left < 0:
                raise zipfile.BadZipFile(f"{info.filename} is larger than it says")
            parts.append(part)
    if left:
        raise zipfile.BadZipFile(f"{info.filename} is shorter than it says")
    return b"".join(parts)


def pack(members: dict[str, bytes]) -> bytes:
    """A zip, the same bytes for the same members: fixed dates; text deflated, numbers stored for speed."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            stored = name.endswith((".onnx", ".npy", ".npz", ".safetensors", ".png", ".ogg", ".flac"))
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()
