"""Work beside the loop: none is left unawaited, and what goes wrong is told."""

import asyncio
import inspect

import pytest

from neurorack.core.errors import NeurorackError
from neurorack.play.session.tasks import Tasks


async def refused() -> None:
    raise NeurorackError("There is no such clip.")


def test_what_goes_wrong_is_told():
    told: list[str] = []

    async def act() -> None:
        Tasks(told.append).start(refused())
        await asyncio.sleep(0)

    asyncio.run(act())
    assert told == ["There is no such clip."]


def test_what_was_cancelled_before_it_began_or_has_no_loop_is_closed():
    told: list[str] = []
    early, lonely = refused(), refused()

    async def act() -> None:
        tasks = Tasks(told.append)
        tasks.start(early)
        tasks.cancel()
        await asyncio.sleep(0)

    asyncio.run(act())
    with pytest.raises(RuntimeError):
        Tasks(told.append).start(lonely)
    assert told == []
    assert {inspect.getcoroutinestate(work) for work in (early, lonely)} == {inspect.CORO_CLOSED}
