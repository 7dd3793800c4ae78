"""When a run is said to become playable, on curves whose end is known; and the stages it goes through."""

import json

import numpy as np
import pytest

from neurorack.learn.train.evaluate import Evaluation
from neurorack.learn.train.forecast import PLAYABLE_DISTANCE, WITHIN, forecast, in_words, words_before
from neurorack.learn.train.looks import Looks
from neurorack.learn.train.monitor import METRICS, Monitor
from neurorack.learn.train.schedule import ADVERSARIAL_FROM, Clock, stage_of

LOOKS = np.array([0.00625, 0.0125, 0.025, 0.05, *np.arange(0.15, 1.0, 0.1)])
"""Shares of the budget at which a run of half an hour is evaluated."""

CURVES = {
    "power": lambda x: 0.6 + 0.08 * (x + 0.01) ** -0.5,
    "exponential": lambda x: 0.7 + 1.5 * np.exp(-x / 0.1),
    "settling": lambda x: 0.65 + 0.8 * np.exp(-x / 0.05) + 0.06 * (1 + np.cos(np.pi * x)),
}


def playable_from(curve) -> float:
    grid = np.linspace(0, 1, 4001)
    return float(grid[np.argmax(curve(grid) <= min(WITHIN * curve(1.0), PLAYABLE_DISTANCE))])


@pytest.mark.parametrize("name", CURVES)
@pytest.mark.parametrize("seed", range(3))
def test_the_range_holds_the_truth_and_narrows(name, seed):
    curve, random = CURVES[name], np.random.default_rng(seed)
    heard = curve(LOOKS) * (1 + 0.004 * random.standard_normal(len(LOOKS)))
    true = playable_from(curve)
    widths = []
    for until in (0.1, 0.3, 0.9):
        seen = until > LOOKS
        found = forecast(LOOKS[seen], heard[seen])
        assert found is not None and found.earliest is not None and found.latest is not None
        assert found.earliest <= true + 0.05 and found.latest >= true - 0.05
        widths.append(found.final[1] - found.final[0])
        if until > 0.5:
            assert found.final[0] - 0.05 <= curve(1.0) <= found.final[1] + 0.05
    assert widths[-1] < 0.6 * widths[0]


def test_a_run_that_begins_with_a_near_instrument_is_playable_at_once():
    shares = LOOKS[:4]
    found = forecast(shares, [0.625, 0.62, 0.621, 0.623])
    assert found and found.latest is not None and found.latest <= shares[-1]
    assert in_words(found, lambda share: 600 * (share - shares[-1])) == "playable"


def test_what_will_not_be_near_enough_is_not_called_playable():
    x = LOOKS[:8]
    found = forecast(x, 1.9 + 0.5 * np.exp(-x / 0.1))
    assert found and found.earliest is None
    assert "needs more minutes" in in_words(found, lambda share: 0.0)


def test_nothing_is_forecast_from_three_looks():
    assert forecast(LOOKS[:3], [2.0, 1.5, 1.2]) is None


@pytest.mark.parametrize(
    ("distance", "known_in_s", "words"),
    [
        (None, 170.0, "forecast in about 3 min"),
        (1.9, 55.0, "not playable yet, forecast in about 1 min"),
        (0.7, 55.0, "perhaps playable already, forecast in about 1 min"),
        (1.9, None, "not playable yet, too short a training for a forecast"),
    ],
)
def test_before_there_is_a_forecast_it_is_said_when_there_will_be_one(distance, known_in_s, words):
    assert words_before(distance, known_in_s) == words


def test_the_first_looks_come_when_they_were_announced():
    looks, step_s, now, made, announced = Looks(160.0, 0.0), 0.5, 0.0, [], []
    for step in range(1, 1000):
        now = step * step_s
        if step == 200:
            looks.warmed_up(now)
        announced.append(now + looks.until_s(4, now, max(0, 200 - step) * step_s))
        if looks.due(now):
            looks.made(now)
            made.append(now)
        if len(made) == 4:
            break
    assert made == pytest.approx([110.5, 120.5, 140.5, 180.5])
    assert announced[:200] == pytest.approx([180.0] * 200)
    assert looks.until_s(1, now, 0.0) == pytest.approx(160.0)
    again = Looks(160.0, 300.0)  # a run taken up after its warm-up looks at even distances
    assert again.until_s(2, 310.0, 0.0) == pytest.approx(310.0)


def test_what_is_said_is_kept_beside_the_evaluation(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("neurorack.learn.train.schedule.time.monotonic", lambda: now[0])
    monitor, clock, nothing = (
        Monitor(tmp_path, 44100, quiet=True),
        Clock(10, None),
        np.random.default_rng(0).normal(size=2048),
    )
    clock.step = 200
    clock.pause()
    for distance in (1.9, 1.5, 1.1, 0.9, 0.85):
        now[0] += 60.0
        clock.tick()
        monitor.enter(clock.progress, stage_of(clock.progress, clock.step, None, False))
        numbers = Evaluation({"stft": distance}, nothing, nothing, nothing[None], nothing[None], ["a"])
        monitor.show(clock, numbers, 1.0, lambda more: 60.0 * more)
    monitor.close()
    rows = [json.loads(line) for line in (tmp_path / METRICS).read_text("utf-8").splitlines()]
    assert [row["elapsed_s"] for row in rows] == [60, 120, 180, 240, 300]
    assert {row["stage"] for row in rows} == {"spectral"}
    assert rows[0]["said"] == "not playable yet, forecast in about 3 min"
    assert rows[2]["said"] == "perhaps playable already, forecast in about 1 min"
    assert all("forecast/earliest" not in row for row in rows[:3])
    found = forecast([0.1, 0.2, 0.3, 0.4, 0.5], [1.9, 1.5, 1.1, 0.9, 0.85])
    assert found and found.earliest == rows[4]["forecast/earliest"]
    assert rows[4]["said"] == in_words(found, clock.until_s)


def test_what_judges_do_to_the_distance_is_left_out():
    shares = [0.1, 0.2, 0.3, 0.5, 0.7, 0.9]
    before = [1.1, 0.9, 0.85, 0.8]
    whole = forecast(shares[:4], before, ADVERSARIAL_FROM)
    assert whole == forecast(shares, [*before, 3.0, 0.1], ADVERSARIAL_FROM)


def test_words_for_what_is_to_come():
    found = forecast(LOOKS[:6], CURVES["power"](LOOKS[:6]))
    assert found and found.earliest and found.latest
    words = in_words(found, lambda share: 1800 * (share - LOOKS[5]))
    assert words.startswith("playable") and "min" in words


def test_every_stage_is_named_with_its_reason():
    critic = (0.05, 0.15)
    names = [
        stage_of(progress, step, critic, True).name
        for progress, step in ((0.0, 3), (0.01, 500), (0.1, 900), (0.4, 2000), (0.6, 3000), (0.99, 9000))
    ]
    assert names == [
        "warm-up", "spectral", "critic ramps in", "spectral and critic", "adversarial", "adversarial",
    ]  # fmt: skip
    assert "20%" in stage_of(0.1, 900, critic, True).why.replace(" ", "")
    assert stage_of(0.9, 9000, None, False).name == "spectral"
    asked = [stage_of(progress, 2000, critic, False, (0.25, 0.15)) for progress in (0.22, 0.3, 0.5)]
    assert [stage.name for stage in asked] == [
        "spectral and critic",
        "requests ramp in",
        "spectral and critic",
    ]
    assert "25%" in asked[0].why and "40%" in asked[1].why


def test_the_time_left_counts_that_steps_with_requests_cost_more(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("neurorack.learn.train.schedule.time.monotonic", lambda: now[0])
    clock = Clock(minutes=None, steps=400, requests_from=0.25)
    clock.pause()
    for step in range(400):
        if step in (40, 250):  # 60 plain ones and 300 dear ones, or 150 of those, are to come
            assert clock.remaining_s == pytest.approx(60 + 300 * 2 if step == 40 else 150 * 2)
        now[0] += 1.0 if step < 100 else 2.0
        clock.tick()
    assert clock.remaining_s == 0.0


def test_the_time_left_counts_what_evaluations_take(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("neurorack.learn.train.schedule.time.monotonic", lambda: now[0])
    clock = Clock(minutes=10, steps=None)
    clock.pause()
    for _ in range(60):
        now[0] += 1.0
        clock.tick()
        now[0] += 0.5  # an evaluation, say
        clock.pause()
    assert clock.elapsed_s == 60 and clock.progress == pytest.approx(0.1)
    assert clock.remaining_s == pytest.approx(1.5 * 540)
    assert clock.until_s(0.2) == pytest.approx(1.5 * 60) and clock.until_s(0.05) == 0
