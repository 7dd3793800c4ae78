"""Writing files so that a crash, a full disk or a power cut never costs what was saved before."""

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import IO

DISK_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)
"""Numbers of the errors that say that there is no room, or no more of it for this file."""

UNDER_WAY = ".upload-"
"""How the names of files begin that are still coming in; a crash may leave them."""


def write_fault(what: str, folder: Path, error: OSError) -> str:
    """One sentence: `what` cannot be written to `folder`, why, and what to do."""
    advice = "free some space there" if error.errno in DISK_FULL else "see that this folder can be written to"
    return f"{what} cannot be written to {folder} ({error.strerror}): {advice}."


@contextlib.contextmanager
def atomic_write(path: Path | str, mode: str = "wb") -> Iterator[IO]:
    """Open a temporary file beside `path`; on success fsync and rename it over `path`, else remove it."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(6)}.part"
    # Not tempfile.mkstemp: its files are for one user only, and a corpus or an instrument is to be shared.
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(temporary, flags, 0o666)
    try:
        with os.fdopen(handle, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
