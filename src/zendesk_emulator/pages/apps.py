"""Admin › Apps: upload a package, see what the app needs to know; and the frames beside a ticket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route

from zendesk_emulator import apps
from zendesk_emulator.errors import DeskRefused
from zendesk_emulator.pages.shell import POLICY, Pages, Visit
from zendesk_emulator.records.tickets import Ticket

PAGE = "/admin/apps"
SDK = "/zendesk_app_framework_sdk/2.0/zaf_sdk.min.js"
STATIC = Path(__file__).parent / "static"


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """An app beside a ticket."""

    guid: str
    name: str
    address: str
    token: str


def routes(pages: Pages) -> Sequence[BaseRoute]:
    """Give the routes of apps."""
    return [
        pages.get(PAGE, _apps),
        pages.post(PAGE, _upload, back=PAGE),
        pages.post(f"{PAGE}/{{app:int}}/delete", _remove, back=PAGE),
        Route(SDK, _sdk, methods=["GET"]),
    ]


async def _apps(visit: Visit) -> Response:
    return visit.show("admin/apps.html", apps=list(visit.account.records.apps.values()))


async def _upload(visit: Visit) -> Response:
    if not visit.form.files:
        raise DeskRefused("Choose the app's package, a zip file.")
    app = apps.install_package(visit.account, await visit.form.files[0].read())
    return visit.go(PAGE, said=f"{app.name} is installed.")


async def _remove(visit: Visit) -> Response:
    visit.account.records.apps.pop(visit.number("app"), None)
    return visit.go(PAGE, said="The app is gone.")


async def _sdk(_request: object) -> Response:
    """Stand where Zendesk's own script does."""
    return FileResponse(STATIC / "zaf_sdk.js", media_type="text/javascript", headers={"Cache-Control": "no-store"})


def frames(visit: Visit, ticket: Ticket) -> list[Frame]:
    """Open every app beside a ticket, for the agent who looks at it."""
    if not ticket.id:
        return []
    origin = f"{visit.request.url.scheme}://{visit.request.headers.get('host', '')}"
    found = []
    for app in visit.account.records.apps.values():
        address, token = apps.opened(visit.account, app, visit.agent, origin)
        found.append(Frame(guid=f"app-{app.id}", name=app.name, address=address, token=token))
    return found


def policy(shown: Sequence[Frame]) -> str:
    """Give the policy of a page that frames these apps."""
    origins = " ".join(sorted({"{0.scheme}://{0.netloc}".format(urlsplit(frame.address)) for frame in shown}))
    posting = POLICY.replace("form-action 'self'", f"form-action 'self' {origins}".rstrip())
    return f"{posting}; frame-src {origins}" if origins else posting
