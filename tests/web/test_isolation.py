"""Nothing of one organisation is ever seen or changed with the credentials of another (T01, T05, T06, T07, T11).

The matrix is made from the routes themselves: every route, with every kind of id of the other organisation in every
place an id can stand. A route without an entry below fails the build.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio

from escalade.domain.model import ConversationId, FileId, FileState, MessageId, OrganisationId
from escalade.domain.organisation import (
    AssistantSettings,
    SidebarSettings,
    TicketSettings,
    WidgetSettings,
    ZendeskSettings,
)
from escalade.domain.organisation import Settings as Tree
from escalade.services.accounts import SUNSHINE_WEBHOOK
from escalade.store import audit, files, knowledge, operators, organisations
from escalade.store.database import Tx
from escalade.store.files import File
from escalade.store.removal import AT_ONCE, IN_BATCHES
from escalade.web.console.gate import RIGHTS, Right
from tests import engines, signed
from tests.backstage import NOON
from tests.web.counter import HOOK, ORGANISATION, OTHER, Answer, Counter, counter
from tests.web.routes import Address, addresses
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.ports import production

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARK = "violet"  # stands in everything that is the other organisation's
NOT_THERE = frozenset({404, 422})
LISTS = frozenset({200})
TAKEN = frozenset({200, 201, 202, 303})
OURS = "our-own-conversation"


@dataclass(frozen=True)
class Entry:
    """How a route is called in the matrix: `{theirs}` in a body is filled with each id of the other organisation."""

    statuses: frozenset[int]
    body: Any = None
    query: tuple[str, ...] = ()  # names that take each id, and words to search for


FORM: dict[str, str] = {}
SAYS = {"id": "message-of-mine-01", "text": "Hello"}

# What may come back where the other's ids are given. 404 and 422 alike say: nothing here.
ENTRIES: dict[str, Entry] = {
    # developer API
    "GET /api/v1/settings": Entry(LISTS, query=("organisation", "id")),
    "PATCH /api/v1/settings": Entry(frozenset({200, 422}), {"tickets": {"tags": ["{theirs}"]}}),
    "POST /api/v1/conversations": Entry(frozenset({201, 409, 422}), {"id": "{theirs}", "customer": {"id": "{theirs}"}}),
    "GET /api/v1/conversations/{id}": Entry(NOT_THERE),
    "POST /api/v1/conversations/{id}/messages": Entry(NOT_THERE, {"id": "{theirs}", "text": "Hello"}),
    "GET /api/v1/conversations/{id}/messages": Entry(NOT_THERE, query=("after",)),
    "POST /api/v1/conversations/{id}/messages/{message}/feedback": Entry(NOT_THERE, {"feedback": "helpful"}),
    "GET /api/v1/conversations/{id}/events": Entry(NOT_THERE),
    "POST /api/v1/conversations/{id}/escalate": Entry(NOT_THERE, {}),
    "POST /api/v1/conversations/{id}/customer": Entry(NOT_THERE, {"name": "Ada"}),
    "POST /api/v1/conversations/{id}/release": Entry(NOT_THERE),
    "POST /api/v1/conversations/{id}/close": Entry(NOT_THERE),
    "POST /api/v1/conversations/{id}/files": Entry(NOT_THERE, SAYS, query=("name",)),
    "GET /api/v1/conversations/{id}/files/{file}": Entry(NOT_THERE),
    "POST /api/v1/conversations/{id}/files/{file}/fetch": Entry(NOT_THERE),
    "GET /api/v1/customers/{id}/export": Entry(NOT_THERE),
    "DELETE /api/v1/customers/{id}": Entry(NOT_THERE),
    "POST /api/v1/assistant/ask": Entry(LISTS, {"text": "How do I return {theirs} violet boots?"}),
    "GET /api/v1/deliveries": Entry(LISTS, query=("state", "organisation", "conversation")),
    "GET /api/v1/deliveries.csv": Entry(LISTS, query=("state", "organisation", "conversation")),
    "GET /api/v1/receipts.csv": Entry(LISTS, query=("organisation", "conversation")),
    "GET /api/v1/conversations.csv": Entry(LISTS, query=("organisation", "customer", "text")),
    "POST /api/v1/deliveries/{id}/resend": Entry(NOT_THERE),
    "POST /api/v1/deliveries/{id}/skip": Entry(NOT_THERE),
    "GET /api/v1/receipts": Entry(LISTS, query=("organisation", "conversation")),
    "POST /api/v1/receipts/{id}/replay": Entry(NOT_THERE, query=("dry_run",)),
    # widget API, as a visitor
    "POST /widget/v1/conversations/{id}/messages": Entry(NOT_THERE, SAYS),
    "GET /widget/v1/conversations/{id}/messages": Entry(NOT_THERE),
    "POST /widget/v1/conversations/{id}/messages/{message}/feedback": Entry(NOT_THERE, {"feedback": "helpful"}),
    "GET /widget/v1/conversations/{id}/events": Entry(NOT_THERE),
    "POST /widget/v1/conversations/{id}/escalate": Entry(NOT_THERE, {}),
    "POST /widget/v1/conversations/{id}/customer": Entry(NOT_THERE, {"name": "Ada"}),
    "POST /widget/v1/conversations/{id}/release": Entry(NOT_THERE),
    "POST /widget/v1/conversations/{id}/close": Entry(NOT_THERE),
    "POST /widget/v1/conversations/{id}/files": Entry(NOT_THERE, SAYS, query=("name",)),
    "GET /widget/v1/conversations/{id}/files/{file}": Entry(NOT_THERE),
    "POST /widget/v1/conversations/{id}/files/{file}/fetch": Entry(NOT_THERE),
    "GET /widget/v1/conversations": Entry(LISTS, query=("customer", "organisation")),
    "POST /widget/v1/conversations": Entry(frozenset({201, 409, 422}), {"id": "{theirs}"}),
    "POST /widget/v1/sessions": Entry(frozenset({404}), {"key": "{theirs}"}),
    "GET /widget/v1/panel": Entry(frozenset({404}), query=("key",)),
    "GET /widget/loader.js": Entry(LISTS),
    "GET /widget/assets/{id}": Entry(NOT_THERE),
    # console, as an owner
    "GET /": Entry(TAKEN),
    "GET /console/": Entry(TAKEN),
    "GET /console": Entry(LISTS, query=("organisation",)),
    "GET /console/sign-in": Entry(frozenset({303, 410, 429}), query=("token",)),
    "POST /console/sign-in": Entry(frozenset({410, 429}), FORM | {"token": "{theirs}"}),
    "POST /console/sign-out": Entry(TAKEN, FORM),
    "GET /console/conversations": Entry(LISTS, query=("text", "status", "control", "handoff", "organisation")),
    "GET /console/conversations.csv": Entry(LISTS, query=("text", "status", "control", "handoff", "organisation")),
    "GET /console/conversations/{id}": Entry(NOT_THERE),
    "GET /console/conversations/{id}/raw.json": Entry(NOT_THERE),
    "GET /console/conversations/{id}/files/{file}": Entry(NOT_THERE),
    "GET /console/deliveries": Entry(LISTS, query=("state", "conversation", "organisation")),
    "GET /console/deliveries.csv": Entry(LISTS, query=("state", "conversation", "organisation")),
    "POST /console/deliveries/{id:int}/resend": Entry(NOT_THERE | {303}, FORM | {"conversation": "{theirs}"}),
    "POST /console/deliveries/{id:int}/skip": Entry(NOT_THERE | {303}, FORM | {"conversation": "{theirs}"}),
    "GET /console/escalate": Entry(LISTS),
    "POST /console/escalate": Entry(TAKEN | {422}, FORM | {"organisation": "{theirs}"}),
    "GET /console/escalate/connection": Entry(LISTS),
    "POST /console/escalate/connection": Entry(frozenset({303, 422}), FORM | {"organisation": "{theirs}"}),
    "POST /console/escalate/connection/test": Entry(TAKEN, FORM),
    "POST /console/escalate/connection/disconnect": Entry(TAKEN, FORM | {"organisation": "{theirs}"}),
    "GET /console/escalate/tickets": Entry(LISTS),
    "POST /console/escalate/tickets": Entry(frozenset({303, 422}), FORM | {"organisation": "{theirs}"}),
    "POST /console/escalate/tickets/preview": Entry(frozenset({200, 422}), FORM | {"organisation": "{theirs}"}),
    "POST /console/escalate/tickets/refresh": Entry(TAKEN, FORM),
    "GET /console/escalate/live": Entry(LISTS),
    "POST /console/escalate/live": Entry(frozenset({303, 422}), FORM | {"organisation": "{theirs}"}),
    "POST /console/escalate/live/test": Entry(TAKEN, FORM),
    "GET /console/escalate/webhook": Entry(LISTS),
    "POST /console/escalate/webhook/rotate": Entry(TAKEN, FORM | {"organisation": "{theirs}"}),
    "POST /console/escalate/webhook/signing": Entry(frozenset({303, 422}), FORM | {"then": "remove"}),
    "GET /console/escalate/session-end": Entry(LISTS),
    "GET /console/escalate/app": Entry(LISTS),
    "POST /console/escalate/app": Entry(frozenset({303, 422}), FORM | {"organisation": "{theirs}"}),
    "GET /console/escalate/app/package.zip": Entry(LISTS, query=("organisation",)),
    "GET /console/knowledge": Entry(LISTS),
    "POST /console/knowledge": Entry(frozenset({422}), FORM | {"address": "{theirs}"}),
    "POST /console/knowledge/{id}/sync": Entry(frozenset({303}), FORM),
    "GET /console/assistant": Entry(LISTS, query=("organisation",)),
    "POST /console/assistant": Entry(frozenset({303, 422}), FORM | {"organisation": "{theirs}"}),
    "GET /console/gaps": Entry(LISTS, query=("days", "organisation")),
    "GET /console/hindsight": Entry(LISTS, query=("organisation",)),
    "POST /console/hindsight": Entry(
        frozenset({200, 422}),
        FORM | {"enabled": "on", "minimum_confidence": "0", "topics": "{theirs}", "organisation": "{theirs}"},
    ),
    "GET /console/playground": Entry(LISTS, query=("organisation",)),
    "POST /console/playground": Entry(
        frozenset({200, 422}),
        FORM | {"text": "How do I return {theirs}?", "turns": "{theirs}", "organisation": "{theirs}"},
    ),
    "GET /console/widget": Entry(LISTS),
    "POST /console/widget": Entry(frozenset({303, 422}), FORM | {"allowed_origins": ""}),
    "GET /console/settings": Entry(LISTS),
    "POST /console/settings/api-key": Entry(TAKEN, FORM | {"organisation": "{theirs}"}),
    "GET /console/settings/audit": Entry(LISTS, query=("page", "organisation")),
    # beside a ticket: our own installation's token, our own pass
    "GET /zendesk/app/{organisation}": Entry(frozenset({401})),
    "POST /zendesk/app/{organisation}": Entry(frozenset({401}), FORM, query=("origin",)),
    "GET /zendesk/app/{organisation}/tickets/{ticket}": Entry(frozenset({401, 404}), query=("origin", "app_guid")),
    # webhooks: the organisation's own token, the other's id
    "POST /ai-agent/escalation/webhooks/zendesk/all": Entry(
        frozenset({200, 422}), {"ticket_id": "{theirs}", "type": "fv:conversation_closed"}
    ),
    "POST /hooks/sunshine/{organisation}": Entry(frozenset({401}), {}),
    # open to all
    "GET /api/v1/health": Entry(LISTS),
    "GET /api/v1/ready": Entry(LISTS),
    "GET /metrics": Entry(LISTS),
    "GET /api/v1/docs": Entry(LISTS),
    "GET /api/v1/openapi.json": Entry(LISTS),
    "GET /static/{file}": Entry(NOT_THERE),
}


@dataclass
class House:
    """Two organisations: ours, with keys and an operator, and theirs, with one of everything."""

    front: Counter
    theirs: dict[str, str] = field(default_factory=dict)
    visitor: str = ""
    agents_pass: str = ""

    async def call(self, address: Address, path: str, body: Any = None) -> Answer:
        """Call with our own good credentials for that door."""
        self.front.move()  # limits are another test's
        self.front.product.limits._calls.clear()
        if address.door == "console" or path.startswith("/console"):
            return await self.console(address.method, path, body)
        if address.door == "sidebar":
            return await self.sidebar(address.method, path)
        head = {"api": "ek_1", "widget": self.visitor}.get(address.door)
        headers = {"authorization": f"Bearer {head}"} if head else {}
        if address.door == "webhook":
            headers = {"authorization": "Bearer wt_1", "fv-organisation-id": "org_1", "x-api-key": "sun"}
        return await self.front.call(address.method, path, body, headers)

    async def console(
        self,
        method: str,
        path: str,
        body: Any = None,
        role: str = "owner",
        *,
        csrf: str = "of-the-form",
        **headers: str,
    ) -> Answer:
        """Call the console as somebody who is signed in."""
        lines = [("cookie", f"__Host-escalade=session-{role}"), *((k.replace("_", "-"), v) for k, v in headers.items())]
        sent = b""
        if method == "POST":
            lines += [("content-type", "application/x-www-form-urlencoded")]
            if "origin" not in headers:
                lines += [("origin", "https://support.example")]
            sent = urlencode({"csrf": csrf, **(body or {})}).encode()
        return await self.front.send(method, path, lines, sent)

    async def sidebar(self, method: str, path: str) -> Answer:
        """Call the page beside a ticket as our own installation, with our own pass."""
        lines = [("cookie", f"__Secure-escalade-sidebar={self.agents_pass}")]
        if method == "GET":
            return await self.front.send(method, path, lines)
        lines.append(("content-type", "application/x-www-form-urlencoded"))
        form = urlencode({"token": signed.token(now=self.front.clock.wall() / 1000)})
        return await self.front.send(method, path, lines, form.encode())

    async def dump(self, organisation: OrganisationId) -> dict[str, list[str]]:
        """Give every row that is an organisation's."""

        def read(tx: Tx) -> dict[str, list[str]]:
            found = {}
            for table in ("organisation", "operator", *AT_ONCE, *IN_BATCHES):
                key = "id" if table == "organisation" else "organisation"
                rows = tx.all(f"SELECT * FROM {table} WHERE {key} = :organisation", organisation=organisation)
                found[table] = sorted(repr(dict(one)) for one in rows)
            return found

        return await self.front.read(read)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=engines.ENGINES)
async def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[House]:
    folder = tmp_path_factory.mktemp("house")
    url = engines.blank_url(request.param, folder)
    async with counter(folder, url=url) as front:
        made = House(front)
        await furnish(made)
        yield made
    engines.give_back(url)


async def furnish(house: House) -> None:
    front = house.front
    tree = Tree(
        zendesk=ZendeskSettings(subdomain="violet-company"),
        tickets=TicketSettings(tags=("violet-tag",)),
        assistant=AssistantSettings(prompt="Speak of violet", always_escalate_topics=("violet topic",)),
        widget=WidgetSettings(allowed_origins=("https://violet.example.com",)),
        sidebar=SidebarSettings(installation_id=signed.OTHER_INSTALLATION, public_key=signed.public("theirs")),
    )
    installed = {"installation_id": signed.INSTALLATION, "public_key": signed.public()}
    await front.api("PATCH", "/settings", {"sidebar": installed})
    begun = await front.call("POST", "/widget/v1/sessions", {"key": "pk_1"})
    house.visitor = begun.json["token"]
    await front.call("POST", "/widget/v1/conversations", {"id": OURS}, {"authorization": f"Bearer {house.visitor}"})
    stranger = await front.call("POST", "/widget/v1/sessions", {"key": "pk_2"})
    head = {"authorization": f"Bearer {stranger.json['token']}"}
    theirs = "their-visitors-conversation"
    await front.call("POST", "/widget/v1/conversations", {"id": theirs}, head)
    await front.call("POST", f"/widget/v1/conversations/{theirs}/messages",
                     {"id": "their-message-in-it", "text": "violet words"}, head)  # fmt: skip

    handoff = await front.handed_over("their-conversation", organisation=OTHER, ticket="90210")
    person = {"id": "their-customer", "name": "Violet", "email": "v@violet.example"}
    opened = {"id": "their-second-conversation", "customer": person, "context": {"order": "violet"}}
    await front.api("POST", "/conversations", opened, key="ek_2")
    await front.api("POST", "/conversations/their-second-conversation/messages", {"text": "violet again"}, key="ek_2")
    await front.call("POST", HOOK, {"ticket_id": "90210", "type": "fv:conversation_closed"},
                     {"authorization": "Bearer wt_2", "fv-organisation-id": "org_2"})  # fmt: skip

    def written(tx: Tx) -> None:
        organisations.save_settings(tx, OTHER, tree)
        tx.everywhere().run("UPDATE organisation SET name = 'Violet Company' WHERE id = 'org_2'")
        tx.everywhere().run("UPDATE delivery SET why = 'violet why', state = 'refused' WHERE organisation = 'org_2'")
        tx.everywhere().run(
            "UPDATE receipt SET outcome = 'violet outcome', body = 'violet body' WHERE organisation = 'org_2'"
        )
        tx.everywhere().run("UPDATE secret SET last4 = 'viol' WHERE organisation = 'org_2'")
        source = knowledge.Source(id="their-source", organisation=OTHER, kind="folder", location="/violet",
                                  title="Violet shelf", created_at=NOON)  # fmt: skip
        knowledge.put_source(tx, source)
        passages = (("Return", "Send violet boots back within 30 days."),)
        entry = knowledge.Entry(
            id="their-document",
            source_id="violet.md",
            title="Return violet boots",
            url=None,
            digest="d",
            passages=passages,
        )
        knowledge.put_documents(tx, OTHER, "their-source", [entry], at=NOON)
        file = File(
            id=FileId("their-file"), organisation=OTHER, conversation=ConversationId("their-conversation"),
            message=MessageId("said-their-conversation"), name="violet.txt", state=FileState.KEPT,
            media_type="text/plain", size=6,
        )  # fmt: skip
        files.add(tx, file, NOON)
        files.put(tx, OTHER, file.id, 0, b"violet")
        audit.record(tx, OTHER, "violet@example.com", "settings.changed", ["violet"], NOON)
        for organisation, email in ((ORGANISATION, "olga@example.com"), (OTHER, "violet@example.com")):
            for role in ("owner", "admin", "developer", "viewer"):
                id = f"op-{organisation}-{role}"
                person = operators.Operator(id=id, organisation=organisation, email=f"{role}.{email}", role=role)
                operators.add(tx, person, NOON)
                token = f"session-{role}" if organisation == ORGANISATION else f"theirs-{role}"
                operators.open_session(tx, id, token, "of-the-form", NOON, NOON + 10**12)
        operators.add_link(tx, "op-org_2-owner", "their-sign-in-link", NOON + 10**12)
        sealed = house.front.product.vault.seal(
            "sun", organisation=ORGANISATION, name=SUNSHINE_WEBHOOK, nonce=b"9" * 12
        )
        organisations.save_secret(tx, ORGANISATION, SUNSHINE_WEBHOOK, sealed, "sun", NOON)

    await front.write(written)

    def ids(tx: Tx) -> dict[str, str]:
        def first(sql: str) -> str:
            return str(tx.everywhere().value(sql + " WHERE organisation = 'org_2' ORDER BY 1 LIMIT 1"))

        return {
            "organisation": "org_2",
            "conversation": "their-conversation",
            "second": "their-second-conversation",
            "visitor's": theirs,
            "message": "said-their-conversation",
            "customer": "their-customer",
            "handoff": handoff.id,
            "ticket": "90210",
            "delivery": first("SELECT id FROM delivery"),
            "receipt": first("SELECT id FROM receipt"),
            "file": "their-file",
            "source": "their-source",
            "document": "their-document",
            "operator": "op-org_2-owner",
            "key": first("SELECT key FROM delivery"),
            "word": "nothing of theirs",
        }

    house.theirs = await front.read(ids)
    let_in = await house.sidebar("POST", "/zendesk/app/org_1")
    house.agents_pass = let_in.headers["set-cookie"].split("=", 1)[1].split(";")[0]


def filled(body: Any, id: str) -> Any:
    return json.loads(json.dumps(body).replace("{theirs}", json.dumps(id)[1:-1]))


def _paths(house: House, address: Address) -> Iterator[tuple[str, str]]:
    """Put each id of theirs into the path; below a conversation, into theirs, into ours, and alone."""
    first, *more = address.parameters or [""]
    for id in house.theirs.values():
        quoted = quote(id, safe="")
        yield address.at(**dict.fromkeys(address.parameters, quoted)), id
        above = (
            ("org_1", "org_2")
            if first == "organisation"
            else (OURS, house.theirs["conversation"], house.theirs["visitor's"])
        )
        for place in above if more else ():
            yield address.at(**{first: place}, **dict.fromkeys(more, quoted)), id


async def _calls(house: House, address: Address, entry: Entry) -> AsyncIterator[tuple[str, Answer]]:
    """Call a route with each id of theirs in each place."""
    for path, id in _paths(house, address):
        for query in ("", *(f"?{name}={quote(id)}" for name in entry.query)):
            body = None if entry.body is None else filled(entry.body, id)
            yield f"{address.method} {path}{query} {body}", await house.call(address, path + query, body)


async def test_t01_every_route_has_an_entry_and_every_entry_a_route(house: House) -> None:
    routes = {str(address) for address in addresses(house.front.app)}
    assert routes - ENTRIES.keys() == set(), "new routes: say in ENTRIES how they are called with another's ids"
    assert ENTRIES.keys() - routes == set(), "routes that are gone"


def _makes_conversations(route: str) -> bool:
    """Put these last: an id of theirs may be one of ours too from then on."""
    return route.startswith("POST") and route.endswith("/conversations")


ROUTES: list[str] = sorted(ENTRIES, key=_makes_conversations)


@pytest.mark.parametrize("route", ROUTES)
async def test_t01_nothing_of_theirs_is_seen_or_touched(house: House, route: str) -> None:
    address = next(one for one in addresses(house.front.app) if str(one) == route)
    before = await house.dump(OTHER)
    async for told, answer in _calls(house, address, ENTRIES[route]):
        assert answer.status in ENTRIES[route].statuses, (told, answer.status, answer.body[:300])
        shown = " ".join([answer.body.decode("utf-8", "replace"), *answer.headers.values()])
        asked = MARK in told
        assert asked or MARK not in shown.lower(), told
        for kind, id in house.theirs.items():
            if len(id) >= 8 and id not in told and kind not in {"word"}:
                assert id not in shown, (told, kind)
    if route == "POST /console/sign-out":
        await house.front.write(
            lambda tx: operators.open_session(tx, "op-org_1-owner", "session-owner", "of-the-form", NOON, NOON + 10**12)
        )
    assert await house.dump(OTHER) == before, "a row of theirs was touched"


async def test_t01_the_same_ids_with_their_own_key_are_there(house: House) -> None:
    """Show that the matrix could have seen something: their own key sees it."""
    for path in (
        "/conversations/their-conversation",
        "/conversations/their-second-conversation/messages",
        "/settings",
        "/deliveries",
        "/receipts",
    ):
        answer = await house.front.api("GET", path, key="ek_2")
        assert answer.status == 200
        assert MARK in answer.body.decode().lower() or "their-" in answer.body.decode(), path
    found = await house.front.api("POST", "/assistant/ask", {"text": "How do I return violet boots?"}, key="ek_2")
    assert "violet" in found.body.decode()
    mine = await house.front.api("POST", "/assistant/ask", {"text": "How do I return purple boots?"})
    assert (mine.json["passages"], mine.json["citations"]) == ([], [])


async def test_t01_lists_count_our_own_only(house: House) -> None:
    mine = await house.dump(ORGANISATION)
    assert len((await house.front.api("GET", "/receipts")).json["receipts"]) == len(mine["receipt"])
    assert len((await house.front.api("GET", "/deliveries")).json["deliveries"]) == len(mine["delivery"])


async def test_t01_the_page_beside_a_ticket_would_have_shown_it(house: House) -> None:
    """Show that the matrix could have seen something: their own installation's agents see it."""
    aud = f"https://violet-company.zendesk.com/api/v2/apps/installations/{signed.OTHER_INSTALLATION}.json"
    token = signed.token("theirs", house.front.clock.wall() / 1000, iss="violet-company.zendesk.com", aud=aud)
    form = [("content-type", "application/x-www-form-urlencoded")]
    opened = await house.front.send("POST", "/zendesk/app/org_2", form, urlencode({"token": token}).encode())
    cookie = opened.headers["set-cookie"].split(";")[0]
    shown = await house.front.send("GET", "/zendesk/app/org_2/tickets/90210", [("cookie", cookie)])
    assert shown.status == 200
    assert "their-conversation" in shown.body.decode()


@pytest.mark.parametrize("door", ["api", "widget", "console", "webhook"])
async def test_t01_a_credential_opens_its_own_door_only(house: House, door: str) -> None:
    """Try every kind of credential at every door it is not for."""
    tokens = {"api": "ek_1", "widget": house.visitor, "webhook": "wt_1", "console": "session-owner"}
    probe = {
        "api": ("GET", "/api/v1/settings"),
        "widget": ("GET", "/widget/v1/conversations"),
        "webhook": ("POST", HOOK),
        "console": ("GET", "/console/settings"),
    }[door]
    for kind, token in tokens.items():
        if kind == door:
            continue
        house.front.move()
        head = {"authorization": f"Bearer {token}", "cookie": f"__Host-escalade={token}", "fv-organisation-id": "org_1"}
        answer = await house.front.call(*probe, None if probe[0] == "GET" else {}, head)
        if door == "console" and kind != "console":
            assert (answer.status, answer.headers["location"]) == (303, "/console/sign-in")
        else:
            assert answer.status == 401


async def test_e03_what_the_fake_zendesk_takes_opens_nothing_here(house: House) -> None:
    seed = Emulator(production(), base_url="http://127.0.0.1:1").seed
    for token in (seed.control_token, seed.api_token, seed.oauth_client_secret, seed.key_secret):
        for method, path in (("GET", "/api/v1/settings"), ("POST", HOOK), ("GET", "/widget/v1/conversations")):
            house.front.move()
            head = {"authorization": f"Bearer {token}", "fv-organisation-id": "org_1"}
            assert (await house.front.call(method, path, {} if method == "POST" else None, head)).status == 401


# T06, T07: roles and forms


def _console(house: House, method: str) -> list[Address]:
    return [one for one in addresses(house.front.app) if one.door == "console" and one.method == method]


NEEDS = {
    Right.OPERATE: {"/console/deliveries/{id:int}/resend", "/console/deliveries/{id:int}/skip",
                    "/console/escalate/webhook/rotate", "/console/escalate/webhook/signing",
                    "/console/settings/api-key"},
    Right.READ: {"/console/conversations", "/console/conversations.csv", "/console/conversations/{id}",
                 "/console/conversations/{id}/raw.json", "/console/conversations/{id}/files/{file}",
                 "/console/hindsight", "/console/gaps"},
    Right.LOOK: {"/console/sign-out", "/console/playground"},
}  # fmt: skip
OPEN_DOORS = {"/", "/console/", "/console/sign-in"}


def _needs(address: Address) -> Right:
    for right, paths in NEEDS.items():
        if address.path in paths:
            return right
    return Right.CHANGE if address.method == "POST" else Right.LOOK


@pytest.mark.parametrize("role", sorted(RIGHTS))
async def test_t06_a_role_reaches_what_it_includes_and_nothing_else(house: House, role: str) -> None:
    for address in [*_console(house, "GET"), *_console(house, "POST")]:
        if address.path in OPEN_DOORS | {"/console/sign-out"}:
            continue
        before = await house.dump(ORGANISATION)
        answer = await house.console(address.method, address.at(id="1", file="1"), {"role": "owner"}, role)
        if _needs(address) in RIGHTS[role]:
            assert answer.status != 403, address
        else:
            assert answer.status == 403, address
            assert await house.dump(ORGANISATION) == before, address


async def test_t07_a_form_needs_its_token_and_our_own_page(house: House) -> None:
    for address in _console(house, "POST"):
        path = address.at(id="1", file="1")
        before = await house.dump(ORGANISATION)
        foreign = await house.console("POST", path, {}, origin="https://evil.example")
        assert foreign.status == 403, address
        said = await house.console("POST", path, {}, sec_fetch_site="cross-site")
        assert said.status == 403, address
        if address.path != "/console/sign-in":  # nobody is signed in there yet; the link is the token
            assert (await house.console("POST", path, {}, csrf="")).status == 403, address
            assert (await house.console("POST", path, {}, csrf="of-another-session")).status == 403, address
        assert await house.dump(ORGANISATION) == before, address


async def test_t07_no_page_that_is_looked_at_changes_anything(house: House) -> None:
    for address in _console(house, "GET"):
        before = await house.dump(ORGANISATION)
        await house.console("GET", address.at(id="1", file="1"))
        assert await house.dump(ORGANISATION) == before, address


# T11: lists


@pytest.mark.parametrize(
    "query", ["limit=1000000000", "limit=999", "state='%20OR%201=1--", "sort=id;DROP%20TABLE%20message", "state=%00"]
)
async def test_t11_a_list_takes_no_sql_and_is_capped(house: House, query: str) -> None:
    for path in ("/deliveries", "/receipts"):
        answer = await house.front.api("GET", f"{path}?{query}")
        assert answer.status in {200, 422}
        assert MARK not in answer.body.decode().lower()
        assert len(next(iter(answer.json.values()))) <= 500 if answer.status == 200 else True


@pytest.mark.parametrize("query", ["limit=-1", "limit=ten", "limit=1.5", "limit=100000000000000000000"])
async def test_t11_a_number_is_a_number(house: House, query: str) -> None:
    for path in ("/deliveries", "/receipts"):
        assert (await house.front.api("GET", f"{path}?{query}")).status == 422


@pytest.mark.parametrize("page", ["-1", "0", "1e3", "999999999", "٣", "1;DROP TABLE audit"])
async def test_t11_a_page_that_is_none_is_the_first_or_empty(house: House, page: str) -> None:
    for path in ("/console/conversations", "/console/deliveries", "/console/settings/audit"):
        answer = await house.console("GET", f"{path}?page={quote(page)}")
        assert answer.status == 200
        assert MARK not in answer.body.decode().lower()


async def test_t05_a_name_made_of_two_never_means_two_things() -> None:
    from escalade.store.conversations import topic

    pairs = [("a:b", "c"), ("a", "b:c"), ("a/b", "c"), ("a", "b/c"), ("1:a", "b"), ("1", "a/b")]
    assert len({topic(*pair) for pair in pairs}) == len(pairs)
    assert re.match(r"\d+:", topic("a", "b"))
