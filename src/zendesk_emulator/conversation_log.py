"""Show a ticket's whole conversation in one order: live messages and comments.

https://developer.zendesk.com/api-reference/ticketing/tickets/conversation_log/
"""

from __future__ import annotations

from datetime import datetime

from zendesk_emulator import support_json
from zendesk_emulator.account import Account
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.messaging import Message
from zendesk_emulator.records.tickets import Comment, Ticket
from zendesk_emulator.text import sun_time


def events_of(account: Account, ticket: Ticket) -> list[Json]:
    """List the events of a ticket, oldest first; messages of other tickets on the same conversation are left out."""
    conversation = account.conversation_of(ticket)
    dated: list[tuple[datetime, Json]] = []
    if conversation is not None:
        shown, until = _shown_messages(ticket), _next_ticket_at(account, ticket)
        dated += [
            (message.received, _message(account, message))
            for message in conversation.messages
            if message.id in shown
            or (message.received >= ticket.created_at and (until is None or message.received < until))
        ]
    dated += [(comment.created_at, _comment(account, comment)) for comment in ticket.comments]
    return [event for _, event in sorted(dated, key=lambda pair: pair[0])]


def _shown_messages(ticket: Ticket) -> set[str]:
    """Find the messages the ticket started with."""
    return {
        entry["message_id"]
        for audit in ticket.audits
        for event in audit.events
        if event["type"] == "ChatStartedEvent"
        for entry in event["value"]["history"]
    }


def _next_ticket_at(account: Account, ticket: Ticket) -> datetime | None:
    """Find when the same conversation got its next ticket."""
    later = [
        other.created_at
        for other in account.records.tickets.values()
        if other.conversation_id == ticket.conversation_id and other.id > ticket.id
    ]
    return min(later, default=None)


def _message(account: Account, message: Message) -> Json:
    agent = str(message.metadata.get("__zendesk_msg.agent.id") or "")
    kind = "user" if message.author["type"] == "user" else "agent" if agent.isdigit() else "bot"
    author: Json = {"type": kind, "display_name": message.author.get("displayName") or ""}
    if kind == "user":
        author["zen:sunco:user_id"] = message.author.get("userId")
        user = account.records.sun_users.get(str(message.author.get("userId")))
        author["zen:support:user_id"] = user.support_user_id if user else None
    elif kind == "agent":
        author["zen:support:user_id"] = int(agent)
    media = message.content.get("mediaUrl")
    return {
        "id": message.id,
        "type": "Messaging::ConversationMessage",
        "created_at": sun_time(message.received),
        "author": author,
        "content": message.content,
        "attachments": [{"content_url": media, "content_type": message.content.get("mediaType")}] if media else [],
        "source": {"type": message.source["type"]},
        "reference": f"zen:sunco:conversation_message:{message.id}",
        "metadata": message.metadata,
    }


def _comment(account: Account, comment: Comment) -> Json:
    user = account.records.users.get(comment.author_id)
    return {
        "id": str(comment.id),
        "type": "Comment",
        "created_at": sun_time(comment.created_at),
        "author": {
            "type": "agent" if user and user.is_staff else "user",
            "display_name": user.shown_name if user else "System",
            "zen:support:user_id": comment.author_id,
        },
        "content": {"type": "html", "body": comment.html_body, "text": comment.body},
        "public": comment.public,
        "attachments": [support_json.attachment(account, file) for file in comment.attachments],
        "reference": f"zen:ticket_event:{comment.id}",
    }
