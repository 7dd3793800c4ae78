"""`info` and `list`: what they tell people and programs, and what they say when something is wrong."""

import json
import shutil

import pytest

from neurorack.cli import main as cli_main
from neurorack.core.library import installed


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A user's folder of their own, and no bundled instruments, whatever this checkout holds."""
    monkeypatch.setenv("NEURORACK_HOME", str(tmp_path / "home"))
    monkeypatch.setattr("neurorack.core.library.bundled_dir", lambda: tmp_path / "bundled")
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


@pytest.fixture
def neurorack(capsys):
    """Runs the command line; returns (exit code, stdout, stderr)."""

    def run(*arguments: object) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as caught:
            cli_main.main([str(argument) for argument in arguments])
        return (caught.value.code, *capsys.readouterr())

    return run


@pytest.fixture
def shelf(home, tiny_nrk, tiny_unpitched_nrk):
    """tiny as the user's, tiny-noise as bundled, and one file that is broken."""
    for folder, source, name in (
        ("home/instruments", tiny_nrk, "tiny.nrk"),
        ("bundled", tiny_unpitched_nrk, "tiny-noise.nrk"),
    ):
        (home / folder).mkdir(parents=True)
        shutil.copy(source, home / folder / name)
    (home / "home/instruments/broken.nrk").write_bytes(tiny_nrk.read_bytes()[:1000])
    return home


def test_list(shelf, neurorack):
    code, out, err = neurorack("list", "--json")
    rows = json.loads(out)
    assert code == 0
    assert [(row["name"], row["licence"], row["bundled"]) for row in rows] == [
        ("tiny", "MIT", False),
        ("tiny-noise", "MIT", True),
    ]
    assert rows[0]["path"] == str(shelf / "home" / "instruments" / "tiny.nrk")
    assert "broken.nrk: it is cut short" in err and "Traceback" not in err
    code, out, _ = neurorack("list")
    assert code == 0 and "tiny-noise" in out and "bundled" in out and "yours" in out


def test_list_of_nothing(home, neurorack):
    assert neurorack("list", "--json")[:2] == (0, "[]\n")
    code, out, _ = neurorack("list")
    assert code == 0 and "No instrument is installed yet" in out and str(home / "home") in out
    assert installed() == []


def test_info_as_json_tells_everything(shelf, neurorack):
    code, out, err = neurorack("info", "TINY", "--json")
    card = json.loads(out)
    assert (code, err) == (0, "")
    assert (card["name"], card["licence"], card["latency_samples"], card["latency_ms"]) == (
        "tiny",
        "MIT",
        256,
        5.8,
    )
    assert [control["name"] for control in card["controls"]][::4] == ["loudness", "pitch"]
    assert card["controls"][4]["unit"] == "Hz" and card["controls"][4]["high"] > card["controls"][4]["low"]
    assert card["scores"]["control"]["one"]["mean"] == 0.9
    assert card["provenance"] == [{"source": "synthetic", "licence": "MIT"}]
    assert {"training", "architecture", "coupling", "graphs", "clips", "files", "measured"} <= set(card)


def test_info_for_people(shelf, neurorack):
    code, out, _ = neurorack("info", shelf / "bundled" / "tiny-noise.nrk")
    assert code == 0
    for part in (
        "Hand-made graphs",
        "MIT",
        "256 samples (5.8 ms)",
        "brightness",
        "Hz",
        "control.one.mean",
        "verified",
    ):
        assert part in out
    assert neurorack("info", "tiny-noise")[0] == 0


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("tinny", "did you mean tiny?"),
        ("zzz", "there are tiny, tiny-noise"),
        ("absent.nrk", "no such file"),
        ("broken", "cut short"),
    ],
)
def test_info_of_what_is_not_there(shelf, neurorack, name, sentence):
    code, out, err = neurorack("info", name)
    assert (code, out) == (2, "")
    assert err.startswith("Error: ") and sentence in err and err.count("\n") == 1
