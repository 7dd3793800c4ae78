"""Instruments whose controls all obey by construction: the counterfactual loss has nothing to score.

(tests/play/session/test_making.py makes one of loudness alone.)
"""

import pytest
import torch

from neurorack.core.normaliser import Normaliser
from neurorack.learn.train.counterfactual import Measuring


def test_measuring_nothing_gives_nothing():
    assert Measuring([])(torch.zeros(2, 0, 5)).shape == (2, 0, 5)
    one = Measuring([Normaliser((0.0, 1.0))])
    assert one(torch.full((1, 1, 1), 0.5)).item() == pytest.approx(0.0)
