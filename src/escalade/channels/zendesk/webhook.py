"""Check and read what Zendesk sends us: subscribed events, and the bodies administrators paste into triggers.

Pure. What we cannot read is `Malformed` or `Invalid` with a pointer; what has no meaning for us is `Other`.
https://developer.zendesk.com/documentation/webhooks/anatomy-of-a-webhook-request/
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from escalade.channels.base import Arrival, ArrivalKind
from escalade.domain.errors import Invalid, Unverified
from escalade.domain.model import Millis

# https://developer.zendesk.com/documentation/webhooks/verifying/ - signs the "test webhook" button; everyone knows it.
STATIC_TEST_SECRET = "dGhpc19zZWNyZXRfaXNfZm9yX3Rlc3Rpbmdfb25seQ=="  # noqa: S105 - public on that page
WINDOW = 15 * 60 * 1000
CLOSED_KIND = "fv:conversation_closed"

_TICKET_ID = re.compile(r"[1-9][0-9]{0,19}")
_PLACEHOLDER = re.compile(r"\{\{\s*ticket\.id\s*\}\}")
_INSTANT = re.compile(
    r"(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?\s*([Zz]|[+-]\d{2}:?\d{2})", re.ASCII
)


# Genuine?


def verify_signature(
    secret_texts: Iterable[str],
    timestamp: str,
    body: bytes,
    signature: str,
    now: Millis,
    *,
    development: bool = False,
) -> Millis:
    """Check that Zendesk signed these very bytes lately, and give the instant it signed, or raise `Unverified`.

    base64(HMAC-SHA256(secret as text, timestamp + body)); the secret looks like base64 but is used as it stands.
    The signature is of the sending, not of the event: a throttled delivery is signed anew.
    """
    given = hashlib.sha256(signature.encode("utf-8", "surrogatepass")).digest()
    signed = timestamp.encode("utf-8", "surrogatepass") + body
    genuine = False
    for secret in secret_texts:
        if not secret or (secret == STATIC_TEST_SECRET and not development):
            continue
        right = base64.b64encode(hmac.new(secret.encode("utf-8", "surrogatepass"), signed, hashlib.sha256).digest())
        # Digests have one length and one type, whatever was sent.
        genuine |= hmac.compare_digest(hashlib.sha256(right).digest(), given)
    if not genuine:
        raise Unverified("the signature does not match", code="signature")
    sent_at = read_instant(timestamp)
    if sent_at is None or abs(now - sent_at) > WINDOW:
        raise Unverified("the signature is not of this quarter of an hour", code="stale")
    return sent_at


def read_instant(text: str) -> Millis | None:
    """Read an RFC 3339 instant with anything from no to nine digits of fraction."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        return None
    day, clock, fraction, zone = match.groups()
    try:
        moment = datetime.fromisoformat(f"{day}T{clock}{'+00:00' if zone in 'Zz' else zone}")
        return int(moment.astimezone(UTC).timestamp()) * 1000 + int((fraction or "").ljust(3, "0")[:3])
    except (ValueError, OverflowError):
        return None


# What it says


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageAdded:
    """Someone or something wrote in a live conversation; `actor_type` is Zendesk's word. Text only: files are not told.

    `message_id` is missing where Zendesk sent none: the list knows.
    """

    event_id: str
    ticket_id: str
    conversation_id: str | None
    message_id: str | None
    actor_type: str
    actor_id: str | None
    actor_name: str | None
    body: str
    account_id: str | None
    at: Millis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusChanged:
    """A ticket's status changed; `current` is Zendesk's word in lower case."""

    event_id: str
    ticket_id: str
    current: str
    account_id: str | None
    at: Millis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentChanged:
    """A ticket was assigned to an agent, or to nobody."""

    event_id: str
    ticket_id: str
    agent_id: str | None
    previous_id: str | None
    account_id: str | None
    at: Millis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CommentAdded:
    """A ticket got a comment, or an internal note where it is not public."""

    event_id: str
    ticket_id: str
    comment_id: str | None
    body: str
    is_public: bool
    is_staff: bool
    author_id: str | None
    author_name: str | None
    account_id: str | None
    at: Millis | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationClosed:
    """The documented trigger fired: the messaging session is no longer active."""

    ticket_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotRendered:
    """A trigger's body arrived as it was typed: somebody is testing the webhook."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other:
    """Genuine, readable, and without a meaning for us."""

    kind: str
    event_id: str | None = None
    ticket_id: str | None = None
    account_id: str | None = None


Inbound = MessageAdded | StatusChanged | AssignmentChanged | CommentAdded | ConversationClosed | NotRendered | Other


def read_webhook(payload: object) -> Inbound:
    """Say what a parsed body means."""
    if not isinstance(payload, dict):
        raise Invalid("expected an object", pointer="", code="type")
    kind = payload.get("type")
    if not isinstance(kind, str) or not kind:
        raise Invalid("expected the name of an event", pointer="/type", code="required")
    if kind == CLOSED_KIND:
        id = payload.get("ticket_id")
        if isinstance(id, str) and _PLACEHOLDER.fullmatch(id.strip()):
            return NotRendered()
        return ConversationClosed(ticket_id=ticket_id(id, "/ticket_id"))
    reading = _MEANING.get(kind.removeprefix("zen:event-type:"))
    if reading is None:
        id = payload.get("id")
        subject = _text(payload.get("subject")) or ""
        number = subject.removeprefix("zen:ticket:") if subject.startswith("zen:ticket:") else ""
        return Other(
            kind=kind[:128],
            event_id=id[:255] if isinstance(id, str) and id else None,
            ticket_id=number if _TICKET_ID.fullmatch(number) else None,
            account_id=_number(payload.get("account_id")),
        )
    return reading(_Envelope(payload))


def ticket_id(value: object, pointer: str) -> str:
    """Read a ticket's id: ASCII digits, as text or as a number, and nothing `int()` would forgive."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or not _TICKET_ID.fullmatch(value):
        raise Invalid("expected 1 to 20 ASCII digits", pointer=pointer, code="pattern")
    return value


def arrival(inbound: Inbound, *, delivery: str, sent_at: Millis | None = None) -> Arrival:
    """Put an inbound event in the words of all channels; `delivery` names it where it does not name itself."""
    match inbound:
        case MessageAdded():
            return Arrival(
                kind=ArrivalKind.MESSAGE_ADDED,
                key=inbound.event_id,
                ticket_id=inbound.ticket_id,
                conversation_id=inbound.conversation_id,
                message_id=inbound.message_id,
                actor_type=inbound.actor_type,
                agent_id=inbound.actor_id if inbound.actor_type == "agent" else None,
                agent_name=inbound.actor_name if inbound.actor_type == "agent" else None,
                text=inbound.body,
                sent_at=sent_at,
            )
        case StatusChanged():
            return Arrival(
                kind=ArrivalKind.STATUS_CHANGED,
                key=inbound.event_id,
                ticket_id=inbound.ticket_id,
                status=inbound.current,
                sent_at=sent_at,
            )
        case AssignmentChanged():
            return Arrival(
                kind=ArrivalKind.ASSIGNMENT_CHANGED,
                key=inbound.event_id,
                ticket_id=inbound.ticket_id,
                agent_id=inbound.agent_id,
                sent_at=sent_at,
            )
        case CommentAdded():
            public = inbound.is_public  # a note's words go no further than this line
            return Arrival(
                kind=ArrivalKind.COMMENT_ADDED if public else ArrivalKind.OTHER,
                key=inbound.event_id,
                ticket_id=inbound.ticket_id,
                message_id=inbound.comment_id,
                actor_type="agent" if inbound.is_staff else "end_user",
                agent_id=inbound.author_id if inbound.is_staff else None,
                agent_name=inbound.author_name if inbound.is_staff else None,
                text=inbound.body if public else "",
                sent_at=sent_at,
            )
        case ConversationClosed():
            return Arrival(kind=ArrivalKind.SESSION_END, key=delivery, ticket_id=inbound.ticket_id, sent_at=sent_at)
        case NotRendered():
            return Arrival(kind=ArrivalKind.OTHER, key=delivery, sent_at=sent_at)
        case _:
            return Arrival(
                kind=ArrivalKind.OTHER,
                key=inbound.event_id or delivery,
                ticket_id=inbound.ticket_id,
                sent_at=sent_at,
            )


class _Envelope:
    """The part every subscribed event has in common."""

    def __init__(self, payload: Mapping[str, Any]) -> None:
        id = payload.get("id")
        if not isinstance(id, str) or not 1 <= len(id) <= 255:
            raise Invalid("expected the id of the event", pointer="/id", code="required")
        subject = _text(payload.get("subject")) or ""
        number = _object(payload.get("detail")).get("id")
        if number is None and subject.startswith("zen:ticket:"):
            number = subject.removeprefix("zen:ticket:")
        event = payload.get("event")
        if not isinstance(event, dict):
            raise Invalid("expected an object", pointer="/event", code="type")
        self.id = id
        self.ticket_id = ticket_id(number, "/detail/id")
        self.account_id = _number(payload.get("account_id"))
        self.at = read_instant(_text(payload.get("time")) or "")
        self.event: Mapping[str, Any] = event


def _message_added(envelope: _Envelope) -> Inbound:
    # `conversation_id` came without a new version number: look for it, do not expect it.
    actor, message = _object(envelope.event.get("actor")), _object(envelope.event.get("message"))
    return MessageAdded(
        event_id=envelope.id,
        ticket_id=envelope.ticket_id,
        conversation_id=_text(envelope.event.get("conversation_id")),
        message_id=_text(message.get("id")),
        actor_type=(_text(actor.get("type")) or "unknown").lower(),
        actor_id=_text(actor.get("id")) or _number(actor.get("id")),
        actor_name=_text(actor.get("name")),
        body=_text(message.get("body")) or "",
        account_id=envelope.account_id,
        at=envelope.at,
    )


def _status_changed(envelope: _Envelope) -> Inbound:
    current = _text(envelope.event.get("current"))
    if current is None:
        raise Invalid("expected a status", pointer="/event/current", code="required")
    return StatusChanged(
        event_id=envelope.id,
        ticket_id=envelope.ticket_id,
        current=current.lower(),
        account_id=envelope.account_id,
        at=envelope.at,
    )


def _assignment_changed(envelope: _Envelope) -> Inbound:
    return AssignmentChanged(
        event_id=envelope.id,
        ticket_id=envelope.ticket_id,
        agent_id=_number(envelope.event.get("current")),
        previous_id=_number(envelope.event.get("previous")),
        account_id=envelope.account_id,
        at=envelope.at,
    )


def _comment_added(envelope: _Envelope) -> Inbound:
    comment = _object(envelope.event.get("comment"))
    author = _object(comment.get("author"))
    return CommentAdded(
        event_id=envelope.id,
        ticket_id=envelope.ticket_id,
        comment_id=_number(comment.get("id")),
        body=_text(comment.get("body")) or "",
        is_public=comment.get("is_public") is True,
        is_staff=author.get("is_staff") is True,
        author_id=_number(author.get("id")),
        author_name=_text(author.get("name")),
        account_id=envelope.account_id,
        at=envelope.at,
    )


# https://developer.zendesk.com/api-reference/webhooks/event-types/ticket-events/
_MEANING = {
    "messaging_ticket.message_added": _message_added,
    "ticket.status_changed": _status_changed,
    "ticket.agent_assignment_changed": _assignment_changed,
    "ticket.comment_added": _comment_added,
}


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _number(value: object) -> str | None:
    """Give an id as text; an unset one is null, 0, "0" or an empty text."""
    text = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    return text if _TICKET_ID.fullmatch(text) else None
