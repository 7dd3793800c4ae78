"""Every page of the panel in a real browser, with a real player: what the hand does shows in its state."""

import io
import os
import signal
import struct
import time
import wave

import pytest
from playing import until

PAGES = ("play", "source", "mod", "voice", "presets", "setup")


def state(page, path: str):
    """A value of the shared state, by a JavaScript path."""
    return page.evaluate(f"neurorackTest.state().{path}")


def play(page) -> None:
    """Press the big button, also where somebody plays already and it is hidden."""
    page.evaluate("document.getElementById('start').click()")
    until(page, "neurorackTest.state().latched")


def show(page, name: str) -> None:
    page.click(f"#tab-{name}")
    until(page, f"!document.getElementById('page-{name}').hidden")


def tone_wav(seconds: float = 0.8, rate: int = 22_050) -> bytes:
    """A falling square wave, 16 bit mono: no sound that any instrument here knows."""
    samples = (12_000 if (i * (300 - i // 100) // rate) % 2 else -12_000 for i in range(int(seconds * rate)))
    file = io.BytesIO()
    with wave.open(file, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return file.getvalue()


def test_a_knob_turns_by_hand_by_figures_and_lets_go(open_silent):
    page = open_silent()
    play(page)
    knob = page.locator('[data-control="brightness"]')
    box = knob.locator("svg").bounding_box()
    page.mouse.move(box["x"] + 30, box["y"] + 30)
    page.mouse.down()
    page.mouse.move(box["x"] + 30, box["y"] - 30, steps=4)
    page.mouse.up()
    until(page, "neurorackTest.state().asked.brightness > 0.3")
    until(page, "neurorackTest.asked('brightness') > 0.3")
    page.locator('[data-number="morph"].knob').press("End")
    until(page, "neurorackTest.state().numbers.morph === 1")
    knob.click(button="right")
    control = page.evaluate("neurorackTest.instrument().controls.find(c => c.name === 'brightness')")
    page.fill(".menu .field", f"{control['default'] / 1000} kHz")
    page.press(".menu .field", "Enter")
    until(page, f"Math.abs(neurorackTest.state().asked.brightness - {control['initial']}) < 0.02")
    page.click('.menu [data-origin="other"]')
    until(page, "neurorackTest.state().origin.brightness === 'other'")
    until(page, "!('brightness' in neurorackTest.state().asked)")  # the hand has let go
    page.click('.menu [data-origin="source"]')
    page.keyboard.press("Escape")  # closes the menu; the sound goes on
    until(page, "!document.querySelector('.menu')")
    assert state(page, "latched")
    page.keyboard.press("Control+z")
    until(page, "neurorackTest.state().redo")
    page.click("#panic")


def test_midi_learn_arms_and_is_called_off(open_silent):
    page = open_silent()
    page.locator('[data-control="noisiness"]').click(button="right")
    page.click('[data-learn="noisiness"]')
    until(page, "neurorackTest.state().learn === 'noisiness'")
    until(page, "document.querySelector('[data-control=noisiness]').classList.contains('learning')")
    page.click('[data-learn="noisiness"]')
    until(page, "neurorackTest.state().learn === ''")


def test_a_dropped_sound_becomes_a_clip_and_plays(open_silent):
    page = open_silent()
    play(page)
    before = page.evaluate("neurorackTest.library().clips.length")
    page.evaluate(
        """bytes => {
            const carried = new DataTransfer();
            carried.items.add(new File([new Uint8Array(bytes)], "my square.wav", { type: "audio/wav" }));
            const options = { dataTransfer: carried, bubbles: true, cancelable: true };
            for (const type of ["dragenter", "dragover", "drop"]) {
                document.body.dispatchEvent(new DragEvent(type, options));
            }
        }""",
        list(tone_wav()),
    )
    until(page, f"neurorackTest.library().clips.length > {before}", 20)
    until(page, "neurorackTest.state().source === 'clip'")
    clip = page.evaluate("neurorackTest.library().clips.find(c => c.own)")
    assert clip["title"] == "my square"
    assert len(clip["wave"]) == 48
    until(page, f"neurorackTest.state().clip === {clip['id']!r}")
    show(page, "source")
    until(page, "neurorackTest.telemetry().sounding")
    place = page.evaluate("neurorackTest.telemetry().position")
    until(page, f"neurorackTest.telemetry().position !== {place}")
    # The region's handles obey the arrow keys, and the playhead stays between them.
    for _ in range(5):
        page.locator(".handle.clip_start").press("ArrowRight")
    until(page, "Math.abs(neurorackTest.state().numbers.clip_start - 0.05) < 0.002")
    page.click(f'.own-clip [data-clip="{clip["id"]}"] + .more')
    page.click("text=Delete this clip")
    until(page, f"neurorackTest.library().clips.length === {before}")
    page.click("#panic")


def test_keep_that_makes_a_clip_of_what_was_played(open_silent):
    page = open_silent()
    play(page)
    until(page, "neurorackTest.telemetry().level_db > -50")
    page.wait_for_timeout(1500)
    before = page.evaluate("neurorackTest.library().clips.length")
    page.click("#keep")
    until(page, f"neurorackTest.library().clips.length > {before}", 20)
    page.click("#panic")


def test_a_take_is_recorded_and_listed(open_silent):
    page = open_silent()
    play(page)
    page.click("#record")
    until(page, "neurorackTest.state().recording")
    page.wait_for_timeout(1200)
    page.click("#record")
    until(page, "!neurorackTest.state().recording")
    until(page, "neurorackTest.library().takes.length > 0")
    page.click("#takes")
    link = page.locator(".take-list a").first.get_attribute("href")
    answer = page.evaluate(
        "async link => { const a = await fetch(link); return [a.status, (await a.blob()).size]; }",
        link,
    )
    assert answer[0] == 200
    assert answer[1] > 44_100 * 8 * 0.8  # stereo float32
    page.click("#panic")


def test_presets_are_saved_recalled_and_morphed(open_silent):
    page = open_silent()
    show(page, "presets")
    for name, key in (("Dark", "Home"), ("Bright", "End")):
        page.locator('[data-control="brightness"]').press(key)
        page.fill("#page-presets .field", name)
        page.click('[data-save="preset"]')
        until(page, f"neurorackTest.state().preset === '{name}' && !neurorackTest.state().dirty")
    page.click('[data-preset="Dark"]')
    until(page, "neurorackTest.state().asked.brightness === -1")
    page.select_option('[aria-label="From"]', "Dark")
    page.select_option('[aria-label="To"]', "Bright")
    page.locator('[data-fader="presets"]').fill("0.75")
    until(page, "Math.abs(neurorackTest.state().asked.brightness - 0.5) < 0.01")
    page.click("#undo")
    until(page, "neurorackTest.state().asked.brightness === -1")
    page.click('[data-random="far"]')
    until(page, "neurorackTest.state().asked.brightness !== -1")
    page.keyboard.press("Control+z")
    until(page, "neurorackTest.state().asked.brightness === -1")
    for name in ("Dark", "Bright"):
        remove = page.locator(f'[aria-label="Delete {name}"]')
        remove.click()
        remove.click()
        until(page, f"!neurorackTest.library().presets.some(p => p.name === '{name}')")


def test_the_map_plays_where_it_is_touched(open_silent):
    page = open_silent()
    play(page)
    page.click('[data-surface="map"]')
    box = page.locator("#map").bounding_box()
    page.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.8 * box["width"], box["y"] + 0.2 * box["height"], steps=6)
    page.mouse.up()
    until(page, "neurorackTest.state().source === 'map' && neurorackTest.state().numbers.map_x > 0.75")
    assert state(page, "numbers.map_y") > 0.75
    until(page, "Math.abs(neurorackTest.telemetry().map[0] - neurorackTest.state().numbers.map_x) < 0.02")
    show(page, "source")
    page.click('[data-draw="path"]')
    page.mouse.move(box["x"] + 0.2 * box["width"], box["y"] + 0.8 * box["height"])
    page.mouse.down()
    for x in (0.4, 0.6, 0.8):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + (1 - x) * box["height"], steps=5)
    page.mouse.up()
    until(page, "neurorackTest.state().path.length >= 8 && neurorackTest.state().numbers.map_motion === 2")
    page.click("#panic")


def test_modulation_is_routed_and_seen(open_silent):
    page = open_silent()
    play(page)
    show(page, "mod")
    page.click('[data-mod="lfo2"]')
    page.click("text=Add a route")
    until(page, "neurorackTest.state().routes.length === 1")
    page.select_option(".route-line .target", "width")
    until(page, "neurorackTest.state().routes[0].target === 'width'")
    show(page, "voice")
    width = "neurorackTest.telemetry().travel[3]"  # the fourth of PARAMS
    first = page.evaluate(width)
    until(page, f"Math.abs({width} - {first}) > 0.02")
    until(page, "document.querySelector('[data-number=width] .ghost').style.display === ''")
    show(page, "mod")
    page.click("[aria-label='Remove this route']")
    until(page, "!neurorackTest.state().routes.length")
    # A source dragged onto a knob is plugged in there.
    page.locator('[data-mod="rand1"]').drag_to(page.locator('[data-control="brightness"]'))
    until(page, "neurorackTest.state().routes.length === 1")
    assert state(page, "routes[0].source") == "rand1"
    assert state(page, "routes[0].target") == "brightness"
    page.click("[aria-label='Remove this route']")
    until(page, "!neurorackTest.state().routes.length")
    page.click("#panic")


def test_two_panels_stay_in_step(open_silent):
    first, second = open_silent(), open_silent(viewport={"width": 390, "height": 844}, has_touch=True)
    show(second, "voice")
    first.locator('[data-number="insist"]').press("Home")
    until(second, "neurorackTest.state().numbers.insist === 0")
    second.click('[data-number="voice_mode"] [data-choice="2"]')
    until(first, "neurorackTest.state().numbers.voice_mode === 2")
    second.click('[data-number="voice_mode"] [data-choice="0"]')
    first.locator('[data-number="insist"]').dblclick()
    until(
        second, "neurorackTest.state().numbers.insist === 1 && neurorackTest.state().numbers.voice_mode === 0"
    )


@pytest.mark.parametrize("width,height", [(1440, 900), (1024, 768), (390, 844)])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_every_page_fits_every_screen(open_silent, width, height, scheme):
    page = open_silent(viewport={"width": width, "height": height}, color_scheme=scheme)
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    for name in PAGES:
        show(page, name)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name
        unnamed = page.evaluate(
            """[...document.querySelectorAll("button, select, input, [role=slider]")]
                .filter(n => n.offsetParent && !n.textContent.trim() && !n.ariaLabel && !n.labels?.length)
                .map(n => n.outerHTML)"""
        )
        assert unnamed == [], name
    show(page, "setup")
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") != scheme


def test_the_page_heals_when_the_web_process_dies(open_silent, silent_player):
    page = open_silent()
    frames = page.evaluate("neurorackTest.telemetry().frames")
    os.kill(silent_player.told["panel_pid"], getattr(signal, "SIGKILL", signal.SIGTERM))
    until(page, "document.getElementById('face').classList.contains('lost')")
    until(page, "!document.getElementById('face').classList.contains('lost')", 20)
    time.sleep(0.2)
    until(page, f"neurorackTest.telemetry() && neurorackTest.telemetry().frames > {frames}")
    assert page.evaluate("neurorackTest.telemetry().status.restarts") == 0
    open_silent.faults.clear()  # the browser itself complains of the connection that was refused meanwhile


def test_two_fingers_play_pad_and_keys_and_a_long_press_opens_the_menu(open_silent):
    page = open_silent(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    play(page)
    touch = page.context.new_cdp_session(page)

    def fingers(kind: str, *places: tuple[float, float]) -> None:
        points = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(places)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    def middle(selector: str) -> tuple[float, float]:
        page.locator(selector).scroll_into_view_if_needed()
        box = page.locator(selector).bounding_box()
        return box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"]

    page.evaluate("scrollTo(0, 320)")  # pad above, keys below
    key, pad = middle('[data-midi="55"]'), page.locator("#pad").bounding_box()
    finger = (pad["x"] + 300, pad["y"] + pad["height"] - 40)
    fingers("touchStart", finger)
    fingers("touchStart", finger, key)
    until(page, "neurorackTest.state().notes.includes(55) && neurorackTest.state().asked.brightness > 0.4")
    fingers("touchMove", (finger[0] - 250, finger[1]), key)
    until(page, "neurorackTest.state().notes.includes(55) && neurorackTest.state().asked.brightness < 0")
    fingers("touchEnd")
    until(page, "!neurorackTest.state().notes.length")
    fingers("touchStart", middle('[data-control="noisiness"] svg'))
    until(page, "document.querySelector('.menu')")
    fingers("touchEnd")
    assert (
        page.evaluate("!('noisiness' in neurorackTest.state().asked)") or state(page, "asked.noisiness") < 0
    )
    page.click(".menu .close")
    page.locator("#pad").dblclick()
    page.click("#panic")
