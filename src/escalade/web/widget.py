"""The widget's API: public, for one widget key each, closed to sites that are not allowed to show it.

Message ids are made by the browser before sending and come back unchanged, so a retry is never a second message.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from escalade.channels import strict_json
from escalade.domain.errors import Rejected, Unavailable
from escalade.domain.files import ENDINGS, LARGEST, MOST
from escalade.domain.model import (
    VISITOR,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Feedback,
    FileId,
    MessageId,
    Reason,
    Role,
    Wish,
)
from escalade.domain.organisation import Organisation
from escalade.services.desk import Desk
from escalade.services.files import Files
from escalade.services.ports import Ports
from escalade.store import conversations, customers, organisations
from escalade.store.database import Database, Tx
from escalade.web import views
from escalade.web.access import Access, Visitor
from escalade.web.files import LONGEST_GIVEN_NAME, Uploads, send_file
from escalade.web.limits import (
    FEEDBACK,
    FILES,
    HANDOFFS,
    MESSAGES,
    OPENED,
    SESSIONS,
    STREAMS_OF_ADDRESS,
    STREAMS_OF_SESSION,
    UPLOADS_OF_VISITOR,
    Limit,
    Limits,
    address,
)
from escalade.web.page import Page
from escalade.web.stream import LONGEST_WAIT_S, Streams, place, resume_from
from escalade.web.wire import (
    Problem,
    Receive,
    Scope,
    Send,
    answer_json,
    answer_problem,
    check_head,
    check_json_kind,
    header,
    query_of,
    read_body,
    rejected,
    unauthorized,
    unavailable,
)

BODY_LIMIT = 64 * 1024  # 4,000 characters of twelve bytes each when escaped, and the rest
MESSAGE = r"(?P<message>[A-Za-z0-9_.:~-]{1,160})"  # the assistant's: a customer's with something before it
FILE = r"(?P<file>[A-Za-z0-9_.:~-]{1,128})"
BROWSER_ID = re.compile(r"[A-Za-z0-9_-]{16,128}\Z")

S = TypeVar("S", bound=msgspec.Struct)
E = TypeVar("E", bound=StrEnum)
Handler = Callable[[Scope, Receive, Send, re.Match[str]], Awaitable[None]]


class NewSession(msgspec.Struct, forbid_unknown_fields=True):
    """What a browser sends to begin."""

    key: str
    locale: str | None = None


class NewConversation(msgspec.Struct, forbid_unknown_fields=True):
    """What a browser sends to open a conversation."""

    id: str | None = None
    context: dict[str, str | int | float | bool | None] = {}


class Carried(msgspec.Struct, forbid_unknown_fields=True):
    """A file of a message, uploaded before."""

    id: str


class NewMessage(msgspec.Struct, forbid_unknown_fields=True):
    """What a browser sends when the customer writes."""

    id: str
    text: str = ""
    attachments: list[Carried] = []


class Ask(msgspec.Struct, forbid_unknown_fields=True):
    """What a browser sends when the customer wants a person."""

    reason: str = Reason.ASKED_FOR_PERSON.value
    mode: str = Wish.AUTO.value


class Found(msgspec.Struct, forbid_unknown_fields=True):
    """What a browser sends when the customer found an answer helpful or not, or takes that back."""

    feedback: str | None


class Details(msgspec.Struct, forbid_unknown_fields=True):
    """What a customer says of themselves."""

    email: str | None = None
    name: str | None = None


class Widget:
    """Serves the widget."""

    def __init__(
        self,
        database: Database,
        ports: Ports,
        access: Access,
        desk: Desk,
        streams: Streams,
        limits: Limits,
        files: Files,
        *,
        public_url: str,
    ) -> None:
        self._own = _origin(public_url)
        self._database = database
        self._ports = ports
        self._access = access
        self._desk = desk
        self._streams = streams
        self._limits = limits
        self._files = files
        self._uploads = Uploads()
        page = Page(database)
        one = r"/widget/v1/conversations/(?P<id>[A-Za-z0-9_.:~-]{1,128})"
        self._routes: list[tuple[str, re.Pattern[str], Handler]] = [
            ("POST", re.compile(rf"{one}/messages\Z"), self._say),
            ("POST", re.compile(rf"{one}/messages/{MESSAGE}/feedback\Z"), self._rate),
            ("POST", re.compile(rf"{one}/files\Z"), self._upload),
            ("GET", re.compile(rf"{one}/files/{FILE}\Z"), self._download),
            ("POST", re.compile(rf"{one}/files/{FILE}/fetch\Z"), self._fetch),
            ("GET", re.compile(rf"{one}/events\Z"), self._events),
            ("GET", re.compile(rf"{one}/messages\Z"), self._messages),
            ("POST", re.compile(rf"{one}/escalate\Z"), self._escalate),
            ("POST", re.compile(rf"{one}/customer\Z"), self._identify),
            ("POST", re.compile(rf"{one}/release\Z"), self._release),
            ("POST", re.compile(rf"{one}/close\Z"), self._close),
            ("GET", re.compile(r"/widget/v1/conversations\Z"), self._list),
            ("POST", re.compile(r"/widget/v1/conversations\Z"), self._open),
            ("POST", re.compile(r"/widget/v1/sessions\Z"), self._begin),
            ("GET", re.compile(r"/widget/v1/panel\Z"), page.show),
            ("GET", re.compile(r"/widget/loader\.js\Z"), page.loader),
            ("GET", re.compile(r"/widget/assets/(?P<id>[A-Za-z0-9_.-]{1,128})\Z"), page.asset),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request below `/widget/`."""
        try:
            check_head(scope)
            await self._dispatch(scope, receive, send)
        except Problem as problem:
            await answer_problem(send, self._limits.refused(scope, problem, "widget"))
        except Rejected as error:
            await answer_problem(send, rejected(error))
        except Unavailable as error:
            await answer_problem(send, unavailable(3, str(error)[:200]))

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._check_origin(scope)
        allowed: set[str] = set()
        for method, pattern, handler in self._routes:
            match = pattern.match(scope["path"])
            if match is None:
                continue
            if scope["method"] == method:
                await handler(scope, receive, send, match)
                return
            allowed.add(method)
        if allowed:
            allow = ", ".join(sorted(allowed)).encode()
            raise Problem("method-not-allowed", headers=((b"allow", allow),))
        raise Problem("not-found", "there is nothing at this address")

    def _check_origin(self, scope: Scope) -> None:
        """Refuse a call that a browser makes for another site's page: the panel is ours, wherever it is shown."""
        origin = header(scope, b"origin")
        if origin is None or origin == self._own or not scope["path"].startswith("/widget/v1/"):
            return
        if origin.partition("://")[2] != header(scope, b"host"):
            raise Problem("forbidden", "the widget's API is called by its own panel only")

    # conversations

    async def _say(self, scope: Scope, receive: Receive, send: Send, match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        self._limits.take(MESSAGES, visitor.organisation, visitor.customer)
        message = await _read(scope, receive, NewMessage)
        said = await self._desk.say(
            visitor.organisation,
            ConversationId(match["id"]),
            role=Role.CUSTOMER,
            text=message.text,
            id=_browser_id(message.id),
            attachments=tuple(FileId(carried.id) for carried in message.attachments),
            customer=visitor.customer,
        )
        await answer_json(send, 201, views.message(said.message))

    async def _rate(self, scope: Scope, receive: Receive, send: Send, match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        self._limits.take(FEEDBACK, visitor.organisation, visitor.customer)
        word = (await _read(scope, receive, Found)).feedback
        found = None if word is None else _one_of(Feedback, word, "/feedback")
        place, message = ConversationId(match["id"]), MessageId(match["message"])
        await self._desk.rate(visitor.organisation, place, message, found, visitor.customer)
        await answer_json(send, 200, views.feedback(message, found))

    async def _upload(self, scope: Scope, receive: Receive, send: Send, match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        place, query = ConversationId(match["id"]), query_of(scope)
        name, id = query.get("name", ""), query.get("file")
        if not 0 < len(name) <= LONGEST_GIVEN_NAME:
            raise Problem("validation", "say what the file is called", pointer="/name")
        id = None if id is None else _browser_id(id, "/file")
        self._limits.take(FILES, visitor.organisation, visitor.customer)
        with self._limits.hold(UPLOADS_OF_VISITOR, "uploads of a visitor", visitor.organisation, visitor.customer):
            await self._files.check_place(visitor.organisation, place, visitor.customer)
            content = await self._uploads.read(scope, receive)
            file = await self._files.take(
                visitor.organisation, place, name=name, content=content, id=id, customer=visitor.customer
            )
        await answer_json(send, 201, views.attachment(file))

    async def _download(self, scope: Scope, _receive: Receive, send: Send, match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        file, pieces = await self._files.give(
            visitor.organisation, ConversationId(match["id"]), FileId(match["file"]), visitor.customer
        )
        await send_file(send, file, pieces)

    async def _fetch(self, scope: Scope, _receive: Receive, send: Send, match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        file = await self._files.fetch_again(
            visitor.organisation, ConversationId(match["id"]), FileId(match["file"]), visitor.customer
        )
        await answer_json(send, 202, views.attachment(file))

    async def _events(self, scope: Scope, receive: Receive, send: Send, match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        after = resume_from(scope, query_of(scope).get("after"))
        with self._held(scope, visitor):
            await self._streams.serve(
                scope,
                receive,
                send,
                visitor.organisation,
                ConversationId(match["id"]),
                after=after,
                customer=visitor.customer,
            )

    @contextmanager
    def _held(self, scope: Scope, visitor: Visitor) -> Iterator[None]:
        """Keep one of the few connections a browser, and all of an address, may hold open."""
        with (
            self._limits.hold(STREAMS_OF_SESSION, "streams of a visitor", visitor.organisation, visitor.customer),
            self._limits.hold(STREAMS_OF_ADDRESS, "streams of an address", address(scope)),
        ):
            yield

    async def _messages(self, scope: Scope, _receive: Receive, send: Send, match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        query = query_of(scope)
        wait = min(LONGEST_WAIT_S, float(place(query.get("wait"))))
        with self._held(scope, visitor):
            page = await self._streams.poll(
                visitor.organisation,
                ConversationId(match["id"]),
                after=place(query.get("after")),
                wait=wait,
                customer=visitor.customer,
            )
        await answer_json(send, 200, page)

    async def _escalate(self, scope: Scope, receive: Receive, send: Send, match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        ask = await _read(scope, receive, Ask)
        reason, wish = _one_of(Reason, ask.reason, "/reason"), _one_of(Wish, ask.mode, "/mode")
        before = await self._desk.load(visitor.organisation, ConversationId(match["id"]), visitor.customer)
        if before.open_handoff is None:  # asking again while one is under way gives the same one
            self._limits.take(HANDOFFS, visitor.organisation, visitor.customer)
        handoff = await self._desk.escalate(
            visitor.organisation, ConversationId(match["id"]), reason=reason, wish=wish, customer=visitor.customer
        )
        current = await self._desk.load(visitor.organisation, ConversationId(match["id"]), visitor.customer)
        await answer_json(send, 202, {"handoff": views.handoff(handoff, current.customer)})

    async def _identify(self, scope: Scope, receive: Receive, send: Send, match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        details = await _read(scope, receive, Details)
        current = await self._desk.identify(
            visitor.organisation,
            ConversationId(match["id"]),
            name=details.name,
            email=details.email,
            customer=visitor.customer,
        )
        await answer_json(
            send, 200, {"customer": views.customer(current.customer), "conversation": views.state(current)}
        )

    async def _release(self, scope: Scope, _receive: Receive, send: Send, match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        self._limits.take(HANDOFFS, visitor.organisation, visitor.customer)  # the next question may start another
        after = await self._desk.release(visitor.organisation, ConversationId(match["id"]), visitor.customer)
        await answer_json(send, 200, {"conversation": views.state(after)})

    async def _close(self, scope: Scope, _receive: Receive, send: Send, match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        after = await self._desk.close(visitor.organisation, ConversationId(match["id"]), visitor.customer)
        await answer_json(send, 200, {"conversation": views.state(after)})

    async def _list(self, scope: Scope, _receive: Receive, send: Send, _match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        found = await self._desk.recent(visitor.organisation, visitor.customer)
        await answer_json(send, 200, {"conversations": [views.listed(conversation) for conversation in found]})

    async def _open(self, scope: Scope, receive: Receive, send: Send, _match: re.Match[str]) -> None:
        visitor = await self._access.visitor(scope)
        asked = await _read(scope, receive, NewConversation)
        await self._may_open(visitor)
        conversation = await self._open_for(visitor, asked)
        await answer_json(send, 201, views.standing(conversation))

    async def _may_open(self, visitor: Visitor) -> None:
        """Keep a visitor, and all visitors together, from opening conversations without end: each may be a ticket."""
        found = await self._database.read(lambda tx: organisations.load(tx, visitor.organisation))
        if found is None:
            raise unauthorized()
        self._limits.take(OPENED, visitor.organisation, visitor.customer)
        most = found.settings.widget.conversations_per_hour
        self._limits.take(Limit(name="conversations of the widget", times=most, seconds=3600), visitor.organisation)

    async def _open_for(self, visitor: Visitor, asked: NewConversation) -> Conversation:
        id = None if asked.id is None else _browser_id(asked.id)
        if id is not None:
            # A browser's id opens its own conversation only; another's looks like none.
            await self._refuse_foreign(visitor, ConversationId(id))
        return await self._desk.open_conversation(
            visitor.organisation, id=id, customer={"id": visitor.customer}, context=asked.context
        )

    async def _refuse_foreign(self, visitor: Visitor, id: ConversationId) -> None:
        found = await self._database.read(lambda tx: conversations.load(tx, visitor.organisation, id))
        if found is not None and found.customer.id != visitor.customer:
            raise Problem("conflict", "this id is taken", pointer="/id")

    # sessions and pages

    async def _begin(self, scope: Scope, receive: Receive, send: Send, _match: re.Match[str]) -> None:
        self._limits.take(SESSIONS, address(scope))
        asked = await _read(scope, receive, NewSession)
        token = self._ports.new_token()
        customer = Customer(id=CustomerId(VISITOR + self._ports.new_id()), locale=(asked.locale or "")[:35] or None)

        def written(tx: Tx) -> Organisation | None:
            organisation = organisations.by_widget_key(tx, asked.key)
            if organisation is None:
                return None
            now = self._ports.wall()
            customers.save(tx, organisation.id, customer, now)
            organisations.add_visitor(tx, organisation.id, customer.id, token, header(scope, b"origin") or "", now)
            return organisation

        organisation = await self._database.write(written)
        if organisation is None:
            raise Problem("not-found", "there is no widget with this key", pointer="/key")
        await answer_json(
            send,
            201,
            {
                "token": token,
                "customer": views.customer(customer),
                "organisation": {"name": organisation.name},
                "assistant": {"name": "Assistant", "enabled": organisation.settings.assistant.enabled},
                "files": {"largest": LARGEST, "most": MOST, "endings": ENDINGS},
            },
        )


async def _read(scope: Scope, receive: Receive, kind: type[S]) -> S:
    """Read a closed shape: a field we do not know is refused, not dropped."""
    check_json_kind(scope, required=True)
    document = strict_json.parse(await read_body(scope, receive, BODY_LIMIT))
    try:
        return msgspec.convert(document, kind)
    except msgspec.ValidationError as error:
        text, _, path = str(error).partition(" - at `$")
        raise Problem("validation", text, pointer=path.rstrip("`").replace(".", "/")) from error


def _browser_id(id: str, pointer: str = "/id") -> str:
    if not BROWSER_ID.match(id):
        raise Problem("validation", "16 to 128 letters, digits, - or _", pointer=pointer)
    return id


def _one_of(kind: type[E], value: str, pointer: str) -> E:
    try:
        return kind(value)
    except ValueError as error:
        raise Problem("validation", "one of " + ", ".join(kind), pointer=pointer) from error


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
