"""Fixtures every test may use."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import tiny_instrument


@pytest.fixture(scope="session")
def tiny_nrk(tmp_path_factory) -> Path:
    """A pitched .nrk of hand-made graphs that obey the contract (see tiny_instrument.py)."""
    return tiny_instrument.make_tiny_nrk(tmp_path_factory.mktemp("tiny") / "tiny.nrk", pitched=True)


@pytest.fixture(scope="session")
def tiny_unpitched_nrk(tmp_path_factory) -> Path:
    """The same without pitch: no f0_hz input, no slow descriptors."""
    return tiny_instrument.make_tiny_nrk(tmp_path_factory.mktemp("tiny") / "tiny-noise.nrk", pitched=False)
