"""The peer benchmark's own instruments: lags, latencies and bars, on streams whose answers are known."""

import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[1] / "benchmarks" / "peers"
RATE = 44100


@pytest.fixture(autouse=True)
def beside(monkeypatch):
    """The benchmark's files import each other as the scripts they are."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(FOLDER))
    yield
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(FOLDER)):
            del sys.modules[name]


def delayed(samples: int):
    """A stream that gives every sample back so many later, and a little hiss that is the same each time."""
    held = np.zeros(samples, np.float32)
    hiss = np.random.default_rng(3)

    def process(block):
        nonlocal held
        both = np.concatenate([held, block])
        answer, held = both[: len(block)], both[len(block) :]
        return answer + hiss.uniform(-1e-2, 1e-2, len(block)).astype(np.float32)

    return process


@pytest.mark.parametrize("late", [0, 100, 3000])
def test_the_latency_of_a_delay_is_its_length(late):
    import stream

    found = stream.latency(lambda: delayed(late), 512, RATE)
    assert found["first"] == pytest.approx(late, abs=8)
    assert found["middle"] == pytest.approx(late, abs=16)


def test_a_stream_that_ignores_its_input_has_no_latency():
    import stream

    with pytest.raises(ValueError):
        stream.latency(lambda: lambda block: np.zeros_like(block), 512, RATE)


def test_a_block_that_is_not_answered_in_full_cannot_be_run():
    import stream

    def in_twos(block):
        return np.zeros(len(block) // 1024 * 1024, np.float32)

    assert stream.why_not_at(in_twos, 2048) is None
    assert stream.why_not_at(in_twos, 512) is not None


@pytest.mark.parametrize("late", [0, 640, 4096])
def test_answers_are_found_in_time_whatever_their_phase(late):
    import scores

    rng = np.random.default_rng(0)
    steps = [np.repeat(rng.uniform(0.0, 1.0, 40), 1000) for _ in range(3)]
    excerpts = [(s * rng.standard_normal(len(s))).astype(np.float32) for s in steps]
    given = scores.with_tails(excerpts, RATE)
    answers = {
        key: np.pad(steps[i] * rng.standard_normal(len(steps[i])), (late, len(audio) - len(steps[i]) - late))
        for i, (key, audio) in enumerate(given.items())
    }
    assert abs(scores.lag_samples(given, answers, RATE) - late) <= 2 * scores.LEVEL_HOP


def result(rtf: float, gmac: float, block: int, late: float, mstft: float | None = None) -> dict:
    at = {"median": rtf, "p99": rtf, "cpu": rtf, "calls": 50}
    return {
        "speed": {
            "sample_rate": RATE, "smallest_block": block, "rtf": {"transfer": {"2048": at}, "decoder": {}},
            "gmac_per_s": {"encoder": gmac, "decoder": gmac, "transfer": 2 * gmac},
            "latency": {"first": late, "middle": late + 1e4},
        },
        **({"reconstruction": {"mstft": mstft}} if mstft else {}),
    }  # fmt: skip


def test_bars_are_met_at_their_bound_and_not_beyond():
    import table

    peer = result(1.0, 1.0, 2048, 2048, 2.0)
    said = table.bars({"ours": result(0.1, 0.2, 128, 896, 1.9), "rave-v2": peer})
    assert all(line.endswith(": met") for line in said)
    said = table.bars({"ours": result(0.11, 0.21, 128, 900, 2.1), "rave-v2": peer})
    assert all(line.endswith("**not met**") for line in said)


def test_elapsed_times_of_a_busy_machine_meet_no_bar():
    import table

    ours, peer = result(0.01, 0.1, 128, 100, 1.0), result(1.0, 1.0, 2048, 2048, 2.0)
    peer["speed"]["load_average"] = 9.0
    said = table.bars({"ours": ours, "rave-v2": peer})
    assert [line for line in said if "not known" in line] == [line for line in said if "elapsed" in line]


def test_what_was_not_run_is_said_not_to_have_run():
    import table

    said = table.bars({"ours": result(0.1, 0.2, 128, 896)})
    assert said and all("not known, not run" in line for line in said)
    assert table.heard_late(result(0.1, 0.2, 128, 896), "lag") is None
    text = table.table({"ours": result(0.1, 0.2, 128, 896)}, ["head"])
    assert "| multi-scale STFT | not run |" in text
    assert "0.100 / 0.100 / 0.100" in text
