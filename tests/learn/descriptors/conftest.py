"""Makes the synthetic material importable, and shares one bank of everything."""

import sys
from pathlib import Path

import pytest
import torch

sys.path.insert(0, str(Path(__file__).parent))

from descriptor_material import SAMPLE_RATE

from neurorack.learn.descriptors import build


@pytest.fixture(scope="session")
def bank():
    """Every built-in descriptor at 44.1 kHz."""
    torch.set_num_threads(1)
    names = ("loudness", "brightness", "noisiness", "boominess", "pitch")
    return build([*names, "bandwidth", "rolloff", "sharpness", "roughness"], SAMPLE_RATE)
