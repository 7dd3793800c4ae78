"""`neurorack generate` as a user meets it: performances by seed, held controls, a sentence when it fails."""

import json

import numpy as np
import pytest
import soundfile as sf
from click.testing import CliRunner
from tiny_prior import with_priors

from neurorack.cli.main import cli
from neurorack.core.errors import NeurorackError
from neurorack.play.engine.instrument import load_instrument
from neurorack.play.session.generate import Generation
from neurorack.play.session.variety import STEP


@pytest.fixture
def folder(tmp_path, tiny_nrk, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEURORACK_HOME", str(tmp_path / "home"))
    (tmp_path / "home/instruments").mkdir(parents=True)
    (tmp_path / "home/instruments/mute.nrk").write_bytes(tiny_nrk.read_bytes())
    with_priors(tiny_nrk, tmp_path / "home/instruments/tiny.nrk")
    return tmp_path


def _run(*words: str):
    return CliRunner().invoke(cli, ["generate", *words], standalone_mode=True)


def test_the_same_seed_gives_the_same_file(folder):
    words = ("-i", "tiny", "--seconds", "6", "--hold", "brightness=0.3", "--hold", "loudness=-20dB")
    files = [(name, seed) for name, seed in (("one.wav", "7"), ("two.wav", "7"), ("other.wav", "8"))]
    reports = []
    for name, seed in files:
        done = _run(*words, "--seed", seed, "-o", name, "--json")
        assert done.exit_code == 0, done.output
        reports.append(json.loads(done.stdout))
    assert (folder / "one.wav").read_bytes() == (folder / "two.wav").read_bytes()
    assert (folder / "one.wav").read_bytes() != (folder / "other.wav").read_bytes()
    sound, rate = sf.read("one.wav")
    assert (len(sound), rate) == (6 * 44_100, 44_100)
    middle = sound[rate : 5 * rate]
    assert 10 * np.log10(np.mean(np.square(middle))) == pytest.approx(-20.0, abs=1.5)
    assert np.abs(sound[-1000:]).max() < 2e-3, "it ends in silence"
    report = reports[0]
    assert report["seed"] == 7 and report["held"]["brightness"] == {"value": 0.3, "kind": "travel"}
    assert report["variety"]["seconds"] == 5
    assert 1.0 < report["variety"]["vendi"] <= 5.0
    assert {k: v for k, v in report.items() if k not in ("rendered_in_s", "output")} == {
        k: v for k, v in reports[1].items() if k not in ("rendered_in_s", "output")
    }
    told = _run(*words, "-o", "three.flac")
    assert told.exit_code == 0 and "times as fast" in told.output and "Different seconds" in told.output


def test_what_is_held_stays_and_the_rest_moves(folder):
    instrument = load_instrument(folder / "home/instruments/tiny.nrk")
    request, _ = instrument.request(set={"brightness": 0.3, "pitch": "A3"})
    played = Generation(instrument, 5.0, 1, request.sets, bpm=90.0)
    assert sum(len(block) for block in played.blocks()) == 5 * 44_100
    assert len(played.rows) == pytest.approx(4.6 * 44_100 / 128 / STEP, abs=20)
    controls = played.rows[50:, instrument.manifest.latent_size :]
    assert controls[:, 1] == pytest.approx(-0.4, abs=1e-3)
    pitch = instrument.map.to_physical(instrument.map.pitch, controls[:, -1])
    assert pitch == pytest.approx(220.0, rel=1e-3)
    assert (controls[:, [0, 2, 3]].std(axis=0) > 0.02).all()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-i", "mute", "-o", "a.wav"), "does not play by itself yet: neurorack prior"),
        (("-i", "tiny"), "Say where to write"),
        (("-i", "tiny", "-o", "a.txt"), "no sound format"),
        (("-i", "tiny", "-o", "home/instruments/tiny.nrk/a.wav"), "cannot be written"),
        (("-i", "tiny", "-o", "a.wav", "--hold", "brightness=3"), "outside a knob's travel"),
        (("-i", "tiny", "-o", "a.wav", "--hold", "shine=0.3"), "no descriptor 'shine'"),
        (("-i", "tiny", "-o", "a.wav", "--hold", "pitch=A3", "--hold", "pitch=A4"), "given twice"),
        (("-i", "tiny", "-o", "a.wav", "--surprise", "3"), "0.0<=x<=2.0"),
        (("-i", "tiny", "-o", "a.wav", "--seconds", "0"), "1.0<=x<=10800.0"),
    ],
)
def test_one_sentence_when_it_cannot(folder, words, sentence):
    done = _run(*words)
    said = str(done.exception) if isinstance(done.exception, NeurorackError) else done.output
    assert done.exit_code != 0 and sentence in said, said
    assert not list(folder.glob("a.*"))
