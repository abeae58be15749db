"""Read everything that was said and done on a ticket as one list, oldest first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from zendesk_emulator.account import Account
from zendesk_emulator.conversations import text_of
from zendesk_emulator.pages import words
from zendesk_emulator.records.messaging import Conversation, Message
from zendesk_emulator.records.tickets import Audit, Comment, Ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file somebody sent."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the log: a message, a public comment, an internal note, or something that happened."""

    id: str
    at: datetime
    kind: str  # message, public, note, event
    side: str  # customer, agent, assistant, system
    author: str
    channel: str
    body: str
    files: tuple[File, ...] = field(default=())


def of(account: Account, ticket: Ticket) -> list[Entry]:
    """List the entries of a ticket, oldest first; earlier chats of the same conversation are left out."""
    entries = [_comment(account, comment) for comment in ticket.comments]
    conversation = account.conversation_of(ticket)
    if conversation is not None:
        entries += [_message(message) for message in _messages(account, ticket, conversation)]
    for audit in ticket.audits:
        entries += _events(account, audit)
    return sorted(entries, key=lambda entry: entry.at)


def _messages(account: Account, ticket: Ticket, conversation: Conversation) -> Iterator[Message]:
    history = {
        entry["message_id"]
        for audit in ticket.audits
        for event in audit.events
        if event["type"] == "ChatStartedEvent"
        for entry in event["value"]["history"]
    }
    followers = [
        other.created_at
        for other in account.records.tickets.values()
        if other.conversation_id == conversation.id and other.id > ticket.id
    ]
    until = min(followers, default=None)
    for message in conversation.messages:
        if until is not None and message.received >= until:
            return
        if message.id in history or message.received >= ticket.created_at:
            yield message


def _message(message: Message) -> Entry:
    subtypes = message.author.get("subtypes") or []
    if message.author["type"] == "user":
        side = "customer"
    elif "agent" in subtypes:
        side = "agent"
    else:
        side = "system" if "activity" in subtypes else "assistant"
    media = str(message.content.get("mediaUrl") or "")
    name = str(message.content.get("altText") or media.rpartition("/")[2])
    text = str(message.content.get("text") or "") if media else text_of(message.content)
    return Entry(
        id=f"m-{message.id}",
        at=message.received,
        kind="event" if side == "system" else "message",
        side=side,
        author=str(message.author.get("displayName") or ("Customer" if side == "customer" else "Business")),
        channel="Messaging",
        body=text if text or media else words.pretty(message.content),
        files=(File(name=name, address=_address(media)),) if media else (),
    )


def _address(media: str) -> str:
    """Show our own Sunshine files through the desk, which needs no API key; leave other addresses alone."""
    _, ours, key = media.partition("/sc/attachments/v2/")
    if ours:
        return f"/desk/files/{key}"
    return media if media.startswith(("http://", "https://")) else "#"


def _comment(account: Account, comment: Comment) -> Entry:
    author = account.records.users.get(comment.author_id)
    return Entry(
        id=f"c-{comment.id}",
        at=comment.created_at,
        kind="public" if comment.public else "note",
        side="agent" if author and author.is_staff else "customer",
        author=author.name if author else "System",
        channel="Public comment" if comment.public else "Internal note",
        body=comment.body,
        files=tuple(File(name=file.file_name, address=f"/desk/attachments/{file.id}") for file in comment.attachments),
    )


def _events(account: Account, audit: Audit) -> Iterator[Entry]:
    """Show what changed hands or state in one line; everything else is in the audits."""
    said = [line for event in audit.events if (line := _said(account, event))]
    if said:
        author = words.person(account, audit.author_id, "System")
        yield Entry(
            id=f"e-{audit.id}",
            at=audit.created_at,
            kind="event",
            side="system",
            author=author,
            channel="",
            body=" · ".join([*said, author]),
        )


def _said(account: Account, event: dict[str, Any]) -> str:
    if event["type"] == "ChatEndedEvent":
        return "Messaging session ended"
    if event["type"] != "Change":
        return ""
    value = event["value"]
    match event["field_name"]:
        case "status":
            return f"Status: {str(value).capitalize()}"
        case "assignee_id":
            return f"Assigned to {words.person(account, int(value or 0), 'nobody')}"
        case "group_id":
            return f"Group: {words.group(account, int(value or 0), 'none')}"
        case _:
            return ""
