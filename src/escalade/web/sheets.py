"""Lists as CSV (RFC 4180), streamed page by page, for whoever opens them in a spreadsheet.

A spreadsheet takes a cell for a formula that begins like one. What people wrote must never run there, so such a cell
gets an apostrophe in front, which every spreadsheet takes for "this is text".
"""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import StreamingResponse

from escalade.domain.model import Handoff, OrganisationId
from escalade.store import exports
from escalade.store.database import Database, Row, Tx
from escalade.store.overview import Wanted
from escalade.web.views import moment

MEDIA_TYPE = "text/csv; charset=utf-8"
FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # Excel takes the wide ones, too
MARK = "\ufeff"  # without it Excel takes UTF-8 for something else


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A list with its columns. `read` gives the page behind a row, or the first."""

    name: str
    columns: Mapping[str, Callable[[Row], Any]]
    read: Callable[[Tx, Row | None], list[Row]]


def conversations(organisation: OrganisationId, wanted: Wanted) -> Sheet:
    """Who wrote, and what became of it."""
    return Sheet(
        name="conversations",
        columns=CONVERSATION,
        read=lambda tx, after: exports.conversations(tx, organisation, wanted, after),
    )


def deliveries(organisation: OrganisationId, states: tuple[str, ...]) -> Sheet:
    """What is owed, and what became of it; without answers, in which may stand what customers wrote."""
    return Sheet(
        name="deliveries",
        columns=DELIVERY,
        read=lambda tx, after: exports.deliveries(tx, organisation, states, after),
    )


def receipts(organisation: OrganisationId) -> Sheet:
    """What came in, and what became of it."""
    return Sheet(name="receipts", columns=RECEIPT, read=lambda tx, after: exports.receipts(tx, organisation, after))


async def give(
    database: Database, sheet: Sheet, *, mark: bool = False, headers: Mapping[str, str] | None = None
) -> StreamingResponse:
    """Answer with a sheet; its first page is read before, so that a refusal can still be one."""
    first = await database.read(lambda tx: sheet.read(tx, None))
    return StreamingResponse(
        _pages(database, sheet, first, MARK if mark else ""),
        media_type=MEDIA_TYPE,
        headers={**(headers or {}), "content-disposition": f'attachment; filename="{sheet.name}.csv"'},
    )


async def _pages(database: Database, sheet: Sheet, rows: list[Row], mark: str) -> AsyncIterator[str]:
    yield mark + lines([sheet.columns])
    while rows:
        yield lines([read(row) for read in sheet.columns.values()] for row in rows)
        last = rows[-1]
        rows = await database.read(lambda tx, last=last: sheet.read(tx, last))  # type: ignore[misc]


def lines(rows: Iterable[Iterable[Any]]) -> str:
    """Write rows as CSV."""
    written = io.StringIO()
    csv.writer(written).writerows([cell(value) for value in row] for row in rows)
    return written.getvalue()


def cell(value: Any) -> str:
    """Write a value so that no spreadsheet takes it for a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(FORMULAS) else text


def _at(name: str) -> Callable[[Row], str]:
    return lambda row: "" if row[name] is None else moment(row[name])


def _of(name: str) -> Callable[[Row], Any]:
    return lambda row: row[name]


def _handoff(read: Callable[[Handoff], Any]) -> Callable[[Row], Any]:
    def of(row: Row) -> Any:
        body = row["handoff_body"]
        return None if body is None else read(msgspec.json.decode(body, type=Handoff))

    return of


CONVERSATION: Mapping[str, Callable[[Row], Any]] = {
    "id": _of("id"),
    "status": _of("status"),
    "control": _of("control"),
    "customer": _of("customer"),
    "name": _of("name"),
    "email": _of("email"),
    "verified": lambda row: "yes" if row["verified"] else "no",
    "locale": _of("locale"),
    "messages": _of("last_seq"),
    "last_words": _of("said"),
    "handoff": _handoff(lambda handoff: handoff.state.value),
    "reason": _handoff(lambda handoff: handoff.reason.value),
    "mode": _handoff(lambda handoff: handoff.mode.value),
    "ticket_id": _handoff(lambda handoff: handoff.ticket_id),
    "agent": _handoff(lambda handoff: handoff.agent and handoff.agent.name),
    "asked_at": _handoff(lambda handoff: moment(handoff.asked_at)),
    "ended_at": _handoff(lambda handoff: handoff.ended_at and moment(handoff.ended_at)),
    "created_at": _at("created_at"),
    "updated_at": _at("updated_at"),
}
DELIVERY: Mapping[str, Callable[[Row], Any]] = {
    "id": _of("id"),
    "conversation": _of("conversation"),
    "lane": _of("lane"),
    "position": _of("position"),
    "effect": _of("effect"),
    "message": _of("message"),
    "state": _of("state"),
    "why": _of("why"),
    "tries": _of("tries"),
    "last_verdict": _of("verdict"),
    "last_status": _of("status"),
    "created_at": _at("created_at"),
    "settled_at": _at("settled_at"),
}
RECEIPT: Mapping[str, Callable[[Row], Any]] = {
    "id": _of("id"),
    "source": _of("source"),
    "kind": _of("kind"),
    "key": _of("key"),
    "conversation": _of("conversation"),
    "state": _of("state"),
    "outcome": _of("outcome"),
    "received_at": _at("received_at"),
    "settled_at": _at("settled_at"),
}
