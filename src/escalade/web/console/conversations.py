"""Conversations: the list with its filters in the address, and the story of one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from urllib.parse import urlencode

import msgspec
from starlette.responses import JSONResponse, Response, StreamingResponse

from escalade.domain.errors import Conflict, NotFound
from escalade.domain.model import Conversation, ConversationId, FileId, Handoff, Message
from escalade.store import conversations, messages, overview, receipts
from escalade.store.database import Row, Tx
from escalade.store.overview import Wanted
from escalade.store.receipts import Receipt
from escalade.web import sheets, views
from escalade.web.console import words
from escalade.web.console.gate import Visit
from escalade.web.console.pages import HEADERS, sentence
from escalade.web.console.timeline import SAID, Story, tell
from escalade.web.files import headers_of

PATH = "/console/conversations"
A_PAGE = 25
MOST = 2_000  # entries of each kind in one story


@dataclass(frozen=True, slots=True, kw_only=True)
class Pager:
    """Where in a list we are."""

    page: int
    total: int
    size: int
    path: str
    query: dict[str, str]

    @property
    def pages(self) -> int:
        """Give the number of pages."""
        return max(1, -(-self.total // self.size))

    def to(self, page: int) -> str:
        """Give the address of another page with the same filters."""
        return f"{self.path}?{urlencode(self._filters | {'page': str(page)})}"

    @property
    def sheet(self) -> str:
        """Give the address of the whole list as CSV, with the same filters."""
        return f"{self.path}.csv" + (f"?{urlencode(self._filters)}" if self._filters else "")

    @property
    def _filters(self) -> dict[str, str]:
        return {name: value for name, value in self.query.items() if value}

    @property
    def span(self) -> str:
        """Say which of how many are shown."""
        first = (self.page - 1) * self.size + 1
        return f"{first}-{min(self.total, self.page * self.size)} of {self.total}"


async def show(visit: Visit) -> Response:
    """List conversations."""
    page, wanted = max(1, visit.number("page")), _wanted(visit)
    total, rows = await visit.parts.database.read(
        lambda tx: overview.list_conversations(
            tx, visit.organisation.id, wanted, offset=(page - 1) * A_PAGE, limit=A_PAGE
        )
    )
    tickets = {row["id"]: _ticket(row["handoff_body"]) for row in rows}
    query = asdict(wanted)
    pager = Pager(page=page, total=total, size=A_PAGE, path=PATH, query=query)
    return visit.show(
        "conversations.html", rows=rows, tickets=tickets, pager=pager, query=query, filtered=any(query.values())
    )


async def export(visit: Visit) -> Response:
    """Give the conversations of the list as CSV."""
    sheet = sheets.conversations(visit.organisation.id, _wanted(visit))
    return await sheets.give(visit.parts.database, sheet, mark=True, headers=HEADERS)


def _wanted(visit: Visit) -> Wanted:
    """Read the filters of the address; one that is none is left out."""
    query = {
        "status": visit.asked("status") if visit.asked("status") in words.STATUS else "",
        "control": visit.asked("control") if visit.asked("control") in words.CONTROL else "",
        "handoff": visit.asked("handoff") if visit.asked("handoff") in {*words.HANDOFF, "any", "open", "none"} else "",
        "text": visit.asked("text"),
    }
    return Wanted(**query)


async def story(visit: Visit) -> Response:
    """Tell one conversation in the order in which it happened."""
    found = await _load(visit)
    view = "said" if visit.asked("view") == "said" else "all"
    settings = visit.organisation.settings.zendesk
    base = settings.base_url or (f"https://{settings.subdomain}.zendesk.com" if settings.subdomain else "")
    context = msgspec.json.format(msgspec.json.encode(found.conversation.context), indent=2).decode()
    return visit.show(
        "conversation.html",
        conversation=found.conversation,
        entries=[entry for entry in tell(found) if view == "all" or entry.kind in SAID],
        view=view,
        handoffs=found.handoffs,
        context=context if found.conversation.context else "",
        desk=base,
    )


async def raw(visit: Visit) -> Response:
    """Give the same story as JSON."""
    found = await _load(visit)
    document = {
        "conversation": views.conversation(found.conversation, {}),
        "messages": [views.message(message) for message in found.messages],
        "handoffs": msgspec.to_builtins(found.handoffs),
        "receipts": [_receipt(receipt) for receipt in found.receipts],
        "deliveries": [dict(row) for row in found.deliveries],
        "attempts": [dict(row) for row in found.attempts],
    }
    return JSONResponse(document, headers=HEADERS)


async def download(visit: Visit) -> Response:
    """Give a file of a conversation, as what its bytes were found to be."""
    conversation, id = (str(visit.request.path_params[name]) for name in ("id", "file"))
    try:
        file, pieces = await visit.parts.files.give(visit.organisation.id, ConversationId(conversation), FileId(id))
    except Conflict as held:
        return visit.show("refusal.html", status=409, title="Not to be had", detail=sentence(held.detail), number=409)
    return StreamingResponse(pieces, headers={name.decode(): value.decode() for name, value in headers_of(file)})


def _receipt(receipt: Receipt) -> dict[str, object]:
    shown: dict[str, object] = msgspec.to_builtins(receipt)
    return shown


def _ticket(body: str | None) -> str | None:
    return None if body is None else msgspec.json.decode(body, type=Handoff).ticket_id


async def _load(visit: Visit) -> Story:
    """Read everything of one conversation; another organisation's is none."""
    organisation, id = visit.organisation.id, ConversationId(str(visit.request.path_params["id"]))

    def read(tx: Tx) -> Story | None:
        found = conversations.load(tx, organisation, id)
        return None if found is None else _story(tx, found)

    story = await visit.parts.database.read(read)
    if story is None:
        raise NotFound("There is no conversation with this id.")
    return story


def _story(tx: Tx, conversation: Conversation) -> Story:
    organisation, id = conversation.organisation, conversation.id
    said: list[Message] = messages.of(tx, organisation, id, limit=MOST)
    attempts: list[Row] = overview.attempts_of_conversation(tx, organisation, id)
    return Story(
        conversation=conversation,
        messages=said,
        handoffs=[msgspec.json.decode(row["body"], type=Handoff) for row in overview.handoffs(tx, organisation, id)],
        receipts=receipts.recent(tx, organisation, conversation=id, limit=MOST),
        deliveries=overview.deliveries(tx, organisation, conversation=id, limit=MOST),
        attempts=attempts,
    )
