"""The request log: every API call in and every webhook out, with bodies, newest first, secrets blacked out."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice

from starlette.responses import Response
from starlette.routing import BaseRoute

from zendesk_emulator.delivery import authentication_headers
from zendesk_emulator.pages.shell import Pages, Visit
from zendesk_emulator.records.json import Json

PAGE = "/admin/requests"
SHOWN = 100
DIRECTIONS = {"": "Both ways", "in": "API calls in", "out": "Webhooks out"}
OUTCOMES = {"": "Any outcome", "fine": "Succeeded", "bad": "Failed or unanswered"}


def routes(pages: Pages) -> Sequence[BaseRoute]:
    """Give the routes of the request log."""
    return [pages.get(PAGE, _log), pages.post(f"{PAGE}/clear", _clear, back=PAGE)]


async def _log(visit: Visit) -> Response:
    wanted = {name: visit.query(name) for name in ("direction", "outcome", "q")}
    entries = visit.emulator.log.entries
    found = (entry for entry in reversed(entries) if _fits(entry, wanted))
    return visit.show(
        "admin/requests.html",
        entries=list(islice(found, SHOWN)),
        total=len(entries),
        most=SHOWN,
        wanted=wanted,
        secret_headers=_secret_headers(visit),
        directions=DIRECTIONS,
        outcomes=OUTCOMES,
    )


def _secret_headers(visit: Visit) -> set[str]:
    """Name the headers that carry webhooks' own API keys; the log itself only knows the usual ones."""
    hooks = visit.account.records.webhooks.values()
    return {name.lower() for hook in hooks for name in authentication_headers(hook.authentication)}


def _fits(entry: Json, wanted: dict[str, str]) -> bool:
    if wanted["direction"] and entry["direction"] != wanted["direction"]:
        return False
    fine = entry["status"] is not None and entry["status"] < 400
    if wanted["outcome"] and fine != (wanted["outcome"] == "fine"):
        return False
    words = wanted["q"].lower().split()
    searched = f"{entry['method']} {entry['url']} {entry['kind']} {entry['status']} {entry['body']} {entry['answer']}"
    return all(word in searched.lower() for word in words)


async def _clear(visit: Visit) -> Response:
    visit.emulator.log.entries.clear()
    visit.account.bell.ring()
    return visit.go(PAGE, said="The log is empty.")
