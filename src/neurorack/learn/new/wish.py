"""What was asked of `neurorack new`, kept in the work folder so that the same command can go on."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.core.files import atomic_write
from neurorack.learn.train.run import RUN_FILE

FILE = "new.json"
CORPUS, RUN = "corpus", "run"
"""What the work folder holds beside it."""
VERSION = 1


@dataclass(frozen=True)
class Wish:
    """`folder`: of the recordings. `origin`: "nearest", "scratch", or a run or .nrk. `minutes` or `steps`
    bounds the training. `size` and `changes`: of the model (learn/model/config.py). `batch`: crops a step;
    0: as many as suit the device.
    """

    folder: Path
    output: Path
    minutes: float | None = 30.0
    steps: int | None = None
    origin: str = "nearest"
    descriptors: tuple[str, ...] = ()
    size: str = "rack"
    changes: dict[str, Any] = field(default_factory=dict)
    batch: int = 0
    seed: int = 0

    def keep(self, work: Path) -> None:
        """Write it to the work folder. NeurorackError where that was begun with another folder of recordings
        or, once training has begun, with other options; and where a first command would overwrite its output.
        """
        mine = {
            **asdict(self),
            "version": VERSION,
            "folder": str(self.folder.resolve()),
            "output": self.output.name,
            "descriptors": list(self.descriptors),
        }
        if not (work / FILE).exists():
            if work.is_dir() and any(work.iterdir()):
                raise NeurorackError(f"{work} holds other things: give --work another folder.")
            if self.output.exists():
                raise NeurorackError(f"{self.output} exists already: move it away, or give another name.")
        elif differing := self._differing(work, mine):
            name, kept = differing
            raise NeurorackError(
                f"{work} was begun with {_said(name, kept)}, not {_said(name, mine[name])}: give the same "
                "command to go on, or another --work to begin anew."
            )
        with atomic_write(work / FILE, "w") as file:
            json.dump(mine, file, indent=1)

    def _differing(self, work: Path, mine: dict[str, Any]) -> tuple[str, Any] | None:
        """The first option that is another than the kept one, and its kept value."""
        trained = (work / RUN / RUN_FILE).exists()
        try:
            kept = json.loads((work / FILE).read_text("utf-8"))
            names = [name for name in mine if trained or name == "folder"]
            return next(((name, kept[name]) for name in names if kept[name] != mine[name]), None)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise NeurorackError(f"{work / FILE} is damaged: give --work another folder.") from error


def _said(name: str, value: Any) -> str:
    """An option as it is typed."""
    if name == "folder":
        return str(value)
    text = ",".join(value) if isinstance(value, list) else value
    return f"{'--from' if name == 'origin' else '--' + name} {text}"
