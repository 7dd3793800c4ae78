"""Fixtures every test may use."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tiny_instrument

LIVE = ("play/audio", "play/control", "play/faults", "play/panel", "play/session", "play/test_examples.py")
"""What opens audio devices, JACK, MIDI ports or a browser, or measures real time: never two of it at once."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """`make test` runs two workers: LIVE goes to one, in order and from the start, the rest file by file to
    whichever is free.
    """
    for item in items:
        name = item.path.relative_to(Path(__file__).parent).as_posix()
        item.add_marker(pytest.mark.xdist_group("live" if name.startswith(LIVE) else name))
    items.sort(key=lambda item: item.get_closest_marker("xdist_group").args[0] != "live")


@pytest.fixture(scope="session")
def tiny_nrk(tmp_path_factory) -> Path:
    """A pitched .nrk of hand-made graphs that obey the contract (see tiny_instrument.py)."""
    return tiny_instrument.make_tiny_nrk(tmp_path_factory.mktemp("tiny") / "tiny.nrk", pitched=True)


@pytest.fixture(scope="session")
def tiny_unpitched_nrk(tmp_path_factory) -> Path:
    """The same without pitch: no f0_hz input, no slow descriptors."""
    return tiny_instrument.make_tiny_nrk(tmp_path_factory.mktemp("tiny") / "tiny-noise.nrk", pitched=False)
