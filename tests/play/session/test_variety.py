"""Figures of sameness: they know a loop from a walk, and home from elsewhere."""

import numpy as np
import pytest

from neurorack.core.vendi import vendi
from neurorack.play.engine.instrument import load_instrument
from neurorack.play.session.variety import STEP, variety


@pytest.fixture(scope="module")
def instrument(tiny_nrk):
    return load_instrument(tiny_nrk)


def _walk(instrument, seconds: int, seed: int) -> np.ndarray:
    """From anchor to anchor, one a second."""
    second = round(instrument.frame_rate_hz / STEP)
    rows = np.concatenate([instrument.anchors_z, instrument.anchors_controls], axis=1)
    stations = rows[np.random.default_rng(seed).integers(len(rows), size=seconds + 1)]
    at = np.arange(seconds * second) / second
    return np.stack([np.interp(at, np.arange(seconds + 1), column) for column in stations.T], axis=1)


def test_vendi_counts_what_is_different():
    points = np.repeat(100.0 * np.eye(5), 7, axis=0)
    assert vendi(points, 1.0) == pytest.approx(5.0, rel=1e-6)
    assert vendi(points[:7], 1.0) == pytest.approx(1.0, rel=1e-6)


def test_a_walk_a_loop_and_a_held_tone(instrument):
    second = round(instrument.frame_rate_hz / STEP)
    walk = _walk(instrument, 40, 1)
    loop = np.tile(walk[: 4 * second], (10, 1))
    held = np.tile(walk[:1], (40 * second, 1))
    figures = [variety(instrument, rows) for rows in (walk, loop, held)]
    walked, looped, stood = figures
    assert walked["vendi"] > 2.0 * looped["vendi"] > 2.0 * stood["vendi"]
    assert stood["vendi"] == pytest.approx(1.0, abs=1e-3)
    assert walked["nearest_other"]["repeated"] == 0.0
    assert looped["nearest_other"]["repeated"] == 1.0
    assert walked["over_time"] and all(part > 1.5 for part in walked["over_time"])
    # A performance that ends on one tone.
    narrowing = np.concatenate([walk[: 20 * second], held[: 20 * second]])
    early, *_, late = variety(instrument, narrowing)["over_time"]
    assert early > 1.5 * late


def test_notes_are_counted_where_they_rise_out_of_silence(instrument):
    rows = _walk(instrument, 10, 1)
    row = instrument.manifest.latent_size + instrument.manifest.control_index("loudness")
    rows[:, row] = 0.0
    assert variety(instrument, rows)["beginnings"] == 1
    for start in (0, 100, 250):
        rows[start : start + 20, row] = -1.25
    assert variety(instrument, rows)["beginnings"] == 3


def test_home_and_elsewhere(instrument):
    rows = np.concatenate([instrument.anchors_z, instrument.anchors_controls], axis=1)
    home = np.repeat(rows, round(instrument.frame_rate_hz / STEP), axis=0)
    at_home, away = variety(instrument, home), variety(instrument, home + 5.0)
    assert at_home["anchor"]["p95"] < 1e-3 < 3.0 < away["anchor"]["median"]
    assert away["in_reach"] == 0.0 < at_home["in_reach"]
    assert variety(instrument, home[:50]) == {}
