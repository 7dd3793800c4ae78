"""Install the PyTorch build that suits this machine: CUDA where there is an NVIDIA GPU, CPU elsewhere.

On Linux the ordinary `torch` package brings gigabytes of CUDA libraries. Without a GPU this script takes
the CPU build instead: one that pip's own settings offer if there is one, else that of PyTorch's CPU index.
It installs torch alone; its small dependencies come with `pip install ".[learn]"` afterwards.

    python tools/install_torch.py [REQUIREMENT]        default: torch==2.13.0, else torch>=2.9
"""

import importlib.metadata
import json
import platform
import shutil
import subprocess
import sys
import urllib.error
import urllib.request

TESTED = "torch==2.13.0"
ANY = "torch>=2.9"
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
PROBE_SECONDS = 10


def has_nvidia_gpu() -> bool:
    """Whether the NVIDIA driver lists a GPU."""
    program = shutil.which("nvidia-smi")
    if program is None:
        return False
    listing = subprocess.run([program, "-L"], capture_output=True, text=True, check=False)
    return listing.returncode == 0 and "GPU" in listing.stdout


def pip(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this environment's pip quietly."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def offered_version(requirement: str) -> str | None:
    """The version that a plain `pip install` would take, None where there is none. Downloads no wheel."""
    answer = pip(
        "install", "--dry-run", "--no-deps", "--ignore-installed", "--only-binary=:all:", "--quiet",
        "--report", "-", requirement,
    )  # fmt: skip
    if answer.returncode != 0:
        return None
    report = json.loads(answer.stdout[answer.stdout.index("{") :])
    return str(report["install"][0]["metadata"]["version"])


def cpu_index_answers() -> bool:
    """Whether PyTorch's CPU index can be reached (pip itself would retry for minutes)."""
    try:
        with urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=PROBE_SECONDS) as page:
            return page.status == 200
    except (urllib.error.URLError, OSError):
        return False


def choose(requirements: list[str], gpu: bool, system: str) -> list[str]:
    """pip arguments for the right build; SystemExit with one sentence where there is none."""
    if gpu or system != "Linux":
        offers = {requirement: offered_version(requirement) for requirement in requirements}
        # A CPU build among pip's own offers would win by its version's suffix: a GPU deserves better.
        fits = [r for r, version in offers.items() if version and not (gpu and version.endswith("+cpu"))]
        fits += [r for r, version in offers.items() if version]
        if fits:
            return fits[:1]
        raise SystemExit(
            f"No torch for Python {platform.python_version()} here: use another Python (3.11 to 3.13)"
        )
    for requirement in requirements:
        if "+cpu" in (offered_version(requirement) or ""):
            return [requirement]
    if not cpu_index_answers():
        raise SystemExit(
            f"This machine has no NVIDIA GPU and {CPU_INDEX} cannot be reached for the CPU build of torch; "
            "connect to the internet, or install a torch wheel of your choice into this environment first"
        )
    for requirement in requirements:
        # Its own index alone, so that no CUDA build from elsewhere can win.
        if pip("install", "--dry-run", "--no-deps", "--index-url", CPU_INDEX, requirement).returncode == 0:
            return ["--index-url", CPU_INDEX, requirement]
    raise SystemExit(f"{CPU_INDEX} has no {' or '.join(requirements)} for Python {platform.python_version()}")


def main() -> None:
    try:
        print(f"torch {importlib.metadata.version('torch')} is installed already")
        return
    except importlib.metadata.PackageNotFoundError:
        pass
    requirements = sys.argv[1:2] or [TESTED, ANY]
    arguments = choose(requirements, has_nvidia_gpu(), platform.system())
    print("pip install", *arguments, flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", *arguments]
    raise SystemExit(subprocess.run(command, check=False).returncode)


if __name__ == "__main__":
    main()
