"""`neurorack measure` from end to end on the hand-made instrument, and what it refuses."""

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from neurorack.cli.main import main
from neurorack.core.nrk import read_nrk

_spec = importlib.util.spec_from_file_location(
    "small_corpus", Path(__file__).parents[1] / "learn" / "measure" / "small_corpus.py"
)
small_corpus = importlib.util.module_from_spec(_spec)
sys.modules["small_corpus"] = small_corpus
_spec.loader.exec_module(small_corpus)


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as done:
        main(["measure", *map(str, arguments)])
    return done.value.code


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    return small_corpus.make_corpus(tmp_path_factory.mktemp("measure") / "corpus")


def test_scores_are_printed_stored_and_drawn(tiny_nrk, corpus, tmp_path, capsys):
    instrument = tmp_path / "mine.nrk"
    shutil.copy(tiny_nrk, instrument)
    assert run(instrument, corpus, "--limit", 3, "--json", "--write", "--pictures", tmp_path / "png") == 0
    scores = json.loads(capsys.readouterr().out)
    for mode in ("one", "all", "raw"):
        for row in (scores["control"][mode], scores["null"]["copy"][mode], scores["null"]["gain"][mode]):
            assert {"mean", "worst", "loudness", "brightness", "boominess", "noisiness"} <= set(row)
            assert {"rank", "error_iqr"} <= set(row["brightness"])
    assert scores["null"]["copy"]["one"]["mean"] == 0.0
    one, gain = scores["control"]["one"], scores["null"]["gain"]["one"]
    # The hand-made decoder obeys level by construction and has a real brightness control.
    assert one["loudness"]["rank"] > 0.8 and one["brightness"]["rank"] > 0.15
    assert abs(gain["brightness"]["rank"]) < 0.1
    assert scores["loudness"]["median_db"] < 3 and scores["reconstruction"]["mstft"] > 0
    assert scores["pitch"]["copy_median_cents"] < 30 and 0 <= scores["feasible"]["share"] <= 1
    assert set(scores["travel"]) == {"loudness", "brightness", "boominess", "noisiness"}
    assert scores["held"]["comb_344_db"] <= 0 and scores["excerpts"] == 3 and scores["corpus"] == "corpus"
    kept = read_nrk(instrument)
    assert kept.manifest.scores["control"] == scores["control"]
    assert np.array_equal(kept.array("z_anchors.npy"), read_nrk(tiny_nrk).array("z_anchors.npy"))
    drawn = {p.name for p in (tmp_path / "png").iterdir()}
    assert drawn == {f"{n}.png" for n in ("reconstruction", "sweep", "curves", "scatter", "held")}


def test_an_unpitched_instrument_is_scored_for_people_too(tiny_unpitched_nrk, corpus, capsys):
    assert run(tiny_unpitched_nrk, corpus, "--limit", 2) == 0
    shown = capsys.readouterr().out
    assert "bare gain" in shown and "brightness" in shown and "pitch" not in shown


def test_sweeps_and_probe_on_request(tiny_unpitched_nrk, corpus, tmp_path, capsys):
    assert run(tiny_unpitched_nrk, corpus, "--limit", 2, "--sweeps", tmp_path / "png", "--probe") == 0
    shown = capsys.readouterr().out
    assert "sweep of loudness" in shown and "wrong request" in shown
    assert (tmp_path / "png" / "sweep_brightness.png").exists()


def test_bad_input_is_one_sentence(tiny_nrk, corpus, tmp_path, capsys):
    other = small_corpus.make_corpus(tmp_path / "other", sample_rate=22_050, seconds=1.2)
    lonely = small_corpus.make_corpus(tmp_path / "lonely", tests=1)
    cases = [
        ((tiny_nrk, tmp_path), "is not a corpus"),
        ((tmp_path / "none.nrk", corpus), "no such file"),
        ((tiny_nrk, other), "--rate 44100"),
        ((tiny_nrk, corpus, "--split", "validation"), "no file in its validation split"),
        ((tiny_nrk, lonely), "scoring needs two"),
    ]
    for arguments, words in cases:
        assert run(*arguments) == 2
        error = capsys.readouterr().err
        assert words in error and error.startswith("Error: ") and "Traceback" not in error
