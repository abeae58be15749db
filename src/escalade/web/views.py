"""How values look to a caller of the developer API or the widget API, in one place; `answers` names the shapes."""

from __future__ import annotations

from datetime import UTC, datetime

from escalade.domain.model import (
    Attachment,
    Citation,
    Conversation,
    Customer,
    DeliveryView,
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
from escalade.web import answers


def moment(at: Millis) -> str:
    """Write an instant as RFC 3339 in UTC."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def customer(value: Customer) -> answers.Customer:
    """Show a customer."""
    return {"id": value.id, "name": value.name, "email": value.email, "locale": value.locale}


def message(value: Message) -> answers.Message:
    """Show a message."""
    author: answers.Author = {"role": value.role, "name": value.name}
    if value.avatar_url:
        author["avatar_url"] = value.avatar_url
    shown: answers.Message = {
        "id": value.id,
        "seq": value.seq,
        "author": author,
        "text": value.text,
        "attachments": [attachment(file) for file in value.attachments],
        "citations": [citation(each) for each in value.citations],
        "created_at": moment(value.created_at),
        "delivery": value.delivery,
    }
    if value.notice is not None:
        shown["notice"] = value.notice
    if value.role is Role.ASSISTANT:
        shown["feedback"] = value.feedback
    return shown


def delivery(message: MessageId, view: DeliveryView) -> answers.MessageDelivery:
    """Show what has become of a message."""
    return {"id": message, "delivery": view}


def feedback(message: MessageId, found: Feedback | None) -> answers.MessageFeedback:
    """Show what the customer found of an answer."""
    return {"id": message, "feedback": found}


def citation(value: Citation) -> answers.Citation:
    """Show a source of an answer."""
    return {"n": value.n, "title": value.title, "url": value.url, "source_id": value.source_id}


def draft(value: Draft) -> answers.Draft:
    """Show how far an answer has come."""
    return {"id": value.id, "text": value.text, "citations": [citation(each) for each in value.citations]}


def attachment(value: Attachment) -> answers.File:
    """Show a file; where Zendesk has it is nobody's business. No scanner of ours has looked into it."""
    return {
        "id": value.id,
        "name": value.name,
        "media_type": value.media_type,
        "size": value.size,
        "state": value.state,
        "scanned": False,
    }


def handoff(value: Handoff, person: Customer) -> answers.Handoff:
    """Show a handoff."""
    waits_for_address = value.is_open and person.email is None
    asynchronous = value.mode is Mode.TICKET or value.state is HandoffState.ASYNCHRONOUS
    return {
        "id": value.id,
        "state": value.state,
        "mode": value.mode,
        "reason": value.reason,
        "ticket_id": value.ticket_id,
        "agent": None if value.agent is None else {"name": value.agent.name, "avatar_url": value.agent.avatar_url},
        "ended": value.ended,
        "needs_email": waits_for_address and asynchronous,
    }


def state(value: Conversation) -> answers.ConversationState:
    """Show how a conversation stands, as every list of messages carries it."""
    return {"status": value.status, "control": value.control, "handoff": _handoff_of(value)}


def opened(value: Conversation) -> answers.Conversation:
    """Show a conversation to whoever opened it."""
    return {
        "id": value.id,
        "status": value.status,
        "control": value.control,
        "customer": customer(value.customer),
        "created_at": moment(value.created_at),
    }


def standing(value: Conversation) -> answers.ConversationWithHandoff:
    """Show a conversation and who may answer in it."""
    return {**opened(value), "handoff": _handoff_of(value)}


def conversation(value: Conversation, counts: dict[str, int]) -> answers.WholeConversation:
    """Show all of a conversation."""
    ticket = value.handoff.ticket_id if value.handoff else None
    return {
        **standing(value),
        "ticket": None if ticket is None else {"id": ticket},
        "context": value.context,
        "counts": counts,
        "updated_at": moment(value.updated_at),
    }


def listed(value: Conversation) -> answers.ListedConversation:
    """Show a conversation in a list."""
    return {
        "id": value.id,
        **state(value),
        "created_at": moment(value.created_at),
        "updated_at": moment(value.updated_at),
    }


def _handoff_of(value: Conversation) -> answers.Handoff | None:
    return None if value.handoff is None else handoff(value.handoff, value.customer)
