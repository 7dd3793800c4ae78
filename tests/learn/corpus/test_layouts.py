"""Public data sets' folders: groups are instruments or speakers, and nothing else slips in."""

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile

from neurorack.core.errors import NeurorackError
from neurorack.learn.corpus.layouts import arrange
from neurorack.learn.corpus.prepare import Options, prepare

RATE = 16_000


def write(path: Path, seed: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(seed)
    t = np.arange(RATE // 4) / RATE
    sound = 0.3 * np.sin(2 * np.pi * random.uniform(100, 900) * t) + 0.01 * random.standard_normal(len(t))
    soundfile.write(path, sound, RATE)


def write_nsynth(folder: Path, instruments: int = 4) -> None:
    """Two notes of each instrument under nsynth-valid/, and one file that examples.json does not name."""
    notes = {}
    for i in range(instruments):
        for pitch in (48, 60):
            instrument = f"brass_acoustic_{i:03d}"
            note = f"{instrument}-{pitch:03d}-100"
            notes[note] = {
                "note_str": note, "instrument_str": instrument, "instrument_family_str": "brass",
                "instrument_source_str": "acoustic", "pitch": pitch, "velocity": 100, "sample_rate": RATE,
            }  # fmt: skip
            write(folder / "nsynth-valid" / "audio" / f"{note}.wav", 10 * i + pitch)
    write(folder / "nsynth-valid" / "audio" / "stray.wav", 1)
    (folder / "nsynth-valid" / "examples.json").write_text(json.dumps(notes))


def write_sc09(folder: Path, speakers: int = 4) -> None:
    """Two digits of each speaker, one other word, one background noise."""
    for s in range(speakers):
        for take, word in enumerate(("zero", "seven")):
            write(folder / word / f"{0xA1B2C3D0 + s:08x}_nohash_{take}.wav", 10 * s + take)
    write(folder / "bed" / "a1b2c3d0_nohash_0.wav", 100)
    write(folder / "_background_noise_" / "pink_noise.wav", 101)


@pytest.mark.parametrize(("layout", "make", "others"), [("nsynth", write_nsynth, 1), ("sc09", write_sc09, 2)])
def test_a_data_set_becomes_a_corpus_with_whole_groups(tmp_path: Path, layout, make, others: int) -> None:
    make(tmp_path / "data")
    options = Options(
        layout=layout, sample_rate=RATE, workers=1, descriptors=("loudness", "brightness"),
        shares=(0.5, 0.25, 0.25),
    )  # fmt: skip
    corpus = prepare(tmp_path / "data", tmp_path / "corpus", options)
    splits: dict[str, set[str]] = {}
    for file in corpus.files:
        splits.setdefault(file.group, set()).add(file.split)
    assert len(corpus.files) == 8 and len(splits) == 4
    assert all(len(found) == 1 for found in splits.values())
    assert set().union(*splits.values()) == {"train", "validation", "test"}
    expected = "brass_acoustic_000" if layout == "nsynth" else "a1b2c3d0"
    assert expected in splits
    document = json.loads((corpus.path / "corpus.json").read_text())
    assert len(document["excluded"]) == others and document["options"]["layout"] == layout


def test_a_folder_of_another_shape_is_refused(tmp_path: Path) -> None:
    for layout in ("nsynth", "sc09"):
        with pytest.raises(NeurorackError, match=f"not laid out like {layout}"):
            arrange(layout, tmp_path, ["a/b.wav", "audio/c.wav"])
    (tmp_path / "examples.json").write_text("[")
    with pytest.raises(NeurorackError, match="unpack NSynth again"):
        arrange("nsynth", tmp_path, ["audio/c.wav"])
