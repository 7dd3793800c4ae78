"""Gathering: sounds for instruments of the player's own, and one of them in the making, as panels see it."""

import asyncio
import importlib.util
import shlex
import subprocess
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from neurorack.core.errors import NeurorackError
from neurorack.core.library import installed
from neurorack.play.control import messages as m
from neurorack.play.session.making import Making, new_command
from neurorack.play.session.material import Material, MaterialSet, file_stem, plain_name
from neurorack.play.session.news import News


class Gathering:
    """All methods belong to the event loop's thread.

    instruments: the player's folder of them. made: called when one was added.
    """

    def __init__(
        self, folder: Path, instruments: Path, news: News, made: Callable[[], Awaitable[None]]
    ) -> None:
        self._material = Material(folder, instruments)
        self._news, self._made = news, made
        self._sets: list[MaterialSet] = []
        self._faults: dict[str, str] = {}
        self.making = Making(news.state_changes)
        self.options: tuple[str, ...] = ()
        """Further options of `neurorack new`."""
        self._subject: MaterialSet | None = None
        self._one_at_a_time = asyncio.Lock()
        self.able = importlib.util.find_spec("torch") is not None
        """Whether the half of Neurorack that learns is installed here."""

    def rows(self) -> dict[str, Any]:
        """The sets; and where they cannot be made here, how they can."""
        sets = [one.as_dict() | {"fault": self._faults.get(one.id, "")} for one in self._sets]
        if self.able:
            return {"able": True, "sets": sets}
        for one, row in zip(self._sets, sets, strict=True):
            row["command"] = _line(["neurorack", *self._arguments(one)])
        return {
            "able": False,
            "sets": sets,
            "install": _line([sys.executable, "-m", "pip", "install", "neurorack[learn]"]),
        }

    def as_dict(self) -> dict[str, Any] | None:
        """How the making goes on; None when nothing is made."""
        if self._subject is None:
            return None
        return {"set": self._subject.id, "title": self._subject.title} | self.making.as_dict()

    async def begin(self) -> None:
        """Look what there is."""
        await asyncio.to_thread(self._material.sweep)
        for fault in await self._look():
            self._news.tell(fault, "warn")

    async def _look(self) -> list[str]:
        self._sets, faults = await asyncio.to_thread(self._material.all)
        self._news.library_changes()
        return faults

    async def add(self, identity: str, title: str, name: str, path: Path) -> str:
        """Take a sound file into a set ("": a new one called `title`); the set's id."""
        async with self._one_at_a_time:
            into = self._find(identity) if identity else None
            if into is not None and self._is_subject(into):
                raise NeurorackError(f"{into.title} is being made: begin another instrument for more sounds.")
            identity = await asyncio.to_thread(self._material.add, into, title, name, path)
            self._faults.pop(identity, None)
            await self._look()
        return identity

    async def carry_out(self, message: m.Message) -> None:
        """What a hand says about material and making."""
        match message:
            case m.MaterialTitle(identity, title):
                await self._rename(identity, title)
            case m.MaterialDelete(identity, name):
                await self._delete(identity, name)
            case m.Make(identity, minutes):
                await self._make(identity, minutes)
            case m.MakeStop():
                await self.making.stop()

    async def _rename(self, identity: str, title: str) -> None:
        title = plain_name(title)
        if not title:
            raise NeurorackError("An instrument needs a name.")
        async with self._one_at_a_time:
            one = self._find(identity)
            if one.output and (one.begun or one.made or self._is_subject(one)):
                raise NeurorackError(f"{one.title} has its name already: it is being made, or was.")
            renamed = replace(one, title=title, output="")
            await asyncio.to_thread(self._material.write, renamed)
            await self._look()

    async def _delete(self, identity: str, name: str) -> None:
        async with self._one_at_a_time:
            one = self._find(identity)
            if self._is_subject(one):
                raise NeurorackError(f"{one.title} is being made of it: stop that first.")
            await asyncio.to_thread(self._material.delete, one, name)
            await self._look()

    async def _make(self, identity: str, minutes: float) -> None:
        if self._subject is not None:
            raise NeurorackError(f"{self._subject.title} is being made: one at a time.")
        if not self.able:
            raise NeurorackError('Making instruments needs pip install "neurorack[learn]".')
        one = self._subject = self._find(identity)
        try:
            if not one.sounds and not one.begun:
                raise NeurorackError(f"{one.title} has no sounds yet: record some, or add files.")
            if one.made:
                raise NeurorackError(f"{one.title} is made already: begin another.")
            self._faults.pop(identity, None)
            async with self._one_at_a_time:
                taken = await asyncio.to_thread(_names)
                one = await asyncio.to_thread(self._material.destined, one, minutes, taken)
                self._subject = one
                await self._look()
            fault = await self.making.run([*self._arguments(one), *self.options])
        finally:
            self._subject = None
            self._news.state_changes()
        if fault:
            await asyncio.to_thread(self._material.begin_afresh, one)
        await self._look()
        if fault is None:
            self._news.tell(f"{one.title}: stopped. It goes on where it was whenever you like.", "info")
        elif fault:
            self._faults[identity] = fault
            self._news.tell(f"{one.title} is not made: {fault}")
        else:
            await self._made()
            self._news.tell(f"{one.title} is made, and is among the instruments now.", "info")

    def close(self) -> None:
        """The session ends: so does the making; it goes on where it was another time."""
        self.making.end()

    def _arguments(self, one: MaterialSet) -> list[str]:
        material = self._material
        output = material.instruments / f"{one.output or file_stem(one.title)}.nrk"
        return new_command(
            material.sounds_folder(one.id), output, one.minutes, one.title, material.work(one.id)
        )

    def _find(self, identity: str) -> MaterialSet:
        for one in self._sets:
            if one.id == identity:
                return one
        raise NeurorackError("Those sounds are gone: choose others.")

    def _is_subject(self, one: MaterialSet) -> bool:
        return self._subject is not None and self._subject.id == one.id


def _names() -> set[str]:
    """Names of the instruments there are, lower case: by file and by manifest."""
    return {name.casefold() for entry in installed() for name in (entry.path.stem, entry.name)}


def _line(words: list[str]) -> str:
    """A command as it is typed here."""
    return subprocess.list2cmdline(words) if sys.platform == "win32" else shlex.join(words)
