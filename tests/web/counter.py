"""The whole application in this process, on a temporary database, spoken to without a network.

Nothing works in the background: what a request causes is what its answer and the database show. A request is spelled
out header by header and chunk by chunk, so that a bad one can be made exactly as bad as it is meant to be.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from pydantic import SecretStr

from escalade.app import App
from escalade.channels.base import ChannelName, LinkKind
from escalade.domain.model import Conversation, ConversationId, Handoff, Message, OrganisationId, Reason, Role, Wish
from escalade.domain.organisation import LiveSettings, Organisation, WidgetSettings, ZendeskSettings
from escalade.domain.organisation import Settings as Tree
from escalade.product import Product
from escalade.services.accounts import LIVE_SECRET
from escalade.services.intake import policy_of
from escalade.settings import Settings
from escalade.store import conversations, links, organisations, receipts
from escalade.store.database import Tx
from tests.backstage import KEY, NOON, Clock, ports
from tests.described import API, Description
from tests.engines import blank_sqlite

T = TypeVar("T")
ORGANISATION, OTHER = OrganisationId("org_1"), OrganisationId("org_2")
HOOK = "/ai-agent/escalation/webhooks/zendesk/all"
ADDRESSES = itertools.count()
Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """Name the problem, after checking that it has the shape every problem has."""
        assert self.headers["content-type"] == "application/problem+json"
        assert self.headers["cache-control"] == "no-store"
        assert self.headers["x-content-type-options"] == "nosniff"
        document = self.json
        assert document["status"] == self.status
        assert {"type", "title", "status", "detail", "code"} <= set(document)
        for leak in ("Traceback", "sqlite", "SELECT", "escalade/"):
            assert leak not in self.body.decode()
        return str(document["type"]).removeprefix("/problems/")

    @property
    def pointer(self) -> str:
        return str(self.json["errors"][0]["pointer"])


@dataclass
class Stream:
    """A stream of events that is being read."""

    status: int
    headers: dict[str, str]
    _parts: asyncio.Queue[bytes]
    _kept: str = ""

    async def next(self) -> tuple[str, Any, str | None]:
        """Give the next event with its data and id; comments are passed over."""
        while True:
            while "\n\n" not in self._kept:
                async with asyncio.timeout(10):
                    self._kept += (await self._parts.get()).decode()
            block, _, self._kept = self._kept.partition("\n\n")
            lines = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if "event" in lines:
                return lines["event"], json.loads(lines["data"]), lines.get("id")

    async def take(self, event: str) -> Any:
        """Give the data of the next event of a kind."""
        while True:
            kind, data, _ = await self.next()
            if kind == event:
                return data


def scope(method: str, target: str, headers: Headers) -> dict[str, Any]:
    path, _, query = target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode("utf-8", "surrogatepass"),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8700),
        "state": {},
    }


@dataclass
class Counter:
    """The application, and what lies behind it."""

    product: Product
    app: App
    clock: Clock
    host: str = "127.0.0.1:8700"
    address: str = "127.0.0.1"  # where calls come from
    parts_read: int = field(default=0)
    description: ClassVar[Description | None] = None

    def move(self) -> None:
        """Let calls come from an address that none has come from yet."""
        self.address = f"10.0.{next(ADDRESSES)}.1"

    # requests

    async def send(
        self,
        method: str,
        target: str,
        headers: Headers = (),
        body: bytes | list[bytes] = b"",
        *,
        host: bool = True,
        endless: bool = False,
    ) -> Answer:
        """Send a request; a list is a body in chunks of no declared length, an endless one stops coming.

        Whatever the developer API answers in any test is as its description says.
        """
        answer = await self._exchange(method, target, headers, body, host=host, endless=endless)
        if target.startswith(API):
            said = await self._description()
            assert not (wrong := said.against(method, target, answer.status, answer.headers, answer.body)), wrong
        return answer

    async def _description(self) -> Description:
        """Read the description once; every application has the same."""
        if Counter.description is None:
            Counter.description = Description((await self._exchange("GET", f"{API}/openapi.json")).json)
        return Counter.description

    async def _exchange(
        self,
        method: str,
        target: str,
        headers: Headers = (),
        body: bytes | list[bytes] = b"",
        *,
        host: bool = True,
        endless: bool = False,
    ) -> Answer:
        lines = list(headers)
        if host:
            lines.insert(0, ("host", self.host))
        declared = any(name.lower() in {"content-length", "transfer-encoding"} for name, _ in lines)
        if isinstance(body, bytes) and body and not declared:
            lines.append(("content-length", str(len(body))))
        chunks = [body] if isinstance(body, bytes) else list(body)
        self.parts_read = 0
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            if chunks:
                self.parts_read += 1
                chunk = chunks.pop(0)
                return {"type": "http.request", "body": chunk, "more_body": bool(chunks) or endless}
            await asyncio.sleep(3600)
            raise AssertionError("nobody waits this long")

        async def collect(event: Any) -> None:
            sent.append(event)

        async with asyncio.timeout(20):
            await self.app(scope(method, target, lines) | {"client": (self.address, 50000)}, receive, collect)
        start = next(event for event in sent if event["type"] == "http.response.start")
        received = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
        whole = b"".join(event.get("body", b"") for event in sent if event["type"] == "http.response.body")
        return Answer(start["status"], received, whole)

    @asynccontextmanager
    async def stream(self, target: str, headers: Headers) -> AsyncIterator[Stream]:
        """Read a stream until the block ends; then the reader is gone."""
        parts: asyncio.Queue[bytes] = asyncio.Queue()
        started: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        gone = asyncio.Event()

        async def receive() -> dict[str, Any]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def collect(event: Any) -> None:
            if event["type"] == "http.response.start":
                started.set_result(event)
            else:
                parts.put_nowait(event.get("body", b""))

        asked = scope("GET", target, [("host", self.host), *headers]) | {"client": (self.address, 50000)}
        task = asyncio.create_task(self.app(asked, receive, collect))
        try:
            async with asyncio.timeout(10):
                event = await started
            lines = {name.decode(): value.decode() for name, value in event["headers"]}
            yield Stream(event["status"], lines, parts)
        finally:
            gone.set()  # a server tells the application so much and no more; it must end by itself, and soon
            async with asyncio.timeout(10):
                await task

    async def call(
        self, method: str, target: str, document: Any = None, headers: Mapping[str, str] | None = None, **more: str
    ) -> Answer:
        """Call with a JSON document."""
        lines = [*(headers or {}).items(), *((name.replace("_", "-"), value) for name, value in more.items())]
        body = b"" if document is None else json.dumps(document).encode()
        if document is not None and not any(name.lower() == "content-type" for name, _ in lines):
            lines.append(("content-type", "application/json"))
        return await self.send(method, target, lines, body)

    async def api(self, method: str, path: str, document: Any = None, key: str = "ek_1", **headers: str) -> Answer:
        """Call the developer API."""
        return await self.call(method, f"/api/v1{path}", document, {"authorization": f"Bearer {key}"}, **headers)

    # what lies behind

    async def write(self, work: Callable[[Tx], T]) -> T:
        return await self.product.database.write(work)

    async def read(self, work: Callable[[Tx], T]) -> T:
        return await self.product.database.read(work)

    async def conversation(self, id: str = "c-1", organisation: OrganisationId = ORGANISATION) -> Conversation:
        return await self.product.desk.load(organisation, ConversationId(id))

    async def messages(self, id: str = "c-1", organisation: OrganisationId = ORGANISATION) -> list[Message]:
        return (await self.product.desk.messages(organisation, ConversationId(id)))[1]

    async def receipts(self, organisation: OrganisationId = ORGANISATION) -> list[receipts.Receipt]:
        return (await self.read(lambda tx: receipts.recent(tx, organisation)))[::-1]

    async def handed_over(
        self,
        id: str = "c-1",
        *,
        wish: Wish = Wish.TICKET,
        ticket: str | None = "4711",
        live: str | None = None,
        organisation: OrganisationId = ORGANISATION,
        **opening: Any,
    ) -> Handoff:
        """Bring a conversation to where the desk has it: with a ticket's number, or a Sunshine conversation's id."""
        desk = self.product.desk
        await desk.open_conversation(organisation, id=id, **opening)
        await desk.say(organisation, ConversationId(id), role=Role.CUSTOMER, text="My stove is broken", id=f"said-{id}")
        handoff = await desk.escalate(organisation, ConversationId(id), reason=Reason.API, wish=wish)

        def learnt(tx: Tx) -> None:
            current = conversations.load(tx, organisation, ConversationId(id))
            assert current is not None
            if live is not None:
                links.tie(
                    tx,
                    organisation,
                    handoff.id,
                    channel=ChannelName.SUNSHINE,
                    kind=LinkKind.CONVERSATION,
                    theirs=live,
                    ours=handoff.id,
                )
            if ticket is not None:
                self.product.arrivals.learn_ticket(tx, current, handoff.id, ticket, policy_of(tx, organisation))

        await self.write(learnt)
        found = (await self.conversation(id, organisation)).handoff
        assert found is not None
        return found


@asynccontextmanager
async def counter(
    folder: Path, *, url: str = "", env: str = "development", origins: tuple[str, ...] = ()
) -> AsyncIterator[Counter]:
    """Open the application with two organisations: keys `ek_1`, `ek_2`, webhook tokens `wt_1`, `wt_2`.

    Its database is a file in the folder, unless another's address is given.
    """
    clock = Clock()
    settings = Settings(
        env=env,  # type: ignore[arg-type]
        database_url=url or blank_sqlite(folder),
        secret_key=SecretStr(KEY),
        public_url="https://support.example",
    )
    product = Product(settings, ports(clock))
    product.database.start()
    tree = Tree(
        zendesk=ZendeskSettings(subdomain="acme"),
        live=LiveSettings(enabled=True, app_id="app", key_id="key", require_online_agent=False),
        widget=WidgetSettings(allowed_origins=origins),
    )

    def furnished(tx: Tx) -> None:
        for n, id in enumerate((ORGANISATION, OTHER), start=1):
            name = f"Company {n}"
            organisations.create(tx, Organisation(id=id, name=name, widget_key=f"pk_{n}", settings=tree), NOON)
            organisations.add_token(tx, id, "api", f"ek_{n}", NOON)
            organisations.add_token(tx, id, "webhook", f"wt_{n}", NOON)
            sealed = product.vault.seal("live-secret", organisation=id, name=LIVE_SECRET, nonce=b"0" * 12)
            organisations.save_secret(tx, id, LIVE_SECRET, sealed, "cret", NOON)

    await product.database.write(furnished)
    product.database.on_commit = product.bell.ring  # looks would go out to Zendesk
    try:
        yield Counter(product, App(product), clock)
    finally:
        await product.courier.close()
        await product.watch.close()
        await product.outbound.close()
        await product.database.close()
