"""A player and a headless Chromium for each file of panel tests."""

import contextlib
import os
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from playing import playing, until

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
]


@pytest.fixture(scope="session")
def home(tmp_path_factory, tiny_nrk, tiny_unpitched_nrk) -> Path:
    """A NEURORACK_HOME with a pitched and an unpitched instrument."""
    folder = tmp_path_factory.mktemp("home")
    (folder / "instruments").mkdir()
    shutil.copy(tiny_nrk, folder / "instruments" / "tiny.nrk")
    shutil.copy(tiny_unpitched_nrk, folder / "instruments" / "noise.nrk")
    return folder


@pytest.fixture(scope="module")
def player(home):
    """A player whose sound goes to the page. (It ends with its file: it would play on beside all others.)"""
    with playing(home, "tiny", "--backend", "browser") as running:
        yield running


@pytest.fixture(scope="module")
def chromium():
    """Headless Chromium; missing is a failure in CI and a skip elsewhere."""
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("The panel's tests need Chromium: install it, or set CHROMIUM to its path.")
        pytest.skip("no Chromium here: install it, or set CHROMIUM to its path")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def silent_player(home):
    """A player whose sound goes nowhere: for everything that telemetry can show."""
    with playing(home, "tiny", "--backend", "null") as running:
        yield running


@contextlib.contextmanager
def _panels(chromium, player):
    contexts, faults = [], []

    def open_one(**options):
        context = chromium.new_context(**({"viewport": {"width": 1440, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda line: faults.append(line.text) if line.type == "error" else None)
        page.goto(player.url + "&tap=1")
        until(page, "window.neurorackTest && neurorackTest.telemetry()")
        return page

    open_one.faults = faults
    yield open_one
    for context in contexts:
        context.close()
    assert not faults


@pytest.fixture
def open_panel(chromium, player):
    """open_panel(**context options) -> a page with the panel, ready to play; faults in it fail the test."""
    with _panels(chromium, player) as open_one:
        yield open_one


@pytest.fixture
def open_silent(chromium, silent_player):
    """The same with a player whose sound goes nowhere."""
    with _panels(chromium, silent_player) as open_one:
        yield open_one
