"""Show everything the account holds as JSON, for tests and pages; secrets stay out."""

from __future__ import annotations

from dataclasses import asdict

from zendesk_emulator import help_center, sunshine_json, support_json, webhooks_api
from zendesk_emulator.account import Account
from zendesk_emulator.conversation_log import events_of
from zendesk_emulator.emulator import Emulator
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.tickets import Ticket
from zendesk_emulator.records.webhooks import Webhook
from zendesk_emulator.text import rest_time


def everything(emulator: Emulator) -> Json:
    """Show the whole state."""
    account, records = emulator.account, emulator.account.records
    return {
        "account": {"id": account.id, "subdomain": account.subdomain, "app_id": account.app_id},
        "now": rest_time(account.now()),
        "rings": account.bell.rings,
        "settings": asdict(records.settings),
        "counts": counts(emulator),
        "agents": [{**support_json.user(account, agent), "messaging": agent.messaging} for agent in account.agents()],
        "users": [support_json.user(account, user) for user in records.users.values() if not user.is_staff],
        "groups": [
            {**support_json.group(account, group), "members": group.members} for group in records.groups.values()
        ],
        "tickets": [ticket(account, record) for record in records.tickets.values()],
        "sunshine_users": [sunshine_json.user(user) for user in records.sun_users.values()],
        "conversations": [
            {
                **sunshine_json.conversation(account, conversation),
                "userId": conversation.user_id,
                "ticketId": conversation.ticket_id,
                "messages": [sunshine_json.message(message) for message in conversation.messages],
            }
            for conversation in records.conversations.values()
        ],
        "seats": [sunshine_json.seat(seat) for seat in records.seats.values()],
        "webhooks": [webhook(record) for record in records.webhooks.values()],
        "triggers": [{"id": rule.id, "title": rule.title, "active": rule.active} for rule in records.triggers.values()],
        "apps": [{"installation_id": app.id, "app_id": app.app_id, "name": app.name} for app in records.apps.values()],
        "articles": [help_center.shown(account, article) for article in records.articles.values()],
        "faults": [rule.shown() for rule in emulator.faults.rules],
        "held": len(emulator.faults.held),
    }


def counts(emulator: Emulator) -> dict[str, int]:
    """Count what tests wait for."""
    records = emulator.account.records
    tries = [entry for entry in emulator.log.entries if entry["direction"] == "out"]
    return {
        "tickets": len(records.tickets),
        "comments": sum(len(record.comments) for record in records.tickets.values()),
        "conversations": len(records.conversations),
        "messages": sum(len(conversation.messages) for conversation in records.conversations.values()),
        "user_messages": sum(
            message.author["type"] == "user"
            for conversation in records.conversations.values()
            for message in conversation.messages
        ),
        "webhooks_sent": len(tries),
        "webhooks_delivered": sum(200 <= (entry["status"] or 0) < 300 for entry in tries),
        "calls": sum(entry["direction"] == "in" for entry in emulator.log.entries),
        "held": len(emulator.faults.held),
    }


def ticket(account: Account, record: Ticket) -> Json:
    """Show a ticket with its comments, its log and its session."""
    return {
        **support_json.ticket(account, record),
        "conversation_id": record.conversation_id,
        "session": record.session,
        "session_ended_reason": record.session_ended_reason,
        "unread": record.unread,
        "comments": [support_json.comment(account, comment) for comment in record.comments],
        "log": events_of(account, record),
    }


def webhook(record: Webhook) -> Json:
    """Show a webhook with what became of its invocations."""
    return {
        **webhooks_api.shown(record),
        "invocations": [
            {
                "id": invocation.id,
                "kind": invocation.kind,
                "status": invocation.status,
                "status_code": invocation.status_code,
                "attempts": len(invocation.attempts),
            }
            for invocation in record.invocations
        ],
    }
