"""What is set reaches the sound at once, and in a flood no more often than it helps."""

import pytest

from neurorack.play.session.framing import SHORTEST_S, Framing


class Time:
    """A clock, and what it has been asked to call."""

    def __init__(self) -> None:
        self.now_s = 100.0
        self._later = []

    def later(self, wait_s, act) -> None:
        self._later.append((self.now_s + wait_s, act))

    def pass_to(self, to_s: float) -> None:
        while self._later and min(self._later, key=lambda one: one[0])[0] <= to_s:
            due = min(self._later, key=lambda one: one[0])
            self._later.remove(due)
            self.now_s = due[0]
            due[1]()
        self.now_s = to_s


@pytest.fixture
def flow():
    time, told = Time(), []
    framing = Framing(lambda: told.append(time.now_s), lambda: time.now_s, time.later)
    return time, told, framing


def test_what_changes_together_is_told_together_and_at_once(flow):
    time, told, framing = flow
    for _ in range(5):
        framing.change()
    assert told == []
    time.pass_to(time.now_s)
    assert told == [100.0]
    time.pass_to(200.0)
    assert told == [100.0]


def test_a_flood_is_told_every_few_milliseconds_and_its_end_never_late(flow):
    time, told, framing = flow
    for _ in range(1000):
        framing.change()
        time.pass_to(time.now_s + 0.001)
    last_s = time.now_s - 0.001
    time.pass_to(time.now_s + 1.0)
    assert len(told) == pytest.approx(1.0 / SHORTEST_S, rel=0.02)
    assert last_s <= told[-1] <= last_s + SHORTEST_S


def test_an_event_takes_what_waits_along(flow):
    time, told, framing = flow
    framing.change()
    time.pass_to(100.0)
    framing.change()
    framing.flush()
    assert told == [100.0, 100.0]
    framing.flush()
    time.pass_to(200.0)
    assert len(told) == 2


def test_without_a_loop_nothing_waits():
    told = []
    framing = Framing(lambda: told.append(1))
    framing.change()
    framing.change()
    assert len(told) == 2
