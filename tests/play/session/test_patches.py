"""Patches: undo, presets, morphs and chance are what they say."""

import json
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from test_messages import valid

from neurorack.core.errors import NeurorackError
from neurorack.core.nrk import read_manifest, read_nrk
from neurorack.play.control import messages as m
from neurorack.play.engine.params import PARAM_BY_NAME
from neurorack.play.session.editor import Editor
from neurorack.play.session.morphing import between
from neurorack.play.session.patch import Patch
from neurorack.play.session.presets import Preset, Presets, preset_bytes, preset_from_bytes, slug

GESTURES = (
    *(m.SetControl, m.ReleaseControl, m.SetOrigin, m.SetOffset, m.SetScale, m.SetNumber, m.SetSource),
    *(m.SetAnchor, m.SetClip, m.SetOther, m.MorphTo, m.SetPath, m.Route, m.Unroute, m.SetTuning, m.Reseed),
)
CONTROLS = ("loudness", "brightness", "noisiness", "boominess", "pitch")


def on_a_control(message):
    """The same gesture on a control that the tiny instrument has."""
    if isinstance(message, m.SetControl | m.ReleaseControl | m.SetOrigin | m.SetOffset | m.SetScale):
        return replace(message, name=CONTROLS[len(message.name) % len(CONTROLS)])
    if isinstance(message, m.Route):
        return replace(message, target=CONTROLS[len(message.target) % len(CONTROLS)])
    return message


GESTURE = st.one_of(*(valid(kind) for kind in GESTURES)).map(on_a_control)
PATCHES = st.lists(GESTURE, max_size=25).map(
    lambda said: __import__("functools").reduce(Patch.with_message, said, Patch())
)


@pytest.fixture
def editor(tiny_nrk, tmp_path):
    archive = read_nrk(tiny_nrk)
    return Editor(archive, Presets(archive, tmp_path))


@given(patch=PATCHES)
@settings(max_examples=200, deadline=None)
def test_a_preset_gives_back_the_very_patch(patch):
    assert preset_from_bytes(preset_bytes(Preset("A b é", patch)), own=True).patch == patch


@given(a=PATCHES, b=PATCHES, position=st.floats(0.0, 1.0))
@settings(max_examples=200, deadline=None)
def test_a_morph_begins_at_one_and_ends_at_the_other(tiny_nrk, a, b, position):
    manifest = read_manifest(tiny_nrk)
    assert between(a, b, 0.0, manifest) == a and between(a, b, 1.0, manifest) == b
    middle = between(a, b, position, manifest)
    for name, value in middle.numbers.items():
        spec = PARAM_BY_NAME[name]
        travels = sorted((spec.to_travel(a.numbers[name]), spec.to_travel(b.numbers[name])))
        assert travels[0] - 1e-6 <= spec.to_travel(value) <= travels[1] + 1e-6
    assert preset_from_bytes(preset_bytes(Preset("x", middle)), own=True).patch == middle


@given(said=st.lists(GESTURE, max_size=30))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_undo_takes_back_and_redo_does_again(tiny_nrk, tmp_path, said):
    archive = read_nrk(tiny_nrk)
    editor = Editor(archive, Presets(archive, tmp_path))
    for message in said:
        editor.change(message)
    end, steps = editor.patch, 0
    while editor.undo():
        steps += 1
    assert editor.patch == Patch()
    while editor.redo():
        steps -= 1
    assert editor.patch == end and steps == 0


def test_a_knobs_turn_is_one_step_and_a_hundred_steps_are_kept(editor):
    for i in range(50):
        editor.change(m.SetNumber("life", i / 50))
    editor.undo()
    assert editor.patch == Patch()
    for i in range(150):
        editor.change(m.SetAnchor(i + 1))
        editor.change(m.SetNumber("life", (i + 1) / 200))
    steps = 0
    while editor.undo():
        steps += 1
    assert steps >= 100


def test_presets_are_saved_recalled_and_deleted(editor, tmp_path):
    editor.change(m.SetControl("brightness", 0.5))
    kept = editor.patch
    editor.presets.save("Träum/../süß", kept)
    editor.change(m.SetSource("wander"))
    assert editor.load("Träum/../süß", 0.0, 0.0) and editor.patch == kept
    assert editor.as_dict()["preset"] == "Träum/../süß" and not editor.as_dict()["dirty"]
    editor.change(m.SetNumber("life", 0.9))
    assert editor.as_dict()["dirty"]
    again = Presets(editor.archive, tmp_path)
    assert [row["name"] for row in again.rows()] == ["Träum/../süß"] and not again.faults
    assert {path.parent.parent for path in tmp_path.rglob("*.json")} == {tmp_path}  # nowhere else
    editor.presets.delete("Träum/../süß")
    assert not list(tmp_path.rglob("*.json"))
    with pytest.raises(NeurorackError):
        editor.presets.get("Träum/../süß")


def test_torn_and_foreign_presets_are_left_out_by_name(editor, tmp_path):
    editor.presets.save("Good", Patch())
    folder = tmp_path / slug(editor.archive.manifest.name)
    whole = (folder / f"{slug('Good')}.json").read_bytes()
    (folder / "torn.json").write_bytes(whole[: len(whole) // 2])
    (folder / "foreign.json").write_text('{"hello": 1}')
    (folder / "huge.json").write_bytes(b" " * 2**19)
    wild = json.loads(whole)
    wild["patch"]["source"] = "../../etc"
    (folder / "wild.json").write_text(json.dumps(wild))
    again = Presets(editor.archive, tmp_path)
    assert [row["name"] for row in again.rows()] == ["Good"]
    assert sorted(n for n in ("torn", "foreign", "huge", "wild") if any(n in f for f in again.faults)) == [
        "foreign", "huge", "torn", "wild",
    ]  # fmt: skip


def test_a_glide_arrives_and_leaves_what_the_hand_touches(editor):
    target = Patch().with_message(m.SetNumber("life", 1.0)).with_message(m.SetNumber("morph", 1.0))
    editor.presets.save("There", target)
    editor.change(m.SetNumber("life", 0.0))
    assert editor.load("There", 10.0, 100.0)
    editor.tick(105.0)
    assert editor.patch.numbers["life"] == pytest.approx(0.5)
    editor.change(m.SetNumber("morph", 0.25))
    editor.tick(109.0)
    assert editor.patch.numbers["morph"] == 0.25 and editor.patch.numbers["life"] == pytest.approx(0.9)
    editor.tick(111.0)
    assert editor.patch == target.with_message(m.SetNumber("morph", 0.25)) and not editor.tick(112.0)


@pytest.mark.parametrize("distance", m.DISTANCES)
def test_chance_gives_whole_patches_that_undo_takes_back(editor, distance):
    editor.change(m.SetControl("loudness", 0.2))
    before = editor.patch
    for _ in range(50):
        editor.randomise(distance, ["one", "two"])
        patch = editor.patch
        assert preset_from_bytes(preset_bytes(Preset("x", patch)), own=True).patch == patch
        assert patch.source != "live" and patch.numbers["level_db"] == before.numbers["level_db"]
    while editor.undo():
        pass
    assert editor.patch == Patch()
