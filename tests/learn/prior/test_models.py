"""The priors' arithmetic: densities are densities, one step is the sequence, the graph is the model."""

import numpy as np
import onnxruntime as ort
import pytest
import torch
from scipy.special import logsumexp
from scipy.stats import multivariate_normal

from neurorack.learn.prior.graphs import controls_graph, latent_graph
from neurorack.learn.prior.heads import SMALL, MixtureHead, make_head
from neurorack.learn.prior.model import (
    UNREST,
    ControlsPrior,
    LatentPrior,
    PriorConfig,
    calmed,
    with_overtones,
)
from neurorack.learn.prior.rollout import from_nothing, play_controls

FAMILIES = ["mixture", "diagonal", "flow", "implicit"]
CONTROLS, LATENT, STEPS = 5, 4, 30


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(3)


def priors(family: str) -> tuple[ControlsPrior, LatentPrior]:
    config = PriorConfig(family, 24, 16)  # type: ignore[arg-type]
    scale = torch.tensor([0.5, 1.0, 2.0, 0.1])
    return ControlsPrior(torch.full((CONTROLS,), 0.003), config).eval(), LatentPrior(
        scale, CONTROLS, config
    ).eval()


@pytest.mark.parametrize("full", [True, False])
def test_the_density_of_what_is_free_is_the_marginal_of_the_mixture(full):
    head = MixtureHead(6, 16, torch.full((4,), 0.01), full, components=3)
    features, base, target = torch.randn(7, 6), torch.randn(7, 4), torch.randn(7, 4)
    logits, means, deviation, slopes = (p.detach().double().numpy() for p in head.parts(features))
    for free in ([0, 1, 2, 3], [0, 2, 3], [3]):
        mask = torch.zeros(7, 4)
        mask[:, free] = 1
        got = head.log_prob(features, base, target, mask).detach().numpy()
        for n in range(7):
            each = []
            for k in range(3):
                lower = np.eye(4)
                if full:
                    lower[np.tril_indices(4, -1)] = slopes[n, k]
                lower = (deviation[n, k][:, None] * lower)[np.ix_(free, free)]
                mean = (base[n].numpy() + means[n, k])[free]
                each.append(multivariate_normal(mean, lower @ lower.T).logpdf(target[n].numpy()[free]))
            weights = logits[n] - logsumexp(logits[n])
            assert got[n] == pytest.approx(logsumexp(weights + np.array(each)), abs=2e-3, rel=1e-3)


def test_samples_are_drawn_from_the_density():
    """Mean and covariance of many samples are those of the mixture, taken from its parts."""
    head = MixtureHead(2, 8, torch.full((3,), 0.01), components=4)
    with torch.no_grad():
        head.net[2].bias[:4] = torch.tensor([1.0, 0.0, -1.0, 0.5])
        features, base = torch.zeros(20_000, 2), torch.zeros(20_000, 3)
        noise, one = torch.randn(20_000, head.noise_size), torch.ones(20_000, 1)
        drawn = head.sample(features, base, noise, one)
        logits, means, deviation, slopes = (p[0].double().numpy() for p in head.parts(features[:1]))
        weights = np.exp(logits - logsumexp(logits))
        mean = weights @ means
        total = np.zeros((3, 3))
        for k in range(4):
            lower = np.eye(3)
            lower[np.tril_indices(3, -1)] = slopes[k]
            lower = deviation[k][:, None] * lower
            total += weights[k] * (lower @ lower.T + np.outer(means[k] - mean, means[k] - mean))
    scale = np.sqrt(np.diag(total))
    assert np.abs(drawn.mean(0).numpy() - mean).max() < 0.04 * scale.max()
    assert np.abs(np.cov(drawn.T.numpy()) - total).max() < 0.06 * total.max()


def test_temperature_scales_leaps_and_leaves_when_and_small_moves_to_chance():
    """Two components: one stands nearly still, one leaps; the density's weights say which, at 0 as at 1."""
    head = MixtureHead(1, 4, torch.tensor([0.01]), components=2, leaps=0.5)
    with torch.no_grad():
        head.net[2].weight.zero_()
        head.net[2].bias[:] = torch.tensor([np.log(3.0), 0.0, 0.0, 5.0, -9.0, np.log(19.0)])
        feature, base, noise = torch.zeros(20_000, 1), torch.zeros(20_000, 1), torch.randn(20_000, 3)
        drawn = {
            heat: head.sample(feature, base, noise, torch.full((20_000, 1), heat)).numpy()
            for heat in (0.0, 1.0, 2.0)
        }
    # Deviations 0.01 and 0.2; the leap's middle lies five of its own away, at 1.
    for heat, spread in ((0.0, SMALL), (1.0, SMALL + 0.5 * (0.2 - SMALL)), (2.0, 2 * SMALL + 0.2 - SMALL)):
        leapt = np.abs(drawn[heat] - 1.0) < 5 * spread
        leapt &= np.abs(drawn[heat]) > 6 * 0.01
        assert drawn[heat][leapt].std() == pytest.approx(spread, rel=0.1)
        assert drawn[heat][~leapt].std() == pytest.approx(0.01 * max(heat, 1.0), rel=0.1)
    shares = [float((drawn[heat] > 0.5).mean()) for heat in (0.0, 1.0)]
    assert shares == pytest.approx([0.25, 0.25], abs=0.015)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_learns_two_places_and_how_numbers_go_together(family):
    """Half of the answers lie at (1, 1), half at (-1, -1): a single Gaussian would say (0, 0)."""
    head = make_head(family, 1, 32, torch.full((2,), 0.01))
    optimiser = torch.optim.Adam(head.parameters(), 5e-3)
    nothing, base, free = torch.zeros(256, 1), torch.zeros(256, 2), torch.ones(256, 2)
    for _ in range(400):
        side = torch.randint(0, 2, (256, 1)) * 2.0 - 1
        target = (side + 0.05 * torch.randn(256, 2)).float()
        loss = head.loss(nothing, base, target, free).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        drawn = head.sample(nothing, base, torch.randn(256, head.noise_size), torch.ones(256, 1)).numpy()
    near = np.abs(np.abs(drawn) - 1).max(1) < 0.35
    assert near.mean() > 0.6
    assert 0.3 < (drawn[near, 0] > 0).mean() < 0.7
    assert (np.sign(drawn[near, 0]) == np.sign(drawn[near, 1])).mean() > 0.95


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("which", ["controls", "latent"])
def test_the_graph_steps_as_the_sequence_and_the_model_do(family, which):
    prior = priors(family)[which == "latent"]
    batch = 3
    sequence = torch.randn(batch, STEPS, prior.size) * 0.5
    controls = torch.rand(batch, STEPS, CONTROLS) * 2 - 1
    mask = (torch.rand(batch, STEPS, CONTROLS) < 0.4).float()
    clock = torch.rand(batch, STEPS, 4)
    noise = torch.randn(batch, STEPS, prior.head.noise_size)
    heat = torch.tensor([[0.0], [1.0], [2.0]])
    data = controls_graph(prior) if which == "controls" else latent_graph(prior, CONTROLS)
    session = ort.InferenceSession(data, providers=["CPUExecutionProvider"])
    state, theirs = torch.zeros(batch, prior.state_size), np.zeros((batch, prior.state_size), np.float32)
    with torch.no_grad():
        if which == "controls":
            whole, end = prior(sequence, controls, mask, clock)
            given = {"previous": sequence, "held": controls * mask, "mask": mask, "clock": clock}
        else:
            whole, end = prior(sequence / prior.scale, controls)
            given = {"previous": sequence, "controls": controls}
        for t in range(STEPS):
            feed = {name: value[:, t] for name, value in given.items()} | {"noise": noise[:, t]}
            drawn, state = prior.step(*feed.values(), heat, state)
            kept = state[:, : prior.memory.size]
            np.testing.assert_allclose(kept.numpy(), whole[:, t, : prior.memory.size].numpy(), atol=1e-5)
            ports = {name: value.unsqueeze(-1).numpy() for name, value in feed.items()}
            got, theirs = session.run(
                None, {**ports, "temperature": heat[..., None].numpy(), "state": theirs}
            )
            np.testing.assert_allclose(got[..., 0], drawn.numpy(), atol=1e-4)
            if which == "controls":
                asked = controls[:, t].numpy()
                held = mask[:, t].numpy() > 0
                assert (got[..., 0][held] == asked[held]).all()
    np.testing.assert_allclose(theirs, end.numpy(), atol=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_what_comes_out_is_bounded_finite_and_where_nothing_chooses_without_surprise_no_chance(family):
    controls, latent = priors(family)
    with torch.no_grad():
        wild = torch.full((2, CONTROLS), 1.25)
        for noise in (8.0, -8.0, 0.0):
            far = torch.full((2, controls.head.noise_size), noise)
            out, _ = controls.step(
                wild, wild, torch.zeros(2, CONTROLS), torch.ones(2, 4), far, torch.full((2, 1), 2.0),
                torch.ones(2, controls.state_size),
            )  # fmt: skip
            assert torch.isfinite(out).all() and out.abs().max() <= 1.25
            far = torch.full((2, latent.head.noise_size), noise)
            z, _ = latent.step(
                torch.ones(2, LATENT) * 3,
                wild,
                far,
                torch.full((2, 1), 2.0),
                torch.zeros(2, latent.state_size),
            )
            assert torch.isfinite(z).all()
        still = torch.zeros(2, 1), torch.zeros(2, controls.state_size)
        calm = [
            controls.step(wild, wild, 0 * wild, torch.ones(2, 4),
                          torch.randn(2, controls.head.noise_size), *still)[0]
            for _ in range(2)
        ]  # fmt: skip
        if family in ("flow", "implicit"):
            assert torch.equal(calm[0], calm[1])


def test_halves_and_quarters_of_a_beat_are_heard_and_no_beat_is_silent():
    turn = torch.rand(50) * 6.28
    clock = torch.stack([torch.ones(50), torch.zeros(50), turn.sin(), turn.cos()], -1)
    heard = with_overtones(clock)[:, 4:]
    for column, phase in ((0, 2 * turn), (2, 4 * turn)):
        torch.testing.assert_close(heard[:, column], phase.sin(), atol=1e-5, rtol=0)
        torch.testing.assert_close(heard[:, column + 1], phase.cos(), atol=1e-5, rtol=0)
    assert (with_overtones(torch.tensor([[1.0, 0.5, 0.0, 0.0]]))[:, 4:] == 0).all()


def test_a_pitch_that_hardly_moves_stands_and_all_else_is_drawn_as_it_was():
    previous = torch.full((1, 3), 0.2)
    change = torch.tensor([[UNREST / 4, UNREST / 4, 5 * UNREST]])
    calm = torch.tensor([0.0, UNREST, UNREST])
    moved = calmed(previous + change, previous, calm) - previous
    assert moved.numpy() == pytest.approx(np.array([[UNREST / 4, UNREST / 16, 5 * UNREST]]), rel=1e-3)

    def still(pitch: int | None) -> np.ndarray:
        torch.manual_seed(3)
        prior = ControlsPrior(torch.full((CONTROLS,), 3e-4), PriorConfig("mixture", 24, 16), pitch).eval()
        torch.nn.init.zeros_(prior.head.net[2].weight)  # every component as narrow as it may be, where it is
        torch.nn.init.constant_(prior.head.net[2].bias, 0.0)
        played = play_controls(prior, 300, from_nothing(prior, 4), 0)
        return np.median(np.abs(np.diff(played, axis=1)), axis=(0, 1))

    restless, calm_one = still(None), still(4)
    assert calm_one[4] < 0.5 * restless[4]
    assert calm_one[:4] == pytest.approx(restless[:4], rel=0.5)
