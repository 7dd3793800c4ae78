"""Does every dependency of the player come as a wheel for every machine we name?

    python benchmarks/check_wheels.py [--python 3.11 --python 3.13] [--json]

For each machine and Python, pip resolves the base install (no extras) recursively from wheels alone, without
downloading them; markers such as `sys_platform == "win32"`, which pip evaluates for the machine it runs on,
are evaluated here for the machine asked about. Exit status 1 when a machine we promise lacks a wheel. Macs
with Intel chips are reported, not promised: some projects have stopped shipping for them.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent


def manylinux(machine: str) -> tuple[str, ...]:
    """Wheel tags for Linux with glibc 2.28 or newer (2018: Debian 10, JetPack 5, every Pi 5)."""
    return (*(f"manylinux_2_{minor}_{machine}" for minor in range(28, 16, -1)), f"manylinux2014_{machine}")


@dataclass(frozen=True)
class Machine:
    """`tags`: wheel platform tags; `markers`: what environment markers see; `promised`: must be whole."""

    name: str
    tags: tuple[str, ...]
    markers: dict[str, str]
    promised: bool = True


def _markers(system: str, platform: str, os_name: str, machine: str) -> dict[str, str]:
    return {
        "platform_system": system,
        "sys_platform": platform,
        "os_name": os_name,
        "platform_machine": machine,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "extra": "",
    }


MACHINES = (
    Machine("Linux x86_64", manylinux("x86_64"), _markers("Linux", "linux", "posix", "x86_64")),
    Machine("Linux aarch64", manylinux("aarch64"), _markers("Linux", "linux", "posix", "aarch64")),
    Machine("macOS arm64", ("macosx_14_0_arm64",), _markers("Darwin", "darwin", "posix", "arm64")),
    Machine("Windows amd64", ("win_amd64",), _markers("Windows", "win32", "nt", "AMD64")),
    Machine("macOS x86_64", ("macosx_14_0_x86_64",), _markers("Darwin", "darwin", "posix", "x86_64"), False),
)


def base_requirements() -> list[str]:
    """What `pip install neurorack` asks for."""
    with open(ROOT / "pyproject.toml", "rb") as file:
        return list(tomllib.load(file)["project"]["dependencies"])


def pip_report(
    requirements: list[str], machine: Machine, python: str, deps: bool = True
) -> dict[str, Any] | None:
    """pip's own resolution from wheels alone, None where there is none."""
    with tempfile.TemporaryDirectory() as folder:
        command = [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--dry-run", "--quiet"),
            *("--ignore-installed", "--only-binary=:all:", "--report", f"{folder}/report.json"),
            *("--target", f"{folder}/target", "--implementation", "cp", "--python-version", python),
            *(f"--platform={tag}" for tag in machine.tags),
            *(() if deps else ("--no-deps",)),
            *requirements,
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        report = Path(folder) / "report.json"
        if done.returncode != 0 or not report.is_file():
            return None
        return json.loads(report.read_text(encoding="utf-8"))


def wanted_by(report: dict[str, Any], markers: dict[str, str]) -> dict[str, Requirement]:
    """Every requirement of every package in a report whose marker holds in the asked environment."""
    wanted = {}
    for item in report["install"]:
        extras = ["", *item.get("requested_extras", [])]
        for text in item["metadata"].get("requires_dist", []):
            need = Requirement(text)
            if need.marker is None or any(need.marker.evaluate({**markers, "extra": e}) for e in extras):
                wanted[canonicalize_name(need.name)] = need
    return wanted


def resolve(machine: Machine, python: str) -> dict[str, str]:
    """Package -> version for one machine, "MISSING" where no wheel exists."""
    markers = {**machine.markers, "python_version": python, "python_full_version": f"{python}.0"}
    asked = [
        f"{r.name}{r.specifier}"
        for r in map(Requirement, base_requirements())
        if r.marker is None or r.marker.evaluate(markers)
    ]
    while True:
        report = pip_report(asked, machine, python)
        if report is None:
            return one_by_one(asked, machine, python, markers)
        found = {
            canonicalize_name(i["metadata"]["name"]): i["metadata"]["version"] for i in report["install"]
        }
        more = [
            f"{r.name}{r.specifier}" for name, r in wanted_by(report, markers).items() if name not in found
        ]
        if not more:
            return found
        asked += more


def one_by_one(asked: list[str], machine: Machine, python: str, markers: dict[str, str]) -> dict[str, str]:
    """Where the whole does not resolve: follow the requirements singly, to name what is missing."""
    found: dict[str, str] = {}
    queue = list(asked)
    while queue:
        text = queue.pop(0)
        name = canonicalize_name(Requirement(text).name)
        if name in found:
            continue
        report = pip_report([text], machine, python, deps=False)
        if report is None:
            found[name] = "MISSING"
            continue
        found[name] = report["install"][0]["metadata"]["version"]
        queue += [f"{r.name}{r.specifier}" for r in wanted_by(report, markers).values()]
    return found


def table(python: str, columns: dict[str, dict[str, str]]) -> str:
    """Markdown: a row for each package, a column for each machine."""
    packages = sorted({name for versions in columns.values() for name in versions})
    lines = [
        f"Python {python}",
        "",
        "| package | " + " | ".join(columns) + " |",
        "|---" * (len(columns) + 1) + "|",
    ]
    for name in packages:
        lines.append(
            f"| {name} | " + " | ".join(versions.get(name, "-") for versions in columns.values()) + " |"
        )
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--python", action="append", help="Python version, repeatable (3.11, 3.12, 3.13)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    options = parser.parse_args()
    pythons = options.python or ["3.11", "3.12", "3.13"]
    jobs = [(python, machine) for python in pythons for machine in MACHINES]
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda job: resolve(job[1], job[0]), jobs))
    whole: dict[str, dict[str, dict[str, str]]] = {python: {} for python in pythons}
    failed = False
    for (python, machine), versions in zip(jobs, results, strict=True):
        whole[python][machine.name] = versions
        failed |= machine.promised and "MISSING" in versions.values()
    if options.json:
        print(json.dumps(whole, indent=2))
    else:
        print("\n".join(table(python, columns) for python, columns in whole.items()))
        print("Some promised wheels are MISSING." if failed else "Every promised machine has every wheel.")
    return int(failed)


if __name__ == "__main__":
    raise SystemExit(main())
