"""The presets that come with the instruments: whole, for controls and clips there are, of every kind."""

import importlib.util
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from neurorack.core.errors import NeurorackError
from neurorack.core.library import bundled_dir
from neurorack.core.nrk import read_manifest, read_nrk
from neurorack.play.engine.engine import Engine
from neurorack.play.engine.instrument import Instrument
from neurorack.play.session.presets import Presets, preset_from_bytes

ROOT = Path(__file__).parents[3]
FOLDERS = sorted((ROOT / "tools" / "presets").iterdir())
BUNDLED = [folder.name for folder in FOLDERS if (bundled_dir() / f"{folder.name}.nrk").exists()]
"""Presets may be there before their instrument."""
KINDS = {"drone": 2, "keys": 2, "transfer": 2, "gated": 1, "broken": 1, "alone": 2}
"""How many there are at least."""


def tool():
    """tools/add_presets.py as a module."""
    spec = importlib.util.spec_from_file_location("add_presets", ROOT / "tools" / "add_presets.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_presets_are_whole_and_of_every_kind(folder):
    presets = [preset_from_bytes(file.read_bytes(), own=False) for file in folder.glob("*.json")]
    assert Counter(preset.kind for preset in presets) >= Counter(KINDS)
    assert len({preset.name for preset in presets}) == len(presets)
    assert all(preset.about.endswith(".") for preset in presets)


def test_every_bundled_instrument_has_presets_and_its_own_name():
    files = list(bundled_dir().glob("*.nrk"))
    assert {path.stem for path in files} == set(BUNDLED)
    assert all(read_manifest(path).name == path.stem for path in files)


@pytest.mark.parametrize("name", BUNDLED)
def test_presets_go_into_the_instrument_and_sound(name, tmp_path):
    path = tmp_path / f"{name}.nrk"
    shutil.copy(bundled_dir() / f"{name}.nrk", path)
    before = read_nrk(path)
    tool().add_presets(ROOT / "tools" / "presets" / name, path)
    tool().add_presets(ROOT / "tools" / "presets" / name, path)  # once more replaces them
    archive = read_nrk(path)
    assert all(archive.members[k] == v for k, v in before.members.items() if k.endswith((".onnx", ".npy")))
    presets = Presets(archive, tmp_path)
    assert archive.manifest.presets[-1].path.startswith("presets/10-")
    assert not presets.faults and len(presets.rows()) == len(archive.manifest.presets)
    ids = [clip.name[:64] for clip in archive.manifest.clips]
    engine = Engine(Instrument(archive))
    noise = (0.2 * np.random.default_rng(0).standard_normal(4096)).astype(np.float32)
    played: dict[str, float] = {}
    for row in presets.rows():
        patch = presets.get(row["name"]).patch
        if row["kind"] == "alone":
            assert patch.source == "prior" and archive.manifest.prior is not None
        frame = patch.frame(archive.manifest, lambda clip: ids.index(clip) if clip in ids else -1)
        frame.panic = len(played)
        engine.render(4096, frame)
        frame.gate = True
        alone = row["kind"] == "alone"  # and may rest, in the beginning and between: its loudest counts
        audio = np.concatenate([engine.render(4096, frame, noise) for _ in range(40 if alone else 8)], axis=1)
        parts = np.split(audio, 5, axis=1) if alone else [audio]
        played[row["name"]] = max(10 * np.log10(np.square(part).mean() + 1e-12) for part in parts)
        assert np.isfinite(audio).all() and np.abs(audio).max() <= 1.0
    assert min(played.values()) > -40, played


def test_a_preset_for_another_instrument_is_refused(tmp_path, tiny_unpitched_nrk):
    path = tmp_path / "noise.nrk"
    shutil.copy(tiny_unpitched_nrk, path)
    before = path.read_bytes()
    with pytest.raises(NeurorackError, match="pitch"):
        tool().add_presets(ROOT / "tools" / "presets" / "winds", path)
    assert path.read_bytes() == before
