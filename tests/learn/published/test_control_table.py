"""The table: what was finished is kept, other options refused, figures in their rows; the metric's sense."""

import argparse
import importlib
import json
import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


@pytest.fixture
def benchmark(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module


def control(level: float) -> dict:
    by = {n: {"rank": level, "plain": level} for n in ("loudness", "brightness", "boominess", "noisiness")}
    return {
        mode: {**by, "mean": level, "worst": level - 0.1} for mode in ("one", "one_feasible", "all", "raw")
    }


def scores(level: float) -> dict:
    """What `neurorack measure --json` prints, as far as the table reads it."""
    return {
        "excerpts": 8, "split": "test", "machine": {"cores": 2, "system": "Linux", "architecture": "x86_64"},
        "control": control(level), "loudness": {"median_db": 0.1}, "leakage": {"mean": 0.5},
        "reconstruction": {"mstft": 2 - level, "mel": 5.0},
        "null": {name: {**control(0.25), "loudness": {"median_db": 5.0}} for name in ("copy", "gain")},
    }  # fmt: skip


def metric(level: float) -> dict:
    kinds = ("constant", "ramp", "sine", "swap")
    row = {
        "mean": level, "attributes": {str(c): level for c in (1, 2, 3, 4)}, "kind": {k: level for k in kinds},
    }  # fmt: skip
    return {"model": row, "copy": row, "gain": row}


@pytest.fixture
def table(benchmark, monkeypatch: pytest.MonkeyPatch):
    """The benchmark with its commands replaced; `table.calls` counts them."""
    module = benchmark("control_table")
    module.calls = []

    def neurorack(*arguments: object) -> str:
        module.calls.append([str(a) for a in arguments])
        if arguments[0] == "train":
            run = Path(arguments[arguments.index("-o") + 1])
            run.mkdir(parents=True, exist_ok=True)
            (run / "run.json").write_text("{}")
        if arguments[0] == "export":
            Path(arguments[arguments.index("-o") + 1]).write_text("")
        if arguments[0] == "measure":
            return json.dumps(scores(0.8 if "ours" in str(arguments[1]) else 0.4))
        training = {
            "steps": 400, "minutes": 3.0, "batch": 4, "crop_frames": 256, "corpus_minutes": 66, "torch": "2",
        }  # fmt: skip
        return json.dumps({"training": training})

    monkeypatch.setattr(module, "neurorack", neurorack)
    monkeypatch.setattr(module, "published_metric", lambda *_: metric(0.7))
    monkeypatch.setattr(module, "parameters", lambda _: {"encoder": 200_000, "decoder": 236_000})
    return module


def options(tmp_path: Path, **changes: object) -> argparse.Namespace:
    usual = dict(output=tmp_path / "out", steps=400, minutes=30.0, limit=8, train=[], seeds=[0, 1])
    return argparse.Namespace(**{**usual, **changes})


def test_what_was_finished_is_kept_and_other_options_are_refused(table, tmp_path: Path) -> None:
    arm = (tmp_path / "corpus", "f-rave@published", 0)
    first = table.cell(*arm, options(tmp_path))
    train = table.calls[0]
    assert train[:2] == ["train", str(tmp_path / "corpus")] and "decoder=published" in train
    assert [c[0] for c in table.calls] == ["train", "export", "measure", "info"]
    table.calls.clear()
    assert table.cell(*arm, options(tmp_path)) == first and not table.calls
    with pytest.raises(SystemExit, match="another -o"):
        table.cell(*arm, options(tmp_path, steps=500))
    (tmp_path / "out/corpus/f-rave.published/seed0/scores.json").unlink()
    (tmp_path / "out/corpus/f-rave.published/seed0/f-rave-published.nrk").unlink()
    table.cell(*arm, options(tmp_path))
    assert "--resume" in table.calls[0]


def test_figures_land_in_their_rows_beside_the_null_rows(table, tmp_path: Path, monkeypatch) -> None:
    command = ["control_table.py", "corpus", "-o", "out", "--steps", "400", "--seeds", "0,1"]
    monkeypatch.setattr(sys, "argv", [*command, "--arms", "rave@published,counterfactual@ours"])
    monkeypatch.chdir(tmp_path)
    table.main()
    text = (tmp_path / "out" / "control.md").read_text("utf-8")
    rows = {line.split(" | ")[0][2:]: line.split(" | ")[1:] for line in text.splitlines() if line[:2] == "| "}
    assert "seed 0, 1" in text and "400 steps" in text and "2 cores" in text
    ours, theirs = (
        next(line for line in text.splitlines() if line.startswith(f"| {arm} | "))
        for arm in ("counterfactual@ours", "rave@published")
    )
    assert "| 0.80 ± 0.00 | 0.70 ± 0.00 |" in ours and "| 0.75 ± 0.00 | 436 k |" in ours
    assert "| 0.40 ± 0.00 | 0.30 ± 0.00 |" in theirs and "| 1.00 ± 0.00 | 436 k |" in theirs
    assert {"*source copied*", "*source, bare gain*"} <= set(rows)
    assert (tmp_path / "out" / "control.png").stat().st_size > 5000
    assert len(json.loads((tmp_path / "out" / "control.json").read_text())["corpus"]["rave@published"]) == 2


def test_the_published_metric_is_pooled_over_the_batch(benchmark) -> None:
    module = benchmark("published_metric")
    rng = np.random.default_rng(0)
    flat = [(np.full(50, level), level + rng.standard_normal(50) * 1e-3) for level in (-30.0, -20.0, -10.0)]
    assert module.pooled(flat) > 0.99  # nothing moves within any sound, and it scores: that is its weakness
    assert module.pooled([(a, -h) for a, h in flat]) < 0.01
    assert module.pooled([(np.zeros(50), rng.standard_normal(50))]) == 0.5
    noise = [(rng.standard_normal(4000), rng.standard_normal(4000))]
    assert module.pooled(noise) == pytest.approx(0.5, abs=0.03)
    for kind in ("constant", "ramp", "sine"):
        values = module.curve(kind, 200, rng)
        assert values.shape == (200,) and np.abs(values).max() <= module.REACH
