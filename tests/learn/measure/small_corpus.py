"""A corpus on disk without running prepare: sounds of wandering level and tilt, two splits."""

import json
from pathlib import Path

import numpy as np

from neurorack.learn.corpus.corpus import CORPUS_VERSION


def wandering(seed: int, seconds: float, sample_rate: int) -> np.ndarray:
    """A note with noise whose level and tilt wander: float32, whole frames."""
    rng = np.random.default_rng(seed)
    n = int(seconds * sample_rate) // 128 * 128
    t = np.arange(n) / sample_rate
    level, tilt = (np.sin(2 * np.pi * rng.uniform(0.5, 2) * t + rng.uniform(0, 6)) for _ in range(2))
    f0 = rng.uniform(120, 300)
    tone = sum(np.sin(2 * np.pi * f0 * k * t) * k ** (-1.5 - tilt) for k in range(1, 30))
    return (0.1 * 10 ** (0.4 * level) * (tone + 0.02 * rng.standard_normal(n))).astype(np.float32)


def make_corpus(
    folder: Path, sample_rate: int = 44_100, tests: int = 3, seconds: float = 2.1, train: int = 1
) -> Path:
    """Write a corpus of `tests` test files and `train` training files; features are zeros, never read."""
    sounds = [wandering(i, seconds, sample_rate) for i in range(tests + train)]
    files, start = [], 0
    for i, sound in enumerate(sounds):
        frames = len(sound) // 128
        files.append(
            dict(path=f"notes/{i}.wav", group=f"g{i}", split="test" if i >= train else "train",
                 start_sample=start * 128,
                 samples=len(sound), start_frame=start, frames=frames, seconds=seconds)
        )  # fmt: skip
        start += frames
    folder.mkdir(parents=True)
    audio = np.clip(np.concatenate(sounds) * 32768, -32768, 32767).astype("<i2")
    audio.tofile(folder / "audio.i16")
    np.zeros((start, 1), "<f4").tofile(folder / "features.f32")
    document = dict(
        version=CORPUS_VERSION, sample_rate=sample_rate, hop=128, descriptors=[], outputs=["loudness"],
        specs=[], files=files, skipped=[], options={},
    )  # fmt: skip
    (folder / "corpus.json").write_text(json.dumps(document))
    return folder
