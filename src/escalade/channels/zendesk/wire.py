"""Write what Zendesk Support reads, and read what it writes. Pure: no socket, no clock.

Customers' words arrive as they were written: what Zendesk would take for a template, or for HTML, is made inert.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from escalade.channels.base import Heard, Job
from escalade.channels.zendesk.webhook import read_webhook, verify_signature
from escalade.domain import briefing, transcript
from escalade.domain.errors import Refused
from escalade.domain.model import Agent, AgentId, Attachment, Customer, FileId, FileState, Handoff, Message, Role
from escalade.domain.organisation import TicketSettings
from escalade.domain.switchboard.endings import GONE

__all__ = ["read_webhook", "verify_signature"]  # the inbound half; the rest of this page is the outbound one

Json = dict[str, Any]

MARK = "bridge_msg"
LOST_MARK = "bridge_lost"  # the ids of files that Zendesk would not take
COMMENT_LIMIT = 64_000  # bytes; over 64 kB Zendesk cuts without a word
LINES_LIMIT = 4_000  # of them for lines about files
NAME_LIMIT = 250
NOBODY = "Visitor"
CUT = "<br>… cut here; the whole text is in Escalade."

# Zendesk expands `{{placeholders}}` and `{% tags %}` in subjects and comments, and drops those it does not know. A word
# joiner (U+2060, no width, no break) after the first brace stops that and shows nothing. `restored` takes it out again:
# joiners a customer had typed there themselves gain one and lose one, so the transform can be undone exactly.
# https://support.zendesk.com/hc/en-us/articles/4408886858138-Zendesk-Support-placeholders-reference
JOINER = "\u2060"
_OPENING = re.compile(rf"\{{({JOINER}*)(?=[{{%])")
_NEUTRALISED = re.compile(rf"\{{{JOINER}({JOINER}*)(?=[{{%])")


def neutral(text: str) -> str:
    """Make placeholders in a text inert, invisibly."""
    return _OPENING.sub(rf"{{{JOINER}\1", text)


def restored(text: str) -> str:
    """Undo `neutral`, and the non-breaking spaces of `as_html`."""
    return _NEUTRALISED.sub(r"{\1", text).replace("\u00a0", " ")


def as_html(text: str) -> str:
    """Write a plain text as HTML that shows the same: every character literal, every line and indent kept."""
    escaped = html.escape(neutral(text), quote=True)
    lines = escaped.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "<br>".join(re.sub(r"^ | (?= )", "&nbsp;", line) for line in lines)


def fitted(markup: str, limit: int = COMMENT_LIMIT) -> str:
    """Keep a comment under the size at which Zendesk cuts, and say where it was cut."""
    raw = markup.encode()
    if len(raw) <= limit:
        return markup
    kept = raw[: limit - len(CUT.encode())].decode("utf-8", "ignore")
    return re.sub(r"(?:&[#a-z0-9]{0,6}|<[a-z]{0,2})\Z", "", kept) + CUT


# Out


def ticket_body(job: Job, handoff: Handoff, settings: TicketSettings) -> str:
    """Write the body that opens a ticket; its first comment is the customer's own words.

    https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#create-ticket
    """
    conversation, messages = job.conversation, list(job.transcript)
    title = briefing.subject(handoff, messages)
    words = transcript.words_of(job.message) if job.message is not None else title
    metadata = {"handoff": handoff.id, "conversation": conversation.id}
    if job.message is not None:
        metadata[MARK] = job.message.id
    ticket: Json = {
        "subject": neutral(title),
        "comment": {"html_body": fitted(as_html(words)), "public": True},
        "requester": requester(conversation.customer),
        "external_id": handoff.id,
        "metadata": metadata,
    }
    if settings.tags:
        ticket["tags"] = list(settings.tags)
    for name, value in (
        ("group_id", settings.group_id),
        ("assignee_id", settings.assignee_id),
        ("ticket_form_id", settings.form_id),
        ("brand_id", settings.brand_id),
        ("priority", settings.priority),
    ):
        if value is not None:
            ticket[name] = value
    if settings.custom_fields:
        ticket["custom_fields"] = [
            {"id": int(key) if key.isdigit() else key, "value": value} for key, value in settings.custom_fields.items()
        ]
    return encode({"ticket": ticket})


def requester(customer: Customer) -> Json:
    """Name the customer; an address lets Zendesk find or make their user, a name alone makes one without an address."""
    name = neutral(" ".join((customer.name or "").split())[:NAME_LIMIT])
    if customer.email:
        return {"name": name or customer.email.partition("@")[0], "email": customer.email}
    return {"name": name or NOBODY}


@dataclass(frozen=True, slots=True, kw_only=True)
class Uploads:
    """Files that wait at Zendesk for the comment that shows them, and those it would not take."""

    token: str | None = None
    lost: tuple[Attachment, ...] = ()


NO_FILES = Uploads()


def note_parts(job: Job, handoff: Handoff) -> list[tuple[str, str]]:
    """Write the internal note, in as many comments as it takes, each with the mark by which it is found again."""
    text = briefing.note(job.conversation, handoff, list(job.transcript), briefing.TICKET_NOTE_LIMIT)
    parts = transcript.parts(text, COMMENT_LIMIT - LINES_LIMIT, _weight)
    return [(note_mark(handoff, n), part) for n, part in enumerate(parts)]


def note_body(text: str, mark: str, uploads: Uploads = NO_FILES) -> str:
    """Write the update that leaves the agents one internal note."""
    return encode({"ticket": {"comment": _comment(text, uploads, public=False), "metadata": _marks(mark, uploads)}})


def note_mark(handoff: Handoff, part: int = 0) -> str:
    """Give the mark by which a part of the note is found again."""
    return f"note:{handoff.id}:{part}" if part else f"note:{handoff.id}"


def _weight(char: str) -> int:
    """Say how many bytes a character takes as HTML, at most."""
    return 6 if char in " \"'&<>{\r\n" else len(char.encode())


def _comment(text: str, uploads: Uploads, *, public: bool) -> Json:
    lines = [transcript.LOST_FILE.format(name=file.name) for file in uploads.lost]
    markup = as_html("\n".join([text, *lines] if text else lines))
    comment: Json = {"html_body": markup, "public": public}
    if uploads.token is not None:
        comment["uploads"] = [uploads.token]
    return comment


def _marks(mark: str, uploads: Uploads) -> Json:
    lost = " ".join(file.id for file in uploads.lost if file.id is not None)
    return {MARK: mark, **({LOST_MARK: lost} if lost else {})}


def requester_body(customer: Customer) -> str:
    """Write the update that names the requester."""
    return encode({"ticket": {"requester": requester(customer)}})


# A reply by the API does not reopen a ticket by itself, although the author is its requester; `new` stays new.
REOPENED = frozenset({"pending", "hold", "solved"})


def post_body(
    message: Message, author: str | None, ticket: Ticket, uploads: Uploads = NO_FILES, *, careful: bool = False
) -> str:
    """Write the update that shows a customer's message as a public comment.

    `careful` asks Zendesk to refuse if anyone has changed the ticket meanwhile, such as an earlier attempt of ours.
    https://developer.zendesk.com/api-reference/ticketing/tickets/tickets/#protecting-against-ticket-update-collisions
    """
    comment = _comment(message.text or transcript.words_of(message), uploads, public=True)
    if len(comment["html_body"].encode()) > COMMENT_LIMIT:
        raise Refused(f"the message is longer than Zendesk takes ({COMMENT_LIMIT} bytes)")
    if author is not None:
        comment["author_id"] = int(author)
    update: Json = {"comment": comment, "metadata": _marks(message.id, uploads)}
    if ticket.status in REOPENED:
        update["status"] = "open"
    if careful and ticket.updated_at:
        update |= {"safe_update": True, "updated_stamp": ticket.updated_at}
    return encode({"ticket": update})


def encode(value: Json) -> str:
    """Write JSON, the same text for the same value."""
    return msgspec.json.encode(value).decode()


# Back


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What Zendesk says of a ticket; `status` is its word in lower case, `deleted` where there is none."""

    id: str
    status: str
    requester_id: str | None = None
    assignee_id: str | None = None
    group_id: str | None = None
    external_id: str | None = None
    updated_at: str = ""

    @property
    def is_worked_on(self) -> bool:
        """Say whether somebody has taken it up."""
        return self.assignee_id is not None or self.status not in {"new", *GONE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """A Zendesk user: customer, agent or administrator."""

    id: str
    name: str
    role: str
    photo_url: str | None = None
    email: str | None = None

    @property
    def is_staff(self) -> bool:
        """Say whether they answer customers."""
        return self.role in {"agent", "admin"}

    def as_agent(self) -> Agent:
        """Show them to the customer."""
        return Agent(id=AgentId(self.id), name=self.name or "Agent", avatar_url=self.photo_url)


def read_ticket(found: object) -> Ticket | None:
    """Read a ticket as the REST API gives it."""
    if not isinstance(found, dict) or (id := whole(found.get("id"))) is None:
        return None
    external = found.get("external_id")
    return Ticket(
        id=id,
        status=str(found.get("status") or "").lower(),
        requester_id=whole(found.get("requester_id")),
        assignee_id=whole(found.get("assignee_id")),
        group_id=whole(found.get("group_id")),
        external_id=str(external) if external is not None else None,
        updated_at=str(found.get("updated_at") or ""),
    )


def read_person(found: object) -> Person | None:
    """Read a user as the REST API gives it; Zendesk's anonymous user has no id."""
    if not isinstance(found, dict) or (id := whole(found.get("id"))) is None:
        return None
    photo = found.get("photo")
    url = photo.get("content_url") if isinstance(photo, dict) else found.get("remote_photo_url")
    email = found.get("email")
    return Person(
        id=id,
        name=str(found.get("alias") or found.get("name") or ""),
        role=str(found.get("role") or ""),
        photo_url=url if isinstance(url, str) and url.startswith("https://") else None,
        email=email if isinstance(email, str) else None,
    )


def comment_id(audit: object) -> str | None:
    """Find the comment an audit wrote: a comment's id is the id of its event."""
    for event in audit.get("events") or () if isinstance(audit, dict) else ():
        if isinstance(event, dict) and event.get("type") == "Comment":
            return whole(event.get("id"))
    return None


def mark_of(audit: object) -> str | None:
    """Give our mark on an audit; our metadata comes back under `metadata.custom`."""
    mark = _custom(audit).get(MARK) if isinstance(audit, dict) else None
    return mark if isinstance(mark, str) else None


def lost_in(audit: object) -> tuple[FileId, ...]:
    """Say which files a comment of ours had to do without."""
    custom = _custom(audit) if isinstance(audit, dict) else {}
    lost = custom.get(LOST_MARK)
    return tuple(FileId(id) for id in lost.split()) if isinstance(lost, str) else ()


def upload_token(answer: Json) -> str | None:
    """Find the token behind which an uploaded file waits."""
    upload = answer.get("upload")
    token = upload.get("token") if isinstance(upload, dict) else None
    return token if isinstance(token, str) and token else None


class Reading:
    """The reading of a ticket's comments, the newest first, back to where it was left.

    Their time is in whole seconds, and nobody says in which order those of one second stand. So the cursor names every
    comment of the newest second that was read, and beside these whatever else is of that second is new.
    """

    def __init__(self, cursor: str | None) -> None:
        self._cursor = cursor
        self._known = frozenset(cursor.split(",")) if cursor is not None else frozenset()
        self._left_at: object = None  # the second in which it was left
        self._read: list[Json] = []

    def is_done_after(self, page: Iterable[Json]) -> bool:
        """Take a page; say whether what is behind it is known."""
        for comment in page:
            if self._left_at is not None and comment.get("created_at") != self._left_at:
                return True
            if whole(comment.get("id")) in self._known:
                self._left_at = comment.get("created_at") or ""
            else:
                self._read.append(comment)
        return False

    def fresh(self) -> list[Json]:
        """Give what is new, oldest first."""
        return sorted(self._read, key=lambda comment: (_second(comment), int(whole(comment.get("id")) or 0)))

    def cursor(self) -> str | None:
        """Say from where to go on."""
        fresh = self.fresh()
        if not fresh:
            return self._cursor
        last = _second(fresh[-1])
        ids = {id for comment in fresh if _second(comment) == last and (id := whole(comment.get("id"))) is not None}
        return ",".join(sorted(ids | (self._known if last == self._left_at else frozenset()))) or self._cursor


def _second(comment: Json) -> str:
    return str(comment.get("created_at") or "")


def hear(comment: object, requesters: Collection[str | None], people: Mapping[str, Person]) -> Heard | None:
    """Say what a comment of the ticket is to us; an internal note is nothing, ever."""
    if not isinstance(comment, dict) or comment.get("public") is not True:
        return None
    id, author = whole(comment.get("id")), whole(comment.get("author_id"))
    if id is None:
        return None
    person = people.get(author or "")
    automatic = author is None  # Zendesk gives -1 for its own doing
    staff = person is not None and person.is_staff and author not in requesters
    return Heard(
        id=id,
        ours=mark_of(comment) is not None or not (staff or automatic),
        role=Role.AGENT if staff else Role.SYSTEM if automatic else Role.CUSTOMER,
        text=restored(str(comment.get("body") or comment.get("plain_body") or "")),
        agent=person.as_agent() if staff and person is not None else None,
        attachments=tuple(_attachments(comment.get("attachments"))),
    )


def whole(value: object) -> str | None:
    """Give an id as text; Zendesk writes a missing one as null, 0, -1, "0" or nothing at all."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() and text.strip("0") else None


def _attachments(found: object) -> Iterable[Attachment]:
    for item in found if isinstance(found, list) else ():
        if isinstance(item, dict) and isinstance(item.get("content_url"), str):
            kind = item.get("content_type")
            yield Attachment(
                name=str(item.get("file_name") or "file"),
                url=item["content_url"],
                media_type=kind if isinstance(kind, str) else None,
                size=item["size"] if isinstance(item.get("size"), int) else None,
                state=FileState.FLAGGED if _is_flagged(item) else FileState.AWAITED,
            )


def _is_flagged(item: Json) -> bool:
    """Say whether Zendesk's scanner found something, also where an agent has let it pass for themselves."""
    return item.get("malware_scan_result") == "malware_found"


def _custom(found: Json) -> Json:
    metadata = found.get("metadata")
    custom = metadata.get("custom") if isinstance(metadata, dict) else None
    return custom if isinstance(custom, dict) else {}
