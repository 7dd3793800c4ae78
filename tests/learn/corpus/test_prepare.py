"""A folder becomes a corpus: whole, resumable, reproducible, honest about what is missing."""

import errno
import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from neurorack.core.errors import NeurorackError
from neurorack.learn.corpus import Corpus, assemble, parts
from neurorack.learn.corpus.corpus import PARTS
from neurorack.learn.corpus.prepare import Options, prepare
from neurorack.learn.descriptors import build

FAST = Options(descriptors=("loudness", "brightness"), workers=1)

OWN_DESCRIPTOR = '''
from neurorack.learn.descriptors import Descriptor

class Crest(Descriptor):
    """Peak of the window in full scale."""
    name, outputs, labels = "crest", ("crest",), ("Crest",)
    units, scales, defaults = ("",), ("linear",), (0.0,)

    def forward(self, frames):
        return frames.audio.abs().amax(-1)[:, None]
'''


def snapshot(corpus: Path) -> dict[str, bytes]:
    return {name: (corpus / name).read_bytes() for name in ("audio.i16", "features.f32", "corpus.json")}


def test_corpus_holds_what_was_recorded_and_what_it_measures(recordings: Path, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    corpus = prepare(recordings, tmp_path / "corpus", FAST, lambda done, total: seen.append((done, total)))
    assert seen[0] == (0, 31) and seen[-1] == (31, 31)
    assert len(corpus.files) == 28
    why = {entry["path"]: entry["why"] for entry in corpus.skipped}
    assert set(why) == {"odd/text.wav", "odd/empty.wav", "odd/phone.m4a", "odd/copy of n00.wav"}
    assert "horn/n00_cnd.wav" in why["odd/copy of n00.wav"] and "WAV or FLAC" in why["odd/phone.m4a"]

    assert corpus.all_audio.dtype == np.int16 and corpus.all_features.shape == (
        len(corpus.all_audio) // 128,
        2,
    )
    bank = build(["loudness", "brightness"], 44_100)
    place = 0
    for file in corpus.files:
        assert (file.start_frame, file.start_sample) == (place, place * 128)
        assert file.samples == file.frames * 128 and 0 <= file.samples - round(file.seconds * 44_100) < 128
        place += file.frames
        audio = corpus.audio(file)
        with torch.no_grad():
            want = bank.measure(torch.from_numpy(audio)[None])[0].numpy().T
        np.testing.assert_allclose(corpus.features(file), want, rtol=1e-4, atol=1e-3)
    note = next(file for file in corpus.files if file.path == "horn/n03_dyn.wav")
    original = soundfile.read(recordings / note.path, dtype="int16")[0]
    assert np.array_equal(corpus.audio(note)[: len(original)] * 32768, original)
    assert np.array_equal(corpus.audio(note, 10, 5), corpus.audio(note)[1280:1920])
    hot = next(file for file in corpus.files if file.path == "odd/hot.wav")
    assert hot.gain_db < -3 and next(f for f in corpus.files if f.path == "odd/tiny ü.wav").frames == 2

    splits = {name: {file.group for file in corpus.split(name)} for name in ("train", "validation", "test")}
    assert (
        all(splits.values()) and sum(map(len, splits.values())) == len({f.group for f in corpus.files}) == 16
    )
    page = (corpus.path / "overview.html").read_text(encoding="utf-8")
    assert page.count("<img") == 3 and "odd/phone.m4a" in page and "http" not in page
    assert pickle.loads(pickle.dumps(corpus)).all_audio.shape == corpus.all_audio.shape
    assert str(tmp_path) not in (corpus.path / "corpus.json").read_text(encoding="utf-8")


def test_processes_give_the_same_corpus_bit_for_bit(recordings: Path, prepared: Path, tmp_path: Path) -> None:
    prepare(recordings, tmp_path / "two", Options(descriptors=FAST.descriptors, workers=2))
    assert snapshot(prepared) == snapshot(tmp_path / "two")


def test_rerun_does_only_what_changed(
    recordings: Path, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    real = parts.make_part

    def counted(bank: object, recipe: parts.Recipe, root: Path, relative: str, target: Path) -> None:
        made.append(relative)
        real(bank, recipe, root, relative, target)

    monkeypatch.setattr(parts, "make_part", counted)
    corpus, first = prepared, snapshot(prepared)
    faulty = {"odd/text.wav", "odd/empty.wav", "odd/copy of n00.wav"}

    prepare(recordings, corpus, FAST)
    assert set(made) <= faulty and snapshot(corpus) == first

    made.clear()
    (recordings / "horn/n01_cnd.wav").unlink()
    sound = soundfile.read(recordings / "horn/n02_cnd.wav")[0]
    soundfile.write(recordings / "horn/n02_cnd.wav", sound[::-1], 44_100)
    soundfile.write(recordings / "horn/n12_cnd.wav", sound * 0.5, 44_100)
    changed = prepare(recordings, corpus, FAST)
    assert set(made) - faulty == {"horn/n02_cnd.wav", "horn/n12_cnd.wav"}
    fresh = prepare(recordings, tmp_path / "fresh", FAST)
    assert snapshot(corpus) == snapshot(tmp_path / "fresh") and changed.files == fresh.files

    made.clear()
    other = prepare(recordings, corpus, Options(descriptors=FAST.descriptors, workers=1, seed=5))
    assert set(made) <= faulty and [f.split for f in other.files] != [f.split for f in fresh.files]
    prepare(recordings, corpus, Options(descriptors=("loudness",), workers=1))
    assert "horn/n02_cnd.wav" in made and Corpus.open(corpus).outputs == ["loudness"]


def test_killed_half_way_it_continues(recordings: Path, tmp_path: Path) -> None:
    """kill -9 in the middle: the half corpus is refused with a hint, the next run keeps what was done."""
    for copy in range(40):
        sound = np.random.default_rng(copy).normal(0, 0.1, 60_000).astype(np.float32)
        soundfile.write(recordings / f"long{copy:02d}.wav", sound, 44_100)
    corpus = tmp_path / "corpus"
    code = (
        "from neurorack.learn.corpus.prepare import *; import sys; "
        "prepare(sys.argv[1], sys.argv[2], Options(descriptors=('loudness', 'brightness'), workers=1))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, recordings, corpus])
    store = corpus / PARTS
    deadline = time.monotonic() + 60
    while len(list(store.glob("[0-9a-f]*.npz")) if store.is_dir() else []) < 5:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.005)
    process.kill() if os.name == "nt" else process.send_signal(signal.SIGKILL)
    process.wait()
    kept = len(list(store.glob("[0-9a-f]*.npz")))
    with pytest.raises(NeurorackError, match=r"unfinished.*again"):
        Corpus.open(corpus)
    seen: list[tuple[int, int]] = []
    result = prepare(recordings, corpus, FAST, lambda done, total: seen.append((done, total)))
    assert seen[-1][1] == 71 - kept
    prepare(recordings, tmp_path / "fresh", FAST)
    assert snapshot(corpus) == snapshot(tmp_path / "fresh")
    assert len(result.files) == 68 and sorted(p.name for p in corpus.iterdir()) == [
        "audio.i16",
        "corpus.json",
        "features.f32",
        "overview.html",
    ]


def test_a_full_disk_is_one_sentence_and_costs_nothing(
    recordings: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus, before = prepared, snapshot(prepared)
    soundfile.write(recordings / "new.wav", np.random.default_rng(0).normal(0, 0.1, 9000), 44_100)

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(assemble.os, "fsync", full)
        with pytest.raises(NeurorackError, match=r"disk .* is full"):
            prepare(recordings, corpus, FAST)
    assert snapshot(corpus) == before and not list(corpus.glob(".*.part"))
    assert len(prepare(recordings, corpus, FAST).files) == 29


def test_own_descriptor_travels_in_the_corpus(recordings: Path, tmp_path: Path) -> None:
    source = tmp_path / "mine.py"
    source.write_text(OWN_DESCRIPTOR)
    options = Options(descriptors=("loudness",), descriptor_files=(f"{source}:Crest",), workers=1)
    corpus = prepare(recordings, tmp_path / "corpus", options)
    assert corpus.outputs == ["loudness", "crest"] and corpus.descriptor_names() == ["loudness"]
    source.write_text(OWN_DESCRIPTOR.replace("frames.audio.abs()", "frames.loudness"))
    with pytest.raises(NeurorackError, match="correct your descriptor"):
        prepare(recordings, tmp_path / "broken", options)
    source.unlink()
    files = corpus.descriptor_files(tmp_path / "rebuilt")
    bank = build(corpus.descriptor_names(), corpus.sample_rate, files=files)
    file = corpus.files[0]
    values = bank.measure(torch.from_numpy(corpus.audio(file))[None])[0, 1].numpy()
    np.testing.assert_allclose(values, corpus.features(file)[:, corpus.column("crest")], rtol=1e-5)
    with pytest.raises(NeurorackError, match="no file"):
        prepare(recordings, tmp_path / "corpus", options)
    with pytest.raises(NeurorackError, match="no descriptor 'pitch'"):
        corpus.column("pitch")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (Options(descriptors=("loudnes",), workers=1), "loudnes"),
        (Options(sample_rate=44, workers=1), "--rate"),
        (Options(shares=(0.5, 0.6, 0.1), workers=1), "--split"),
        (Options(exclude=("(",), workers=1), "--exclude"),
        (Options(exclude=(".",), workers=1), "--exclude left none"),
        (Options(descriptor_files=("x.py",), workers=1), "FILE.py:CLASS"),
    ],
)
def test_bad_options_are_refused_before_anything_is_written(
    recordings: Path, tmp_path: Path, options: Options, says: str
) -> None:
    with pytest.raises(NeurorackError, match=says):
        prepare(recordings, tmp_path / "corpus", options)
    assert not (tmp_path / "corpus").exists()


def test_nothing_usable_lists_the_reasons(recordings: Path, tmp_path: Path) -> None:
    for sound in recordings.rglob("*.*"):
        if sound.name not in ("text.wav", "phone.m4a", "empty.wav", "notes.txt"):
            sound.unlink()
    if hasattr(os, "mkfifo"):
        os.mkfifo(recordings / "pipe.wav")
        (recordings / "dangling.wav").symlink_to(recordings / "gone.wav")
    with pytest.raises(NeurorackError, match=r"None of the [35] recordings") as caught:
        prepare(recordings, tmp_path / "corpus", FAST)
    assert all(name in str(caught.value) for name in ("text.wav", "phone.m4a", "empty.wav"))
    for sound in recordings.rglob("*.*"):
        if sound.suffix != ".txt":
            sound.unlink()
    with pytest.raises(NeurorackError, match="holds no recordings"):
        prepare(recordings, tmp_path / "other", FAST)
    with pytest.raises(NeurorackError, match="no folder"):
        prepare(tmp_path / "nowhere", tmp_path / "other", FAST)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(NeurorackError, match="other things"):
        prepare(recordings, tmp_path / "full", FAST)


def test_damaged_corpora_are_refused(prepared: Path, tmp_path: Path) -> None:
    corpus = prepared
    good = (corpus / "corpus.json").read_text(encoding="utf-8")
    for bad in ("{", "[]", "{}", json.dumps({**json.loads(good), "version": 99})):
        (corpus / "corpus.json").write_text(bad, encoding="utf-8")
        with pytest.raises(NeurorackError, match="again"):
            Corpus.open(corpus)
    (corpus / "corpus.json").write_text(good, encoding="utf-8")
    with open(corpus / "audio.i16", "ab") as file:
        file.write(b"\0\0")
    with pytest.raises(NeurorackError, match=r"audio\.i16 is missing or damaged"):
        Corpus.open(corpus)
    with pytest.raises(NeurorackError, match="neurorack prepare"):
        Corpus.open(tmp_path / "nowhere")


def test_one_long_recording_is_cut_in_time_so_that_there_is_something_to_score_on(tmp_path: Path) -> None:
    folder = tmp_path / "sounds"
    folder.mkdir()
    noise = np.random.default_rng(0).normal(0, 0.1, 40 * 44_100 + 77)
    soundfile.write(folder / "hour_cnd.wav", noise, 44_100)
    soundfile.write(folder / "hour_dyn.wav", 0.5 * noise[::-1], 44_100)
    options = Options(descriptors=("loudness",), workers=1)
    corpus = prepare(folder, tmp_path / "corpus", options)
    assert [file.split for file in corpus.files] == 2 * ["train", "validation", "test"]
    assert len({file.group for file in corpus.files}) == 3
    ends = [file.start_frame + file.frames for file in corpus.files]
    assert [file.start_frame for file in corpus.files] == [0, *ends[:-1]]
    assert ends[-1] == len(corpus.all_features)
    assert sum(file.seconds for file in corpus.files[:3]) == pytest.approx(40 + 77 / 44_100, abs=1e-5)
    first = snapshot(corpus.path)
    seen: list[tuple[int, int]] = []
    prepare(folder, corpus.path, options, lambda done, total: seen.append((done, total)))
    assert seen == [] and snapshot(corpus.path) == first
    fixed = prepare(folder, corpus.path, Options(descriptors=("loudness",), workers=1, train_only=("hour",)))
    assert [file.split for file in fixed.files] == ["train", "train"] and fixed.files[0].seconds > 40
