"""Write the bodies of event webhooks, byte for byte the way Zendesk formats them.

Enums are upper case, ids are text, the JSON is indented by three blanks and ends with a line break.
https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/
"""

from __future__ import annotations

import json
from typing import Any

from zendesk_emulator.account import Account, Happened
from zendesk_emulator.conversations import text_of
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.tickets import Comment, Ticket
from zendesk_emulator.text import event_time, rest_time

VERSION = "2022-11-06"
PREFIX = "zen:event-type:"

TICKET_EVENTS = (
    "ticket.created",
    "ticket.status_changed",
    "ticket.agent_assignment_changed",
    "ticket.group_assignment_changed",
    "ticket.comment_added",
    "ticket.priority_changed",
    "ticket.tags_changed",
    "ticket.merged",
    "ticket.soft_deleted",
)
MESSAGE_ADDED = "messaging_ticket.message_added"
SUBSCRIBABLE = (*TICKET_EVENTS, MESSAGE_ADDED)


def body_of(account: Account, happened: Happened) -> bytes:
    """Write the body of one event."""
    return pretty(
        _message_event(account, happened) if happened.kind == MESSAGE_ADDED else _ticket_event(account, happened)
    )


def pretty(event: Json) -> bytes:
    """Indent by three blanks and end the line, as recorded."""
    return (json.dumps(event, indent=3, ensure_ascii=False) + "\n").encode("utf-8", "replace")


def _envelope(account: Account, happened: Happened, event_id: str, detail: Json, event: Json) -> Json:
    assert happened.ticket is not None
    return {
        "account_id": account.id,
        "detail": detail,
        "event": event,
        "id": event_id,
        "subject": f"zen:ticket:{happened.ticket.id}",
        "time": event_time(happened.at, account.ports.dice),
        "type": PREFIX + happened.kind,
        "zendesk_event_version": VERSION,
    }


def _message_event(account: Account, happened: Happened) -> Json:
    assert happened.ticket is not None
    message = happened.facts["message"]
    event: Json = {
        "actor": {"id": happened.actor.id, "name": happened.actor.name, "type": happened.actor.type},
        "message": {"body": text_of(message.content), "id": message.id},
    }
    if account.settings.conversation_id_in_events and happened.conversation is not None:
        event["conversation_id"] = happened.conversation.id
    detail = {"id": str(happened.ticket.id)}
    return _envelope(account, happened, account.ids.ulid(happened.at), detail, event)


def _ticket_event(account: Account, happened: Happened) -> Json:
    assert happened.ticket is not None
    event: Json = {}
    facts = happened.facts
    if "comment" in facts:
        event["comment"] = _comment(account, facts["comment"])
    if "previous" in facts or "current" in facts:
        event["current"], event["previous"] = _upper(facts["current"]), _upper(facts["previous"])
    if "target" in facts:
        event["target_ticket_id"] = str(facts["target"])
    event["meta"] = {"sequence": facts.get("sequence", {"id": account.ids.hex_upper(16), "position": 1})}
    detail = _detail(happened.ticket, happened.actor.support_id)
    return _envelope(account, happened, account.ids.uuid(), detail, event)


def _detail(ticket: Ticket, actor_id: int) -> Json:
    return {
        "actor_id": str(actor_id),
        "assignee_id": _text(ticket.assignee_id),
        "brand_id": str(ticket.brand_id),
        "created_at": rest_time(ticket.created_at),
        "custom_status": None,
        "description": ticket.description,
        "external_id": ticket.external_id,
        "form_id": str(ticket.form_id),
        "group_id": _text(ticket.group_id),
        "id": str(ticket.id),
        "is_public": ticket.is_public,
        "organization_id": _text(ticket.organization_id),
        "priority": _upper(ticket.priority),
        "requester_id": str(ticket.requester_id),
        "status": ticket.status.upper(),
        "subject": ticket.subject,
        "submitter_id": str(ticket.submitter_id),
        "tags": list(ticket.tags),
        "type": _upper(ticket.type),
        "updated_at": rest_time(ticket.updated_at),
        "via": {"channel": ticket.via},
    }


def _comment(account: Account, comment: Comment) -> Json:
    author = account.records.users.get(comment.author_id)
    return {
        "author": {
            "id": str(comment.author_id),
            "is_staff": bool(author and author.is_staff),
            "name": author.shown_name if author else "System",
        },
        "body": comment.body,
        "html_body": comment.html_body,
        "id": str(comment.id),
        "is_public": comment.public,
    }


def _upper(value: Any) -> Any:
    """Write a value as events do: enums upper case, ids as text, lists as they are."""
    if value is None or isinstance(value, list):
        return value
    return str(value).upper()


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
