"""The leakage probe reads what is there, on recordings it never saw, and nothing from noise."""

import numpy as np
import pytest

from neurorack.learn.measure.probe import Recording, leakage_probe


def recordings(told: str, count: int = 25, rows: int = 60) -> list[Recording]:
    """Two descriptors; z tells the first as it moves, only its mean, or neither."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(count):
        y = rng.standard_normal((1, 2)) + rng.standard_normal((rows, 2))
        x = rng.standard_normal((rows, 14))
        if told == "moving":
            x[:, 3] = np.tanh(y[:, 0])
        elif told == "mean":
            x[:, 3] = y[:, 0].mean()
        found.append(Recording(x.astype(np.float32), y, f"g{i // 2}"))
    return found


@pytest.mark.parametrize(
    ("told", "all_of_it", "inside"), [("moving", 0.85, 0.8), ("mean", 0.3, None), ("", None, None)]
)
def test_what_z_tells_is_read(told, all_of_it, inside):
    figures = leakage_probe(recordings(told), ["first", "second"])
    first, second = figures["by"]["first"], figures["by"]["second"]
    assert first["r2"] > all_of_it if all_of_it else first["r2"] < 0.1
    assert first["within_r2"] > inside if inside else first["within_r2"] < 0.1
    for nothing in (second["r2"], second["within_r2"], first["shuffled"], first["within_shuffled"]):
        assert nothing < 0.1
    assert figures["recordings"] == 25 and figures["rows"] == 25 * 60


def test_too_few_groups_are_not_judged():
    assert leakage_probe(recordings("moving", count=4), ["first", "second"]) == {}
