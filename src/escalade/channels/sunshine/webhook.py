"""Check and read what Sunshine Conversations sends us: a batch of events, each only a hint to look at the list.

Pure, and tolerant: new kinds and fields appear without notice.
https://developer.zendesk.com/api-reference/conversations/#tag/Webhooks
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from escalade.channels.base import Arrival, ArrivalKind
from escalade.domain.errors import Invalid, Unverified

Json = dict[str, Any]

AGENTS = "zd:agentWorkspace"
MESSAGE = "conversation:message"
CONTROL = frozenset({"switchboard:passControl", "switchboard:releaseControl"})


@dataclass(frozen=True, slots=True, kw_only=True)
class SunshineEvent:
    """One event of a batch. `handoff` is our own mark on the conversation: other people's have none.

    `left_agents` says that control moved and is no longer with the agents; our own taking of it looks the same.
    """

    kind: str
    event_id: str
    conversation_id: str | None
    message_id: str | None
    author_type: str | None
    handoff: str | None
    left_agents: bool


def verify_key(secret_texts: Iterable[str], given: str | None) -> None:
    """Check the `X-API-Key` header, a secret shared with the webhook; Sunshine signs nothing."""
    digest = _digest(given or "")
    known = False
    for secret in secret_texts:
        known |= bool(secret) and hmac.compare_digest(_digest(secret), digest)
    if not known:
        raise Unverified("the key does not match", code="key")


def split(payload: object) -> tuple[Json, ...]:
    """Cut a body into its events."""
    if not isinstance(payload, dict):
        raise Invalid("expected an object", pointer="", code="type")
    events = payload.get("events")
    if not isinstance(events, list):
        raise Invalid("expected a list", pointer="/events", code="type")
    for n, event in enumerate(events):
        if not isinstance(event, dict) or not isinstance(event.get("id"), str) or not event["id"]:
            raise Invalid("expected an event with an id", pointer=f"/events/{n}", code="type")
    return tuple(events)


def read(event: Json) -> SunshineEvent:
    """Say what we need to know of an event."""
    payload = _object(event.get("payload"))
    conversation, message = _object(payload.get("conversation")), _object(payload.get("message"))
    kind = _text(event.get("type")) or "unknown"
    return SunshineEvent(
        kind=kind[:128],
        event_id=str(event.get("id"))[:255],
        conversation_id=_text(conversation.get("id")),
        message_id=_text(message.get("id")),
        author_type=_text(_object(message.get("author")).get("type")),
        handoff=_text(_object(conversation.get("metadata")).get("bridge_session")),
        left_agents=kind in CONTROL and controller(conversation) != AGENTS,
    )


def arrival(event: SunshineEvent) -> Arrival:
    """Put an event in the words of all channels."""
    kind = ArrivalKind.OTHER
    if event.kind == MESSAGE:
        kind = ArrivalKind.MESSAGE_ADDED
    elif event.left_agents:
        kind = ArrivalKind.CONTROL_LEFT
    return Arrival(
        kind=kind,
        key=event.event_id,
        conversation_id=event.conversation_id,
        message_id=event.message_id,
        actor_type=event.author_type,
    )


def controller(conversation: Json) -> str | None:
    """Name the type of integration that has control of a conversation; nobody is nothing."""
    return _text(_object(conversation.get("activeSwitchboardIntegration")).get("integrationType"))


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
