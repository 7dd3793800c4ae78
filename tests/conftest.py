"""Fixtures every test may use."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tiny_instrument

LIVE = tuple(
    f"tests/play/{name}" for name in ("audio", "control", "faults", "panel", "session", "test_examples.py")
)
"""What opens audio devices, JACK, MIDI ports or a browser, or measures real time: never two of it at once."""

LONG = tuple(
    f"tests/{name}"
    for name in (
        "learn/published/test_published.py",
        "learn/new",
        "learn/train",
        "learn/model",
        "learn/prior",
        "learn/export",
        "learn/corpus",
        "learn/measure/test_cheats.py",
        "learn/report",
        "cli",
    )
)
"""What trains, exports or scores. One of these at the end would leave the other worker idle."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """LIVE first, then LONG in its order, then the rest, so that two workers end together."""

    def place(item: pytest.Item) -> int:
        if item.nodeid.startswith(LIVE):
            return -1
        return next((i for i, name in enumerate(LONG) if item.nodeid.startswith(name)), len(LONG))

    items.sort(key=place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """With `-n 2`: one worker has all of LIVE, in order; other files go one by one to whichever is free.

    (Its own `--dist loadgroup` leaves groups apart with pytest 9.2: pytest-xdist 3.8 writes them into an
    attribute that is read no more.)
    """
    from xdist.scheduler import LoadScopeScheduling

    class LiveTogether(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "live" if nodeid.startswith(LIVE) else nodeid.split("::")[0]

    return LiveTogether(config, log)


@pytest.fixture(scope="session")
def tiny_nrk(tmp_path_factory) -> Path:
    """A pitched .nrk of hand-made graphs that obey the contract (see tiny_instrument.py)."""
    return tiny_instrument.make_tiny_nrk(tmp_path_factory.mktemp("tiny") / "tiny.nrk", pitched=True)


@pytest.fixture(scope="session")
def tiny_unpitched_nrk(tmp_path_factory) -> Path:
    """The same without pitch: no f0_hz input, no slow descriptors."""
    return tiny_instrument.make_tiny_nrk(tmp_path_factory.mktemp("tiny") / "tiny-noise.nrk", pitched=False)
