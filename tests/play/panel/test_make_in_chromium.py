"""The page Make in a real browser: sounds gathered from files and from Chromium's fake microphone."""

import shutil

import numpy as np
import pytest
import soundfile as sf
from playing import playing, until

RATE = 44_100
SETS = "neurorackTest.library().material.sets"


@pytest.fixture
def own_player(tmp_path, tiny_nrk):
    """A player of its own, with a home of its own."""
    (tmp_path / "instruments").mkdir()
    shutil.copy(tiny_nrk, tmp_path / "instruments" / "tiny.nrk")
    with playing(tmp_path, "tiny", "--backend", "null") as running:
        yield running


@pytest.fixture
def page(chromium, own_player):
    """The page Make of that player; faults in it fail the test."""
    faults = []
    context = chromium.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(own_player.url + "&tap=1")
    until(page, "window.neurorackTest && neurorackTest.telemetry()")
    page.click("#start")
    page.click("#tab-make")
    yield page
    context.close()
    assert not faults


def choose(page, paths) -> None:
    """Add files by the file chooser."""
    with page.expect_file_chooser() as chooser:
        page.click("#make-files")
    chooser.value.set_files([str(path) for path in paths])


def write_tone(path, seconds: float):
    samples = 0.2 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * RATE)) / RATE)
    sf.write(path, samples.astype(np.float32), RATE)
    return path


def test_files_are_added_listed_and_deleted(page, own_player, tmp_path):
    (tmp_path / "drop").mkdir()
    files = [write_tone(tmp_path / "drop" / f"{name}.wav", s) for name, s in (("low", 2.0), ("high", 3.0))]
    (tmp_path / "drop" / "letter.wav").write_text("no sound")
    choose(page, [*files, tmp_path / "drop" / "letter.wav"])
    until(page, f"{SETS}.length === 1 && {SETS}[0].sounds.length === 2", 20)
    until(page, "document.querySelector('.toast.error')?.textContent.includes('letter is not taken')")
    assert page.locator(".sound-list li").all_inner_texts() == ["high.wav\n3.0 s\n×", "low.wav\n2.0 s\n×"]
    assert page.inner_text("#make-expect").startswith("5.0 s of sound (2 recordings): it will sound like")
    page.fill("#make-title", "Two tones")
    page.press("#make-title", "Enter")
    until(page, f"{SETS}[0].title === 'Two tones'")
    delete = page.locator('[data-sound="low.wav"] .close')
    delete.click()
    assert delete.inner_text() == "Delete?" and page.evaluate(f"{SETS}[0].sounds.length") == 2
    delete.click()
    until(page, f"{SETS}[0].sounds.length === 1")
    # Another page, or this one loaded anew, finds it all again.
    page.goto(own_player.url + "&tap=1")
    until(page, f"window.neurorackTest && neurorackTest.state() && {SETS}.length === 1")
    page.click("#tab-make")
    until(page, "document.querySelectorAll('.sound-list li').length === 1")
    assert page.input_value("#make-title") == "Two tones"


def test_the_microphone_is_recorded_and_listed(page, tmp_path):
    page.click("#make-record")
    until(page, "document.querySelector('#make-record').getAttribute('aria-pressed') === 'true'")
    until(page, "parseFloat(document.querySelector('.make-level i').style.width) > 30")  # it beeps
    until(page, "parseFloat(document.querySelector('#make-record').innerText.slice(5)) >= 2")
    page.click("#make-record")
    until(page, f"{SETS}.length === 1 && {SETS}[0].sounds.length === 1", 20)
    (recorded,) = (tmp_path / "material").glob("*/Recording *.wav")
    audio, rate = sf.read(recorded)
    assert 1.9 < len(audio) / rate < 4 and np.abs(audio).max() > 0.05
    assert sf.info(recorded).subtype == "PCM_24"
    until(page, "document.querySelector('.sound-list').innerText.includes('Recording')")
