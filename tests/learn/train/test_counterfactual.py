"""Requests in training: gestures stay in range, what has no sound counts less, what is far out finds back."""

from pathlib import Path

import pytest
import torch

from neurorack.core.normaliser import Normaliser
from neurorack.core.timebase import HOP
from neurorack.learn.descriptors import build
from neurorack.learn.model.autoencoder import Autoencoder
from neurorack.learn.model.config import ModelConfig
from neurorack.learn.train.batches import Batch
from neurorack.learn.train.counterfactual import (
    LEAST_WEIGHT,
    REACH,
    Measuring,
    Support,
    make_requests,
    steps,
    walk,
)
from neurorack.learn.train.objective import Objective, Weights, correlation, objective_for
from neurorack.learn.train.run import RunConfig


def random(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def of_brightness(weights: Weights, model: Autoencoder | None = None) -> Objective:
    """An objective of brightness alone, around a model as small as they come."""
    config = ModelConfig(("brightness",), encoder_widths=(4, 4, 4, 4), control_width=4, stack_width=4)
    bank = build(["brightness"], config.sample_rate, [])
    knots = {"brightness": Normaliser(tuple(torch.linspace(100.0, 9000.0, 65).tolist()))}
    return Objective(model or Autoencoder(config), bank, {"brightness": 8}, knots, "counterfactual", weights)


@pytest.mark.parametrize("gesture", [steps, walk])
def test_gestures_use_the_knob_and_stay_on_it(gesture) -> None:
    like = torch.zeros(32, 5, 256)
    curves = gesture(like, random())
    assert curves.shape == like.shape
    assert float(curves.abs().max()) <= REACH
    assert float(curves.std()) > 0.35
    assert torch.equal(curves, gesture(like, random()))


def test_steps_are_held_and_no_faster_than_a_window_shows() -> None:
    change = steps(torch.zeros(16, 3, 256), random()).diff(dim=-1).abs()
    assert float((change < 1e-6).float().mean()) > 0.5
    assert float(change.max()) <= 2 * REACH / 16 + 1e-6


def test_all_controls_but_the_pitch_often_come_from_one_donor() -> None:
    controls, donors = torch.zeros(400, 5, 8), torch.ones(400, 5, 8)
    requests, mask = make_requests(controls, donors, random(), pitch=4)
    at_own_notes = (mask[:, :4, 0].all(1) & ~mask[:, 4, 0]) & (requests[:, :4] == 1).all(2).all(1)
    assert 0.2 < float(at_own_notes.float().mean()) < 0.45


def test_without_gestures_only_other_sounds_ask() -> None:
    controls, donors = torch.zeros(200, 5, 64), torch.ones(200, 5, 64)
    requests, mask = make_requests(controls, donors, random(), gestures=False)
    assert torch.equal(requests, mask.expand_as(requests).float())
    assert not torch.equal(make_requests(controls, donors, random())[0], requests)


def test_support_can_be_switched_off() -> None:
    frames = 96
    level, noise = torch.full((2, 1, frames), -20.0), torch.randn(2, frames * HOP, generator=random(1))
    z, controls = torch.randn(2, 8, frames, generator=random(2)), torch.zeros(2, 1, frames)
    model = of_brightness(Weights()).model

    def loss(where: Support | None, **switch: bool) -> float:
        objective = of_brightness(Weights(**switch), model)
        objective.support = where
        return float(objective._control_loss(z, controls, level, None, noise, random()).detach())

    far = Support(torch.full((4, 1), 50.0), 0.1)
    assert loss(far, support=False) == loss(None) != loss(far)


def test_requests_can_come_later_and_rise() -> None:
    weights = Weights(counterfactual_warm=0.5, ramp=0.2)
    objective = of_brightness(weights)
    audio = 0.1 * torch.randn(2, 96 * HOP, generator=random(1))
    batch = Batch(audio, torch.zeros(2, 1, 96 + 8), None)
    early, half, late = (objective(batch, 1, progress, random(2)) for progress in (0.5, 0.6, 0.7))
    assert "control" not in early
    assert half["control"] == late["control"]  # the same requests, and only their weight has risen
    rise = float((late["total"] - half["total"]).detach())
    assert rise == pytest.approx(0.5 * weights.counterfactual * float(late["control"].detach()), rel=1e-3)


def test_only_fresh_weights_wait_for_requests(small_corpus: Path, tmp_path: Path) -> None:
    def weights(origin: str, **given: float) -> Weights:
        config = RunConfig(
            corpus=str(small_corpus), model=ModelConfig(("brightness",), encoder_widths=(4, 4, 4, 4)),
            size="rack", arm="counterfactual", descriptors=["brightness"], descriptor_files=[],
            normalisers={"brightness": [100.0, 9000.0]}, origin=origin, weights=dict(given),
        )  # fmt: skip
        return objective_for(config, config.build()).weights

    assert weights("").counterfactual_warm == 0.25
    assert weights(str(tmp_path)).counterfactual_warm == 0.0
    assert weights(str(tmp_path), counterfactual_warm=0.1).counterfactual_warm == 0.1


def test_support_counts_what_the_corpus_has_and_hardly_what_it_has_not() -> None:
    line = torch.linspace(-1, 1, 4000).repeat(2, 1).T + 0.01 * torch.randn(4000, 2, generator=random())
    support = Support.fit(line, None, random())
    off = torch.tensor([[[0.9], [-0.9]]])
    assert float(support.weight(line[:500].T[None]).mean()) > 0.75
    assert float(support.weight(off)) == pytest.approx(LEAST_WEIGHT)
    assert support.points.shape == (2048, 2)


def test_what_sounds_far_outside_the_corpus_still_feels_the_way_back() -> None:
    measuring = Measuring([Normaliser(tuple(torch.linspace(0.0, 0.1, 11).tolist()))])
    physical = torch.tensor([[[-2.0, 0.05, 0.4, 3.0]]], requires_grad=True)
    control = measuring(physical)
    control.sum().backward()
    assert float(control[0, 0, 1].detach()) == pytest.approx(0.0, abs=1e-5)
    assert bool((physical.grad > 0).all())
    assert float(control.detach().abs().max()) < 3.0


def test_a_model_from_before_there_was_a_response_has_none() -> None:
    config = ModelConfig(("brightness",))
    assert ModelConfig.from_dict(config.to_dict()) == config
    old = {k: v for k, v in config.to_dict().items() if k != "response_frames"}
    assert ModelConfig.from_dict(old).response_frames == 0


def test_a_curve_is_followed_or_not_whatever_its_range_and_place() -> None:
    time, weight = torch.linspace(0, 12, 200).expand(4, -1), torch.ones(4, 200)
    asked = torch.sin(time)
    answers = torch.stack([0.3 + 0.5 * asked[0], -asked[1], 0 * asked[2], asked[3]])
    weight[3, 100:] = 0.0
    answers[3, 100:] = 9.0  # what does not count
    straight, backwards, still, counted = correlation(asked, answers, weight)
    assert straight > 0.98 and backwards < -0.98 and abs(still) < 0.01 and counted > 0.98
