"""Knowledge: the sources, how far each is read, what could not be read, and reading one again now."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from escalade.domain.errors import DeliveryError, Invalid, NotFound
from escalade.services.documents import HELP_CENTER
from escalade.services.resync import RING, SILENT_MS
from escalade.store import readings
from escalade.store.database import Tx
from escalade.store.knowledge import Source, failures, sources
from escalade.web.console.gate import Note, Visit

PATH = "/console/knowledge"
FIELD = "/knowledge/address"
MOST_FAILURES = 100  # named on the page; the command names all


async def show(visit: Visit) -> Response:
    """List the sources."""
    return await _draw(visit, "")


async def add(visit: Visit) -> Response:
    """Add a site or help centre; a folder of the server is for those who may use its command line."""
    address = visit.form.text("address")
    try:
        if "://" not in address and address != HELP_CENTER:
            raise Invalid("give an address such as https://help.example.com, or help-center", pointer=FIELD)
        source = await visit.parts.library.enlist(visit.organisation.id, address)
    except (Invalid, NotFound, DeliveryError) as error:
        return await _draw(visit, address, {FIELD: error.detail}, status=422)
    return await _want(visit, source.id, source.location, "knowledge.added")


async def sync(visit: Visit) -> Response:
    """Have a source read now."""
    id = visit.request.path_params["id"]
    known = await visit.parts.database.read(partial(sources, organisation=visit.organisation.id))
    location = next((source.location for source in known if source.id == id), None)
    if location is None:
        return visit.back(PATH, Note(tone="bad", title="Nothing was read", text="There is no such source."))
    return await _want(visit, id, location, "knowledge.synced")


async def _want(visit: Visit, id: str, location: str, what: str) -> Response:
    def written(tx: Tx) -> None:
        readings.want(tx, visit.organisation.id, id, now=visit.now)
        visit.audit(tx, what, location)
        tx.ring(*RING)

    await visit.parts.database.write(written)
    return visit.back(PATH, Note(tone="good", title="It is read now", text="This page shows how far it is."))


async def _draw(visit: Visit, typed: str, errors: dict[str, str] | None = None, status: int = 200) -> Response:
    id = visit.organisation.id

    def read(tx: Tx) -> list[tuple[Source, list[tuple[str, str]]]]:
        return [(source, failures(tx, id, source.id)) for source in sources(tx, id)]

    return visit.show(
        "knowledge.html",
        status=status,
        sources=await visit.parts.database.read(read),
        meaning=await visit.parts.library.read_by_meaning(id),
        silent_since=visit.now - SILENT_MS,
        most=MOST_FAILURES,
        typed=typed,
        errors=errors or {},
    )
