"""Have a file somebody sent judged in a process of its own: what a hostile file breaks there breaks nothing else."""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Protocol

from escalade import child
from escalade.domain.errors import Invalid
from escalade.domain.files import claimed_kind
from escalade.services.ports import Aside
from escalade.services.scrutiny import SECONDS, Inspected

AT_ONCE = 2
COMMAND = ("-m", "escalade.services.scrutiny")


class Inspect(Protocol):
    """Whoever looks into files."""

    async def __call__(self, name: str, content: bytes) -> Inspected:
        """Say what a file is and give it clean, or refuse it."""
        ...


class Inspector:
    """Looks into a few files at a time, each in a process of its own."""

    def __init__(self, aside: Aside, at_once: int = AT_ONCE) -> None:
        self._aside = aside
        self._turn = asyncio.Semaphore(at_once)

    async def __call__(self, name: str, content: bytes) -> Inspected:
        """Say what a file is and give it clean, or refuse it; what its name alone rules out costs no process."""
        claimed_kind(name, content)
        async with self._turn:
            process = await self._aside(partial(child.start, COMMAND))
            question = json.dumps(name).encode() + b"\n" + content
            try:
                answer = await self._aside(partial(child.answer, process, question, SECONDS + 10))
            finally:
                process.kill()  # where nobody waits for it any more
        return _read(answer if process.returncode == 0 else b"")  # cut off in the middle, it is no picture


def _read(answer: bytes) -> Inspected:
    """Read the other process's verdict; one that died over the file has said enough."""
    head, found, content = answer.partition(b"\n")
    if not found:
        raise Invalid("the file could not be read", code="file_unreadable")
    verdict = json.loads(head)
    if "error" in verdict:
        raise Invalid(verdict["error"], code=verdict["code"])
    return Inspected(media_type=verdict["media_type"], content=content)
