"""A hub over a real bridge; in place of the audio process, a supervisor that agrees to everything."""

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "control"))
sys.path.insert(0, str(Path(__file__).parents[1] / "panel"))

from neurorack.core.nrk import read_nrk
from neurorack.play.control.bridge import Bridge
from neurorack.play.control.record_ring import RecordReader
from neurorack.play.control.records import Command, Status
from neurorack.play.engine.events import event_from_record
from neurorack.play.engine.frame import ControlFrame
from neurorack.play.session.hub import Hub


class Agreeing:
    """A supervisor whose audio process carries everything out at once, without sound."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.status = Status(sample_rate=44_100)
        self.restarts = 0
        self.note = ""
        self.running = True
        self.commands: list[Command] = []

    def command(self, instrument=None, clips=None, snapshot=None) -> int:
        self.commands.append(Command(len(self.commands) + 1, instrument or "", clips or ""))
        self.status.command = len(self.commands)
        return len(self.commands)

    def poll(self) -> bool:
        return False


class Stage:
    """A hub, and what reached the bridge."""

    def __init__(self, bridge: Bridge, path: Path) -> None:
        self.bridge = bridge
        self.supervisor = Agreeing(bridge)
        self._events = RecordReader(bridge.events)
        self.hub = Hub(self.supervisor, read_nrk(path), path)
        self.notices: list[str] = []
        self.hub.subscribe(lambda kind, data: self.notices.append(data["text"]) if kind == "notice" else None)
        self._frame = ControlFrame()

    @property
    def frame(self) -> ControlFrame:
        """The newest frame."""
        record = self.bridge.frame.read()
        if record is not None:
            self._frame = ControlFrame.read_from(record)
        return self._frame

    def events(self) -> list:
        """Events since the last call."""
        records = self._events.read()
        return [] if records is None else [event_from_record(record) for record in records]


@pytest.fixture(scope="module")
def bridge():
    made = Bridge.create()
    yield made
    made.close()


@pytest.fixture
def stage(bridge, tiny_nrk, tmp_path, monkeypatch):
    """A fresh hub with the tiny pitched instrument and an empty home."""
    monkeypatch.setenv("NEURORACK_HOME", str(tmp_path / "home"))
    made = Stage(bridge, tiny_nrk)
    made.events()
    yield made
    made.hub.clips.close()


@pytest.fixture(scope="module")
def home(tmp_path_factory, tiny_nrk):
    """A NEURORACK_HOME with the tiny pitched instrument."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "instruments").mkdir()
    shutil.copy(tiny_nrk, folder / "instruments" / "tiny.nrk")
    return folder
