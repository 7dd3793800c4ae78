"""The house keeps its walls: import contracts, no torch in play, everything needed inside the wheel."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "src" / "neurorack"
FOREIGN_TO_PLAY = (
    "torch",
    "lightning_fabric",
    "librosa",
    "matplotlib",
    "scipy",
    "safetensors",
    "tensorboard",
)


def run(*command: object, **options: object) -> str:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [str(part) for part in command],
        **{"capture_output": True, "text": True, "encoding": "utf-8", "env": environment, **options},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_import_contracts_hold() -> None:
    program = shutil.which("lint-imports", path=str(Path(sys.executable).parent)) or "lint-imports"
    assert "0 broken" in run(program, "--no-cache", cwd=ROOT)


def test_the_player_sounds_with_no_torch_to_be_had(tiny_nrk: Path) -> None:
    """A transfer in a process where torch and its company cannot even be imported."""
    code = f"""
import sys

class Wall:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {FOREIGN_TO_PLAY!r}:
            raise ModuleNotFoundError(f"{{name}} is not for the player")

sys.meta_path.insert(0, Wall())
import numpy as np
import neurorack
import neurorack.cli.play, neurorack.cli.transfer, neurorack.cli.info, neurorack.cli.list, neurorack.play.app

sound = 0.2 * np.sin(2 * np.pi * 220 * np.arange(22_050) / 44_100).astype(np.float32)
heard = neurorack.load(sys.argv[1]).transfer(sound, 44_100)
assert np.abs(heard).max() > 1e-3 and np.isfinite(heard).all()
assert not set({FOREIGN_TO_PLAY!r}) & {{name.partition(".")[0] for name in sys.modules}}
"""
    run(sys.executable, "-c", code, tiny_nrk)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist, built from a copy so that nothing is left in the tree."""
    tree = tmp_path_factory.mktemp("tree")
    for name in ("pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, tree)
    shutil.copytree(
        ROOT / "src", tree / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info", ".*")
    )
    code = "from setuptools.build_meta import *; build_wheel('out'); build_sdist('out')"
    (tree / "out").mkdir()
    run(sys.executable, "-c", code, cwd=tree)
    return tree / "out"


def wanted() -> set[str]:
    """Every file of the package a user needs, relative to src/."""
    static = [p for p in (PACKAGE / "play" / "panel" / "static").rglob("*") if p.is_file()]
    instruments = list((PACKAGE / "instruments").glob("*.nrk"))
    code = PACKAGE.rglob("*.py")
    assert static, "the panel has no page"
    assert instruments, "no instrument is bundled"
    return {p.relative_to(ROOT / "src").as_posix() for p in (*static, *instruments, *code)}


def surplus(names: Iterable[str]) -> list[str]:
    """What must never be shipped."""
    ends = (".wav", ".flac", ".ogg", ".i16", ".f32", ".pt", ".ckpt", ".pyc", ".part")
    return [name for name in names if name.endswith(ends)]


def test_wheel_and_sdist_hold_instruments_and_pages(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    (sdist,) = built.glob("*.tar.gz")
    with zipfile.ZipFile(wheel) as archive:
        inside = set(archive.namelist())
        metadata = next(archive.read(n).decode() for n in inside if n.endswith("/METADATA"))
    assert wanted() <= inside, sorted(wanted() - inside)
    assert not surplus(inside) and "License-Expression: MIT" in metadata
    assert not any(
        "torch" in line
        for line in metadata.splitlines()
        if line.startswith("Requires-Dist") and "extra" not in line
    )
    with tarfile.open(sdist) as archive:
        names = {name.partition("/src/")[2] for name in archive.getnames()}
    assert wanted() <= names, sorted(wanted() - names)
    assert not surplus(names)
    assert wheel.stat().st_size < 40e6
