"""`neurorack report` from end to end on the hand-made instrument: what the page holds, what it refuses."""

import base64
import io
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import small_corpus
import soundfile
from PIL import Image

from neurorack.cli.main import main

RATE = 44_100


def run(*arguments: object) -> int:
    with pytest.raises(SystemExit) as done:
        main(["report", *map(str, arguments)])
    return done.value.code


class Page(HTMLParser):
    """Every tag with its attributes, sections, and what is left open."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None], str]] = []
        self.open: list[str] = []
        self.section = ""
        self.text = text
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        if tag == "section":
            self.section = found["id"]
        self.tags.append((tag, found, self.section))
        if tag not in ("img", "meta", "br", "rect", "line", "polyline"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in ("rect", "line", "polyline"):
            assert self.open.pop() == tag

    def count(self, tag: str, section: str) -> int:
        return sum(t == tag and s == section for t, _, s in self.tags)

    def sources(self, tag: str) -> list[str]:
        return [a["src"] for t, a, _ in self.tags if t == tag]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory) -> Path:
    return small_corpus.make_corpus(tmp_path_factory.mktemp("report") / "corpus", tests=2, train=13)


@pytest.fixture(scope="module")
def strange(tmp_path_factory) -> Path:
    """A folder with one stereo sound at another rate."""
    folder = tmp_path_factory.mktemp("strange")
    t = np.arange(32_000) / 32_000
    sound = 0.2 * np.sin(2 * np.pi * 440 * t) * np.exp(-3 * t)
    soundfile.write(folder / "a <b> bell.wav", np.stack([sound, sound], axis=1), 32_000)
    return folder


@pytest.fixture(scope="module")
def page(tiny_nrk, corpus, strange, tmp_path_factory) -> Page:
    folder = tmp_path_factory.mktemp("page")
    other = folder / "before.nrk"
    shutil.copy(tiny_nrk, other)
    target = folder / "page.html"
    assert run(tiny_nrk, corpus, "-o", target, "--limit", 2, "--also", other, "--transfer", strange) == 0
    return Page(target.read_text("utf-8"))


def test_the_page_is_whole_and_holds_everything_itself(page):
    assert page.open == []
    assert all(s.startswith("data:audio/flac;base64,") for s in page.sources("audio"))
    assert all(s.startswith("data:image/png;base64,") for s in page.sources("img"))
    assert not re.search(r"(?:src|href)=.?(?:https?:|//)", page.text) and "<link" not in page.text
    assert "prefers-color-scheme" in page.text and "width=device-width" in page.text


def test_every_sound_can_be_played_and_every_picture_seen(page):
    for source in page.sources("audio"):
        audio, rate = soundfile.read(io.BytesIO(base64.b64decode(source.partition(",")[2])))
        assert rate == RATE and len(audio) > 0.3 * RATE and np.isfinite(audio).all()
    for source in page.sources("img"):
        picture = Image.open(io.BytesIO(base64.b64decode(source.partition(",")[2])))
        assert picture.height == 128 and len(set(picture.getdata())) > 4


def test_each_section_has_its_players_and_pictures(page):
    # Two pairs: recording, reconstruction, difference, and the same by the instrument compared with.
    assert (page.count("audio", "pairs"), page.count("img", "pairs")) == (6, 8)
    # Four controls moved alone and all together, the worst and the middle of each.
    assert page.count("audio", "requests") == 10
    assert page.count("svg", "requests") >= 4 * 2 + 2 * 2
    assert (page.count("audio", "sweeps"), page.count("svg", "sweeps")) == (4, 4)
    assert page.count("audio", "held") == 3 and page.count("audio", "transfers") == 2
    assert "a &lt;b&gt; bell.wav" in page.text


def test_goals_are_judged_plainly_beside_null_rows_and_the_other(page):
    verdict = re.search(r'class="count">(\d+)<small> of (\d+) goals', page.text)
    met, judged = int(verdict[1]), int(verdict[2])
    assert judged >= 15 and 0 < met < judged  # the hand-made one obeys loudness, and not everything
    assert page.text.count("✓ met") == met and page.text.count("✗ missed") == judged - met
    chips = re.search(r'<ul class="missed">(.*?)</ul>', page.text)[1]
    assert chips.count("<li>") == judged - met
    for head in ("source copied", "bare gain", "wrong request", "noise", "the corpus&#x27;s other half"):
        assert f"<th>{head}</th>" in page.text
    assert "Licence MIT" in page.text


def test_bad_input_is_one_sentence_and_writes_no_page(tiny_nrk, corpus, strange, tmp_path, capsys):
    slow = small_corpus.make_corpus(tmp_path / "slow", sample_rate=22_050, seconds=1.2)
    spoilt = tmp_path / "spoilt"
    spoilt.mkdir()
    soundfile.write(spoilt / "nan.wav", np.full(4000, np.nan), RATE, subtype="FLOAT")
    empty = tmp_path / "empty"
    empty.mkdir()
    target = tmp_path / "page.html"
    cases = [
        ((tiny_nrk, tmp_path / "nowhere"), "is not a corpus"),
        ((tiny_nrk, slow), "--rate 44100"),
        ((tmp_path / "none.nrk", corpus), "no such file"),
        ((tiny_nrk, corpus, "--also", "nobody"), "no instrument 'nobody'"),
        ((tiny_nrk, corpus, "--split", "validation"), "no file in its validation split"),
        ((tiny_nrk, corpus, "--transfer", spoilt), "NaN"),
        ((tiny_nrk, corpus, "--transfer", empty), "holds no sound"),
        ((tiny_nrk, corpus, "--transfer", tmp_path / "nowhere"), "no folder"),
    ]
    for arguments, words in cases:
        assert run(*arguments, "-o", target) == 2, words
        error = capsys.readouterr().err.splitlines()[-1]
        assert words in error and error.startswith("Error: ")
        assert not target.exists()
    assert run(tiny_nrk, corpus, "-o", tmp_path) == 2
    assert "is a folder" in capsys.readouterr().err
