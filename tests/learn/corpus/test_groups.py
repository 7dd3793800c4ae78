"""Groups are never divided; splits are seeded, stratified, stable."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurorack.core.errors import NeurorackError
from neurorack.learn.corpus.groups import assign_groups, assign_splits, default_group

SHARES = (0.8, 0.1, 0.1)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("sax/a2_f_rr1_cnd.ogg", "sax/a2_f_rr2_dnm.ogg", True),
        ("cajon_cnd/cajon_sl1_vl2_rr2_cnd.flac", "cajon_dyn/cajon_sl1_vl2_rr4_dyn.flac", True),
        ("cabasa/bw_rr1_10.flac", "cabasa/bw_rr3_10.flac", True),
        ("kit/close/kick.wav", "kit/room/kick.wav", True),
        ("kit/kick-mic1.wav", "kit/kick-mic2.wav", True),
        ("sax/a2_f_rr1_cnd.ogg", "sax/a2_p_rr1_cnd.ogg", False),
        ("sax/alt_f_01.flac", "sax/alt_f_02.flac", False),
        ("one/kick.wav", "two/kick.wav", False),
        ("kit/dynamite.wav", "kit/ite.wav", False),
        ("kit/rr1.wav", "kit/rr2.wav", True),
    ],
)
def test_microphones_and_round_robins_are_one_group(one: str, other: str, same: bool) -> None:
    assert (default_group(one) == default_group(other)) == same


def test_patterns_name_groups_and_the_rest_follows_the_default() -> None:
    groups = assign_groups(["a/take1_x.wav", "b/take1_y.wav", "b/take2.wav", "c/z_cnd.wav"], [r"(take\d+)"])
    assert groups["a/take1_x.wav"] == groups["b/take1_y.wav"] == "take1"
    assert groups["b/take2.wav"] == "take2" and groups["c/z_cnd.wav"] == "c/z"
    for bad in ("take", "(take"):
        with pytest.raises(NeurorackError, match="--group"):
            assign_groups(["a.wav"], [bad])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 30), st.integers(1, 3)), max_size=120), st.integers()
)
def test_no_group_is_divided_and_every_split_is_fed(files: list[tuple[int, int, int]], seed: int) -> None:
    paths = sorted({f"f{folder}/s{sound}_rr{repeat}.wav" for folder, sound, repeat in files})
    groups = assign_groups(paths)
    splits = assign_splits(groups, SHARES, seed)
    assert set(splits) == set(groups.values())
    assert splits == assign_splits(dict(reversed(groups.items())), SHARES, seed)
    if len(splits) >= 3:
        assert set(splits.values()) == {"train", "validation", "test"}
    for folder in range(6):
        mine = [split for group, split in splits.items() if group.startswith(f"f{folder}/")]
        if len(mine) >= 10:
            counts = Counter(mine)
            assert counts["validation"] >= 1 and counts["test"] >= 1 and counts["train"] >= 0.7 * len(mine)


def test_train_only_holds_its_group_back_and_bad_shares_are_refused() -> None:
    groups = assign_groups([f"loops/l{i}.wav" for i in range(20)] + [f"hits/h{i}.wav" for i in range(20)])
    splits = assign_splits(groups, SHARES, 0, ["^loops/"])
    assert {splits[f"loops/l{i}"] for i in range(20)} == {"train"}
    assert Counter(splits.values())["test"] == 2
    assert assign_splits(groups, SHARES, 1, ["^loops/"]) != splits
    for shares in [(0.5, 0.5), (0.0, 0.5, 0.5), (0.9, 0.2, -0.1), (0.8, 0.1, 0.2)]:
        with pytest.raises(NeurorackError, match="--split"):
            assign_splits(groups, shares, 0)
