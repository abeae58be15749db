"""The first page: how far the set-up is, and what an operator looks at first."""

from __future__ import annotations

from starlette.responses import Response

from escalade.store import breaches, overview
from escalade.store.database import Tx
from escalade.web.console.checklist import Checklist
from escalade.web.console.gate import Visit

DAY_MS = 24 * 3600_000


class Home:
    """The page."""

    def __init__(self, checklist: Checklist) -> None:
        self._checklist = checklist

    async def show(self, visit: Visit) -> Response:
        """Show the checklist and the health counts."""
        id = visit.organisation.id

        since = visit.parts.ports.now() - DAY_MS

        def read(tx: Tx) -> tuple[dict[str, int], int, int | None]:
            total, _ = overview.list_conversations(tx, id, overview.Wanted(status="open"), limit=1)
            health = overview.health(tx, id) | {"broken": len(breaches.found(tx, id, since))}
            return health, total, overview.last_receipt_at(tx, id, "zendesk")

        health, open_conversations, last_heard = await visit.parts.database.read(read)
        steps = await self._checklist.steps(visit)
        return visit.show(
            "home.html",
            steps=steps,
            done=sum(step.state == "done" for step in steps),
            health=health,
            open_conversations=open_conversations,
            last_heard=last_heard,
        )
