"""Environments of their own for RAVE, for our player and for packaged metrics: made by pip from its own
settings, and weighed.

RAVE 2.3.1 pins what is years old (pytorch-lightning 1.9.0, scipy 1.10.0) and needs nn_tilde, whose 1.6.0 pins
torch 2.5. What runs with Python 3.11 is: torch first, its CPU build where there is no GPU, and held there, so
that pip takes nn_tilde 1.5; torchaudio without its wishes; numpy before 2, for scipy 1.10; setuptools before
81, for the pkg_resources of pytorch-lightning. pip finds the rest.

CDPAM 0.0.6 names none of what it needs: torch, librosa, resampy, scipy and a numpy that has matlib still, of
which today's will do.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
INSTALL_TORCH = ROOT / "tools" / "install_torch.py"
BESIDE_RAVE = ("numpy<2", "setuptools<81")
EARS = ("cdpam==0.0.6", "zimtohrli==0.2.1.post1", "numpy<3", "librosa", "resampy", "scipy")
NOT_COUNTED = ("pip", "setuptools", "_distutils_hack", "pkg_resources", "wheel")
"""Folders of site-packages that every environment brings."""

VERSIONS = """
import importlib.metadata as m, json, platform, sys
known = {}
for name in sys.argv[1:]:
    try:
        known[name] = m.version(name)
    except m.PackageNotFoundError:
        pass
print(json.dumps({"python": platform.python_version(), **known}))
"""


def python_of(environment: Path) -> Path:
    """The interpreter of an environment."""
    return environment / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")


def made_for_rave(environment: Path) -> Path:
    """The environment with acids-rave in it, made unless it is there; its interpreter."""
    python = _new(environment)
    if "acids-rave" not in versions(python, ["acids-rave"]):
        _pip(python, INSTALL_TORCH)
        torch = versions(python, ["torch"])["torch"]
        _pip(python, "-m", "pip", "install", "--no-deps", "torchaudio")
        _without_compiled_torchaudio(python, environment)
        _pip(python, "-m", "pip", "install", "--prefer-binary", "acids-rave", f"torch=={torch}", *BESIDE_RAVE)
    return python


def _without_compiled_torchaudio(python: Path, environment: Path) -> None:
    """Where torchaudio's compiled part wants CUDA libraries that are not there, take that part away: the rest
    does without it, and so does RAVE."""
    tried = subprocess.run([str(python), "-c", "import torchaudio"], capture_output=True, check=False)
    if tried.returncode:
        for library in environment.glob("[Ll]ib*/**/site-packages/torchaudio/lib/*torchaudio*.so"):
            library.unlink()


def made_for_player(environment: Path) -> Path:
    """The environment with our player in it (no PyTorch), made unless it is there; its interpreter."""
    python = _new(environment)
    if "neurorack" not in versions(python, ["neurorack"]):
        _pip(python, "-m", "pip", "install", str(ROOT))
    return python


def made_for_ears(environment: Path) -> Path:
    """The environment with CDPAM and Zimtohrli in it, weights and all, made unless it is there; its
    interpreter."""
    python = _new(environment)
    if not {"cdpam", "zimtohrli"} <= versions(python, ["cdpam", "zimtohrli"]).keys():
        _pip(python, INSTALL_TORCH)
        torch = versions(python, ["torch"])["torch"]
        _pip(python, "-m", "pip", "install", "--prefer-binary", *EARS, f"torch=={torch}")
    return python


def _new(environment: Path) -> Path:
    python = python_of(environment)
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    return python


def _pip(python: Path, *arguments: object) -> None:
    print("$", python.name, *arguments, file=sys.stderr, flush=True)
    if subprocess.run([str(python), *map(str, arguments)], stdout=sys.stderr).returncode:
        raise SystemExit(
            "pip could not install that: its message is above; run the same command again to go on."
        )


def versions(python: Path, names: list[str]) -> dict[str, str]:
    """{"python": …, name: version of those that are installed}."""
    said = subprocess.run(
        [str(python), "-c", VERSIONS, *names], check=True, capture_output=True, text=True
    ).stdout
    found: dict[str, str] = json.loads(said)
    return found


def sizes_mb(environment: Path) -> dict[str, float]:
    """{"total", and each of the five largest folders}: installed packages in MB (10^6 bytes), without
    compiled Python and what every environment brings."""
    found: dict[str, int] = {}
    for site in sorted(environment.glob("[Ll]ib*/**/site-packages")):
        for path in site.rglob("*"):
            top = path.relative_to(site).parts[0]
            counted = top.split("-")[0] not in NOT_COUNTED and path.suffix != ".pyc"
            if counted and path.is_file() and not path.is_symlink():
                found[top] = found.get(top, 0) + path.stat().st_size
    largest = sorted(found, key=lambda top: -found[top])[:5]
    return {"total": sum(found.values()) * 1e-6, **{top: found[top] * 1e-6 for top in largest}}
