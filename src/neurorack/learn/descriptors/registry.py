"""Finding descriptors by name: the built-in ones, installed plug-ins, and a class in a file of the user's."""

import importlib.metadata
import importlib.util
import inspect
from collections.abc import Iterable, Sequence
from pathlib import Path

from neurorack.core.errors import NeurorackError
from neurorack.learn.descriptors.bank import DescriptorBank
from neurorack.learn.descriptors.base import Descriptor
from neurorack.learn.descriptors.boominess import Boominess
from neurorack.learn.descriptors.brightness import Brightness
from neurorack.learn.descriptors.loudness import Loudness
from neurorack.learn.descriptors.noisiness import Noisiness
from neurorack.learn.descriptors.pitch import Pitch
from neurorack.learn.descriptors.roughness import Roughness
from neurorack.learn.descriptors.sharpness import Sharpness
from neurorack.learn.descriptors.spread import Bandwidth, Rolloff

ENTRY_POINTS = "neurorack.descriptors"
FIXED_SET = ("loudness", "brightness", "noisiness", "boominess")
"""The descriptors by which control is scored."""

_BUILT_IN: tuple[type[Descriptor], ...] = (
    *(Loudness, Brightness, Noisiness, Boominess, Pitch),
    *(Bandwidth, Rolloff, Sharpness, Roughness),
)


def available() -> dict[str, type[Descriptor]]:
    """Name -> class of every built-in and installed descriptor; a plug-in may not take a built-in's name."""
    found: dict[str, type[Descriptor]] = {}
    for point in importlib.metadata.entry_points(group=ENTRY_POINTS):
        try:
            found[point.name] = _checked(point.load(), f"plug-in '{point.name}'")
        except ImportError as error:
            message = f"Descriptor plug-in '{point.name}' cannot be imported ({error}); reinstall it."
            raise NeurorackError(message) from error
    return found | {c.name: c for c in _BUILT_IN}


def load_descriptor(source: str) -> type[Descriptor]:
    """The class named by "path/to/file.py:Class". The file runs: load only what you trust."""
    path, separator, name = source.rpartition(":")
    if not separator or not path.endswith(".py"):
        raise NeurorackError(f"'{source}' does not name a descriptor; write path/to/file.py:ClassName.")
    file = Path(path)
    if not file.is_file():
        raise NeurorackError(f"There is no file '{path}'; check the path of your descriptor.")
    spec = importlib.util.spec_from_file_location(f"neurorack_user_{file.stem}", file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:
        message = f"'{path}' does not run ({type(error).__name__}: {error}); correct it first."
        raise NeurorackError(message) from error
    if not hasattr(module, name):
        raise NeurorackError(f"'{path}' has no class {name}; check its name.")
    return _checked(getattr(module, name), f"'{source}'")


def _checked(found: object, where: str) -> type[Descriptor]:
    if not (inspect.isclass(found) and issubclass(found, Descriptor)):
        raise NeurorackError(f"{where} must derive from neurorack.learn.descriptors.Descriptor.")
    columns = [getattr(found, a, None) for a in ("outputs", "labels", "units", "scales", "defaults")]
    same = all(isinstance(c, tuple) and c and len(c) == len(columns[0] or ()) for c in columns)
    if not getattr(found, "name", None) or not same:
        raise NeurorackError(
            f"{where} needs a name and, as tuples of one length, outputs, labels, units, scales and defaults."
        )
    return found


def build(names: Iterable[str], sample_rate: int, files: Sequence[str] = ()) -> DescriptorBank:
    """The bank that measures `names`, then the classes in `files` ("path/to/file.py:Class").

    A name is a descriptor's, one of its columns' ("periodicity" brings pitch along), or
    "path/to/file.py:Class".
    """
    known = available()
    by_column = {column: c for c in known.values() for column in c.outputs}
    chosen: list[type[Descriptor]] = []
    for name in [*names, *files]:
        found = load_descriptor(name) if ".py:" in name else known.get(name) or by_column.get(name)
        if found is None:
            raise NeurorackError(f"There is no descriptor '{name}'; choose from {', '.join(sorted(known))}.")
        if found not in chosen:
            chosen.append(found)
    if not chosen:
        raise NeurorackError(f"Choose at least one descriptor from {', '.join(sorted(known))}.")
    return DescriptorBank([c(sample_rate) for c in chosen], sample_rate)
