"""The app beside a ticket: its package to download, and which installation may open our page."""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response

from escalade.domain.errors import ConfigError, Invalid, NotFound
from escalade.web.console.gate import Note, Visit
from escalade.web.console.pages import HEADERS
from escalade.zendesk_app import address, package

PATH = "/console/escalate/app"


async def show(visit: Visit) -> Response:
    """Show the app as it is set up."""
    sidebar = visit.organisation.settings.sidebar
    number = "" if sidebar.installation_id is None else str(sidebar.installation_id)
    return _draw(visit, {"installation_id": number, "public_key": sidebar.public_key})


async def save(visit: Visit) -> Response:
    """Save which installation may open the page, and its key; without both nobody may."""
    form = visit.form
    try:
        number = form.whole("installation_id", "/sidebar/installation_id")
        patch = {"sidebar": {"installation_id": number, "public_key": form.text("public_key")}}
        await visit.parts.tuning.change(visit.organisation.id, patch, visit.operator.email)
    except Invalid as error:
        return _draw(visit, form.values, {error.pointer: error.detail}, status=422)
    text = "Agents see the page beside their tickets." if number and form.text("public_key") else "Nobody is let in."
    return visit.back(PATH, Note(tone="good", title="Saved", text=text))


async def download(visit: Visit) -> Response:
    """Give the package."""
    try:
        content = package(visit.parts.settings.public_url, visit.organisation.id)
    except ConfigError as error:
        raise NotFound(str(error)) from error
    headers = HEADERS | {"content-disposition": 'attachment; filename="escalade-zendesk-app.zip"'}
    return Response(content, media_type="application/zip", headers=headers)


def _draw(visit: Visit, typed: Mapping[str, str], errors: dict[str, str] | None = None, status: int = 200) -> Response:
    return visit.show(
        "escalate/app.html",
        status=status,
        section="app",
        typed=typed,
        errors=errors or {},
        address=address(visit.parts.settings.public_url, visit.organisation.id),
        is_set_up=visit.organisation.settings.sidebar.is_set_up,
    )
