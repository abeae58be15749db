"""Measure the assistant on a set of questions whose right articles are known, and draw the curve."""

from __future__ import annotations

import asyncio
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from escalade.assistant.answering import Assistant
from escalade.domain.errors import Invalid
from escalade.domain.model import OrganisationId
from escalade.services import evaluation
from escalade.services.evaluation import Case, Level, Measured

SHOWN = (50, 60, 70, 80, 85, 90, 95, 98)
NOBODY = OrganisationId("org_evaluation")
WIDTH = 20  # characters of a bar: the table fits a narrow terminal


def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="SET", help="A folder with questions.csv, and articles/.")],
    articles: Annotated[Path | None, typer.Option(help="The help centre, where it is elsewhere.")] = None,
    split: Annotated[str, typer.Option(help="dev, test or all.")] = "test",
    utterances: Annotated[Path | None, typer.Option(help="More questions, mapped by the set's intents.csv.")] = None,
    words_only: Annotated[bool, typer.Option("--words-only", help="As if no embedding weights were there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask every question of a set; print precision, coverage and refusal for each confidence, with the curve.

    Nothing is written but a database in a temporary folder.
    """
    if split not in {"dev", "test", "all"}:
        raise Invalid(f"--split {split}: use dev, test or all")
    cases = evaluation.read_set(folder, split, utterances)
    place = articles or folder / "articles"
    measured, model = asyncio.run(_measure(place, cases, words_only=words_only))
    if as_json:
        told = {"model": model, "questions": len(cases), "first": measured.first}
        print(json.dumps({**told, "levels": [asdict(level) for level in measured.levels()]}))
        return
    _draw(Console(), measured, f"{folder.name} ({split}), by {model or 'words alone'}")


async def _measure(place: Path, cases: list[Case], *, words_only: bool) -> tuple[Measured, str | None]:
    from escalade.product import open_library
    from escalade.settings import load

    with tempfile.TemporaryDirectory() as made:
        settings = load(
            env="development",
            database_url=f"sqlite:///{made}/evaluation.db",
            embeddings_dir=Path(made) if words_only else None,
        )
        async with open_library(settings) as library:
            with Progress(console=Console(stderr=True), transient=True) as bar:
                reading = bar.add_task("reading", total=None)
                await library.add(NOBODY, str(place))
                model = await library.read_for_meaning(NOBODY)
                bar.update(reading, completed=1, total=1)
                asking = bar.add_task("asking", total=len(cases))
                measured = await evaluation.ask(
                    Assistant(library), NOBODY, cases, lambda done, _: bar.update(asking, completed=done)
                )
    return measured, model


def _draw(console: Console, measured: Measured, title: str) -> None:
    answerable = sum(one.case.is_answerable for one in measured.asked)
    console.print(f"{title}: {len(measured.asked)} questions, {answerable} of them answered somewhere")
    console.print(f"right article first: {measured.first:.3f}")
    table = Table("from", "answered", "precision", "coverage", "refusal", "")
    for level in measured.levels(SHOWN):
        table.add_row(
            str(level.confidence),
            str(level.answered),
            f"{level.precision:.3f}",
            f"{level.coverage:.3f}",
            f"{level.refusal:.3f}",
            _bar(level),
        )
    console.print(table)


def _bar(level: Level) -> str:
    """Draw how much is answered, and how much of that is right."""
    covered = round(level.coverage * WIDTH)
    right = round(level.coverage * level.precision * WIDTH)
    return "█" * right + "░" * (covered - right)
