"""Write what Sunshine Conversations reads, and read what it writes. Pure: no socket, no clock.

Nothing there recognises a repetition, so each thing we make carries our own mark in its metadata: `bridge_session` on a
conversation, `bridge_msg` on a message.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import msgspec

from escalade.channels.base import Heard, Job
from escalade.channels.sunshine.webhook import AGENTS, arrival, controller, read, split, verify_key
from escalade.domain import briefing, transcript
from escalade.domain.files import PICTURES
from escalade.domain.model import (
    Agent,
    AgentId,
    Attachment,
    Customer,
    FileId,
    Handoff,
    Message,
    Millis,
    Role,
)
from escalade.domain.organisation import TicketSettings

__all__ = ["AGENTS", "arrival", "controller", "read", "split", "verify_key"]  # the inbound half

Json = dict[str, Any]

SESSION_MARK = "bridge_session"
MESSAGE_MARK = "bridge_msg"
LOST_MARK = "bridge_lost"  # on a line that stands in for a file
ASSISTANT = "Assistant"
OUR_NAME = "escalade"
AGENTS_NAME = "zd-agentWorkspace"
METADATA_LIMIT = 4000  # bytes; Sunshine takes 4 KB an object
PROFILE_LIMIT = 128
AGENT_ID = "__zendesk_msg.agent.id"


# Out


def external_id(customer: Customer) -> str:
    """Give our id for a customer, of a form that can never be taken for one of Sunshine's own."""
    return f"escalade:{customer.id}"


def user_body(customer: Customer) -> str:
    """Write the body that makes the customer known.

    https://developer.zendesk.com/api-reference/conversations/#operation/CreateUser
    """
    profile: Json = {}
    name = " ".join((customer.name or "").split())
    if name:
        given, _, surname = name.partition(" ")
        profile["givenName"] = given[:PROFILE_LIMIT]
        if surname:
            profile["surname"] = surname[:PROFILE_LIMIT]
    if customer.email and len(customer.email) <= PROFILE_LIMIT:
        profile["email"] = customer.email
    if customer.locale:
        profile["locale"] = customer.locale[:PROFILE_LIMIT]
    return encode({"externalId": external_id(customer), "profile": profile})


def conversation_body(user: str, handoff: Handoff, settings: TicketSettings) -> str:
    """Write the body that opens the conversation of a handoff."""
    return encode(
        {
            "type": "personal",
            "participants": [{"userId": user, "subscribeSDKClient": False}],
            "metadata": conversation_metadata(handoff, settings),
        }
    )


def conversation_metadata(handoff: Handoff, settings: TicketSettings) -> Json:
    """Mark a conversation as ours, and say what its ticket should carry."""
    metadata: Json = {SESSION_MARK: handoff.id}
    if settings.tags:
        metadata["zen:ticket:tags"] = ", ".join(settings.tags)
    for key, value in settings.custom_fields.items():
        if value is not None:
            metadata[f"zen:ticket_field:{key}"] = value
    return within(metadata)


def context_text(job: Job, handoff: Handoff) -> str:
    """Write what the agents should know before they answer; the message that led here comes next in the chat."""
    return briefing.note(job.conversation, handoff, job.transcript, follows=job.message)


def context_series(handoff: Handoff) -> str:
    """Say how the marks of a handoff's context begin."""
    return f"ctx:{handoff.id}:"


def context_mark(handoff: Handoff, part: int) -> str:
    """Give the mark of one part of the context."""
    return f"{context_series(handoff)}{part}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message of theirs that carries a part of ours: words, or a file."""

    mark: str
    text: str = ""
    file: Attachment | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a part is: the message's id there, and the file a line had to stand in for."""

    id: str
    lost: FileId | None = None


Places = dict[str, Place]  # by mark


def context_parts(handoff: Handoff, text: str, files: Iterable[Attachment]) -> list[Part]:
    """Split the context as needed, and put the files the customer has sent so far behind it."""
    words = [Part(mark=context_mark(handoff, n), text=part) for n, part in enumerate(transcript.parts(text))]
    return words + [Part(mark=f"{context_series(handoff)}{file.id}:file", file=file) for file in files]


def post_parts(message: Message) -> list[Part]:
    """Split a customer's message as needed: its words, then its files, each with its mark."""
    texts: list[str | None] = [*transcript.parts(message.text)] if message.text else []
    contents = [(text, None) for text in texts] + [(None, file) for file in message.attachments]
    if len(contents) == 1:
        return [Part(mark=message.id, text=contents[0][0] or "", file=contents[0][1])]
    return [Part(mark=f"{message.id}:{n}", text=text or "", file=file) for n, (text, file) in enumerate(contents)]


BUSINESS: Json = {"type": "business", "displayName": ASSISTANT}  # nothing is put into the customer's mouth


def customer_author(user: str) -> Json:
    """Name the customer as who speaks."""
    return {"type": "user", "userId": user}


def part_body(author: Json, part: Part) -> str:
    """Write a message of words.

    https://developer.zendesk.com/api-reference/conversations/#operation/PostMessage
    """
    return _message(author, {"type": "text", "text": part.text}, {MESSAGE_MARK: part.mark})


def file_body(author: Json, part: Part, media: str) -> str:
    """Write a message that shows a file that was uploaded."""
    assert part.file is not None
    kind = "image" if part.file.media_type in PICTURES else "file"
    return _message(author, {"type": kind, "mediaUrl": media, "altText": part.file.name}, {MESSAGE_MARK: part.mark})


def lost_body(author: Json, part: Part) -> str:
    """Write the line that stands in for a file that is not taken there."""
    assert part.file is not None
    text = transcript.LOST_FILE.format(name=part.file.name)
    return _message(author, {"type": "text", "text": text}, {MESSAGE_MARK: part.mark, LOST_MARK: part.file.id})


def lost_in(body: str) -> FileId | None:
    """Say for which file a message of ours stands in."""
    lost = msgspec.json.decode(body)["metadata"].get(LOST_MARK)
    return None if lost is None else FileId(lost)


def _message(author: Json, content: Json, metadata: Json) -> str:
    return encode({"author": author, "content": content, "metadata": metadata})


def form(name: str, media_type: str, content: bytes) -> tuple[str, bytes]:
    """Write a form with one file, and its content type.

    https://www.rfc-editor.org/rfc/rfc7578
    """
    boundary = f"escalade-{sha256(content).hexdigest()}"  # what holds its own digest has never been seen
    plain = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="source"; filename="{plain}"\r\n'
        f"Content-Type: {media_type or 'application/octet-stream'}\r\n\r\n"
    )
    return f"multipart/form-data; boundary={boundary}", head.encode() + content + f"\r\n--{boundary}--\r\n".encode()


def control_body(target: str, metadata: Json | None = None) -> str:
    """Write the order to pass control; the target is an id or a name, because `next` moves on at every repetition."""
    return encode({"switchboardIntegration": target, **({"metadata": metadata} if metadata else {})})


def pass_metadata(customer: Customer, settings: TicketSettings, subject: str, first_message: str | None) -> Json:
    """Say what the ticket should carry: flat keys with dots, all of them text.

    https://support.zendesk.com/hc/en-us/articles/4419179022874
    """
    given: tuple[tuple[str, object], ...] = (
        ("first_message_id", first_message),
        ("dataCapture.systemField.requester.name", customer.name),
        ("dataCapture.systemField.requester.email", customer.email),
        ("dataCapture.systemField.tags", ", ".join(settings.tags)),
        ("dataCapture.systemField.group_id", settings.group_id),
        ("dataCapture.systemField.assignee_id", settings.assignee_id),
        ("dataCapture.systemField.brand_id", settings.brand_id),
        ("dataCapture.systemField.priority", settings.priority),
        ("dataCapture.systemField.subject", subject),
        *((f"dataCapture.ticketField.{key}", value) for key, value in settings.custom_fields.items()),
    )
    texts = {key: _field(value) for key, value in given if value not in (None, "")}
    return within(texts)


def within(metadata: Json, limit: int = METADATA_LIMIT) -> Json:
    """Keep as many entries, first ones first, as Sunshine takes; a whole entry or none of it."""
    kept: Json = {}
    for key, value in metadata.items():
        if len(msgspec.json.encode({**kept, key: value})) <= limit:
            kept[key] = value
    return kept


def seat_body(integration: str, agents: str | None) -> str:
    """Write the body that gives our integration a seat at the switchboard; nobody else's seat is touched."""
    seat: Json = {"name": OUR_NAME, "integrationId": integration, "deliverStandbyEvents": True}
    if agents is not None:
        seat["nextSwitchboardIntegrationId"] = agents
    return encode(seat)


def encode(value: Json) -> str:
    """Write JSON, the same text for the same value."""
    return msgspec.json.encode(value).decode()


def _field(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


# Back


@dataclass(frozen=True, slots=True, kw_only=True)
class Seats:
    """Who sits at the switchboard: ours, if we have one, and the agents'."""

    ours: str | None
    agents: str | None


def read_seats(seats: Iterable[object]) -> Seats:
    """Find the seats that matter to us."""
    ours = agents = None
    for seat in seats:
        if isinstance(seat, dict) and (id := text(seat.get("id"))) is not None:
            if seat.get("name") == OUR_NAME:
                ours = id
            elif seat.get("integrationType") == AGENTS:
                agents = id
    return Seats(ours=ours, agents=agents)


def mark_of(message: object) -> str | None:
    """Give our mark on a message."""
    return text(_object(message.get("metadata")).get(MESSAGE_MARK)) if isinstance(message, dict) else None


def place_of(message: object) -> Place | None:
    """Say where a message is, and whether it stands in for a file."""
    if not isinstance(message, dict) or (id := text(message.get("id"))) is None:
        return None
    lost = text(_object(message.get("metadata")).get(LOST_MARK))
    return Place(id=id, lost=None if lost is None else FileId(lost))


def session_mark(conversation: Json) -> str | None:
    """Give our mark on a conversation."""
    return text(_object(conversation.get("metadata")).get(SESSION_MARK))


def starts_context(message: object) -> bool:
    """Say whether a message is the first we posted in some handoff."""
    mark = mark_of(message) or ""
    return mark.startswith("ctx:") and mark.endswith(":0")


def received_at(message: object) -> Millis | None:
    """Read when Sunshine got a message."""
    value = message.get("received") if isinstance(message, dict) else None
    try:
        return int(datetime.fromisoformat(value).astimezone(UTC).timestamp() * 1000) if isinstance(value, str) else None
    except (ValueError, OverflowError):
        return None


def oldest_first(messages: list[Json]) -> list[Json]:
    """Give a page in the order of speaking; Sunshine does not say which way its pages run."""
    times = [at for at in (received_at(messages[0]), received_at(messages[-1])) if at is not None] if messages else []
    return messages[::-1] if len(times) == 2 and times[0] > times[1] else messages


def activity_of(message: object) -> str | None:
    """Name what a message announces where it is a notice, such as `ticket:closed`."""
    return text(_object(message.get("activity")).get("type")) if isinstance(message, dict) else None


def hear(message: object) -> Heard | None:
    """Say who speaks in a message; a notice of the system is nobody's words.

    Ours, then the customer's, then what merely looks like a person: triggers, bots and surveys. What is left and bears
    an agent's id, or the mark of an agent, is a person.
    """
    if not isinstance(message, dict) or (id := text(message.get("id"))) is None:
        return None
    author, metadata = _object(message.get("author")), _object(message.get("metadata"))
    source = text(_object(message.get("source")).get("type")) or ""
    subtypes = author.get("subtypes")
    marks = set(filter(lambda item: isinstance(item, str), subtypes)) if isinstance(subtypes, list) else set()
    mark = mark_of(message)
    if mark is not None:
        return Heard(
            id=id, ours=True, role=Role.ASSISTANT, text=content_text(_object(message.get("content"))), mark=mark
        )
    if source.startswith("api"):
        return Heard(id=id, ours=True, role=Role.ASSISTANT, text="")
    if author.get("type") == "user":
        return Heard(id=id, ours=True, role=Role.CUSTOMER, text="")
    if activity_of(message) is not None or "activity" in marks:
        return None
    content = _object(message.get("content"))
    words, files = content_text(content), tuple(_files(content))
    agent_id = text(metadata.get(AGENT_ID)) or ""
    name = text(author.get("displayName")) or ""
    automatic = (
        source == "zd:answerBot"
        or "bot" in marks
        or agent_id == "__trigger"
        or name == "Automated Response"
        or metadata.get("type") == "csat"
    )
    is_agent = source == "zd:agentWorkspace" and (_is_number(agent_id) or "agent" in marks)
    if automatic or not is_agent:
        return Heard(id=id, ours=False, role=Role.SYSTEM, text=words, attachments=files)
    photo = text(author.get("avatarUrl"))
    agent = Agent(
        id=AgentId(agent_id) if _is_number(agent_id) else None,
        name=name or "Agent",
        avatar_url=photo if photo and photo.startswith("https://") else None,
    )
    return Heard(id=id, ours=False, role=Role.AGENT, text=words, agent=agent, attachments=files)


def content_text(content: Json) -> str:
    """Give a content as text; what has no text of its own is described, never dropped.

    https://developer.zendesk.com/api-reference/conversations/#tag/Messages
    """
    kind = text(content.get("type")) or "unknown"
    words = text(content.get("text")) or _from_html(text(content.get("htmlText"))) or ""
    match kind:
        case "text":
            rest = _labels(content.get("actions"))
        case "image" | "file":
            rest = ()
        case "carousel" | "list":
            rest = _items(content.get("items"))
        case "form" | "formResponse":
            rest = _labels(content.get("fields"))
        case "location":
            where = _object(content.get("coordinates"))
            rest = (f"({where.get('lat')}, {where.get('long')})",)
        case _:
            rest = () if words else (f"({kind} message: open Zendesk to see it)",)
    return "\n".join((*((words,) if words else ()), *rest))


def _files(content: Json) -> Iterable[Attachment]:
    url = text(content.get("mediaUrl"))
    if url is not None:
        name = text(content.get("altText")) or url.partition("?")[0].rpartition("/")[2] or "file"
        yield Attachment(name=name, url=url, media_type=text(content.get("mediaType")))


def _items(items: object) -> tuple[str, ...]:
    found = [item for item in items if isinstance(item, dict)] if isinstance(items, list) else []
    lines: list[str] = []
    for item in found:
        lines += [": ".join(part for key in ("title", "description") if (part := text(item.get(key))))]
        lines += _labels(item.get("actions"))
    return tuple(line for line in lines if line)


def _labels(fields: object) -> tuple[str, ...]:
    """Describe actions and form fields, one a line: label, then the answer or the address."""
    found = [field for field in fields if isinstance(field, dict)] if isinstance(fields, list) else []
    lines: list[str] = []
    for field in found:
        label = text(field.get("label")) or text(field.get("text"))
        value = text(field.get("uri")) or text(field.get("email")) or (text(field.get("text")) if label else None)
        lines.append(": ".join(part for part in dict.fromkeys((label, value)) if part))
    return tuple(f"• {line}" for line in lines if line)


def _from_html(markup: str | None) -> str | None:
    if markup is None:
        return None
    broken = re.sub(r"<br\s*/?>|</p>|</li>|</div>", "\n", markup, flags=re.IGNORECASE)
    return html.unescape(re.sub(r"<[^<>]*>", "", broken)).strip()


def _is_number(value: str) -> bool:
    return value.isascii() and value.isdigit()


def text(value: object) -> str | None:
    """Give a text that is one and is not empty."""
    return value if isinstance(value, str) and value else None


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}
