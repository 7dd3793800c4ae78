"""Every example runs as its own docstring says, and leaves a sound."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

EXAMPLES = Path(__file__).parents[2] / "examples"
ARGUMENTS = {
    "transfer": ["in.wav", "{nrk}", "out.wav"],
    "attribute_transfer": ["in.wav", "in.wav", "{nrk}", "out.wav"],
    "analyse": ["in.wav", "{nrk}"],
    "synthesise": ["{nrk}", "out.wav"],
    "streaming": ["in.wav", "{nrk}", "out.wav"],
    "play_offline": ["{nrk}", "out.wav"],
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_example(name, tiny_nrk, tmp_path):
    sf.write(tmp_path / "in.wav", 0.2 * np.sign(np.sin(np.arange(22_050) / 40)), 44_100)
    words = [w.format(nrk=tiny_nrk) for w in ARGUMENTS[name]]
    done = subprocess.run(
        [sys.executable, EXAMPLES / f"{name}.py", *words], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    if "out.wav" in words:
        sound, rate = sf.read(tmp_path / "out.wav")
        assert rate == 44_100 and np.abs(sound).max() > 0.005
    else:
        assert "brightness" in done.stdout
