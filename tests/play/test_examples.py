"""Every example runs as its own docstring says, and leaves a sound."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from neurorack.core.nrk import read_nrk
from neurorack.play.session.patch import Patch
from neurorack.play.session.presets import Presets

EXAMPLES = Path(__file__).parents[2] / "examples"
ARGUMENTS = {
    "transfer": ["in.wav", "{nrk}", "out.wav"],
    "attribute_transfer": ["in.wav", "in.wav", "{nrk}", "out.wav"],
    "analyse": ["in.wav", "{nrk}"],
    "synthesise": ["{nrk}", "out.wav"],
    "streaming": ["in.wav", "{nrk}", "out.wav"],
    "play_offline": ["{nrk}", "out.wav"],
    "play_events": ["{nrk}", "out.wav"],
    "render_a_preset": ["{nrk}", "Mine", "out.wav"],
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_example(name, tiny_nrk, tmp_path, monkeypatch):
    monkeypatch.setenv("NEURORACK_HOME", str(tmp_path))
    Presets(read_nrk(tiny_nrk), tmp_path / "presets").save("Mine", Patch())
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


def test_events_example_starts_a_note_at_its_sample(tiny_nrk, tmp_path):
    done = subprocess.run(
        [sys.executable, EXAMPLES / "play_events.py", tiny_nrk, "out.wav"],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said = int(done.stdout.rstrip(".\n").rpartition(" ")[2])
    sound, _ = sf.read(tmp_path / "out.wav")
    first = int(np.argmax(np.abs(sound).max(axis=1) > 1e-6))
    assert said <= first < said + 8
