"""Admin › Apps and integrations › APIs: Conversations API keys, OAuth clients, and the API tokens that are left.

Secrets are shown once, on the page that follows their creation.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.responses import Response
from starlette.routing import BaseRoute

from zendesk_emulator.errors import DeskRefused
from zendesk_emulator.pages.shell import Pages, Visit

KEYS, CLIENTS, TOKENS = "/admin/conversations-api", "/admin/oauth-clients", "/admin/api-tokens"
KEYS_AT_MOST = 10


def routes(pages: Pages) -> Sequence[BaseRoute]:
    """Give the routes of keys, clients and tokens."""
    return [
        pages.get("/admin", _index),
        pages.get(KEYS, _keys),
        pages.post(KEYS, _create_key, back=KEYS),
        pages.post(f"{KEYS}/{{key_id}}/delete", _delete_key, back=KEYS),
        pages.get(CLIENTS, _clients),
        pages.post(CLIENTS, _create_client, back=CLIENTS),
        pages.post(f"{CLIENTS}/{{client_id:int}}/delete", _delete_client, back=CLIENTS),
        pages.get(TOKENS, _tokens),
    ]


async def _index(visit: Visit) -> Response:
    return visit.show("admin/index.html")


async def _keys(visit: Visit) -> Response:
    keys = list(visit.account.records.conversations_keys.values())
    return visit.show("admin/conversations_api.html", keys=keys, created=visit.notice.facts.get("key"))


async def _create_key(visit: Visit) -> Response:
    name = visit.form.text("name").strip()
    if not name:
        raise DeskRefused("Name: cannot be blank")
    if len(visit.account.records.conversations_keys) >= KEYS_AT_MOST:
        raise DeskRefused(f"There can be at most {KEYS_AT_MOST} keys; delete one first.")
    return visit.go(KEYS, key=visit.account.add_conversations_key(name))


async def _delete_key(visit: Visit) -> Response:
    visit.account.records.conversations_keys.pop(visit.word("key_id"), None)
    return visit.go(KEYS, said="The key is gone; whoever used it gets 401 from now on.")


async def _clients(visit: Visit) -> Response:
    clients = list(visit.account.records.oauth_clients.values())
    return visit.show("admin/oauth_clients.html", clients=clients, created=visit.notice.facts.get("client"))


async def _create_client(visit: Visit) -> Response:
    form = visit.form
    name, identifier = form.text("name").strip(), form.text("identifier").strip()
    if not name or not identifier:
        raise DeskRefused("Name and identifier: cannot be blank")
    if any(known.identifier == identifier for known in visit.account.records.oauth_clients.values()):
        raise DeskRefused(f"Identifier: {identifier} is taken")
    client = visit.account.add_oauth_client(
        identifier=identifier,
        name=name,
        user=visit.admin,
        scopes=form.text("scopes").split(),
        redirect_uris=form.text("redirect_uris").split(),
        kind="public" if form.text("kind") == "public" else "confidential",
    )
    return visit.go(CLIENTS, client=client)


async def _delete_client(visit: Visit) -> Response:
    visit.account.records.oauth_clients.pop(visit.number("client_id"), None)
    return visit.go(CLIENTS, said="The client is gone.")


async def _tokens(visit: Visit) -> Response:
    return visit.show("admin/api_tokens.html", tokens=list(visit.account.records.api_tokens.values()))
