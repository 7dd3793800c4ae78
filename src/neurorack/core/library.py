"""Where instruments live: bundled with the package or kept by the user; and how a name finds a file."""

import difflib
import importlib.resources
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from neurorack.core.errors import NeurorackError
from neurorack.core.nrk import read_manifest


@dataclass(frozen=True)
class Entry:
    """An instrument that was found. `fault` is the sentence that says why it cannot be used, else empty."""

    name: str
    title: str
    path: Path
    licence: str
    bundled: bool
    fault: str = ""


def bundled_dir() -> Path:
    """Folder of the instruments that came with the package (it may not exist)."""
    return Path(str(importlib.resources.files("neurorack").joinpath("instruments")))


def home_dir() -> Path:
    """The user's Neurorack folder: $NEURORACK_HOME, else the platform's place for an application's data."""
    chosen = os.environ.get("NEURORACK_HOME")
    if chosen:
        return Path(chosen).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA") or Path.home() / "AppData" / "Roaming") / "Neurorack"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "Neurorack"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "neurorack"


def user_dir() -> Path:
    """Folder of the user's instruments (it may not exist)."""
    return home_dir() / "instruments"


def installed() -> list[Entry]:
    """Every instrument, the user's first, by name; a file that cannot be read is listed with its fault."""
    return [_entry(path, bundled) for path, bundled in _files()]


def find(name_or_path: str | Path) -> Path:
    """File of an instrument given its path, its file's name without .nrk, or its manifest's name.

    A path wins over a name; the user's instruments win over bundled ones; letter case does not matter.
    Raises NeurorackError that names what there is.
    """
    text = str(name_or_path)
    try:
        path = Path(text).expanduser()
    except RuntimeError as error:
        raise NeurorackError(f"{text}: the home folder is unknown ({error}); give the whole path.") from error
    if path.is_file():
        return path
    if path.suffix == ".nrk" or len(path.parts) > 1:
        what = "it is a folder" if path.is_dir() else "there is no such file"
        raise NeurorackError(f"{text}: {what}; neurorack list shows the instruments you have.")
    wanted = text.casefold()
    for file, _ in _files():
        if file.stem.casefold() == wanted:
            return file
    entries = [entry for entry in installed() if not entry.fault]
    for entry in entries:
        if entry.name.casefold() == wanted:
            return entry.path
    names = sorted({entry.name for entry in entries}, key=str.casefold)
    if not names:
        raise NeurorackError(f"There is no instrument {text!r}, and none is installed; give a .nrk file.")
    close = difflib.get_close_matches(wanted, [name.casefold() for name in names], 1, 0.5)
    guess = next((name for name in names if close and name.casefold() == close[0]), None)
    hint = f"did you mean {guess}?" if guess else f"there are {', '.join(names)}; or give a .nrk file."
    raise NeurorackError(f"There is no instrument {text!r}; {hint}")


def _files() -> Iterator[tuple[Path, bool]]:
    for folder, bundled in ((user_dir(), False), (bundled_dir(), True)):
        try:
            paths = sorted(folder.glob("*.nrk"), key=lambda path: path.name.casefold())
        except OSError:  # an unreadable folder holds nothing we could play
            continue
        yield from ((path, bundled) for path in paths if not path.name.startswith("."))


def _entry(path: Path, bundled: bool) -> Entry:
    try:
        manifest = read_manifest(path)
    except NeurorackError as error:
        return Entry(path.stem, path.stem, path, "", bundled, str(error))
    return Entry(manifest.name, manifest.title, path, manifest.licence, bundled)
