"""The recipes of the bundled instruments: origins first, and every source with its attribution."""

import csv
import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool():
    """tools/make_instruments.py as a module."""
    path = ROOT / "tools" / "make_instruments.py"
    spec = importlib.util.spec_from_file_location("make_instruments", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_an_origin_is_made_before_what_begins_with_it(tool):
    for order in (None, ["mouth", "winds"]):
        names = tool.in_order(order)
        for name in names:
            if origin := tool.RECIPES[name].get("origin"):
                assert names.index(origin) < names.index(name)
    assert tool.in_order(["mouth"]) == ["mouth"]
    option, path = tool.origin_of("mouth")
    assert option == "--from" and path.is_file() and path.stem == "winds"
    assert tool.origin_of("winds") == []


def test_every_recipe_has_presets_of_its_own(tool):
    assert {path.name for path in (ROOT / "tools" / "presets").iterdir()} == set(tool.RECIPES)


def test_sources_are_listed_as_they_were_used(tool, tmp_path):
    rows = [
        ("voice/sung/a.ogg", "Tonejs/audio", "c1", "CC-BY-3.0"),
        ("voice/read/b.ogg", "someone/reads", "c2", "CC0-1.0"),
        ("voice/read/left-out.ogg", "someone/else", "c3", "CC0-1.0"),
        ("melodic/sung/a.ogg", "another/folder", "c4", "CC0-1.0"),
    ]
    with (tmp_path / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([("out", "source_repo", "commit", "licence"), *rows])
    sources = tool.provenance(tmp_path, "voice", {"sung/a.ogg", "read/b.ogg"})
    assert [(s["source"], s["licence"], "attribution" in s) for s in sources] == [
        ("github.com/Tonejs/audio", "CC-BY-3.0", True),
        ("github.com/someone/reads", "CC0-1.0", False),
    ]
    everything = tool.provenance(tmp_path, "", {"voice/sung/a.ogg", "melodic/sung/a.ogg", "sung/a.ogg"})
    assert [(s["source"], s["files"]) for s in everything] == [
        ("github.com/Tonejs/audio", 1),
        ("github.com/another/folder", 1),
    ]
    assert tool.licence_of(sources) == "CC-BY-4.0" and tool.licence_of(sources[1:]) == "CC0-1.0"
