"""`neurorack transfer` and `neurorack bench` as a user meets them: files in, files out, one sentence when
it fails.
"""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner

from neurorack.cli.main import cli
from neurorack.core.errors import NeurorackError

RATE = 44_100


def _tone(seconds: float, rate: int = RATE) -> np.ndarray:
    t = np.arange(int(seconds * rate)) / rate
    return 0.2 * np.sign(np.sin(2 * np.pi * 220 * t))


@pytest.fixture
def folder(tmp_path, tiny_nrk, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEURORACK_HOME", str(tmp_path / "home"))
    os.makedirs("home/instruments")
    (tmp_path / "home/instruments/tiny.nrk").write_bytes(tiny_nrk.read_bytes())
    sf.write("in.wav", _tone(0.6), RATE)
    return tmp_path


def _run(*words: str):
    return CliRunner().invoke(cli, ["transfer", *words], standalone_mode=True)


def test_a_file_becomes_a_file(folder):
    sf.write("other.flac", _tone(0.3, 48_000), 48_000)
    (folder / "swell.csv").write_text("time_s,dB\n0,-50\n0.6,-10\n")
    done = _run(
        *(
            "in.wav",
            "-i",
            "tiny",
            "-o",
            "out.wav",
            "--set",
            "brightness=0.8",
            "--offset",
            "pitch=+7st",
            "--json",
        ),
        *("--from", "other.flac:noisiness,boominess", "--curve", "loudness=swell.csv", "--insist", "0.5"),
    )
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    sound, rate = sf.read("out.wav")
    assert rate == RATE and len(sound) == report["samples"] == len(_tone(0.6))
    quiet, loud = (np.sqrt(np.mean(np.square(p))) for p in (sound[2000:6000], sound[-6000:-2000]))
    assert loud > 5 * quiet


def test_eight_channels_at_96_khz_are_mixed_and_resampled(folder):
    sf.write("many.wav", np.stack([_tone(0.4, 96_000)] * 8, axis=1), 96_000)
    assert _run("many.wav", "-i", "tiny", "-o", "out.flac").exit_code == 0
    sound, rate = sf.read("out.flac")
    assert rate == RATE and sound.ndim == 1 and len(sound) == pytest.approx(0.4 * RATE, abs=2)


def _nan(path):
    sound = _tone(0.3)
    sound[5000] = np.nan
    sf.write(path, sound, RATE, subtype="FLOAT")


def _text(path):
    with open(path, "w") as file:
        file.write("this is a text, not a sound\n" * 40)


def _truncated(path):
    sf.write("whole.flac", np.random.default_rng(0).uniform(-0.3, 0.3, RATE), RATE)
    with open("whole.flac", "rb") as whole, open(path, "wb") as cut:
        cut.write(whole.read()[:30])


BAD_SOUNDS = {
    "empty": lambda p: open(p, "w").close(),
    "text": _text,
    "nan": _nan,
    "one sample": lambda p: sf.write(p, np.zeros(1), RATE),
    "no samples": lambda p: sf.write(p, np.zeros(0), RATE),
    "folder": os.mkdir,
    "missing": lambda p: None,
    "header only": _truncated,
}


@pytest.mark.parametrize("make", BAD_SOUNDS.values(), ids=BAD_SOUNDS.keys())
def test_bad_sounds_leave_nothing_behind(folder, make):
    make("bad.wav")
    before = sorted(os.listdir("."))
    done = _run("bad.wav", "-i", "tiny", "-o", "out.wav")
    assert isinstance(done.exception, NeurorackError), done.output
    assert "bad.wav" in str(done.exception) and "\n" not in str(done.exception)
    assert sorted(os.listdir(".")) == before


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["-i", "flute", "-o", "out.wav"], "tiny"),
        (["-i", "tiny", "-o", "out.doc"], ".wav"),
        (["-i", "tiny", "-o", "in.wav/out.wav"], "written"),
        (["-i", "tiny", "-o", "."], "ending"),
        (["-i", "tiny", "-o", "out.wav", "--set", "sweetness=0.5"], "sweetness"),
        (["-i", "tiny", "-o", "out.wav", "--set", "brightness=7"], "travel"),
        (["-i", "tiny", "-o", "out.wav", "--set", "brightness"], "NAME=VALUE"),
        (["-i", "tiny", "-o", "out.wav", "--set", "brightness=0.1", "--set", "brightness=0.2"], "twice"),
        (["-i", "tiny", "-o", "out.wav", "--curve", "loudness=none.csv"], "none.csv"),
        (["-i", "tiny", "-o", "out.wav", "--from", "in.wav"], "OTHER.wav:NAME"),
        (["-i", "tiny", "-o", "out.wav", "--from", "none.wav:loudness"], "none.wav"),
    ],
)
def test_bad_requests_say_what_to_do(folder, words, told):
    done = _run("in.wav", *words)
    assert isinstance(done.exception, NeurorackError), done.output
    assert told in str(done.exception)
    assert not os.path.exists("out.wav")


def test_exit_code_and_stderr_of_the_real_program(folder):
    done = subprocess.run(
        [sys.executable, "-m", "neurorack.cli.main", "transfer", "none.wav", "-i", "tiny", "-o", "o.wav"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.strip() == "Error: none.wav: there is no such file."


def test_the_output_may_be_the_input(folder):
    assert _run("in.wav", "-i", "tiny", "-o", "in.wav").exit_code == 0
    sound, _ = sf.read("in.wav")
    assert len(sound) == len(_tone(0.6)) and not np.allclose(sound, _tone(0.6), atol=0.05)


def test_bench_gives_every_figure(folder):
    few = ["--seconds", "0.5", "--block", "128", "--block", "256"]
    done = CliRunner().invoke(cli, ["bench", "tiny", *few, "--json"])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert report["latency_samples"] == 256 and report["params"] > 0
    for group in ("gmac_per_s", "nodes"):
        assert set(report[group]) == {"encoder", "descriptors", "decoder", "total"}
    assert set(report["rtf"]) == set(report["engine_rtf"]) == {"128", "256"}
    for block in ("128", "256"):
        for part in ("encoder", "descriptors", "decoder", "both"):
            figures = report["rtf"][block][part]
            assert 0 < figures["median"] <= figures["p99"] <= figures["p999"]
        assert {"hold", "live", "4 voices, stereo"} <= set(report["engine_rtf"][block])
        for figures in report["engine_rtf"][block].values():
            assert 0 < figures["median"] <= figures["p99"] <= figures["p999"]
    assert {"cpu", "cores", "python", "onnxruntime"} <= set(report["machine"])


def test_bench_times_what_is_asked_for_alone(folder):
    few = ["--seconds", "0.5", "--way", "hold", "--block", "128", "--json"]
    done = CliRunner().invoke(cli, ["bench", "tiny", *few])
    assert done.exit_code == 0, done.output
    report = json.loads(done.stdout)
    assert list(report["rtf"]) == ["128"] and list(report["engine_rtf"]["128"]) == ["hold"]
    for strange in ("prior", "sideways"):  # the hand-made instrument does not play by itself
        done = CliRunner().invoke(cli, ["bench", "tiny", "--way", strange])
        assert isinstance(done.exception, NeurorackError) and "hold" in str(done.exception)
