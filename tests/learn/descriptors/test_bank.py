"""What every descriptor owes: causality, streams of any block size, gradients, clear refusals."""

import textwrap

import numpy as np
import pytest
import torch
from descriptor_material import SAMPLE_RATE, harmonic, noise

from neurorack.core.errors import NeurorackError
from neurorack.learn.descriptors import build, load_descriptor


def sound(frames: int) -> torch.Tensor:
    """Two rows: a tone that fades in, and noise with a gap of digital silence."""
    fade = harmonic(150) * np.linspace(0, 1, SAMPLE_RATE)
    gap = noise(20, 20_000)
    gap[8000:14_000] = 0.0
    return torch.from_numpy(np.stack([fade, gap])[:, : frames * 128].astype(np.float32))


def scaled(difference: torch.Tensor, values: torch.Tensor) -> float:
    return float((difference.abs() / (1.0 + values.abs())).max())


@pytest.mark.parametrize("block", [1, 2, 7, 64])
def test_stream_in_blocks_is_offline(bank, block):
    audio = sound(28 * 4)
    offline = bank.measure(audio, hold_unvoiced=False)
    for part, every in ((bank.fast, 1), (bank.slow, 4)):
        state, pieces = torch.zeros(2, part.state_size), []
        with torch.no_grad():
            for piece in audio.split(block * part.hop, dim=1):
                values, state = part(piece, state)
                pieces.append(values)
        columns = [bank.outputs.index(n) for n in part.outputs]
        expected = offline[:, columns, every - 1 :: every]
        streamed = torch.cat(pieces, dim=2)
        assert scaled(streamed - expected, expected) < 1e-4


def test_the_future_does_not_matter(bank):
    audio = sound(80)
    changed = audio.clone()
    changed[:, 50 * 128 :] = 0.3
    before, after = bank.measure(audio, hold_unvoiced=False), bank.measure(changed, hold_unvoiced=False)
    assert scaled((before - after)[:, :, :50], before[:, :, :50]) < 1e-6
    assert scaled((before - after)[:, :, 50:], before[:, :, 50:]) > 0.1


@pytest.mark.parametrize("hop_frames", [2, 3, 4, 8])
def test_every_kth_frame_is_the_same_frame(bank, hop_frames):
    audio = sound(61)
    dense, sparse = bank.measure(audio), bank.measure(audio, hop_frames=hop_frames, hold_unvoiced=False)
    dense = bank.measure(audio, hold_unvoiced=False)[:, :, hop_frames - 1 :: hop_frames]
    assert sparse.shape == dense.shape
    assert scaled(sparse - dense, dense) < 1e-4


def test_slow_columns_are_held_and_pitch_bridges_the_unvoiced(bank):
    x = np.concatenate([0.01 * noise(20, 20_000)[:8192], harmonic(200)[:16_384], np.zeros(8192)])
    audio = torch.from_numpy(x.astype(np.float32))[None]
    raw = dict(zip(bank.outputs, bank.measure(audio, hold_unvoiced=False)[0], strict=True))
    held = dict(zip(bank.outputs, bank.measure(audio)[0], strict=True))
    assert (raw["pitch"][:3] == 220.0).all()
    for start in range(3, 190, 4):
        assert (raw["roughness"][start : start + 4] == raw["roughness"][start]).all()
    assert (1200 * torch.log2(held["pitch"][110:] / 200.0)).abs().max() < 5  # on through the silence
    voiced = held["periodicity"] >= 0.5
    first = int(voiced.nonzero()[0])
    assert (held["pitch"][:first] == held["pitch"][first]).all()  # and back to the start
    assert (bank.measure(torch.zeros(1, 4096))[0, bank.outputs.index("pitch")] == 220.0).all()


def test_gradients_are_finite_where_it_is_hardest(bank):
    click = torch.zeros(6000)
    click[3000] = 1.0
    tiny = 1e-8 * torch.randn(6000, generator=torch.Generator().manual_seed(0))
    square = torch.sign(torch.sin(torch.arange(6000) * 0.05))
    audio = torch.stack([torch.zeros(6000), click, torch.full((6000,), 0.5), tiny, square]).requires_grad_()
    values = bank.measure(audio)
    assert torch.isfinite(values).all()
    for column in range(values.shape[1]):
        (gradient,) = torch.autograd.grad(values[:, column].sum(), audio, retain_graph=True)
        assert torch.isfinite(gradient).all(), bank.outputs[column]


def test_gradient_points_the_right_way(bank):
    audio = torch.from_numpy(harmonic(300)[:8192].astype(np.float32))[None].requires_grad_()
    for column, name in enumerate(bank.outputs):
        if name in ("pitch", "periodicity"):  # chosen among maxima: finite, but no slope to climb
            continue
        value = bank.measure(audio)[0, column, -16:].mean()
        (gradient,) = torch.autograd.grad(value, audio)
        step = 1e-4 * gradient / gradient.abs().max()
        with torch.no_grad():
            assert bank.measure(audio + step)[0, column, -16:].mean() > value, name


def test_empty_short_and_odd_lengths(bank):
    assert bank.measure(torch.zeros(1, 0)).shape == (1, len(bank.outputs), 0)
    assert bank.measure(torch.zeros(3, 129)).shape == (3, len(bank.outputs), 2)
    with pytest.raises(NeurorackError, match="shape"):
        bank.measure(torch.zeros(1000))


@pytest.mark.parametrize("sample_rate", [22_050, 48_000])
def test_other_rates(sample_rate):
    t = np.arange(sample_rate) / sample_rate
    audio = torch.from_numpy((0.2 * np.sin(2 * np.pi * 330 * t)).astype(np.float32))[None]
    bank = build(["pitch", "brightness", "boominess", "roughness", "sharpness"], sample_rate)
    values = dict(zip(bank.outputs, bank.measure(audio)[0, :, 100:].mean(dim=1), strict=True))
    assert abs(1200 * np.log2(values["pitch"] / 330)) < 1
    assert abs(values["brightness"] - 330) < 10
    assert torch.isfinite(torch.stack(list(values.values()))).all()


def test_a_descriptor_of_ones_own(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(
        textwrap.dedent(
            """
            from neurorack.learn.descriptors import Descriptor

            class Crest(Descriptor):
                name = "crest"
                outputs = ("crest",)
                labels = ("Crest",)
                units = ("",)
                scales = ("linear",)
                defaults = (1.0,)

                def forward(self, frames):
                    rms = (frames.audio.square().mean(-1) + 1e-12).sqrt()
                    return (frames.audio.abs().amax(-1) / rms)[:, None]
            """
        )
    )
    bank = build(["loudness"], SAMPLE_RATE, files=[f"{file}:Crest"])
    assert bank.outputs == ("loudness", "crest")
    x = torch.sin(2 * torch.pi * 441 * torch.arange(8192) / SAMPLE_RATE)[None]
    assert abs(float(bank.measure(x)[0, 1, -1]) - 2**0.5) < 0.01


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("nonsense", "path/to/file.py"),
        ("absent.py:Thing", "no file"),
        ("{0}/broken.py:Thing", "does not run"),
        ("{0}/fine.py:Thing", "no class"),
        ("{0}/fine.py:NotOne", "derive"),
        ("{0}/fine.py:Bare", "needs a name"),
    ],
)
def test_bad_sources_are_refused_in_a_sentence(tmp_path, source, message):
    (tmp_path / "broken.py").write_text("1 / 0")
    fine = (
        "from neurorack.learn.descriptors import Descriptor as D\nclass NotOne: pass\nclass Bare(D): pass\n"
    )
    (tmp_path / "fine.py").write_text(fine)
    with pytest.raises(NeurorackError, match=message):
        load_descriptor(source.format(tmp_path))


def test_unknown_names_are_refused():
    with pytest.raises(NeurorackError, match="choose from"):
        build(["shininess"], SAMPLE_RATE)
    with pytest.raises(NeurorackError, match="at least one"):
        build([], SAMPLE_RATE)
    assert build(["periodicity"], SAMPLE_RATE).outputs == ("pitch", "periodicity")
