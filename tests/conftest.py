"""Fixtures every test may use."""

import importlib.util
import sys
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location(
    "tiny_instrument", Path(__file__).with_name("tiny_instrument.py")
)
tiny_instrument = importlib.util.module_from_spec(_SPEC)
sys.modules.setdefault("tiny_instrument", tiny_instrument)
_SPEC.loader.exec_module(tiny_instrument)


@pytest.fixture(scope="session")
def tiny_nrk(tmp_path_factory) -> Path:
    """A pitched .nrk of hand-made graphs that obey the contract (see tiny_instrument.py)."""
    return tiny_instrument.make_tiny_nrk(tmp_path_factory.mktemp("tiny") / "tiny.nrk", pitched=True)


@pytest.fixture(scope="session")
def tiny_unpitched_nrk(tmp_path_factory) -> Path:
    """The same without pitch: no f0_hz input, no slow descriptors."""
    return tiny_instrument.make_tiny_nrk(tmp_path_factory.mktemp("tiny") / "tiny-noise.nrk", pitched=False)
