"""MidiMap: which MIDI controller moves which parameter, learned by moving it, kept in the user's folder.

The hub owns one and asks it: `arm(target)` on a Learn message, `forget(target)` on Unlearn; `armed` and
`learned()` are the state's "learn" and "learned"; `on_change` is called, on the event loop's thread, when a
controller was learned. A controller moves one target, and a target is moved by one controller.
"""

import asyncio
import json
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from neurorack.core import strict_json
from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.core.library import home_dir

MAX_BINDINGS = 256
PAIR_S = 0.02
"""An LSB (controllers 32-63) follows its MSB (0-31) within this time."""
FRESH_S = 5.0
"""How long after it was learned a controller may turn out to be the MSB of a 14-bit pair."""
KINDS = ("7-bit", "14-bit", "relative")
NEVER_LEARNED = frozenset((0, 32, 6, 38, *range(96, 102), *range(120, 128)))
"""Bank select, data entry and RPN, channel mode messages: they belong to other controllers."""


def default_path() -> Path:
    """midi.json in the user's Neurorack folder."""
    return home_dir() / "midi.json"


@dataclass(frozen=True)
class Binding:
    """`channel` 1..16, `controller` 0..127 (of a 14-bit pair: the MSB's); `kind` is one of KINDS."""

    target: str
    channel: int
    controller: int
    kind: str = "7-bit"

    @property
    def label(self) -> str:
        """As a player reads it: "CC 74", on other channels than the first "CC 74 ch 3"."""
        return f"CC {self.controller}" + ("" if self.channel == 1 else f" ch {self.channel}")


@dataclass(frozen=True)
class Movement:
    """What a controller says: a `position` 0..1, or the `steps` of an encoder (position None)."""

    binding: Binding
    position: float | None
    steps: int = 0


class MidiMap:
    """The learned controllers.

    `relative`: numbers of controllers that are endless encoders, which send steps in two's complement.
    """

    def __init__(self, path: Path | None = None, relative: frozenset[int] = frozenset()) -> None:
        self.path = path
        self.relative = relative
        self.armed = ""
        """The target that the next controller is to move; "": none."""
        self.fault = ""
        """Why the map could not be read or written, one sentence; else empty."""
        self.on_change: Callable[[], None] = lambda: None
        self._bindings: dict[str, Binding] = {}
        self._places: dict[tuple[int, int], Binding] = {}
        self._msb: dict[tuple[int, int], tuple[int, float]] = {}
        self._lsb: dict[tuple[int, int], int] = {}
        self._fresh: dict[str, float] = {}
        self._writing = threading.Lock()

    @classmethod
    def load(cls, path: Path | None = None, relative: frozenset[int] = frozenset()) -> "MidiMap":
        """The map kept in `path` (None: the user's midi.json); empty, with `fault`, if it cannot be read."""
        midi_map = cls(path or default_path(), relative)
        try:
            midi_map._set(_read(midi_map.path))  # type: ignore[arg-type]
        except NeurorackError as error:
            midi_map.fault = (
                f"The learned MIDI controllers are not used: {midi_map.path}: {error}; "
                "learning another one writes the file anew."
            )
        return midi_map

    def learned(self) -> dict[str, str]:
        """Target -> label of its controller."""
        return {target: binding.label for target, binding in self._bindings.items()}

    def arm(self, target: str) -> None:
        """The next controller that moves is to move `target`; "" cancels."""
        self.armed = target

    def forget(self, target: str) -> None:
        """No controller moves `target` any more."""
        if target in self._bindings:
            self._set([b for b in self._bindings.values() if b.target != target])
            self._store()

    def control_change(self, channel: int, controller: int, value: int, now_s: float) -> Movement | None:
        """A controller moved (channel 1..16): what that means for a learned target; None if it is none's."""
        place = (channel, controller)
        msb_place = (channel, controller - 32)
        is_lsb = 32 <= controller < 64 and place not in self._places and self._paired(msb_place, now_s)
        if controller < 32:
            if self._msb.get(place, (value, 0.0))[0] != value:
                self._lsb[place] = 0
            self._msb[place] = (value, now_s)
        if is_lsb:
            return self._refine(msb_place, value, now_s)
        if self.armed and controller not in NEVER_LEARNED:
            self._learn(channel, controller, now_s)
        binding = self._places.get(place)
        if binding is None:
            return None
        if binding.kind == "relative":
            return Movement(binding, None, value if value < 64 else value - 128)
        if binding.kind == "14-bit":
            return Movement(binding, (value << 7 | self._lsb.get(place, 0)) / 16383)
        return Movement(binding, value / 127)

    def _paired(self, msb_place: tuple[int, int], now_s: float) -> bool:
        return msb_place in self._msb and now_s - self._msb[msb_place][1] <= PAIR_S

    def _refine(self, place: tuple[int, int], lsb: int, now_s: float) -> Movement | None:
        binding = self._places.get(place)
        if binding is None:
            return None
        if binding.kind == "7-bit" and now_s - self._fresh.get(binding.target, -FRESH_S) < FRESH_S:
            binding = replace(binding, kind="14-bit")
            self._bindings[binding.target] = self._places[place] = binding
            self._store()
        if binding.kind != "14-bit":
            return None
        self._lsb[place] = lsb
        return Movement(binding, (self._msb[place][0] << 7 | lsb) / 16383)

    def _learn(self, channel: int, controller: int, now_s: float) -> None:
        kind = "relative" if controller in self.relative else "7-bit"
        binding = Binding(self.armed, channel, controller, kind)
        others = [
            b
            for b in self._bindings.values()
            if b.target != binding.target and (b.channel, b.controller) != (channel, controller)
        ]
        self.armed = ""
        self._fresh[binding.target] = now_s
        self._set([*others[-MAX_BINDINGS + 1 :], binding])
        self._store()
        self.on_change()

    def _set(self, bindings: list[Binding]) -> None:
        self._bindings = {b.target: b for b in bindings}
        self._places = {(b.channel, b.controller): b for b in bindings}

    def _store(self) -> None:
        """Write the file; beside the event loop, because a disk may take its time."""
        if self.path is None:
            return
        try:
            asyncio.get_running_loop().run_in_executor(None, self._write)
        except RuntimeError:  # no loop runs in this thread: a test, or the command line
            self._write()

    def _write(self) -> None:
        with self._writing:
            bindings = [asdict(binding) for binding in list(self._bindings.values())]
            text = json.dumps({"version": 1, "bindings": bindings}, indent=1)
            try:
                with atomic_write(self.path, "w") as file:  # type: ignore[arg-type]
                    file.write(text + "\n")
                self.fault = ""
            except OSError as error:
                self.fault = (
                    f"The learned MIDI controllers cannot be kept in {self.path}: {error}; make room there."
                )


def _read(path: Path) -> list[Binding]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise NeurorackError(f"it cannot be read ({error})") from error
    root = strict_json.Field(strict_json.parse(data))
    root.get("version").integer(1, 1)
    bindings = []
    for item in root.get("bindings").items(0, MAX_BINDINGS):
        kind = item.get("kind").text()
        if kind not in KINDS:
            item.get("kind").fail(f"one of {', '.join(KINDS)}")
        bindings.append(
            Binding(
                item.get("target").text(1, 64),
                item.get("channel").integer(1, 16),
                item.get("controller").integer(0, 127),
                kind,
            )
        )
    return bindings
