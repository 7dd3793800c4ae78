"""The published method inside our code: its parts, its losses, and a run that exports and plays."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from neurorack.core.normaliser import Normaliser
from neurorack.core.timebase import HOP
from neurorack.learn.model.autoencoder import Autoencoder
from neurorack.learn.model.config import make_config
from neurorack.learn.model.published.critic import BINS, PublishedCritic, quantile_edges
from neurorack.learn.model.published.losses import LoudnessDistance, a_weighting
from neurorack.learn.model.published.min_max import MinMax
from neurorack.learn.train.published import fader_weight

CONTROLS = ("loudness", "brightness", "pitch")


def model(**changes: object) -> Autoencoder:
    torch.manual_seed(0)
    config = make_config("rack", CONTROLS, 44_100, decoder="published", critic="published", **changes)
    return Autoencoder(config).eval()


@torch.no_grad()
def test_the_published_autoencoder_streams_as_it_runs_offline() -> None:
    m, frames = model(), 24
    audio, noise = 0.1 * torch.randn(2, frames * HOP), torch.randn(2, frames * HOP)
    mean, _ = m.posterior(audio)
    controls, level, f0 = (torch.rand(2, n, frames) for n in (3, 1, 1))
    whole = m.decode(mean, controls, level, f0, noise)
    state, code = torch.zeros(2, m.encoder.state_size), torch.zeros(2, m.decoder.state_size)
    parts, codes, at = [], [], 0
    for n in (1, 3, 5, 2, 13):
        both, state = m.encoder.step(audio[:, at * HOP : (at + n) * HOP], state=state)
        codes.append(both[:, : m.config.latent_size])
        frame, sample = slice(at, at + n), slice(at * HOP, (at + n) * HOP)
        rows = (mean[..., frame], controls[..., frame], level[..., frame], f0[..., frame], noise[:, sample])
        part, code = m.decoder.step(*rows, state=code)
        parts.append(part)
        at += n
    assert torch.allclose(torch.cat(codes, 2), mean, atol=1e-5)
    assert torch.allclose(torch.cat(parts, 1), whole, atol=1e-5) and whole.std() > 1e-3


@torch.no_grad()
def test_only_the_conditioned_decoder_hears_the_controls_and_no_loudness_is_divided_out() -> None:
    for conditioned in (True, False):
        m = model(conditioned=conditioned)
        z, noise = torch.randn(1, 8, 20), torch.randn(1, 20 * HOP)
        a, b = (m.decode(z, torch.full((1, 3, 20), v), None, None, noise) for v in (-0.5, 0.5))
        assert torch.equal(a, b) != conditioned
    audio = torch.randn(1, 40 * HOP)
    loud, quiet = (m.posterior(g * audio)[0] for g in (0.5, 0.05))
    assert (loud - quiet).abs().max() > 1e-2


def test_the_published_kind_is_about_as_large_as_ours() -> None:
    def count(part: torch.nn.Module) -> int:
        return sum(p.numel() for p in part.parameters())

    controls = ("loudness", "brightness", "boominess", "noisiness", "pitch")
    for size in ("rack", "studio"):
        ours = Autoencoder(make_config(size, controls, 44_100))
        theirs = Autoencoder(make_config(size, controls, 44_100, decoder="published", critic="published"))
        for name in ("encoder", "decoder"):
            assert 0.9 < count(getattr(theirs, name)) / count(getattr(ours, name)) < 1.12, (size, name)


def test_attributes_are_min_max_normalised_whatever_the_distribution() -> None:
    values = np.random.default_rng(0).lognormal(size=4000)
    normaliser = Normaliser.fit(values)
    part = MinMax(1)
    part.set_ranges([normaliser], [(float(values.min()), float(values.max()))])
    inner = values[(values > normaliser.knots[0]) & (values < normaliser.knots[-1])]
    controls = torch.from_numpy(normaliser.to_control(inner))[None, None]
    expected = 2 * (inner - values.min()) / (values.max() - values.min()) - 1
    assert np.abs(part(controls)[0, 0].numpy() - expected).max() < 1e-4


def test_bins_are_equally_full_and_silence_empties_some() -> None:
    random = np.random.default_rng(0)
    controls = random.normal(size=(16_000, 2))
    controls[:8000, 1] = -1.25  # half of the corpus is silence
    critic = PublishedCritic(4, 2)
    critic.edges.copy_(torch.tensor(quantile_edges(controls)))
    rows = torch.from_numpy(controls.T.astype(np.float32)).contiguous()
    counts = [torch.bincount(row, minlength=BINS) for row in torch.searchsorted(critic.edges, rows)]
    assert (counts[0] - 1000).abs().max() < 60
    assert (counts[1] == 0).sum() >= 6
    chance = critic.cross_entropy(torch.zeros(1, 4, 1000), rows[:, :1000][None])
    assert float(chance.detach()) == pytest.approx(np.log(BINS), rel=0.2)


def test_the_losses_are_what_they_say() -> None:
    assert a_weighting(np.array([1000.0]))[0] == pytest.approx(1, rel=1e-6)
    assert 20 * np.log10(a_weighting(np.array([100.0, 10_000.0]))) == pytest.approx([-19.1, -2.5], abs=0.1)
    tone = 0.3 * torch.sin(2 * torch.pi * 1000 * torch.arange(44_100) / 44_100)[None]
    distance = LoudnessDistance(44_100)
    assert float(distance(tone, tone)) == 0
    assert float(distance(tone / np.e, tone)) == pytest.approx(1, abs=1e-2)
    weights = [fader_weight(p, 0.05, 0.15) for p in (0.0, 0.049, 0.05, 0.125, 0.2, 1.0)]
    assert weights == pytest.approx([0, 0, 0.02, 0.06, 0.1, 0.1])


@pytest.mark.parametrize(("arm", "decoder"), [("f-rave", "published"), ("rave", "source-filter")])
def test_a_published_arm_trains_exports_and_answers(
    small_corpus: Path, tmp_path: Path, neurorack, smallest, arm: str, decoder: str
) -> None:
    from neurorack.core.nrk import read_nrk
    from neurorack.learn.measure.render import Renderer

    run = tmp_path / "run"
    model = ["--model", "published_widths=[6,4]", "--model", f"decoder={decoder}"]
    neurorack("train", small_corpus, "-o", run, "--arm", arm, "--steps", 22, *model, *smallest)
    last = json.loads((run / "metrics.jsonl").read_text("utf-8").splitlines()[0])
    assert np.isfinite(last["total"]) and ("critic" in last) == (arm == "f-rave")
    neurorack("export", run, "-o", tmp_path / "x.nrk")
    archive = read_nrk(tmp_path / "x.nrk")
    m = archive.manifest
    assert m.training["arm"] == arm and m.latent_size == (8 if arm == "f-rave" else 13)
    renderer = Renderer(archive)
    frames = 40
    middle = {c.name: np.full(frames, c.default) for c in m.controls}
    high = {**middle, "brightness": np.full(frames, m.controls[m.control_index("brightness")].high)}
    answers = renderer.render(np.zeros((m.latent_size, frames + m.latency_frames)), [middle, high])
    assert np.isfinite(answers).all() and answers.std() > 0
    assert np.array_equal(answers[0], answers[1]) == (arm == "rave")
