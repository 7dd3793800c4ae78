"""What decode takes, what it refuses and in which words."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from neurorack.learn.corpus.decode import Unusable, decode

RATE = 44_100


def sine(seconds: float, rate: int, hz: float = 997.0, amplitude: float = 0.5) -> np.ndarray:
    return (amplitude * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


@pytest.mark.parametrize(
    ("name", "rate", "channels", "subtype"),
    [
        ("a.wav", 96_000, 8, "PCM_24"),
        ("b.flac", 48_000, 2, "PCM_16"),
        ("c.ogg", 22_050, 1, "VORBIS"),
        ("d.mp3", 44_100, 2, "MPEG_LAYER_III"),
        ("e.aiff", 8_000, 1, "PCM_16"),
        ("f.wav", 44_100, 1, "DOUBLE"),
    ],
)
def test_any_format_rate_and_channels_keep_time_and_pitch(
    tmp_path: Path, name: str, rate: int, channels: int, subtype: str
) -> None:
    """A sine comes out at its own time and phase, whatever it went through; longer than one block."""
    seconds = 7.0
    mono = sine(seconds, rate)
    soundfile.write(tmp_path / name, np.repeat(mono[:, None], channels, axis=1), rate, subtype=subtype)
    got = decode(tmp_path / name, RATE)
    assert got.channels == channels and got.source_rate == rate and got.samples.dtype == np.int16
    assert abs(len(got.samples) - seconds * RATE) < (4000 if name.endswith("mp3") else 2)
    inner = slice(RATE, 5 * RATE)
    want = sine(seconds, RATE)[inner]
    heard = got.samples.astype(np.float64)[inner] / 32768
    if name.endswith("mp3"):
        return  # an encoder may shift
    assert np.sqrt(np.mean((heard - want) ** 2)) < (0.02 if name.endswith("ogg") else 2e-4)


def test_resampling_keeps_aliases_out(tmp_path: Path) -> None:
    """30 kHz at 96 kHz must not fold down to 14.1 kHz: at least 90 dB under it."""
    soundfile.write(
        tmp_path / "a.wav", sine(1, 96_000, 30_000) + sine(1, 96_000, 1_000, 0.01), 96_000, "FLOAT"
    )
    heard = decode(tmp_path / "a.wav", RATE).samples[4410:-4410] / 32768
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    freqs = np.fft.rfftfreq(len(heard), 1 / RATE)
    tone = spectrum[np.abs(freqs - 1000) < 20].max() / 0.01 * 0.5
    assert 20 * np.log10(spectrum[freqs > 5000].max() / tone) < -90


def test_too_hot_float_files_are_turned_down_not_clipped(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", sine(1, RATE, amplitude=3.0), RATE, subtype="FLOAT")
    got = decode(tmp_path / "a.wav", RATE, keep_clipped=True)
    assert got.gain_db == pytest.approx(20 * np.log10(0.999 / 3), abs=0.01)
    assert np.abs(got.samples).max() <= 32767
    assert np.sum(np.abs(got.samples) > 32700) < RATE * 0.05


def refusals(folder: Path) -> dict[str, str]:
    """Make one faulty file of every kind; name -> a word its reason must hold."""
    noise = np.random.default_rng(0).normal(0, 0.1, RATE).astype(np.float32)
    nan = noise.copy()
    nan[123] = np.nan
    clipped = np.clip(sine(1, RATE, 100, 2.0), -1, 1)
    (folder / "empty.wav").write_bytes(b"")
    (folder / "text.wav").write_text("This is not a sound.\n" * 50)
    soundfile.write(folder / "header_only.wav", noise[:0], RATE)
    soundfile.write(folder / "silent.wav", noise * 1e-3, RATE, subtype="FLOAT")
    soundfile.write(folder / "nan.wav", nan, RATE, subtype="FLOAT")
    soundfile.write(folder / "clipped.wav", clipped, RATE)
    soundfile.write(folder / "short.wav", noise[:100], RATE)
    soundfile.write(folder / "one.wav", noise[:1] + 0.5, RATE)
    soundfile.write(folder / "cancels.wav", np.stack([noise, -noise], 1), RATE)
    soundfile.write(folder / "whole.flac", noise, RATE)
    (folder / "torn.flac").write_bytes((folder / "whole.flac").read_bytes()[:20_000])
    (folder / "whole.flac").unlink()
    return {
        "empty.wav": "empty",
        "text.wav": "unreadable",
        "header_only.wav": "no samples",
        "silent.wav": "silent",
        "nan.wav": "NaN",
        "clipped.wav": "clipped",
        "short.wav": "too short",
        "one.wav": "too short",
        "cancels.wav": "cancel",
        "torn.flac": "damaged",
    }


def test_each_fault_has_its_own_sentence(tmp_path: Path) -> None:
    for name, word in refusals(tmp_path).items():
        with pytest.raises(Unusable, match=word) as caught:
            decode(tmp_path / name, RATE)
        assert str(tmp_path) not in str(caught.value), name
    assert len(decode(tmp_path / "clipped.wav", RATE, keep_clipped=True).samples) == RATE


@pytest.mark.parametrize("offset", [0, 1, 5])
def test_clipping_is_seen_across_block_borders_and_a_hot_take_is_not_refused(
    tmp_path: Path, offset: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("neurorack.learn.corpus.decode.BLOCK", 64)
    sound = np.random.default_rng(1).normal(0, 0.1, 6400).astype(np.float32)
    for k in range(1, 8):
        sound[64 * 10 * k - 4 + offset : 64 * 10 * k + 4 + offset] = 1.0
    soundfile.write(tmp_path / "a.wav", sound, RATE, subtype="FLOAT")
    with pytest.raises(Unusable, match=r"clipped \(7 runs"):
        decode(tmp_path / "a.wav", RATE)
    sound[:] = np.clip(sound, -1, 0.5)
    sound[100:103] = 1.0  # a peak that touches full scale is no clipping
    soundfile.write(tmp_path / "b.wav", sound, RATE, subtype="FLOAT")
    decode(tmp_path / "b.wav", RATE)
