"""Take: a recording of everything that was done, from which the sound is rendered again, bit by bit.

A .nrt file is a zip of take.json and plain arrays: the engine's state at the first sample, every rendered
block's length, the frames and events it was rendered from, the input it heard, the player's own clips.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.npy import npy_array, npy_bytes, npz_arrays, npz_bytes
from neurorack.core.safe_zip import MAX_TOTAL_BYTES, pack, unzip
from neurorack.core.strict_json import Field, parse
from neurorack.core.version import __version__
from neurorack.play.engine.engine import Engine
from neurorack.play.engine.events import EVENT_DTYPE, event_from_record
from neurorack.play.engine.frame import FRAME_DTYPE, ControlFrame, Origin, Source
from neurorack.play.engine.instrument import Instrument

VERSION = 1
MEMBER = r"take\.json|(journal|heard)\.npy|(state|clips)\.npz|(frames|events)/[a-z0-9_]{1,64}\.npy"
MAX_BLOCK = 2**16
PRIORS_STATE = "part.proposing.prior."


@dataclass(frozen=True)
class Take:
    """Everything that a stretch of sound was rendered from.

    blocks: int64 [n, 4]: of every block its length in samples and how many of `frames`, `events` and samples
    of `heard` had been used when it was rendered (its own counted). frames [k] of FRAME_DTYPE, events [e] of
    EVENT_DTYPE, heard float32 [h]. state: Engine.snapshot before the first block. clips: in playing order;
    None: the instrument's own. encoding: names the instrument's graphs (clips.encoding_key). changed: whether
    the clips (or the instrument) changed meanwhile, so that it may not come out again as it was. priors:
    names the instrument's priors (clips.priors_key). version: of the Neurorack that recorded it. Both are
    None in takes that do not say.
    """

    instrument: str
    encoding: str
    sample_rate: int
    blocks: np.ndarray
    frames: np.ndarray
    events: np.ndarray
    heard: np.ndarray
    state: dict[str, np.ndarray]
    clips: list[np.ndarray] | None = None
    changed: bool = False
    priors: str | None = None
    version: str | None = None

    @property
    def samples(self) -> int:
        """Length in samples."""
        return int(self.blocks[:, 0].sum())

    @property
    def by_prior(self) -> bool:
        """Whether an instrument's priors played anything in it."""
        alone = self.frames["source"] == Source.PRIOR
        return bool(alone.any() or (self.frames["origin"] == Origin.PRIOR).any())

    @property
    def recorded_with(self) -> str:
        """What recorded it, in words."""
        if self.version == __version__:
            return f"another build of Neurorack {__version__}"
        return f"Neurorack {self.version}" if self.version else "an older Neurorack"


def write_take(path: Path, take: Take) -> None:
    """Write a .nrt, whole or not at all."""
    head = {
        "neurorack_take": VERSION,
        "instrument": take.instrument,
        "encoding": take.encoding,
        "sample_rate": take.sample_rate,
        "samples": take.samples,
        "state": list(take.state),
        "changed": take.changed,
    }
    named = {"priors": take.priors, "version": take.version}
    head |= {name: value for name, value in named.items() if value is not None}
    members = {
        "take.json": json.dumps(head, indent=1).encode(),
        "journal.npy": npy_bytes(take.blocks),
        "heard.npy": npy_bytes(take.heard),
    }
    for folder, table in (("frames", take.frames), ("events", take.events)):
        # One array for every field, by name, so that later versions with more fields still read it.
        members |= {f"{folder}/{name}.npy": npy_bytes(table[name]) for name in table.dtype.names or ()}
    members["state.npz"] = npz_bytes({f"s{i}": array for i, array in enumerate(take.state.values())})
    if take.clips is not None:
        members["clips.npz"] = npz_bytes({f"c{i}": rows for i, rows in enumerate(take.clips)})
    with atomic_write(path) as file:
        file.write(pack(members))


def read_take(path: Path) -> Take:
    """The take in a .nrt; NeurorackError, one sentence, says what is wrong with it."""
    try:
        if path.stat().st_size > MAX_TOTAL_BYTES:
            raise NeurorackError("it is too large for a take")
        return _take(unzip(path.read_bytes(), MEMBER))
    except OSError as error:
        raise NeurorackError(f"{path}: it cannot be read ({error.strerror}); check the path.") from error
    except NeurorackError as error:
        raise NeurorackError(f"{path}: {str(error).rstrip('.')}.") from error


def _take(members: dict[str, bytes]) -> Take:
    if "take.json" not in members:
        raise NeurorackError("it is not a take; choose a .nrt that Neurorack recorded")
    head = Field(parse(members["take.json"]))
    if head.get("neurorack_take").integer(1, 10**6) > VERSION:
        raise NeurorackError("it was made by a newer Neurorack: upgrade to render it")

    def array(name: str, kind: str, dimensions: int) -> np.ndarray:
        if name not in members:
            raise NeurorackError(f"{name} is missing; record it again")
        found = npy_array(members[name])
        if found.dtype.kind != kind or found.ndim != dimensions:
            raise NeurorackError(f"{name} has the wrong shape; record it again")
        return found

    blocks = array("journal.npy", "i", 2)
    frames, events = _table(members, "frames", FRAME_DTYPE), _table(members, "events", EVENT_DTYPE)
    heard = array("heard.npy", "f", 1).astype(np.float32)
    ends = (len(frames), len(events), len(heard))
    rising = blocks.shape[1:] == (4,) and len(blocks) and (np.diff(blocks[:, 1:], axis=0) >= 0).all()
    if not rising or (blocks[:, 0] < 1).any() or (blocks[:, 0] > MAX_BLOCK).any() or blocks[0, 1] < 1:
        raise NeurorackError("its journal is damaged; record it again")
    if (blocks[:, 1:] < 0).any() or (blocks[-1, 1:] > ends).any():
        raise NeurorackError("its journal names what it does not hold; record it again")
    names = [item.text(1, 200) for item in head.get("state").items(0, 10_000)]
    state = dict(zip(names, _numbered(members, "state.npz", "s", len(names)), strict=True))
    clips = None
    if "clips.npz" in members:
        clips = _numbered(members, "clips.npz", "c", None)
        if any(rows.ndim != 2 or rows.dtype != np.float32 for rows in clips):
            raise NeurorackError("its clips are damaged; record it again")
    return Take(
        **take_header(head),
        blocks=blocks,
        frames=frames,
        events=events,
        heard=heard,
        state=state,
        clips=clips,
    )


def take_header(head: Field) -> dict[str, Any]:
    """What a take's JSON says of it, by the names of `Take`'s fields. NeurorackError where it is damaged."""
    return {
        "instrument": head.get("instrument").text(1, 100),
        "encoding": head.get("encoding").text(1, 100),
        "sample_rate": head.get("sample_rate").integer(8000, 192_000),
        "changed": head.has("changed") and head.get("changed").boolean(),
        "priors": head.get("priors").text(0, 100) if head.has("priors") else None,
        "version": head.get("version").text(1, 100) if head.has("version") else None,
    }


def _numbered(members: dict[str, bytes], name: str, letter: str, count: int | None) -> list[np.ndarray]:
    """Arrays s0, s1, … of a nested .npz; `count` of them, or (None) as many as there are."""
    found = npz_arrays(members.get(name, b""))
    wanted = [f"{letter}{i}" for i in range(len(found) if count is None else count)]
    if set(wanted) != set(found):
        raise NeurorackError(f"{name} is incomplete; record it again")
    return [found[key] for key in wanted]


def _table(members: dict[str, bytes], folder: str, dtype: np.dtype) -> np.ndarray:
    """A table of records from an array for each field; a field that is missing stands at its default."""
    found = {n[len(folder) + 1 : -4]: npy_array(d) for n, d in members.items() if n.startswith(f"{folder}/")}
    lengths = {array.shape[0] for array in found.values() if array.ndim}
    if len(lengths) != 1:
        raise NeurorackError(f"its {folder} are damaged; record it again")
    if unknown := found.keys() - set(dtype.names or ()):
        raise NeurorackError(
            f"its {folder} hold {min(unknown)!r}, which Neurorack {__version__} does not know: "
            "render it with the version that recorded it"
        )
    table = np.zeros(lengths.pop(), dtype)
    if folder == "frames":
        defaults = np.zeros((), dtype)
        ControlFrame().write_to(defaults)
        table[:] = defaults
    for name in dtype.names or ():
        if name in found:
            if found[name].shape != table[name].shape:
                raise NeurorackError(f"{folder}/{name} has the wrong shape; record it again")
            table[name] = found[name]
    return table


def render_take(take: Take, instrument: Instrument) -> Iterator[np.ndarray]:
    """The blocks of sound, float32 [2, n] each, as they were.

    Raises NeurorackError when the instrument's rate is another, or when another version of Neurorack, whose
    engine kept other state, recorded it.
    """
    if instrument.sample_rate != take.sample_rate:
        raise NeurorackError(
            f"The take runs at {take.sample_rate} Hz and {instrument.name} at {instrument.sample_rate} Hz: "
            "name the instrument it was played with."
        )
    engine = Engine(instrument, take.clips)
    _restore(engine, take)
    used = (0, 0, 0)
    for samples, frames, events, heard in take.blocks.tolist():
        if frames != used[0]:
            frame = ControlFrame.read_from(take.frames[frames - 1])
        happened = [event_from_record(record) for record in take.events[used[1] : events]]
        live = take.heard[used[2] : heard] if heard - used[2] == samples else None
        used = (frames, events, heard)
        yield engine.render(samples, frame, live, happened)


def _restore(engine: Engine, take: Take) -> None:
    """The take's state into the engine, all of it, or NeurorackError."""
    try:
        engine.restore(take.state)
        left = take.state.keys() - engine.snapshot().keys()
        fits = all(name.startswith(PRIORS_STATE) for name in left)  # instruments may be without
    except (LookupError, ValueError, TypeError, AttributeError, ArithmeticError):
        fits = False
    if not fits:
        raise NeurorackError(
            f"The take was recorded with {take.recorded_with}, whose engine kept other state than that of "
            f"Neurorack {__version__}: render it with the version that recorded it."
        )
