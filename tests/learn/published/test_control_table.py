"""The table: arms mean what they say, what is done is kept, figures find their rows; the published metric."""

import argparse
import importlib
import json
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
            look = {"validation/stft": 1.2, "validation/code": 0.3, "validation/all/brightness": 0.6}
            rates = ({"samples_per_s": 9e4}, {"samples_per_s": 1.2e5}, {"step": 400, **look})
            (run / "metrics.jsonl").write_text("".join(json.dumps(rate) + "\n" for rate in rates))
        if arguments[0] == "export":
            Path(arguments[arguments.index("-o") + 1]).write_text("")
        if arguments[0] == "measure":
            seed = int(Path(arguments[1]).parent.name[-1])
            return json.dumps(scores((0.8 if "ours" in str(arguments[1]) else 0.4) + 0.1 * seed))
        training = {
            "steps": 400, "minutes": 3.0, "batch": 4, "crop_frames": 256, "corpus_minutes": 66, "torch": "2",
            "machine": "two cores",
        }  # fmt: skip
        return json.dumps({"training": training})

    monkeypatch.setattr(module, "neurorack", neurorack)
    monkeypatch.setattr(module, "published_metric", lambda *_: metric(0.7))
    monkeypatch.setattr(module, "parameters", lambda _: {"encoder": 200_000, "decoder": 236_000})
    return module


def options(table, tmp_path: Path, *more: str) -> argparse.Namespace:
    return table.parse(["corpus", "-o", str(tmp_path / "out"), *(more or ("--steps", "400"))])


def test_an_arm_says_what_is_changed_to_training_and_to_people(benchmark, tmp_path: Path) -> None:
    arms = benchmark("control_arms")
    arm, plain = arms.parse_arms(
        "counterfactual@ours+counterfactual_every=2+control_dilations=[1,2]+lr=0.001+adversarial=0,"
        "rave@published,rave@published"
    )
    assert arm.train_options() == [
        *(
            "--arm",
            "counterfactual",
            "--model",
            "decoder=source-filter",
            "--weight",
            "counterfactual_every=2",
        ),
        *("--model", "control_dilations=[1,2]", "--lr", "0.001", "--no-adversarial"),
    ]
    assert arm.label.startswith(
        "counterfactual@ours, counterfactual_every 2, control_dilations [1,2], lr 0.001"
    )
    assert plain.folder == "rave.published" != arm.folder and plain.label == "rave@published"
    (tmp_path / "run").mkdir()
    (tmp_path / "run/run.json").write_text("{}")
    tuned = arms.parse_arm(f"conditional@ours+from={tmp_path}/run")
    assert tuned.train_options()[-2:] == ["--from", str(tmp_path / "run")]
    assert "/" not in tuned.folder and "\\" not in tuned.folder


@pytest.mark.parametrize("text", ["wavenet@ours", "rave@theirs", "rave@ours+spreda=1", "fader@ours+kl"])
def test_an_arm_that_does_not_exist_is_refused_with_what_there_is(benchmark, text: str) -> None:
    with pytest.raises(ValueError, match=r"METHOD is one of|there is no 'spreda'.*spread|not name=value"):
        benchmark("control_arms").parse_arm(text)


def test_every_arm_of_every_set_can_be_trained_and_says_why_it_is_there(benchmark) -> None:
    arms = benchmark("control_arms")
    for wanted in arms.SETS.values():
        found = [arms.parse_arm(text) for text in wanted]
        assert all(arm.train_options() and arm.why for arm in found)
        assert len({arm.folder for arm in found}) == len(wanted)


def test_what_was_finished_is_kept_and_other_options_are_refused(table, benchmark, tmp_path: Path) -> None:
    arm = (tmp_path / "corpus", benchmark("control_arms").parse_arm("f-rave@published"), 0)
    first = table.cell(*arm, options(table, tmp_path))
    train = table.calls[0]
    assert train[:2] == ["train", str(tmp_path / "corpus")] and "decoder=published" in train
    assert [c[0] for c in table.calls] == ["train", "export", "measure", "info"]
    table.calls.clear()
    assert table.cell(*arm, options(table, tmp_path)) == first and not table.calls
    with pytest.raises(SystemExit, match="another -o"):
        table.cell(*arm, options(table, tmp_path, "--steps", "500"))
    table.cell(*arm, options(table, tmp_path, "--steps", "400", "--limit", "5"))
    assert [c[0] for c in table.calls] == ["measure", "info"]  # trained as before, scored anew
    (tmp_path / "out/corpus/f-rave.published/seed0/scores.json").unlink()
    (tmp_path / "out/corpus/f-rave.published/seed0/f-rave-published.nrk").unlink()
    table.calls.clear()
    seen = table.cell(*arm, options(table, tmp_path, "--steps", "400", "--tables"))
    assert seen["held_out"]["all/brightness"] == 0.6 and "control" not in seen and not table.calls
    table.cell(*arm, options(table, tmp_path))
    assert "--resume" in table.calls[0]


def test_figures_land_in_their_rows_beside_the_null_rows(table, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    budget = ["corpus", "-o", "out", "--steps", "400", "--seeds", "0,1"]
    table.main([*budget, "--arms", "rave@published,counterfactual@ours+spread=0"])
    table.main([*budget, "--arms", "rave@published,counterfactual@ours+spread=0,fader@ours", "--tables"])
    text = (tmp_path / "out" / "control.md").read_text("utf-8")
    assert "control_table.py corpus -o out" in text and "--tables`: 400 steps each, seed 0, 1" in text
    assert "two cores, Linux" in text and "in brackets the least and the most" in text
    assert "Not scored: fader@ours." in text
    ours, theirs = (
        next(line for line in text.splitlines() if line.startswith(f"| {arm} | "))
        for arm in ("counterfactual@ours, spread 0", "rave@published")
    )
    # 0.8 and 0.9 against 0.4 and 0.5; mSTFT 1.2 and 1.1 against 1.6 and 1.5, whose mean is 1.55.
    assert (
        "| 0.85 (0.80 to 0.90) | 0.75 (0.70 to 0.80) |" in ours and "| -26 % (-29 to -23) | 436 k |" in ours
    )
    assert "| 0.45 (0.40 to 0.50) |" in theirs and "| +0 % (-3 to +3) | 436 k |" in theirs
    assert "| 400 | 3.0 | 120 k |" in ours
    assert "| *source copied* | 0.25 | 0.15 |" in text and "| *source, bare gain* | 0.25 |" in text
    assert "| rave@published | 400 | 1.20 | 0.60 | 0.30 |" in text
    assert "* counterfactual@ours, spread 0: nothing keeps the code's scale." in text
    assert (tmp_path / "out" / "control.png").stat().st_size > 5000
    found = json.loads((tmp_path / "out" / "control.json").read_text())["corpus"]["rave@published"]
    assert [(s["seed"], s["control"]["one"]["mean"]) for s in found] == [(0, 0.4), (1, 0.5)]


def test_a_transfer_stands_beside_where_it_was_asked_for(benchmark) -> None:
    report = benchmark("control_report")
    figures = {
        "instrument": {"loudness": 0.9, "pitch": None, "way": 0.8}, "source as it is": {"loudness": 1.0},
    }  # fmt: skip
    text = report.transfer_table({"fader@ours": [{"transfer": figures}], "conditional@ours": [{}]})
    assert "| fader@ours | 0.90 | – | – | – | 0.80 |" in text and "| *source as it is* | 1.00 |" in text
    assert "conditional" not in text and report.transfer_table({"conditional@ours": [{}]}) == ""


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
