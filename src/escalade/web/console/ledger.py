"""Deliveries: what is owed, what became of it, and the buttons that owe it again or give it up."""

from __future__ import annotations

import re

from starlette.responses import Response

from escalade.domain.errors import Conflict, NotFound
from escalade.store import overview
from escalade.store.database import Row, Tx
from escalade.web import sheets
from escalade.web.console import words
from escalade.web.console.conversations import A_PAGE, Pager
from escalade.web.console.conversations import PATH as CONVERSATIONS
from escalade.web.console.gate import Note, Visit
from escalade.web.console.pages import HEADERS, sentence

PATH = "/console/deliveries"
UNDER_WAY = ("pending", "sending", "unsure")


async def show(visit: Visit) -> Response:
    """List deliveries with their attempts."""
    page, state, states = max(1, visit.number("page")), visit.asked("state"), _states(visit)

    def read(tx: Tx) -> tuple[int, list[tuple[Row, list[Row]]], dict[str, int]]:
        total, rows = overview.list_deliveries(
            tx, visit.organisation.id, states=states, offset=(page - 1) * A_PAGE, limit=A_PAGE
        )
        with_attempts = [(row, overview.attempts(tx, visit.organisation.id, row["id"])) for row in rows]
        return total, with_attempts, overview.delivery_states(tx, visit.organisation.id)

    total, rows, counts = await visit.parts.database.read(read)
    query = {"state": state if states else ""}
    pager = Pager(page=page, total=total, size=A_PAGE, path=PATH, query=query)
    owed = sum(counts.get(one, 0) for one in UNDER_WAY)
    return visit.show("deliveries.html", rows=rows, pager=pager, state=query["state"], counts=counts, owed=owed)


async def export(visit: Visit) -> Response:
    """Give the deliveries of the list as CSV."""
    sheet = sheets.deliveries(visit.organisation.id, _states(visit))
    return await sheets.give(visit.parts.database, sheet, mark=True, headers=HEADERS)


def _states(visit: Visit) -> tuple[str, ...]:
    """Read which states the address asks for; none are all."""
    state = visit.asked("state")
    return UNDER_WAY if state == "owed" else (state,) if state in words.DELIVERY else ()


async def resend(visit: Visit) -> Response:
    """Owe a delivery again, at the end of its lane."""
    path = _came_from(visit)
    try:
        delivery = int(visit.request.path_params["id"])
        await visit.parts.redrive.resend(visit.organisation.id, delivery, visit.operator.email)
    except (NotFound, Conflict) as error:
        return visit.back(path, Note(tone="bad", title="Nothing was sent again", text=sentence(error.detail)))
    return visit.back(path, Note(tone="good", title="Owed again", text="It waits at the end of its lane."))


async def skip(visit: Visit) -> Response:
    """Give a delivery up, so that what waits behind it may move."""
    path = _came_from(visit)
    try:
        delivery = int(visit.request.path_params["id"])
        await visit.parts.redrive.skip(visit.organisation.id, delivery, visit.operator.email)
    except (NotFound, Conflict) as error:
        return visit.back(path, Note(tone="bad", title="Nothing was skipped", text=sentence(error.detail)))
    return visit.back(path, Note(tone="good", title="Skipped", text="What waited behind it goes on."))


def _came_from(visit: Visit) -> str:
    conversation = visit.form.text("conversation")
    return f"{CONVERSATIONS}/{conversation}" if re.fullmatch(r"[A-Za-z0-9_.:~-]{1,128}", conversation) else PATH
