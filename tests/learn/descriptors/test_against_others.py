"""Each descriptor beside an independent implementation, or a sound whose value is known."""

import json
from pathlib import Path

import librosa
import numpy as np
import pytest
import torch
from descriptor_material import SAMPLE_RATE, harmonic, material, noise, sine
from scipy.stats import pearsonr, spearmanr

from neurorack.core.level import level_weights

REFERENCES = json.loads((Path(__file__).parent / "references.json").read_text(encoding="utf-8"))
"""From MoSQITo 1.2.1 and timbral_models 0.4.0, by benchmarks/descriptor_validation.py --references."""


def measured(bank, x: np.ndarray) -> dict[str, np.ndarray]:
    """Column name -> value per frame, unvoiced pitch as it comes."""
    values = bank.measure(torch.from_numpy(x.astype(np.float32))[None], hold_unvoiced=False)[0]
    return dict(zip(bank.outputs, values.numpy(), strict=True))


@pytest.fixture(scope="module")
def rows(bank):
    """Name of sound -> column -> mean over the frames after the start."""
    return {name: {k: v[40:].mean() for k, v in measured(bank, x).items()} for name, x in material().items()}


def test_loudness_is_the_level_of_the_core(bank):
    x = noise(20, 20_000) * np.linspace(0, 1, SAMPLE_RATE) ** 2
    energy = np.concatenate([np.zeros(15), (x[: len(x) // 128 * 128].reshape(-1, 128) ** 2).mean(axis=1)])
    expected = 10 * np.log10(np.convolve(energy, level_weights(SAMPLE_RATE).astype(float), "valid") + 1e-9)
    assert np.abs(measured(bank, x)["loudness"][: len(expected)] - expected).max() < 1e-3


@pytest.mark.parametrize("name", ["white", "harmonic 220", "bass and treble", "tone and hiss", "depth 0.6"])
def test_spectral_shape_is_librosas(bank, name):
    x = material()[name]
    padded = np.concatenate([np.zeros(2048 - 128), x])
    magnitude = np.abs(librosa.stft(padded, n_fft=2048, hop_length=128, center=False))
    ours = {k: v[40 : magnitude.shape[1]] for k, v in measured(bank, x).items()}
    feature, sr = librosa.feature, SAMPLE_RATE
    centroid = feature.spectral_centroid(S=magnitude, sr=sr)[0, 40:]
    np.testing.assert_allclose(ours["brightness"], centroid, rtol=2e-3)
    np.testing.assert_allclose(
        ours["bandwidth"], feature.spectral_bandwidth(S=magnitude, sr=sr)[0, 40:], rtol=2e-3, atol=5
    )
    rolloff = feature.spectral_rolloff(S=magnitude, sr=sr, roll_percent=0.85)[0, 40:]
    assert np.abs(ours["rolloff"] - rolloff).max() < 1.1 * sr / 2048


def test_noisiness_orders_tone_breath_and_noise(bank):
    tone = harmonic(330)
    breath_db = np.array([-80, -60, -40, -30, -20, -10, 0, 10])
    mixes = [tone + noise(20, 20_000, rms=np.std(tone) * 10 ** (db / 20)) for db in breath_db]
    ours = [measured(bank, x)["noisiness"][40:].mean() for x in mixes]
    flatness = [
        librosa.feature.spectral_flatness(y=x, n_fft=2048, hop_length=512)[0, 8:-8].mean() for x in mixes
    ]
    assert spearmanr(ours, flatness)[0] > 0.99
    assert abs(ours[1] - measured(bank, tone)["noisiness"][40:].mean()) < 0.02  # hiss at -60 dB is not noise
    assert ours[-1] - ours[0] > 0.4


@pytest.mark.parametrize("f0_hz", [46.0, 61.7, 110.0, 196.0, 440.0, 987.8, 1500.0])
def test_pitch_within_five_cents(bank, f0_hz):
    for x in (harmonic(f0_hz), harmonic(f0_hz, tilt=2.0), sine(f0_hz)):
        row = measured(bank, x)
        cents = 1200 * np.log2(row["pitch"][40:] / f0_hz)
        assert np.abs(cents).max() < 1.0
        assert row["periodicity"][40:].min() > 0.95
    breathy = measured(bank, harmonic(f0_hz) + noise(20, 20_000, rms=0.2 * np.std(harmonic(f0_hz))))
    assert np.median(np.abs(1200 * np.log2(breathy["pitch"][40:] / f0_hz))) < 5.0


def test_noise_has_no_pitch(bank):
    assert measured(bank, noise(20, 20_000))["periodicity"][40:].mean() < 0.4


def test_boominess_follows_audiocommons(bank, rows):
    names = list(REFERENCES)
    ours = [rows[n]["boominess"] for n in names]
    theirs = [REFERENCES[n]["boominess"] for n in names]
    assert pearsonr(ours, theirs)[0] > 0.9
    # Without anything low the reference hears highs that its decimating filter bank aliases: rank the others.
    low = [n for n in names if REFERENCES[n]["boominess"] > 22 or n in ("bright 110", "white", "high noise")]
    assert spearmanr([rows[n]["boominess"] for n in low], [REFERENCES[n]["boominess"] for n in low])[0] > 0.95
    # the level must not matter: that is loudness' affair
    quiet = measured(bank, 0.05 * material()["harmonic 82.4"])["boominess"][40:].mean()
    assert abs(quiet - rows["harmonic 82.4"]["boominess"]) < 0.1


def test_sharpness_follows_mosqito(rows):
    ours = np.array([rows[n]["sharpness"] for n in REFERENCES])
    theirs = np.array([REFERENCES[n]["sharpness"] for n in REFERENCES])
    assert spearmanr(ours, theirs)[0] > 0.98
    assert np.median(np.abs(ours / theirs - 1)) < 0.05


def test_roughness_peaks_near_70_hz_and_follows_daniel_and_weber(rows):
    rates = (20, 40, 70, 120, 200)
    curve = [rows[f"beating 1000/{r}"]["roughness"] for r in rates]
    assert rates[int(np.argmax(curve))] == 70
    assert 0.9 < curve[2] < 1.1  # calibrated: 1 asper
    assert rows["depth 0.3"]["roughness"] < rows["depth 0.6"]["roughness"] < curve[2]
    assert rows["sine 1000"]["roughness"] < 0.01
    ours = [rows[n]["roughness"] for n in REFERENCES]
    assert spearmanr(ours, [REFERENCES[n]["roughness"] for n in REFERENCES])[0] > 0.8
