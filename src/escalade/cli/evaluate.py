"""Measure the assistant on a set of questions whose right articles are known, and draw the curve."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from escalade.assistant.answering import Assistant
from escalade.domain.errors import Invalid
from escalade.domain.model import OrganisationId
from escalade.domain.organisation import AssistantSettings, BotSettings
from escalade.services import evaluation, plot
from escalade.services.curves import Curves
from escalade.services.evaluation import ANY, Case, Curve, Level
from escalade.services.library import Library

SHOWN = (50, 60, 70, 80, 85, 90, 95, 98)
NOBODY = OrganisationId("org_evaluation")
WIDTH = 20  # characters of a bar: the table fits a narrow terminal


@dataclass(frozen=True, slots=True, kw_only=True)
class _Set:
    """The questions, and what they are called in the figures."""

    cases: list[Case]
    name: str


def evaluate(
    folder: Annotated[Path, typer.Argument(metavar="SET", help="A folder with questions.csv, and articles/.")],
    articles: Annotated[Path | None, typer.Option(help="The help centre, where it is elsewhere.")] = None,
    organisation: Annotated[
        str | None,
        typer.Option("--org", help="Ask this organisation's own knowledge, and keep the curve for its console."),
    ] = None,
    split: Annotated[str, typer.Option(help="dev, test or all.")] = "test",
    utterances: Annotated[Path | None, typer.Option(help="More questions, mapped by the set's intents.csv.")] = None,
    words_only: Annotated[bool, typer.Option("--words-only", help="As if no embedding weights were there.")] = False,
    drawing: Annotated[Path | None, typer.Option("--plot", help="Write the curve as an SVG file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Ask every question of a set; print and plot precision, coverage and refusal for each confidence.

    Nothing is written but a database in a temporary folder; with --org, the curve in the product's own.
    """
    if split not in {"dev", "test", "all"}:
        raise Invalid(f"--split {split}: use dev, test or all")
    if organisation is not None and (articles is not None or words_only):
        raise Invalid("--org measures what that organisation has: leave --articles and --words-only out")
    asked = _Set(cases=evaluation.read_set(folder, split, utterances), name=f"{folder.resolve().name} ({split})")
    if not asked.cases:
        raise Invalid(f"the set has no questions in --split {split}; use all")
    if organisation is not None:
        curve = asyncio.run(_of_organisation(organisation, asked))
    else:
        curve = asyncio.run(_of_articles(articles or folder / "articles", asked, words_only=words_only))
    title = f"{curve.name}, by {curve.model or 'words alone'}"
    if drawing is not None:
        _write(drawing, plot.svg(curve.levels, title=title))
    if as_json:
        print(msgspec.json.encode(curve).decode())
    else:
        _draw(Console(), curve, title)


async def _of_articles(place: Path, asked: _Set, *, words_only: bool) -> Curve:
    """Measure on a help centre that is read for this alone."""
    from escalade.product import open_library
    from escalade.settings import load

    with tempfile.TemporaryDirectory() as made:
        settings = load(
            env="development",
            database_url=f"sqlite:///{made}/evaluation.db",
            embeddings_dir=Path(made) if words_only else None,
        )
        async with open_library(settings) as library:
            with _progress() as bar:
                reading = bar.add_task("reading", total=None)
                await library.add(NOBODY, str(place))
                bar.remove_task(reading)
                return await _measure(library, Assistant(library), NOBODY, asked, ANY, bar)


async def _of_organisation(name: str, asked: _Set) -> Curve:
    """Measure what an organisation's customers get, and keep it."""
    from escalade.product import open_product
    from escalade.settings import load

    async with open_product(load()) as product:
        id = await product.library.organisation(name)
        # The curve is for the confidence of our own answers; a bot of theirs has none, and may do what it is asked.
        tree = replace((await product.tuning.settings(id)).assistant, bot=BotSettings())
        with _progress() as bar:
            curve = await _measure(product.library, product.assistant, id, asked, tree, bar)
        await Curves(product.database, product.ports.wall).keep(id, curve)
    return curve


async def _measure(
    library: Library,
    assistant: Assistant,
    organisation: OrganisationId,
    asked: _Set,
    settings: AssistantSettings,
    bar: Progress,
) -> Curve:
    meaning = bar.add_task("reading for meaning", total=None)
    model = await library.read_for_meaning(organisation)
    bar.remove_task(meaning)
    asking = bar.add_task("asking", total=len(asked.cases))
    measured = await evaluation.ask(
        assistant, organisation, asked.cases, lambda done, _: bar.update(asking, completed=done), settings
    )
    return measured.curve(asked.name, model)


@contextmanager
def _progress() -> Iterator[Progress]:
    with Progress(console=Console(stderr=True), transient=True) as bar:
        yield bar


def _write(path: Path, drawn: str) -> None:
    try:
        path.write_text(drawn + "\n", encoding="utf-8")
    except OSError as error:
        raise Invalid(f"--plot {path} cannot be written ({error.strerror})") from error


def _draw(console: Console, curve: Curve, title: str) -> None:
    console.print(f"{title}: {curve.questions} questions, {curve.answerable} of them answered somewhere")
    console.print(f"right article first: {curve.first:.3f}")
    table = Table("from", "answered", "precision", "coverage", "refusal", "")
    for level in map(curve.at, SHOWN):
        table.add_row(
            str(level.confidence),
            str(level.answered),
            f"{level.precision:.3f}",
            f"{level.coverage:.3f}",
            f"{level.refusal:.3f}",
            _bar(level),
        )
    console.print(table)
    for line in plot.characters(curve.levels):
        console.print(line, markup=False, highlight=False, no_wrap=True)


def _bar(level: Level) -> str:
    """Draw how much is answered, and how much of that is right."""
    covered = round(level.coverage * WIDTH)
    right = round(level.coverage * level.precision * WIDTH)
    return "█" * right + "░" * (covered - right)
