"""How values look to a caller: the shapes of the developer API and the widget API, in one place."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from escalade.domain.model import (
    Attachment,
    Citation,
    Conversation,
    Customer,
    Feedback,
    Handoff,
    HandoffState,
    Message,
    MessageId,
    Millis,
    Mode,
    Role,
)
from escalade.services.bell import Draft


def moment(at: Millis) -> str:
    """Write an instant as RFC 3339 in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def customer(value: Customer) -> dict[str, Any]:
    """Show a customer."""
    return {"id": value.id, "name": value.name, "email": value.email, "locale": value.locale}


def message(value: Message) -> dict[str, Any]:
    """Show a message."""
    author: dict[str, Any] = {"role": value.role.value, "name": value.name}
    if value.avatar_url:
        author["avatar_url"] = value.avatar_url
    shown: dict[str, Any] = {
        "id": value.id,
        "seq": value.seq,
        "author": author,
        "text": value.text,
        "attachments": [attachment(file) for file in value.attachments],
        "citations": [citation(each) for each in value.citations],
        "created_at": moment(value.created_at),
        "delivery": value.delivery.value,
    }
    if value.notice is not None:
        shown["notice"] = value.notice.value
    if value.role is Role.ASSISTANT:
        shown["feedback"] = None if value.feedback is None else value.feedback.value
    return shown


def feedback(message: MessageId, found: Feedback | None) -> dict[str, Any]:
    """Show what the customer found of an answer."""
    return {"id": message, "feedback": None if found is None else found.value}


def citation(value: Citation) -> dict[str, Any]:
    """Show a source of an answer."""
    return {"n": value.n, "title": value.title, "url": value.url, "source_id": value.source_id}


def draft(value: Draft) -> dict[str, Any]:
    """Show how far an answer has come."""
    return {"id": value.id, "text": value.text, "citations": [citation(each) for each in value.citations]}


def attachment(value: Attachment) -> dict[str, Any]:
    """Show a file; where Zendesk has it is nobody's business. No scanner of ours has looked into it."""
    return {
        "id": value.id,
        "name": value.name,
        "media_type": value.media_type,
        "size": value.size,
        "state": value.state.value,
        "scanned": False,
    }


def handoff(value: Handoff, person: Customer) -> dict[str, Any]:
    """Show a handoff."""
    agent = None if value.agent is None else {"name": value.agent.name, "avatar_url": value.agent.avatar_url}
    waits_for_address = value.is_open and person.email is None
    asynchronous = value.mode is Mode.TICKET or value.state is HandoffState.ASYNCHRONOUS
    return {
        "id": value.id,
        "state": value.state.value,
        "mode": value.mode.value,
        "reason": value.reason.value,
        "ticket_id": value.ticket_id,
        "agent": agent,
        "ended": None if value.ended is None else value.ended.value,
        "needs_email": waits_for_address and asynchronous,
    }


def state(value: Conversation) -> dict[str, Any]:
    """Show how a conversation stands, as every list of messages carries it."""
    return {
        "status": value.status.value,
        "control": value.control.value,
        "handoff": None if value.handoff is None else handoff(value.handoff, value.customer),
    }


def opened(value: Conversation) -> dict[str, Any]:
    """Show a conversation to whoever opened it."""
    return {
        "id": value.id,
        "status": value.status.value,
        "control": value.control.value,
        "customer": customer(value.customer),
        "created_at": moment(value.created_at),
    }


def conversation(value: Conversation, counts: dict[str, int]) -> dict[str, Any]:
    """Show all of a conversation."""
    shown = opened(value) | state(value)
    ticket = value.handoff.ticket_id if value.handoff else None
    return shown | {
        "ticket": None if ticket is None else {"id": ticket},
        "context": value.context,
        "counts": counts,
        "updated_at": moment(value.updated_at),
    }


def listed(value: Conversation) -> dict[str, Any]:
    """Show a conversation in a list."""
    return {
        "id": value.id,
        **state(value),
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
    }
