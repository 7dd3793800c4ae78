"""The diary of what was explored: it counts what sounds, survives damage, knows the way to what is new."""

import numpy as np
import pytest

from neurorack.core.nrk import read_nrk
from neurorack.play.control import messages as m
from neurorack.play.session.diary import HEARD_S, MAX_BYTES, Diary

POINTS = np.array([[0.1, 0.1], [0.9, 0.1], [0.5, 0.9], [0.52, 0.88]])


@pytest.fixture(scope="module")
def archive(tiny_nrk):
    return read_nrk(tiny_nrk)


def _stay(diary: Diary, place, seconds: float, start_s: float, sounding: bool = True) -> float:
    for n in range(int(seconds / 0.1) + 1):
        diary.look({"map": list(place), "sounding": sounding}, start_s + 0.1 * n)
    return start_s + seconds + 0.1


def test_what_sounded_is_known_and_kept(archive, tmp_path):
    diary = Diary(tmp_path, archive, POINTS)
    now_s = _stay(diary, (0.15, 0.05), HEARD_S / 2, 100.0)
    assert diary.news() == pytest.approx([0.5, 0, 0, 0], abs=0.05) and diary.news() is None
    now_s = _stay(diary, (0.85, 0.15), 5.0, now_s, sounding=False)
    _stay(diary, (0.85, 0.15), 2 * HEARD_S, now_s + 3600.0)
    assert diary.known() == pytest.approx([0.5, 1, 0, 0], abs=0.05)
    assert diary.due(now_s + 1e4)
    diary.save()
    assert not diary.due(now_s + 1e4)
    assert Diary(tmp_path, archive, POINTS).known() == diary.known()
    assert len(list(tmp_path.iterdir())) == 1
    assert Diary(tmp_path, archive, POINTS[:3]).known() == [0, 0, 0], "of another training"


@pytest.mark.parametrize("damage", ["torn", "text", "wrong", "huge", "folder"])
def test_a_damaged_diary_begins_anew_and_is_written_again(archive, tmp_path, damage):
    diary = Diary(tmp_path, archive, POINTS)
    _stay(diary, (0.1, 0.1), 5.0, 0.0)
    diary.save()
    (path,) = tmp_path.iterdir()
    data = path.read_bytes()
    if damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        wrong = data.replace(b"2.0", b"1e99")
        assert wrong != data
        made = {"torn": data[:-9], "text": b"\xff\x00", "wrong": wrong, "huge": b" " * (MAX_BYTES + 1) + data}
        path.write_bytes(made[damage])
    fresh = Diary(tmp_path, archive, POINTS)
    assert fresh.known() == [0, 0, 0, 0]
    _stay(fresh, (0.9, 0.1), 5.0, 0.0)
    fresh.save()  # what stands in the way costs only the diary
    expected = [0, 0, 0, 0] if damage == "folder" else fresh.known()
    assert Diary(tmp_path, archive, POINTS).known() == expected


def test_the_way_leads_to_the_middle_of_what_is_new(archive, tmp_path):
    diary = Diary(tmp_path, archive, POINTS)
    _stay(diary, (0.1, 0.1), 5.0, 0.0)
    assert diary.untouched((0.1, 0.1)) == pytest.approx((0.5, 0.9))
    _stay(diary, (0.5, 0.9), 5.0, 10.0)
    assert diary.untouched((0.5, 0.9)) == pytest.approx((0.9, 0.1)), "its twin nearby can wait"
    for n, place in enumerate(POINTS):
        _stay(diary, place, 5.0, 20.0 + 10.0 * n)
    x, y = diary.untouched((0.1, 0.1))
    assert 0.0 <= x <= 1.0 and 0.0 <= y <= 1.0


def test_one_press_glides_there_and_undo_leads_back(stage):
    hub = stage.hub
    hub.perform(1, m.SetSource("wander"))
    before = hub.editor.patch
    target = hub.diary.untouched((0.5, 0.5))
    hub.perform(1, m.TakeMeThere())
    assert hub.state()["source"] == "map"
    assert (stage.frame.map_x, stage.frame.map_y) == pytest.approx((0.5, 0.5))
    hub._tick(1e12, 1)  # long after
    assert (stage.frame.map_x, stage.frame.map_y) == pytest.approx(target)
    hub.perform(1, m.Undo())
    assert hub.editor.patch == before
