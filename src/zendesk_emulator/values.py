"""The values behind `{{placeholders}}`, for comments and for trigger bodies.

https://support.zendesk.com/hc/en-us/articles/4408886858138
"""

from __future__ import annotations

from zendesk_emulator.account import Account, Actor
from zendesk_emulator.records.people import User
from zendesk_emulator.records.tickets import Ticket
from zendesk_emulator.text import rest_time


def placeholder_values(account: Account, ticket: Ticket, actor: Actor) -> dict[str, str]:
    """Give every placeholder this emulator knows; values are not escaped in any way (a guess)."""
    users = account.records.users
    group = account.records.groups.get(ticket.group_id or 0)
    public = next((comment for comment in reversed(ticket.comments) if comment.public), None)
    latest = ticket.comments[-1] if ticket.comments else None
    values = {
        "ticket.id": str(ticket.id),
        "ticket.title": ticket.subject,
        "ticket.description": ticket.description,
        "ticket.status": ticket.status.capitalize(),
        "ticket.priority": (ticket.priority or "").capitalize(),
        "ticket.ticket_type": (ticket.type or "").capitalize(),
        "ticket.external_id": ticket.external_id or "",
        "ticket.via": ticket.via,
        "ticket.url": f"{account.base_url.split('://', 1)[-1]}/agent/tickets/{ticket.id}",
        "ticket.link": f"{account.base_url}/agent/tickets/{ticket.id}",
        "ticket.tags": " ".join(ticket.tags),
        "ticket.group.name": group.name if group else "",
        "ticket.account": account.subdomain,
        "ticket.created_at": rest_time(ticket.created_at),
        "ticket.updated_at": rest_time(ticket.updated_at),
        "ticket.latest_comment": latest.body if latest else "",
        "ticket.latest_comment_html": latest.html_body if latest else "",
        "ticket.latest_public_comment": public.body if public else "",
        "ticket.latest_public_comment_html": public.html_body if public else "",
        "current_user.id": str(actor.support_id),
        "current_user.name": actor.name,
        "current_user.role": actor.type,
    }
    values |= _person("ticket.requester", users.get(ticket.requester_id))
    values |= _person("ticket.assignee", users.get(ticket.assignee_id or 0))
    values |= {f"ticket.ticket_field_{key}": str(value) for key, value in ticket.custom_fields.items()}
    return values


def _person(prefix: str, user: User | None) -> dict[str, str]:
    return {
        f"{prefix}.id": str(user.id) if user else "",
        f"{prefix}.name": user.name if user else "",
        f"{prefix}.first_name": user.name.split()[0] if user and user.name else "",
        f"{prefix}.email": (user.email or "") if user else "",
        f"{prefix}.external_id": (user.external_id or "") if user else "",
    }
