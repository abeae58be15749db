"""What a deployer can set, what an operator can run and what a developer can read back is named in the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

from escalade.cli import app
from escalade.cli.knowledge import knowledge
from escalade.domain.model import Control, HandoffState
from escalade.settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]


@cache
def documents() -> str:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    return "\n".join(page.read_text() for page in pages if page.exists())


def commands(group: typer.Typer, *before: str) -> Iterator[str]:
    for command in group.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        yield " ".join((*before, name.strip("_").replace("_", "-")))
    for sub in group.registered_groups:
        if sub.typer_instance is not None and sub.name:
            yield from commands(sub.typer_instance, *before, str(sub.name))


COMMANDS = sorted({*commands(app, "escalade"), *commands(knowledge, "escalade", "knowledge")})


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_named(name: str) -> None:
    assert PREFIX + name.upper() in documents()


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_named(command: str) -> None:
    *group, last = command.split()
    alone = re.search(rf"{re.escape(command)}\b", documents())
    listed = re.search(rf"{re.escape(' '.join(group))} [\w|\\-]*\b{re.escape(last)}\b", documents())
    assert alone or listed, command


@pytest.mark.parametrize("word", [*Control, *HandoffState])
def test_every_state_a_developer_reads_back_is_named(word: str) -> None:
    assert re.search(rf"`{re.escape(str(word))}`|\"{re.escape(str(word))}\"", documents()), word
