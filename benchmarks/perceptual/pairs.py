"""What is compared: held-out recordings and, row by row, what stands beside them, at the same times.

Rows that need no model say what a distance means: another recording of the test split, the recording with
noise 30 dB under it, the recording through MP3 at 64 kb/s, and noise with the recording's levels in 80 mel
bands (right in spectrum and time, without a clean tone). Then instruments, rendered with their latency taken
off, and what a comparison with RAVE (benchmarks/peers/compare.py) left in its folder, each arm's answers
moved by the one lag that is found from all of them together.
"""

import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

sys.path.append(str(Path(__file__).resolve().parents[1] / "peers"))

import scores

REFERENCE, OTHER = "recording", "another recording"
NOISE_DB, MP3_KBPS = -30.0, 64
MOST_ASTRAY = 4096
"""Samples that a coder may shift a sound by."""


def write(folder: Path, row: str, sounds: list[np.ndarray], sample_rate: int, seconds: float) -> None:
    """ROW/000.wav and so on, float32, each cut to its beginning."""
    import soundfile

    (folder / row).mkdir(parents=True, exist_ok=True)
    for i, sound in enumerate(sounds):
        path = folder / row / f"{i:03d}.wav"
        cut = np.asarray(sound[: round(seconds * sample_rate)], np.float32)
        soundfile.write(path, cut, sample_rate, subtype="FLOAT")


def nulls(sample_rate: int) -> Mapping[str, Callable[[np.ndarray, int], np.ndarray]]:
    """Row -> (recording [N], seed) -> what needs no model."""
    from neurorack.learn.measure.nulls import noise_in_bands

    return {
        f"noise at {NOISE_DB:.0f} dB": lambda x, seed: with_noise(x, NOISE_DB, seed),
        f"MP3 at {MP3_KBPS} kbps": lambda x, seed: through_mp3(x, sample_rate),
        "noise in its mel bands": lambda x, seed: noise_in_bands(x, sample_rate, seed),
    }


def with_noise(recording: np.ndarray, level_db: float, seed: int) -> np.ndarray:
    """The recording and white noise, its level relative to the whole recording's root mean square."""
    rms = np.sqrt(np.mean(np.square(recording, dtype=np.float64)))
    noise = np.random.default_rng([seed, 1]).standard_normal(len(recording))
    return (recording + rms * 10 ** (level_db / 20) * noise).astype(np.float32)


def through_mp3(recording: np.ndarray, sample_rate: int) -> np.ndarray:
    """The recording through LAME at a constant 64 kb/s and back, found in time by its waveform; needs
    soundfile 0.13 or newer."""
    import soundfile

    # libsndfile counts a compression from 0 to 1 through a layer's bit rates; for mono 320 to 32 kb/s.
    compression = (320 - MP3_KBPS) / (320 - 32)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "sound.mp3"
        soundfile.write(
            path, recording, sample_rate, format="MP3", bitrate_mode="CONSTANT", compression_level=compression
        )
        heard, rate = soundfile.read(path, dtype="float32")
    if rate != sample_rate:
        raise SystemExit(f"MP3 came back at {rate} Hz")
    return in_time(recording, heard)


def in_time(recording: np.ndarray, heard: np.ndarray) -> np.ndarray:
    """`heard` moved to where its waveform fits the recording best, and as long as it."""
    size = 2 ** int(np.ceil(np.log2(len(recording) + len(heard))))
    fit = np.fft.irfft(np.conj(np.fft.rfft(recording, size)) * np.fft.rfft(heard, size), size)
    late = np.concatenate([fit[-MOST_ASTRAY:], fit[: MOST_ASTRAY + 1]]).argmax() - MOST_ASTRAY
    moved = heard[late:] if late >= 0 else np.pad(heard, (-late, 0))
    return np.pad(moved, (0, max(len(recording) - len(moved), 0)))[: len(recording)].astype(np.float32)


def reconstructions(name: str, recordings: list[np.ndarray]) -> list[np.ndarray]:
    """An instrument's answers [128 T] to recordings [128 T] under their own controls: offline, latency taken
    off."""
    from neurorack.core.library import find
    from neurorack.core.nrk import read_nrk
    from neurorack.learn.measure.render import Renderer

    renderer = Renderer(read_nrk(find(name)))
    answers = []
    for recording in recordings:
        analysis = renderer.analyse(recording)
        answers.append(renderer.render(analysis.z, [analysis.curves])[0])
    return answers


def of_peers(folder: Path, recordings: list[np.ndarray], sample_rate: int) -> dict[str, list[np.ndarray]]:
    """Arm -> answers, from a folder of benchmarks/peers; SystemExit where it answered other recordings."""
    with np.load(folder / "excerpts.npz") as given:
        asked = {key: given[key] for key in sorted(given.files)}
    tail = round(scores.TAIL_S * sample_rate)
    for recording, (key, sound) in zip(recordings, asked.items(), strict=False):
        if not np.array_equal(sound[:-tail], recording):
            raise SystemExit(f"{folder}: its excerpt {key} is none of this corpus' test split.")
    if len(asked) < len(recordings):
        raise SystemExit(f"{folder} answered {len(asked)} excerpts: --limit {len(asked)} at most.")
    found = {}
    for path in sorted(folder.glob("*/answers.npz")):
        with np.load(path) as answered:
            answers = {key: np.nan_to_num(answered[key]) for key in asked}
        lag = scores.lag_samples(asked, answers, sample_rate)
        arm = "ours, equal minutes" if path.parent.name == "ours" else path.parent.name
        found[arm] = [
            answers[key][lag : lag + len(recording)]
            for key, recording in zip(asked, recordings, strict=False)
        ]
    return found
