"""Sounds gathered for an instrument: what is taken, what is refused, and what stays on disk."""

import asyncio
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from neurorack.core.errors import NeurorackError
from neurorack.play.control import messages as m
from neurorack.play.session.gathering import Gathering
from neurorack.play.session.material import Material
from neurorack.play.session.news import News

RATE = 22_050


def tone(seconds: float = 1.0) -> np.ndarray:
    return (0.2 * np.sin(2 * np.pi * 220 * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


@pytest.fixture
def incoming(tmp_path):
    """incoming(samples or bytes, format) -> a file as an upload leaves it, in the folder of material."""

    def arrive(what: np.ndarray | bytes, format: str = "WAV") -> Path:
        folder = tmp_path / "material"
        folder.mkdir(exist_ok=True)
        path = folder / ".upload-test"
        if isinstance(what, bytes):
            path.write_bytes(what)
        else:
            sf.write(path, what, RATE, format=format)
        return path

    return arrive


@pytest.fixture
def material(tmp_path) -> Material:
    return Material(tmp_path / "material", tmp_path / "instruments")


def only(material: Material):
    sets, faults = material.all()
    assert len(sets) == 1 and not faults
    return sets[0]


def test_sounds_are_gathered_listed_and_deleted(material, incoming):
    identity = material.add(None, "My voice", "Recording 1", incoming(tone(1.0)))
    assert material.add(only(material), "", "Recording 1", incoming(tone(2.0))) == identity
    material.add(only(material), "", "../../evil: name.", incoming(tone(3.0), "FLAC"))
    one = only(material)
    assert one.id == identity and one.title == "My voice" and not one.begun and not one.made
    names = {sound.name: round(sound.seconds, 3) for sound in one.sounds}
    assert names == {"Recording 1.wav": 1.0, "Recording 1 2.wav": 2.0, "evil name.flac": 3.0}
    assert one.as_dict()["expect"].startswith("6.0 s of sound (3 recordings): it will sound like that one")
    assert not list(material.folder.glob(".*"))

    material.delete(one, "Recording 1.wav")
    material.delete(one, "../" + identity + ".json")  # not one of its sounds
    assert [sound.name for sound in only(material).sounds] == ["Recording 1 2.wav", "evil name.flac"]
    for sound in only(material).sounds:
        material.delete(only(material), sound.name)
    assert material.all() == ([], []) and not list(material.folder.iterdir())


def test_what_is_no_sound_is_refused_and_leaves_nothing(material, incoming):
    whole = incoming(tone(2.0), "FLAC").read_bytes()
    hole = tone()
    hole[5] = np.nan
    sf.write(path := incoming(b""), hole, RATE, format="WAV", subtype="FLOAT")
    refused = {
        "not a sound file that": b"",
        "NaN": path.read_bytes(),
        "cut off|not a sound file": whole[: len(whole) // 2],
        "not a sound file": np.random.default_rng(0).bytes(4000),
        "silent": np.zeros(RATE, np.float32),
        "shorter": tone(0.01),
    }
    for words, what in refused.items():
        with pytest.raises(NeurorackError, match=f"^take one is not taken: it .*({words})") as caught:
            material.add(None, "x", "take one", incoming(what))
        assert len(str(caught.value)) < 200, words
    assert material.all() == ([], [])
    material.sweep()
    assert not list(material.folder.iterdir())


def test_a_set_whose_card_is_damaged_is_named_and_the_others_stay(material, incoming):
    material.add(None, "One", "a", incoming(tone()))
    other = material.add(None, "Two", "b", incoming(tone()))
    (material.folder / f"{other}.json").write_text('{"version": 1, "title": "Tw')
    sets, faults = material.all()
    assert [one.title for one in sets] == ["One"] and len(faults) == 1 and "is not valid JSON" in faults[0]


def test_an_instrument_keeps_the_name_and_the_minutes_it_was_begun_with(material, incoming):
    material.add(None, "Winds", "a", incoming(tone()))
    one = material.destined(only(material), 10.0, {"winds", "winds-2"})
    assert one.output == "winds-3" and only(material).minutes == 10.0
    (material.work(one.id) / "run").mkdir(parents=True)
    assert material.destined(only(material), 99.0, set()).minutes == 10.0 and only(material).begun
    with pytest.raises(NeurorackError, match="Winds has begun to learn: late comes too late"):
        material.add(only(material), "", "late", incoming(tone()))
    material.delete(only(material), "")
    assert not material.work(one.id).exists() and not list(material.folder.glob("*.json"))


def test_a_full_disk_is_told_before_anything_is_gathered(material, incoming, monkeypatch):
    usage = shutil.disk_usage(material.folder.parent)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=10 * 2**20))
    with pytest.raises(NeurorackError, match="nearly full"):
        material.add(None, "x", "a", incoming(tone()))
    assert material.all() == ([], [])


def test_without_the_learning_half_the_command_is_there_to_copy(tmp_path, incoming):
    async def act() -> None:
        gathering = Gathering(tmp_path / "material", tmp_path / "instruments", News(), _nothing)
        gathering.able = False
        identity = await gathering.add("", "My voice", "a", incoming(tone()))
        rows = gathering.rows()
        assert not rows["able"] and "install" in rows and json.dumps(rows)
        command = rows["sets"][0]["command"]
        assert str(tmp_path / "material" / identity) in command and command.startswith("neurorack new ")
        assert "my-voice.nrk" in command
        with pytest.raises(NeurorackError, match="needs pip install"):
            await gathering.carry_out(m.Make(identity, 1.0))
        with pytest.raises(NeurorackError, match="are gone"):
            await gathering.carry_out(m.MaterialDelete("../sounds"))

    asyncio.run(act())


async def _nothing() -> None:
    """No list of instruments to look at again."""
