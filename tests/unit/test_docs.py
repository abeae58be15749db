"""What a deployer can set, what an operator can run and what a developer can read back is named in the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
import typer

from escalade.cli import app
from escalade.cli.evaluate import evaluate
from escalade.cli.knowledge import knowledge
from escalade.domain.model import Control, HandoffState
from escalade.settings import PREFIX, Settings
from zendesk_emulator.cli import app as emulator
from zendesk_emulator.control_admin import MAKERS
from zendesk_emulator.control_agent import ACTIONS

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


def options(group: typer.Typer) -> Iterator[str]:
    click = typer.main.get_command(group)
    waiting = [click]
    while waiting:
        command = waiting.pop()
        waiting += getattr(command, "commands", {}).values()
        yield from (name for parameter in command.params for name in parameter.opts if name.startswith("--"))


def all_options() -> list[str]:
    measuring = typer.Typer()
    measuring.command("eval")(evaluate)
    groups = (app, knowledge, measuring, emulator)
    return sorted(
        {name for group in groups for name in options(group)} - {"--help", "--install-completion", "--show-completion"}
    )


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


@pytest.mark.parametrize("option", all_options())
def test_every_option_is_named(option: str) -> None:
    assert re.search(rf"(?<![\w-]){option}\b", documents()), option


def test_every_event_the_operator_is_told_of_is_logged() -> None:
    page = (ROOT / "docs" / "operations.md").read_text()
    table = page.split("| event | means |")[1].split("\n\n")[0]
    names = {name for row in table.splitlines()[2:] for name in re.findall(r"`(\w+)`", row.split("|")[1])}
    source = "\n".join(path.read_text() for path in (ROOT / "src" / "escalade").rglob("*.py"))
    assert names
    assert {name for name in names if f'"{name}"' not in source} == set()


@pytest.mark.parametrize("name", [*ACTIONS, *(name for name in MAKERS if not name.startswith("revoke_"))])
def test_everything_the_fake_zendesk_can_be_told_is_named(name: str) -> None:
    assert f"`{name}`" in (ROOT / "docs" / "fake-zendesk.md").read_text()
