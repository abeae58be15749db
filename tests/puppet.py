"""A language model that does what a test wants, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, field

from escalade.assistant.language_model import TOOLS, Call, Piece, Talk, Tool

Turn = tuple[Piece | asyncio.Event | BaseException, ...]
Script = Callable[[str, str], Sequence[Turn]]  # from the instructions and what is asked to what is said, turn by turn


@dataclass(slots=True)
class Puppet:
    """Says its script; of its turns the last is for ever. An event is waited for, an error is raised."""

    script: Script
    asked: list[str] = field(default_factory=list)
    given: list[list[tuple[Call, str]]] = field(default_factory=list)

    async def open(self) -> None:
        """Be ready."""

    async def close(self) -> None:
        """Be gone."""

    def talk(self, instructions: str, tools: Sequence[Tool] = TOOLS) -> Talk:
        return _Strings(self, instructions)


class _Strings:
    def __init__(self, puppet: Puppet, instructions: str) -> None:
        self._puppet = puppet
        self._instructions = instructions
        self._turns: list[Turn] = []

    async def ask(self, text: str) -> AsyncGenerator[Piece]:
        self._puppet.asked.append(text)
        self._turns = list(self._puppet.script(self._instructions, text))
        async for piece in self._turn():
            yield piece

    async def give(self, results: Sequence[tuple[Call, str]]) -> AsyncGenerator[Piece]:
        self._puppet.given.append(list(results))
        async for piece in self._turn():
            yield piece

    async def _turn(self) -> AsyncGenerator[Piece]:
        for piece in self._turns.pop(0) if len(self._turns) > 1 else self._turns[0]:
            if isinstance(piece, asyncio.Event):
                await piece.wait()
            elif isinstance(piece, BaseException):
                raise piece
            else:
                yield piece


def says(*pieces: Piece | asyncio.Event | BaseException) -> Puppet:
    """Give a model that says this, whatever it is asked."""
    return Puppet(lambda _instructions, _text: [pieces])
