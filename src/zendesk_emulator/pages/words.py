"""The words people read on the pages: names of states, channels and events, times, and refusals as one sentence."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from zendesk_emulator.account import Account
from zendesk_emulator.errors import Refused
from zendesk_emulator.events import PREFIX
from zendesk_emulator.records.tickets import Ticket
from zendesk_emulator.records.webhooks import Webhook
from zendesk_emulator.triggers import CONDITIONAL

RIBBON = "Emulator – not Zendesk"

EVENT_GROUPS: Mapping[str, Mapping[str, str]] = {
    "Support tickets": {
        "ticket.created": "Ticket created",
        "ticket.status_changed": "Status changed",
        "ticket.agent_assignment_changed": "Agent assignment changed",
        "ticket.group_assignment_changed": "Group assignment changed",
        "ticket.comment_added": "Comment added",
        "ticket.priority_changed": "Priority changed",
        "ticket.tags_changed": "Tags changed",
        "ticket.merged": "Ticket merged",
        "ticket.soft_deleted": "Ticket deleted",
    },
    "Messaging tickets": {"messaging_ticket.message_added": "Message added"},
}
EVENT_NAMES = {name: label for group in EVENT_GROUPS.values() for name, label in group.items()}

MESSAGING_STATES = {"online": "Online", "away": "Away", "transfers_only": "Transfers only", "offline": "Offline"}
SESSIONS = {"active": "Session active", "inactive": "Session inactive", "ended": "Session ended"}
AUTHENTICATIONS = {
    "none": "None",
    "api_key": "API key",
    "basic_auth": "Basic authentication",
    "bearer_token": "Bearer token",
}

ADMIN: Mapping[str, tuple[tuple[str, str, str], ...]] = {
    "Apps and integrations": (
        ("/admin/conversations-api", "Conversations API", "APIs › Conversations API"),
        ("/admin/oauth-clients", "OAuth clients", "APIs › OAuth clients"),
        ("/admin/api-tokens", "API tokens", "APIs › API tokens"),
        ("/admin/webhooks", "Webhooks", "Webhooks"),
        ("/admin/apps", "Apps", "Apps › Zendesk Support apps"),
    ),
    "Objects and rules": (("/admin/triggers", "Triggers", "Business rules › Triggers"),),
    "Channels": (("/admin/messaging", "Messaging", "Messaging › Manage settings"),),
    "People": (
        ("/admin/groups", "Groups", "Team › Groups"),
        ("/admin/agents", "Agents", "Team › Team members"),
    ),
    "Knowledge": (("/admin/articles", "Help centre", "Help centre › Articles"),),
}


def clock(instant: datetime | None) -> str:
    """Write the time of day."""
    return instant.astimezone(UTC).strftime("%H:%M:%S") if instant else "–"


def moment(instant: datetime | None) -> str:
    """Write day and time."""
    return instant.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC") if instant else "–"


def iso(instant: datetime) -> str:
    """Write an instant for a machine."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds")


def person(account: Account, user_id: int | None, nobody: str = "–") -> str:
    """Name a user."""
    user = account.records.users.get(user_id or 0)
    return user.name if user else nobody


def group(account: Account, group_id: int | None, nobody: str = "–") -> str:
    """Name a group."""
    found = account.records.groups.get(group_id or 0)
    return found.name if found else nobody


def channel(ticket: Ticket) -> str:
    """Name where a ticket came from."""
    if ticket.is_messaging:
        return "Messaging"
    return {"api": "API", "web": "Web form", "email": "Email"}.get(ticket.via, ticket.via)


def connection(webhook: Webhook) -> str:
    """Say what makes a webhook fire."""
    if webhook.subscriptions == [CONDITIONAL]:
        return "Trigger or automation"
    return "Zendesk events"


def subscribed(webhook: Webhook) -> list[str]:
    """Name the events a webhook is subscribed to."""
    names = [name.removeprefix(PREFIX) for name in webhook.subscriptions if name != CONDITIONAL]
    return [EVENT_NAMES.get(name, name) for name in names]


def initials(name: str) -> str:
    """Shorten a name to at most two letters."""
    parts = name.split()
    return "".join(part[0] for part in (parts if len(parts) < 2 else (parts[0], parts[-1]))).upper() or "?"


def pretty(value: Any) -> str:
    """Write JSON for reading."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def sentence(error: Exception) -> str:
    """Find the sentence for a person in a refusal."""
    if not isinstance(error, Refused):
        return getattr(error, "title", "") or str(error)
    body = error.body
    for entry in body.get("errors") or []:
        return str(entry.get("title"))
    for entries in (body.get("details") or {}).values():
        return str(entries[0].get("description"))
    return str(body.get("description") or body.get("error") or error)


FILTERS: dict[str, Any] = {
    "clock": clock,
    "moment": moment,
    "iso": iso,
    "channel": channel,
    "connection": connection,
    "subscribed": subscribed,
    "initials": initials,
    "pretty": pretty,
}
GLOBALS: dict[str, Any] = {
    "ADMIN": ADMIN,
    "AUTHENTICATIONS": AUTHENTICATIONS,
    "EVENT_GROUPS": EVENT_GROUPS,
    "EVENT_PREFIX": PREFIX,
    "MESSAGING_STATES": MESSAGING_STATES,
    "RIBBON": RIBBON,
    "SESSIONS": SESSIONS,
    "group": group,
    "person": person,
}
