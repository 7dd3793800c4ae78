"""A small folder of recordings: two microphones, round robins, odd formats, and every kind of fault."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neurorack.learn.corpus.prepare import Options, prepare

RATE = 44_100


def tone(hz: float, seconds: float, seed: int, rate: int = RATE) -> np.ndarray:
    """A decaying tone with some noise: float32 [n]."""
    time = np.arange(round(seconds * rate)) / rate
    noise = np.random.default_rng(seed).normal(0, 0.01, len(time))
    return ((0.4 * np.sin(2 * np.pi * hz * time) + noise) * np.exp(-3 * time)).astype(np.float32)


@pytest.fixture
def recordings(tmp_path: Path, original: Path) -> Path:
    """FOLDER with 12 notes by two microphones, 4 usable oddities, 4 faulty files, and other things."""
    return Path(shutil.copytree(original, tmp_path / "sounds"))


@pytest.fixture
def prepared(recordings: Path, tmp_path: Path, prepared_original: Path) -> Path:
    """Corpus of loudness and brightness of `recordings`, as one process has made it."""
    return Path(shutil.copytree(prepared_original, tmp_path / "corpus"))


@pytest.fixture(scope="session")
def prepared_original(original: Path) -> Path:
    """What `prepared` copies."""
    options = Options(descriptors=("loudness", "brightness"), workers=1)
    return prepare(original, original.parent / "corpus", options).path


@pytest.fixture(scope="session")
def original(tmp_path_factory) -> Path:
    """What `recordings` copies."""
    folder = tmp_path_factory.mktemp("recordings") / "sounds"
    (folder / "horn").mkdir(parents=True)
    (folder / "odd").mkdir()
    for note in range(12):
        for mic, seed in (("cnd", 1), ("dyn", 2)):
            sound = tone(110 * 2 ** (note / 12), 0.25, 100 * note + seed)
            soundfile.write(folder / "horn" / f"n{note:02d}_{mic}.wav", sound, RATE)
    wide = np.stack([tone(300 + k, 0.3, k, 96_000) for k in range(8)], axis=1)
    soundfile.write(folder / "odd" / "eight.wav", wide, 96_000, subtype="PCM_24")
    soundfile.write(folder / "odd" / "low.flac", tone(200, 0.3, 7, 16_000), 16_000)
    soundfile.write(folder / "odd" / "hot.wav", 4 * tone(200, 0.3, 8), RATE, subtype="FLOAT")
    soundfile.write(folder / "odd" / "tiny ü.wav", tone(500, 150 / RATE, 9), RATE)
    soundfile.write(folder / "odd" / "copy of n00.wav", soundfile.read(folder / "horn/n00_cnd.wav")[0], RATE)
    (folder / "odd" / "text.wav").write_text("not a sound")
    (folder / "odd" / "empty.wav").write_bytes(b"")
    (folder / "odd" / "phone.m4a").write_bytes(b"\0" * 100)
    (folder / "notes.txt").write_text("a list")
    (folder / ".hidden.wav").write_text("a resource fork")
    return folder
