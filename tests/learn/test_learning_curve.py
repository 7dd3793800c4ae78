"""The learning curve's reading of a run, on metrics whose truth is known."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def beside(monkeypatch):
    """The benchmark's files import each other as the scripts they are."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in ("learning_curve", "learning_runs", "control_table", "control_arms", "control_report"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def real_run(small_corpus, tmp_path_factory, neurorack, smallest) -> Path:
    run = tmp_path_factory.mktemp("run") / "tiny"
    neurorack("train", small_corpus, "-o", run, "--steps", 20, *smallest)
    return run


def falling(real_run: Path, folder: Path, old: bool = False) -> Path:
    """The real run's configuration, and a log of ten minutes with a distance from 2 to 1: playable (1.2)
    from minute 4 on. `old`: as runs were logged before forecasts were kept.
    """
    folder.mkdir()
    config = json.loads((real_run / "run.json").read_text("utf-8")) | {"minutes": 10.0, "steps": None}
    (folder / "run.json").write_text(json.dumps(config), "utf-8")
    rows = []
    for minute in range(1, 11):
        distance = max(1.0, 2.0 - 0.2 * minute)
        step = 300 * minute
        rows.append({"step": step, "stft": 1.0, "samples_per_s": 88200.0, "elapsed_s": 60.0 * minute})
        look = {"step": step, "validation/stft": distance, "validation/all/mean": 0.5}
        if not old:
            found = {"earliest": 0.38, "latest": 0.5, "final_low": 0.9, "final_high": 1.1}
            if minute == 7:
                found["latest"] = 0.39
            if minute == 8:
                found["earliest"] = 0.6
            look |= {"progress": minute / 10, "elapsed_s": 60.0 * minute, "stage": "spectral", "said": "so"}
            look |= {f"forecast/{key}": value for key, value in found.items()}
        rows.append(look)
    lines = [json.dumps(row) for row in rows] + ['{"step": 3000, "validation/st']  # a line cut short
    (folder / "metrics.jsonl").write_text("\n".join(lines), "utf-8")
    return folder


def test_the_moment_it_became_playable_lies_between_evaluations(real_run, tmp_path):
    from learning_runs import read

    run = read(falling(real_run, tmp_path / "log"))
    assert run.playable == pytest.approx(0.4)
    assert run.minutes_at(run.playable) == pytest.approx(4.0)
    assert [run.right(look) for look in run.looks] == [True] * 7 + [False] + [True] * 2
    assert not any(look.replayed for look in run.looks)


def test_an_old_log_gets_the_forecasts_of_today_from_what_was_known(real_run, tmp_path):
    from learning_runs import read

    from neurorack.learn.train.forecast import forecast

    run = read(falling(real_run, tmp_path / "log", old=True))
    assert [look.minutes for look in run.looks] == pytest.approx(np.arange(1, 11))
    assert [look.share for look in run.looks] == pytest.approx(np.arange(1, 11) / 10)
    assert all(look.found is None for look in run.looks[:3])
    known = [max(1.0, 2.0 - 0.2 * minute) for minute in range(1, 7)]
    assert run.looks[5].found == forecast([look.share for look in run.looks[:6]], known)


def test_a_run_that_goes_on_is_not_judged(real_run, tmp_path):
    from learning_curve import markdown
    from learning_runs import read

    folder = falling(real_run, tmp_path / "log")
    lines = (folder / "metrics.jsonl").read_text("utf-8").splitlines()
    (folder / "metrics.jsonl").write_text("\n".join(lines[:12]), "utf-8")
    run = read(folder)
    assert run.playable is None and run.right(run.looks[-1]) is None
    assert "log (goes on)" in markdown([run], "here")


def test_a_real_run_makes_the_page_and_the_picture(real_run, tmp_path, monkeypatch):
    import learning_curve

    folder = tmp_path / "out"
    argv = ["learning_curve.py", str(real_run), str(falling(real_run, tmp_path / "log")), "-o", str(folder)]
    monkeypatch.setattr(sys, "argv", argv)
    learning_curve.main()
    found = json.loads((folder / "learning-curve.json").read_text("utf-8"))
    assert found[0]["steps"] == 20 and found[0]["looks"][-1]["stage"] == "warm-up"
    assert found[1]["forecasts"] == 10 and found[1]["forecasts_right"] == 9
    assert found[1]["playable_minutes"] == pytest.approx(4.0) and found[1]["times_real_time"] == 2.0
    assert "| log | scratch | 3000 | 10.0 |" in (folder / "learning-curve.md").read_text("utf-8")
    assert (folder / "learning-curve.png").stat().st_size > 10_000
