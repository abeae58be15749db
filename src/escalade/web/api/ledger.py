"""The routes of the ledger: what is owed, what came in, and what became of both."""

# Annotations are evaluated here and now: the routes name types that exist only inside `routes`.

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Response

from escalade.domain.model import OrganisationId
from escalade.services.redrive import Redrive
from escalade.services.replay import Replay, Replayed
from escalade.store import overview
from escalade.store.database import Database, Row, Tx
from escalade.store.receipts import Receipt, recent
from escalade.web import answers, sheets, views
from escalade.web.api.requests import Entrance, StrictRoute
from escalade.web.api.shapes import Number

MOST = 500
SHEET_OUT: dict[str, Any] = {"description": "The list.", "content": {"text/csv": {"schema": {"type": "string"}}}}


def routes(caller: Entrance, database: Database, redrive: Redrive, replays: Replay) -> APIRouter:
    """Give the routes of what is owed and what came in."""
    router = APIRouter(route_class=StrictRoute, tags=["ledger"])
    Caller = Annotated[OrganisationId, Depends(caller)]  # noqa: N806 - a type

    @router.get("/deliveries")
    async def deliveries(caller: Caller, state: str | None = None, limit: Number = 100) -> answers.Deliveries:
        """List what is owed to Zendesk and what became of it, newest first."""
        return {"deliveries": await database.read(lambda tx: _deliveries(tx, caller, state, min(limit, MOST)))}

    @router.get("/deliveries.csv", response_class=Response, responses={200: SHEET_OUT})
    async def deliveries_sheet(caller: Caller, state: str | None = None) -> Response:
        """Give every delivery as CSV, newest first; no cell begins like a formula."""
        return await sheets.give(database, sheets.deliveries(caller, () if state is None else (state,)))

    @router.get("/receipts.csv", response_class=Response, responses={200: SHEET_OUT})
    async def receipts_sheet(caller: Caller) -> Response:
        """Give everything that came in as CSV, newest first; no cell begins like a formula."""
        return await sheets.give(database, sheets.receipts(caller))

    @router.get("/conversations.csv", response_class=Response, responses={200: SHEET_OUT})
    async def conversations_sheet(caller: Caller) -> Response:
        """Give every conversation as CSV, newest first; no cell begins like a formula."""
        return await sheets.give(database, sheets.conversations(caller, overview.Wanted()))

    @router.post("/deliveries/{id}/resend", status_code=202)
    async def resend(caller: Caller, id: Number) -> answers.Resent:
        """Owe a delivery again that was refused, dropped or skipped, at the end of its lane; else 409 `wrong_state`."""
        await redrive.resend(caller, id, "api")
        return {"status": "pending"}

    @router.post("/deliveries/{id}/skip")
    async def skip(caller: Caller, id: Number) -> answers.Skipped:
        """Give a delivery up that is refused, dropped, pending or unsure, so that the next may move; else 409."""
        await redrive.skip(caller, id, "api")
        return {"status": "skipped"}

    @router.get("/receipts")
    async def receipts(caller: Caller, limit: Number = 100) -> answers.Receipts:
        """List what came in and what became of it, newest first."""
        found = await database.read(lambda tx: recent(tx, caller, limit=min(limit, MOST)))
        return {"receipts": [_receipt(one) for one in found]}

    @router.post("/receipts/{id}/replay")
    async def replay(caller: Caller, id: Number, dry_run: bool = False) -> Replayed:
        """Decide a receipt anew on the state of now; with `dry_run`, say what it would do and do nothing."""
        return await replays.replay(caller, id, dry_run=dry_run)

    return router


def _deliveries(tx: Tx, caller: OrganisationId, state: str | None, limit: int) -> list[answers.Delivery]:
    found = overview.deliveries(tx, caller, state=state, limit=limit)
    return [_delivery(row, overview.attempts(tx, caller, row["id"])) for row in found]


def _delivery(row: Row, attempts: list[Row]) -> answers.Delivery:
    return {
        "id": row["id"],
        "conversation": row["conversation"],
        "lane": row["lane"],
        "position": row["position"],
        "effect": row["effect"],
        "message": row["message"],
        "state": row["state"],
        "why": row["why"],
        "created_at": views.moment(row["created_at"]),
        "settled_at": None if row["settled_at"] is None else views.moment(row["settled_at"]),
        "attempts": [
            {
                "number": attempt["number"],
                "kind": attempt["kind"],
                "verdict": attempt["verdict"],
                "status": attempt["status"],
                "detail": attempt["detail"],
                "started_at": views.moment(attempt["started_at"]),
                "ended_at": None if attempt["ended_at"] is None else views.moment(attempt["ended_at"]),
            }
            for attempt in attempts
        ],
    }


def _receipt(one: Receipt) -> answers.Receipt:
    return {
        "id": one.id,
        "source": one.source,
        "kind": one.kind,
        "key": one.key,
        "conversation": one.conversation,
        "state": one.state,
        "outcome": one.outcome,
        "received_at": views.moment(one.received_at),
        "settled_at": None if one.settled_at is None else views.moment(one.settled_at),
    }
