"""The perceptual benchmark's own formulas, on cases whose answers are known: distances between clouds, rows
that need no model, sounds found in time, convolutions by another way."""

import sys
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).resolve().parents[1] / "benchmarks"
FOLDERS = [str(BENCHMARKS / name) for name in ("perceptual", "peers")]
RATE = 44100
SKINS = Path(__file__).resolve().parents[1] / "src" / "neurorack" / "instruments" / "skins.nrk"


@pytest.fixture(autouse=True)
def beside(monkeypatch):
    """The benchmark's files import each other as the scripts they are."""
    before, path = set(sys.modules), list(sys.path)
    for folder in reversed(FOLDERS):
        monkeypatch.syspath_prepend(folder)
    yield
    sys.path[:] = path
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(tuple(FOLDERS)):
            del sys.modules[name]


def rms_db(sound) -> float:
    return 10 * np.log10(np.mean(np.square(sound, dtype=np.float64)))


def strikes(seconds: float, every: int = 11025) -> np.ndarray:
    """Decaying noise, struck every quarter second, float32."""
    count = round(seconds * RATE) // 128 * 128
    decay = np.exp(-(np.arange(count) % every) / 2000.0)
    noise = np.random.default_rng(0).standard_normal(count)
    return (0.2 * decay * noise).astype(np.float32)


def test_frechet_between_gaussian_clouds_is_the_closed_form():
    from clouds import frechet
    from scipy.linalg import sqrtm

    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((400, 5)) @ rng.standard_normal((5, 5)), rng.standard_normal((300, 5)) + 2.0
    c, d = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    gap = a.mean(axis=0) - b.mean(axis=0)
    expected = gap @ gap + np.trace(c + d - 2 * np.real(sqrtm(c @ d)))
    assert frechet(a, b) == pytest.approx(expected, rel=1e-6)


def test_frechet_knows_a_shift_where_points_are_fewer_than_dimensions():
    from clouds import frechet

    points, shift = np.random.default_rng(1).standard_normal((8, 64)), np.full(64, 0.5)
    assert frechet(points, points) == pytest.approx(0.0, abs=1e-9)
    assert frechet(points, points + shift) == pytest.approx(16.0)
    with pytest.raises(ValueError):
        frechet(points[:1], points)


def test_noise_stands_at_its_level():
    import pairs

    recording = strikes(1.0)
    added = pairs.with_noise(recording, -30.0, 0) - recording
    assert rms_db(added) - rms_db(recording) == pytest.approx(-30.0, abs=0.2)


def test_noise_in_mel_bands_has_the_recordings_spectrum_and_not_its_phases():
    import pairs

    from neurorack.learn.measure.reconstruction import mel_distance_db

    noise_in_bands = pairs.nulls(RATE)["noise in its mel bands"]
    recording = strikes(1.0)
    tone = (0.3 * np.sin(2 * np.pi * 500 * np.arange(RATE) / RATE)).astype(np.float32)
    for sound in (recording, tone):
        answer = noise_in_bands(sound, 0)
        assert len(answer) == len(sound)
        assert abs(np.corrcoef(sound, answer)[0, 1]) < 0.2
        flat = np.random.default_rng(3).standard_normal(len(sound)) * 10 ** (rms_db(sound) / 20)
        assert mel_distance_db(sound, answer, RATE) < 0.3 * mel_distance_db(sound, flat, RATE)


@pytest.mark.parametrize("late", [-700, 0, 1105])
def test_a_coders_delay_is_taken_off(late):
    import pairs

    recording = strikes(1.0)
    heard = np.pad(recording, (late, 0)) if late >= 0 else recording[-late:]
    moved = pairs.in_time(recording, heard)
    inside = slice(800, -800)
    assert len(moved) == len(recording)
    np.testing.assert_array_equal(moved[inside], recording[inside])


def test_mp3_costs_little_and_comes_back_in_time():
    import pairs

    times = np.arange(RATE) / RATE
    recording = (0.3 * np.sin(2 * np.pi * (300 + 400 * times) * times)).astype(np.float32)
    heard = pairs.through_mp3(recording, RATE)
    error = (heard - recording)[2048:-2048]
    assert -80 < rms_db(error) - rms_db(recording) < -15


def test_an_instruments_reconstruction_stands_where_its_recording_does():
    """Struck sounds: the levels' lag of a late answer would be its latency, 592 samples; of an early one, as
    much with the two exchanged."""
    import pairs
    import scores

    recording = strikes(1.5)
    (answer,) = pairs.reconstructions(str(SKINS), [recording])
    assert len(answer) == len(recording)
    for first, second in ((recording, answer), (answer, recording)):
        lag = scores.lag_samples({"0": first}, {"0": second}, RATE)
        assert lag <= 8 * scores.LEVEL_HOP


def test_peers_answers_are_moved_by_their_lag_and_other_excerpts_refused(tmp_path):
    import pairs
    import scores

    recordings = [strikes(1.0, every) for every in (9000, 13000)]
    given = scores.with_tails(recordings, RATE)
    np.savez(tmp_path / "excerpts.npz", **given)
    (tmp_path / "rave-v2").mkdir()
    late = {key: np.pad(x, (3200, 0))[: len(x)] for key, x in given.items()}
    np.savez(tmp_path / "rave-v2" / "answers.npz", **late)
    found = pairs.of_peers(tmp_path, recordings, RATE)
    assert list(found) == ["rave-v2"]
    for recording, answer in zip(recordings, found["rave-v2"], strict=True):
        np.testing.assert_array_equal(answer, recording)
    with pytest.raises(SystemExit):
        pairs.of_peers(tmp_path, recordings[::-1], RATE)
    with pytest.raises(SystemExit):
        pairs.of_peers(tmp_path, [*recordings, recordings[0]], RATE)


@pytest.mark.parametrize("length", [1, 49, 50, 51, 333])
def test_a_convolution_by_fourier_is_the_convolution(length):
    import torch
    from inside_ears import fourier

    torch.manual_seed(0)
    convolution = torch.nn.Conv1d(3, 4, 15, padding=7)
    sound = torch.randn(1, 3, length)
    with torch.no_grad():
        torch.testing.assert_close(fourier(convolution)(sound), convolution(sound), rtol=1e-4, atol=1e-5)


def test_the_summary_pairs_sounds_by_name_and_puts_the_nearest_first(tmp_path):
    import judge

    rng = np.random.default_rng(0)

    def keep(row: str, name: str, **found) -> None:
        (tmp_path / row).mkdir(exist_ok=True)
        np.savez(tmp_path / row / f"{name}.npz", **found)

    windows = {name: rng.standard_normal((2, 4, 8)) for name in ("000", "001")}
    for name, cloud in windows.items():
        keep("recording", name, windows=cloud)
        keep("far", name, windows=cloud + 1.0, cdpam=2.0, zimtohrli=0.5, mos=2.0)
    keep("near", "000", windows=windows["000"], cdpam=1.0, zimtohrli=0.1, mos=4.0)
    found = judge.summary(tmp_path, 8)
    assert list(found) == ["near", "far"]
    assert found["near"]["sounds"] == 1 and found["near"]["cdpam"]["error"] is None
    assert found["near"]["frechet_acoustics"] == pytest.approx(0.0, abs=1e-9)  # with 000 alone beside it
    assert found["far"]["frechet_content"] == pytest.approx(8.0)
    assert found["far"]["cdpam"] == {"mean": 2.0, "error": 0.0, "each": [2.0, 2.0]}
    assert len(judge.table(found)) == 4


def test_a_folder_begun_with_other_sounds_is_refused(tmp_path):
    import argparse

    import judge

    instrument = tmp_path / "own.nrk"
    instrument.write_bytes(b"one")
    options = argparse.Namespace(
        output=tmp_path / "out", corpus=tmp_path, limit=8, seconds=2.0, instrument=[], peers=None
    )
    judge.same_as_before(options)
    options.instrument = [str(instrument)]  # one more row is no contradiction
    judge.same_as_before(options)
    instrument.write_bytes(b"two")
    with pytest.raises(SystemExit, match="own"):
        judge.same_as_before(options)
    options.instrument, options.seconds = [], 3.0
    with pytest.raises(SystemExit, match="seconds"):
        judge.same_as_before(options)


def test_duels_count_the_sounds_in_which_ours_is_nearer():
    import judge

    def row(cdpam, zimtohrli):
        return {"sounds": 3, "cdpam": {"each": cdpam}, "zimtohrli": {"each": zimtohrli}}

    found = {
        judge.OURS: row([1, 2, 3], [5, 5, 5]),
        "rave-v2": row([2, 2, 4], [1, 1, 1]),
        "winds": row([9] * 3, [9] * 3),
    }
    (line,) = judge.duels(found)
    assert "rave-v2 in 2 of 3 sounds by CDPAM, in 0 by" in line
