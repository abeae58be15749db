"""Knowledge from the command line. When `add` exits with 0, what was added can be found.

Progress goes to standard error; `--json` prints one object on standard output.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar

from escalade.cli.model import model
from escalade.services.importing import Imported, Progress
from escalade.services.library import Library
from escalade.store.knowledge import Source

T = TypeVar("T")

knowledge = typer.Typer(help="What the assistant may answer from.", no_args_is_help=True)

knowledge.add_typer(model, name="model")

Organisation = Annotated[str, typer.Option("--org", help="The organisation's id or name.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@knowledge.command("add")
def _add(
    location: Annotated[str, typer.Argument(metavar="PATH|URL", help="A folder, a file, or an address.")],
    organisation: Organisation,
    as_json: AsJson = False,
) -> None:
    """Import a folder or file, a web site, or a Zendesk help centre: of an address, or your own (`help-center`)."""
    with _progress() as progress:
        imported = _run(lambda library: add(library, organisation, location, progress))
    _tell_imported([imported], as_json=as_json)
    if not imported.passages:
        _say(f"nothing at {imported.source.location} can be searched; see why above")
        raise typer.Exit(1)


@knowledge.command("sync")
def _sync(
    organisation: Organisation,
    source: Annotated[str | None, typer.Argument(help="A source's id or location; without it, all of them.")] = None,
    as_json: AsJson = False,
) -> None:
    """Read the sources again now, and follow what was changed and deleted there; a server does so every day."""
    with _progress() as progress:
        read = _run(lambda library: sync(library, organisation, source, progress))
    _tell_imported(read, as_json=as_json, several=True)
    if any(imported.error for imported in read):
        raise typer.Exit(1)


@knowledge.command("list")
def _list(organisation: Organisation, as_json: AsJson = False) -> None:
    """Show the sources."""
    listed = _run(lambda library: sources(library, organisation))
    if as_json:
        print(json.dumps({"sources": [_as_object(source) for source in listed]}))
    elif not listed:
        _say("there is no source yet; add one with `escalade knowledge add PATH --org ORG`")
    for source in () if as_json else listed:
        documents = "document " if source.documents == 1 else "documents"
        print(f"{source.id}  {source.kind:11}  {source.documents:5} {documents}  {source.location}")
        if source.reading_at is not None:
            total = f" of {source.reading_total}" if source.reading_total else ""
            _say(f"{source.location}: is being read, {source.reading_done or 0}{total} so far")
        if source.error:
            _say(f"{source.location}: {source.error}")


@knowledge.command("remove")
def _remove(
    source: Annotated[str, typer.Argument(help="A source's id or location.")],
    organisation: Organisation,
    as_json: AsJson = False,
) -> None:
    """Forget a source and everything from it."""
    gone = _run(lambda library: remove(library, organisation, source))
    print(json.dumps({"removed": _as_object(gone)}) if as_json else f"{gone.location} is forgotten")


async def add(library: Library, organisation: str, location: str, progress: Progress | None = None) -> Imported:
    """Add a source to an organisation given by name or id."""
    return await library.add(await library.organisation(organisation), location, progress=progress)


async def sync(
    library: Library, organisation: str, source: str | None = None, progress: Progress | None = None
) -> list[Imported]:
    """Read one source of an organisation again, or all."""
    return await library.sync(await library.organisation(organisation), source, progress=progress)


async def sources(library: Library, organisation: str) -> list[Source]:
    """Give the sources of an organisation."""
    return await library.sources(await library.organisation(organisation))


async def remove(library: Library, organisation: str, source: str) -> Source:
    """Remove a source of an organisation."""
    return await library.remove(await library.organisation(organisation), source)


def _run(work: Callable[[Library], Awaitable[T]]) -> T:
    from escalade.product import open_library
    from escalade.settings import load

    async def run() -> T:
        async with open_library(load()) as library:
            return await work(library)

    return asyncio.run(run())


@contextmanager
def _progress() -> Iterator[Progress]:
    """Draw a bar on standard error while documents are read; where nobody watches, write a line now and then."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield _line_by_line
        return
    columns = (TextColumn("Reading"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.description}", markup=False))
    with Bar(*columns, console=console, transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(done: int, total: int | None, title: str) -> None:
            bar.update(task, completed=done, total=total, description=title[:50])

        yield show


def _line_by_line(done: int, total: int | None, _title: str) -> None:
    if done and done % 100 == 0:
        _say(f"read {done}" + (f" of {total}" if total else ""))


def _tell_imported(read: list[Imported], *, as_json: bool, several: bool = False) -> None:
    if as_json:
        told = [_imported_object(imported) for imported in read]
        print(json.dumps({"sources": told} if several else told[0]))
    for imported in read:
        if imported.error:
            _say(f"{imported.source.location}: {imported.error}")
        for name, why in imported.failed:
            _say(f"left out {name}: {why}")
        for why, count in imported.skipped.items():
            _say(f"passed over {count} {why}")
        if not as_json and not imported.error:
            documents = "1 document" if imported.source.documents == 1 else f"{imported.source.documents} documents"
            print(
                f"{imported.source.location}: {documents} can be searched"
                f" ({imported.added} added, {imported.replaced} changed, {imported.unchanged} unchanged,"
                f" {imported.removed} removed)"
            )


def _imported_object(imported: Imported) -> dict[str, Any]:
    told = asdict(imported) | {"source": _as_object(imported.source)}
    told["failed"] = [{"source_id": name, "error": why} for name, why in imported.failed]
    return told


def _as_object(source: Source) -> dict[str, Any]:
    told = asdict(source)
    for name in (name for name in told if name.endswith("_at")):
        if told[name] is not None:
            told[name] = datetime.fromtimestamp(told[name] / 1000, UTC).isoformat(timespec="milliseconds")
    return told


def _say(sentence: str) -> None:
    print(f"escalade: {sentence}", file=sys.stderr)
