"""The prior on the panel: its own needles, taken over and given back by hand; where it is not to be had."""

import shutil

import pytest
from conftest import _panels
from playing import playing, until
from tiny_prior import with_priors

WISH = "document.querySelector('[data-control=\"brightness\"] .wish')"
NAMES = "neurorackTest.instrument().controls.map((c) => c.name)"


@pytest.fixture(scope="module")
def alone(tmp_path_factory, tiny_nrk, tiny_unpitched_nrk):
    """A player of an instrument with priors, beside one without."""
    home = tmp_path_factory.mktemp("alone")
    (home / "instruments").mkdir()
    with_priors(tiny_nrk, home / "instruments" / "alone.nrk")
    shutil.copy(tiny_unpitched_nrk, home / "instruments" / "plain.nrk")
    with playing(home, "alone", "--backend", "null") as running:
        yield running


@pytest.fixture
def open_alone(chromium, alone):
    with _panels(chromium, alone) as open_one:
        yield open_one


def _asked(page, name: str = "brightness") -> float:
    return page.evaluate(f"neurorackTest.telemetry().asked[{NAMES}.indexOf('{name}')]")


def _stop(page) -> None:
    """Stop, and stay until it has: the next test begins in silence."""
    page.click("#play")
    until(page, "!neurorackTest.state().gate && !neurorackTest.telemetry().sounding")


def test_its_needles_move_and_a_hand_takes_one_over_and_gives_it_back(open_alone):
    page = open_alone()
    page.click("#start")
    page.click("#tab-source")
    assert page.evaluate(f"{WISH}.style.display") == "none"
    page.locator('#page-source [data-source="prior"]').click()
    until(page, f"{WISH}.style.display !== 'none'")
    places = set()
    for _ in range(10):
        places.add(page.evaluate(f"{WISH}.getAttribute('transform')"))
        page.wait_for_timeout(60)
    assert len(places) > 4
    assert "It plays everything" in page.inner_text(".prior-line")
    # A drag begins where the prior has the knob (which moves slowly without surprise).
    page.locator('[data-number="surprise"]').press("Home")
    page.wait_for_timeout(500)
    box = page.locator('[data-control="brightness"]').bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.wait_for_timeout(500)
    before = _asked(page)
    page.mouse.move(x, y - 4)
    until(page, "'brightness' in neurorackTest.state().asked")
    taken = page.evaluate("neurorackTest.state().asked.brightness")
    assert abs(taken - before) < 0.12
    page.mouse.move(x, y - 80, steps=8)
    page.mouse.up()
    page.wait_for_timeout(500)
    assert _asked(page) == pytest.approx(page.evaluate("neurorackTest.state().asked.brightness"), abs=0.02)
    assert "You hold brightness" in page.inner_text(".prior-line")
    assert page.evaluate(f"{WISH}.style.display") != "none", "it still shows what it would play"
    page.locator('[data-control="brightness"]').dblclick()
    until(page, "!('brightness' in neurorackTest.state().asked)")
    _stop(page)


def test_its_settings_are_parameters_like_others(open_alone):
    page = open_alone()
    page.click("#start")
    page.click("#tab-source")
    page.locator('#page-source [data-source="prior"]').click()
    page.locator('[data-number="surprise"]').press("End")
    page.locator("#page-source .prior-switches").get_by_text("Clock").click()
    page.locator('select[data-number="prior_goes_on"]').select_option(label="2 bars")
    until(page, "neurorackTest.state().numbers.prior_goes_on === 3")
    numbers = page.evaluate("neurorackTest.state().numbers")
    assert (numbers["surprise"], numbers["prior_clock"]) == (2.0, 1.0)
    # A descriptor alone may come from it, too.
    page.locator('[data-control="noisiness"]').click(button="right")
    page.locator('[data-origin="prior"]').click()
    until(page, "neurorackTest.state().origin.noisiness === 'prior'")
    page.keyboard.press("Escape")
    _stop(page)


def test_the_map_shows_what_was_played_and_leads_to_what_was_not(open_alone):
    page = open_alone()
    page.click("#start")
    page.click('[data-surface="map"]')
    until(page, "document.getElementById('explored').textContent.endsWith('tones known')")
    page.click("#there")
    until(page, "neurorackTest.state().source === 'map'")
    x, y = page.evaluate("[neurorackTest.state().numbers.map_x, neurorackTest.state().numbers.map_y]")
    place = "neurorackTest.state().numbers.map_x - %s, neurorackTest.state().numbers.map_y - %s"
    until(page, f"Math.hypot({place % (x, y)}) > 0.05")
    there = (
        f"neurorackTest.instrument().map.points.some((p) => Math.hypot({place % ('p[0]', 'p[1]')}) < 1e-3)"
    )
    until(page, there)
    until(page, "!document.getElementById('explored').textContent.startsWith('0 ')", 12)
    _stop(page)


def test_it_goes_on_without_keys_until_stop(open_alone):
    page = open_alone()
    page.click("#start")
    _stop(page)
    page.click("#tab-source")
    page.locator('#page-source [data-source="prior"]').click()
    page.locator('select[data-number="prior_goes_on"]').select_option(label="Until a key")
    until(page, "neurorackTest.state().numbers.prior_goes_on === 1 && !neurorackTest.telemetry().sounding")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.down("h")
    until(page, "neurorackTest.telemetry().sounding")
    page.keyboard.up("h")
    until(page, "neurorackTest.telemetry().alone && !neurorackTest.state().gate")
    until(page, "document.getElementById('play-label').textContent === 'Stop'")
    _stop(page)
    until(page, "document.getElementById('play-label').textContent === 'Play'")


def test_an_instrument_without_priors_says_so(open_alone):
    page = open_alone()
    page.select_option("#instrument", "tiny-noise")
    until(page, "!neurorackTest.instrument().prior")
    page.click("#tab-source")
    chosen = page.locator('#page-source [data-source="prior"]')
    until(page, """document.querySelector('#page-source [data-source="prior"]').disabled""")
    assert "neurorack prior" in chosen.get_attribute("title")
    assert "wanders instead" in page.inner_text(".prior-line")
