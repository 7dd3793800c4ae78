"""The panel in a real browser: what the page's own player hands to the output is what is judged."""

import numpy as np
import pytest
from playing import until

RATE = 44_100


def capture(page, seconds: float = 0.6) -> np.ndarray:
    """The samples the page's worklet gave to its output."""
    return np.array(page.evaluate(f"neurorackTest.capture({seconds})"), np.float32)


def level_db(audio: np.ndarray) -> float:
    return 10 * np.log10(np.mean(audio**2) + 1e-12)


def centroid_hz(audio: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(audio * np.hanning(len(audio)))) ** 2
    return float((np.fft.rfftfreq(len(audio), 1 / RATE) * power).sum() / power.sum())


def f0_hz(audio: np.ndarray) -> float:
    """By autocorrelation with parabolic interpolation, 60 to 900 Hz."""
    spectrum = np.fft.rfft(audio, 2 * len(audio))
    curve = np.fft.irfft(np.abs(spectrum) ** 2)
    low, high = RATE // 900, RATE // 60
    best = low + int(np.argmax(curve[low:high]))
    a, b, c = curve[best - 1 : best + 2]
    return RATE / (best + 0.5 * (a - c) / (a - 2 * b + c))


def wait_level(page, above_db: float, patience: int = 12) -> np.ndarray:
    """Capture until it is louder than `above_db`."""
    for _ in range(patience):
        audio = capture(page, 0.25)
        if level_db(audio) > above_db:
            return audio
    pytest.fail(f"silent: {level_db(audio):.1f} dB")


def wait_silence(page, patience: int = 12) -> None:
    for _ in range(patience):
        if level_db(capture(page, 0.2)) < -80:
            return
    pytest.fail("still sounds")


def play(page) -> None:
    page.click("#start")
    until(page, "neurorackTest.report() && neurorackTest.report().playing")
    turn(page, "loudness", "End")
    wait_level(page, -50)


def turn(page, name: str, key: str) -> None:
    """Turn a knob by a key: Home is the least, End the most."""
    page.locator(f'[data-control="{name}"]').press(key)


def test_play_sounds_and_brightness_obeys(open_panel):
    page = open_panel()
    play(page)
    turn(page, "brightness", "Home")
    page.wait_for_timeout(700)
    dark = centroid_hz(capture(page))
    turn(page, "brightness", "End")
    page.wait_for_timeout(700)
    bright = centroid_hz(capture(page))
    assert bright > 1.5 * dark
    told = page.evaluate("neurorackTest.telemetry()")
    index = [c["name"] for c in page.evaluate("neurorackTest.instrument()")["controls"]].index("brightness")
    assert told["asked"][index] == pytest.approx(1.0, abs=0.05)
    # The hand on the pad moves both of its descriptors; a double click gives them back to the source.
    box = page.locator("#pad").bounding_box()
    page.mouse.click(box["x"] + 0.1 * box["width"], box["y"] + 0.9 * box["height"])
    page.wait_for_timeout(700)
    assert centroid_hz(capture(page)) < 0.8 * bright
    page.locator("#pad").dblclick(position={"x": 50, "y": 50})
    until(page, "!('brightness' in neurorackTest.state().asked)")
    page.click("#play")
    wait_silence(page)


def test_a_second_press_is_the_opposite_before_the_player_answered(open_panel):
    page = open_panel()
    pressed = "document.getElementById('{}').click()"
    page.evaluate(f"{pressed.format('start')}, {pressed.format('play')}")
    page.wait_for_timeout(600)  # until only the player's own word counts
    assert not page.evaluate("neurorackTest.state().latched || neurorackTest.state().gate")
    page.evaluate(";".join([pressed.format("play")] * 3))
    page.wait_for_timeout(600)
    assert page.evaluate("neurorackTest.state().latched && neurorackTest.state().gate")
    page.click("#play")
    wait_silence(page)


def test_space_gates_and_keys_play_in_tune(open_panel):
    page = open_panel()
    play(page)
    page.keyboard.down("Space")  # the hand takes over from Play
    until(page, "!neurorackTest.state().latched")
    wait_level(page, -50)
    page.keyboard.up("Space")
    wait_silence(page)
    page.keyboard.down("h")  # A3 in the octave that begins at C3
    page.wait_for_timeout(500)
    wait_level(page, -50)
    played = f0_hz(capture(page, 0.5))
    page.keyboard.up("h")
    assert 1200 * abs(np.log2(played / 220.0)) < 10
    wait_silence(page)
    page.keyboard.down("Space")
    wait_level(page, -50)
    page.keyboard.press("Escape")
    wait_silence(page)
    page.keyboard.up("Space")


def test_two_panels_share_one_performance_and_a_lost_one_lets_go(open_panel):
    first, second = open_panel(), open_panel(viewport={"width": 390, "height": 844}, has_touch=True)
    play(first)
    second.click("#start")
    until(second, "neurorackTest.report() && neurorackTest.report().playing")
    turn(first, "noisiness", "End")
    until(second, "neurorackTest.state().asked.noisiness === 1")
    wait_level(second, -50)
    assert second.evaluate("document.documentElement.scrollWidth <= innerWidth")
    second.keyboard.down("Space")
    until(first, "neurorackTest.state().gate && !neurorackTest.state().latched")
    second.close()
    until(first, "!neurorackTest.state().gate")
    wait_silence(first)


def test_another_instrument_and_every_source(open_panel):
    page = open_panel()
    play(page)
    page.select_option("#instrument", "tiny-noise")
    until(page, "!neurorackTest.instrument().pitched")
    wait_level(page, -50)
    for source in ("wander", "clip", "map", "live", "hold"):
        page.click(f'#play-source [data-source="{source}"]')
        until(page, f"neurorackTest.state().source === '{source}'")
        if source == "live":  # Chromium's fake microphone beeps
            until(page, "neurorackTest.telemetry().input_level_db > -60")
        else:
            wait_level(page, -55)
    page.select_option("#instrument", "tiny")
    until(page, "neurorackTest.instrument().pitched")
    wait_level(page, -50)
    page.click("#panic")
    wait_silence(page)
