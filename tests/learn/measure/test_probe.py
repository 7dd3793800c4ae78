"""The leakage probe reads what is there, on recordings it never saw, and nothing from noise."""

import numpy as np

from neurorack.learn.measure.probe import Recording, leakage_probe

NAMES = ["moving", "mean", "untold"]


def recordings(count: int = 25, rows: int = 60) -> list[Recording]:
    """Three descriptors; z tells the first as it moves, of the second the mean, and nothing of the third."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(count):
        y = rng.standard_normal((1, 3)) + rng.standard_normal((rows, 3))
        x = rng.standard_normal((rows, 14))
        x[:, 3] = np.tanh(y[:, 0])
        x[:, 5] = y[:, 1].mean()
        found.append(Recording(x.astype(np.float32), y, f"g{i // 2}"))
    return found


def test_what_z_tells_is_read():
    figures = leakage_probe(recordings(), NAMES)
    moving, mean, untold = (figures["by"][name] for name in NAMES)
    assert moving["r2"] > 0.85 and moving["within_r2"] > 0.8
    assert mean["r2"] > 0.3 and mean["within_r2"] < 0.1
    assert untold["r2"] < 0.1 and untold["within_r2"] < 0.1
    for row in (moving, mean, untold):
        assert row["shuffled"] < 0.1 and row["within_shuffled"] < 0.1
    assert figures["recordings"] == 25 and figures["rows"] == 25 * 60


def test_too_few_groups_are_not_judged():
    assert leakage_probe(recordings(count=4), NAMES) == {}
