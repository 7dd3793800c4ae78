"""ONNX Runtime as the player wants it: it tells nobody."""

import os
import subprocess
import sys
from pathlib import Path


def test_nothing_is_reported_and_nothing_written(tiny_nrk, tmp_path):
    """With telemetry on, the runtime keeps an identifier and a data base in the home folder."""
    code = f"import neurorack; neurorack.load({str(tiny_nrk)!r}).transfer([0.1] * 4096, 44100)"
    # Under a test runner or in CI the runtime keeps quiet by itself: that would prove nothing.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("ORT_", "CI", "GITHUB_", "PYTEST_"))}
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    subprocess.run([sys.executable, "-c", code], env=kept | home, check=True, capture_output=True)
    assert [p for p in Path(tmp_path).rglob("*") if "onnx" in p.name.lower() or "Microsoft" in p.parts] == []
