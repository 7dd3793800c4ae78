"""`neurorack prepare` from the shell: what it prints, and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import soundfile

from neurorack.learn.corpus.groups import MICROPHONE_TOKENS


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "neurorack.cli.main", "prepare", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)


def test_prepare_speaks_to_people_and_programs(tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    folder.mkdir()
    for index in range(10):
        sound = np.random.default_rng(index).normal(0, 0.1, 4000)
        soundfile.write(folder / f"hit{index}_[{index}].wav", sound, 44_100)
    (folder / "bad.wav").write_text("hello")
    common = (folder, "-o", tmp_path / "corpus", "--descriptors", "loudness,noisiness", "--workers", 1)

    people = run(*common, "--train-only", ".")
    assert people.returncode == 0, people.stderr
    assert "bad.wav: it is unreadable" in people.stdout and "neurorack train" in people.stdout
    assert "No recordings for test" in people.stdout
    assert "11/11" in people.stderr and "measuring" not in people.stdout

    programs = run(*common, "--json")
    facts = json.loads(programs.stdout)
    assert facts["outputs"] == ["loudness", "noisiness"] and facts["files"] == 10
    assert facts["splits"]["train"]["files"] == 8 and facts["skipped"][0]["path"] == "bad.wav"

    for sound in folder.glob("hit*"):
        sound.unlink()
    nothing = run(*common)
    assert nothing.returncode == 2 and "Traceback" not in nothing.stderr
    assert nothing.stderr.count("\n") <= 2 and "bad.wav" in nothing.stderr


def test_help_teaches_groups() -> None:
    text = run("--help").stdout
    assert all(f" {word} " in text.replace("\n", " ") for word in MICROPHONE_TOKENS)
    assert "a2_f_rr1_cnd.wav" in text and "--group" in text and "Examples" in text
