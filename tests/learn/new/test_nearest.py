"""Which instrument training begins with."""

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pytest

from neurorack.core.library import bundled_dir
from neurorack.core.normaliser import Normaliser
from neurorack.core.nrk import read_manifest
from neurorack.learn.model.config import make_config
from neurorack.learn.new.nearest import distance, fits, nearest


@pytest.fixture
def winds():
    return read_manifest(bundled_dir() / "winds.nrk")


def of(manifest) -> dict[str, Normaliser]:
    return {c.name: c.normaliser for c in manifest.controls}


def test_an_instrument_is_at_no_distance_from_its_own_corpus(winds):
    assert distance(of(winds), winds.controls) < 1e-6


def test_distance_is_the_area_between_the_distributions(winds):
    (loudness,) = [c for c in winds.controls if c.name == "loudness"]
    grid = np.linspace(-1, 1, len(loudness.knots))

    def sounds_at(controls) -> dict[str, Normaliser]:
        return {"loudness": Normaliser(tuple(loudness.normaliser.to_physical(controls).astype(float)))}

    assert distance(sounds_at(grid), [loudness]) == pytest.approx(0, abs=1e-4)
    assert distance(sounds_at(0.5 * grid), [loudness]) == pytest.approx(0.25, abs=0.01)
    assert distance(sounds_at(0.5 * grid + 0.5), [loudness]) == pytest.approx(0.5, abs=0.01)
    beyond = {"loudness": Normaliser(tuple(np.linspace(100.0, 101.0, len(grid))))}
    assert distance(beyond, [loudness]) == pytest.approx(1.25, abs=0.01)


def test_only_the_same_controls_rate_and_shape_fit(winds):
    names = tuple(c.name for c in winds.controls)
    wanted = make_config("rack", names, winds.sample_rate)
    assert fits(winds, wanted)
    assert fits(winds, dataclasses.replace(wanted, response_frames=9, controls=names[::-1]))
    assert not fits(winds, dataclasses.replace(wanted, controls=names[:-1]))
    assert not fits(winds, dataclasses.replace(wanted, sample_rate=48_000))
    assert not fits(winds, make_config("studio", names, winds.sample_rate))
    strange = dataclasses.replace(winds, architecture={"family": "another", "layers": 3})
    assert not fits(strange, wanted)


def test_the_nearest_of_the_bundled_and_the_users_is_chosen(winds, tmp_path, monkeypatch):
    monkeypatch.setenv("NEURORACK_HOME", str(tmp_path))
    names = tuple(c.name for c in winds.controls)
    wanted = make_config("rack", names, winds.sample_rate)
    skins = read_manifest(bundled_dir() / "skins.nrk")
    for manifest in (winds, skins):
        found = nearest(of(manifest), wanted)
        assert found and found.title == manifest.title and found.distance < 1e-6
        assert found.controls == tuple(c.name for c in manifest.controls)
    mine = tmp_path / "instruments" / "mine.nrk"
    mine.parent.mkdir()
    shutil.copy(bundled_dir() / "winds.nrk", mine)
    found = nearest(of(winds), wanted)
    assert found and Path(found.path) == mine
    (mine.parent / "broken.nrk").write_bytes(b"no instrument")
    assert nearest(of(winds), wanted) == found
    assert nearest(of(winds), make_config("studio", names, winds.sample_rate)) is None
