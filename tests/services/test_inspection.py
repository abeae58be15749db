"""A file somebody sent is judged in a process of its own, unless its name alone rules it out."""

from __future__ import annotations

import asyncio

import pytest

from escalade.domain.errors import Invalid
from escalade.services.inspection import Inspector
from escalade.services.scrutiny import look
from tests import pictures


@pytest.mark.parametrize(("name", "content"), [("run.exe", b"MZ"), ("note", b"It hums."), ("note.txt", b"")])
async def test_what_its_name_or_its_emptiness_rules_out_costs_no_process(name: str, content: bytes) -> None:
    nobody = Inspector(at_once=0)  # a file that needed a process would wait for ever
    async with asyncio.timeout(60):
        with pytest.raises(Invalid):
            await nobody(name, content)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("name", "content"), [("note.txt", b"It hums."), ("photo.jpg", pictures.photograph()), ("a.docx", pictures.docx())]
)
async def test_the_process_says_what_was_said_here(name: str, content: bytes) -> None:
    assert await Inspector()(name, content) == look(name, content)


@pytest.mark.processes
async def test_the_process_refuses_what_is_not_what_it_says() -> None:
    with pytest.raises(Invalid, match=r"not what a \.png file holds"):
        await Inspector()("photo.png", b"<svg>")
