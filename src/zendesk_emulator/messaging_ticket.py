"""The ticket that stands for a live chat: how it is made, and what its metadata may set.

https://support.zendesk.com/hc/en-us/articles/4419179022874 (history), and public integrations (metadata keys).
"""

from __future__ import annotations

from zendesk_emulator.account import SYSTEM, Account
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.messaging import Conversation, Message, SunUser
from zendesk_emulator.records.people import User
from zendesk_emulator.records.tickets import Session, Ticket
from zendesk_emulator.text import rest_time
from zendesk_emulator.tickets import PRIORITIES, Tickets, read_tags

HISTORY = 10
_SYSTEM_FIELD = "dataCapture.systemField."
_TICKET_FIELD = "dataCapture.ticketField."
_CONVERSATION_FIELD = "zen:ticket_field:"
_CONVERSATION_TAGS = "zen:ticket:tags"


def open_or_resume(account: Account, tickets: Tickets, conversation: Conversation, metadata: Json) -> Ticket:
    """Give the conversation its ticket: the one it has while its session lives, else a new one."""
    known = account.records.tickets.get(conversation.ticket_id or 0)
    if known is not None and not known.is_over and known.session is not Session.ENDED:
        tickets.set_session(known, Session.ACTIVE, SYSTEM)
        return known
    return _open(account, tickets, conversation, metadata)


def _open(account: Account, tickets: Tickets, conversation: Conversation, metadata: Json) -> Ticket:
    user = account.records.sun_users[conversation.user_id]
    if conversation.bot_ticket and account.settings.bot_ticket_loses_data_capture:
        # Reported by an integrator: a ticket that exists before control is passed no longer takes these fields.
        kept = ("first_message_id", "origin_source_type")
        metadata = {key: value for key, value in metadata.items() if key in kept}
    captured = {
        key.removeprefix(_SYSTEM_FIELD): str(value) for key, value in metadata.items() if key.startswith(_SYSTEM_FIELD)
    }
    requester = _requester(account, user, captured)
    now = account.now()
    origin = str(metadata.get("origin_source_type") or "")
    boilerplate = f"Conversation with Web User {user.id}"
    ticket = Ticket(
        id=account.ids.ticket(),
        subject=captured.get("subject") or f"Conversation with {requester.name}",
        description=captured.get("description") or boilerplate,
        requester_id=requester.id,
        submitter_id=requester.id,
        created_at=now,
        updated_at=now,
        brand_id=_number(captured.get("brand_id")) or account.records.brand_id,
        form_id=_number(captured.get("ticket_form_id")) or account.records.form_id,
        via="native_messaging" if origin in ("web", "ios", "android") else origin or "sunshine_conversations_api",
        is_public=False,
        conversation_id=conversation.id,
        session=Session.ACTIVE,
        last_message_at=now,
    )
    _fill(account, ticket, captured, metadata, conversation.metadata)
    history = _history(conversation, metadata)
    conversation.ticket_id, conversation.bot_ticket = ticket.id, False
    tickets.open_for_messaging(ticket, boilerplate, _chat_started(conversation, history, origin))
    if account.settings.messages_before_ticket_as_events:
        for message in history:
            account.emit(
                "messaging_ticket.message_added",
                ticket=ticket,
                conversation=conversation,
                actor=SYSTEM,
                facts={"message": message},
            )
    return ticket


def _fill(account: Account, ticket: Ticket, captured: Json, metadata: Json, conversation_metadata: Json) -> None:
    """Set tags, fields, group and priority; values Zendesk would not take are dropped silently (a guess)."""
    ticket.tags = read_tags(captured.get("tags"))
    ticket.tags += [tag for tag in read_tags(conversation_metadata.get(_CONVERSATION_TAGS)) if tag not in ticket.tags]
    for source, prefix in ((conversation_metadata, _CONVERSATION_FIELD), (metadata, _TICKET_FIELD)):
        for key, value in source.items():
            number = _number(key.removeprefix(prefix)) if key.startswith(prefix) else None
            if number is not None:
                ticket.custom_fields[number] = value
    if captured.get("priority") in PRIORITIES:
        ticket.priority = captured["priority"]
    group = account.records.groups.get(_number(captured.get("group_id")) or 0)
    ticket.group_id = group.id if group else None
    assignee = account.records.users.get(_number(captured.get("assignee_id")) or 0)
    if assignee and assignee.is_staff and (group is None or assignee.id in group.members):
        ticket.assignee_id = assignee.id
    ticket.recipient = captured.get("recipient")


def _requester(account: Account, user: SunUser, captured: Json) -> User:
    """Find or make the Support user of a messaging user, and link the two."""
    email = captured.get("requester.email") or ""
    profile_name = " ".join(str(user.profile.get(key) or "") for key in ("givenName", "surname")).strip()
    name = captured.get("requester.name") or profile_name or f"Web User {user.id}"
    support = account.records.users.get(user.support_user_id or 0)
    if support is None and user.external_id:
        support = account.user_by_external_id(user.external_id)
    if support is None and email:
        support = account.user_by_email(email)
    if support is None:
        support = account.add_user(name=name, email=email or None, external_id=user.external_id)
    if user.support_user_id != support.id:
        user.support_user_id = support.id
        support.identities.append(
            {"id": account.ids.integer(), "type": "messaging", "value": user.id, "primary": False}
        )
    return support


def _history(conversation: Conversation, metadata: Json) -> list[Message]:
    """Choose the messages a ticket starts with: from `first_message_id` on, else the last ten."""
    first = metadata.get("first_message_id")
    position = next((place for place, message in enumerate(conversation.messages) if message.id == first), None)
    return conversation.messages[position:] if position is not None else conversation.messages[-HISTORY:]


def _chat_started(conversation: Conversation, history: list[Message], origin: str) -> Json:
    return {
        "conversation_id": conversation.id,
        "channel": origin or "sunshine_conversations_api",
        "history": [
            {
                "type": "ChatMessage",
                "actor_type": "end-user" if message.author["type"] == "user" else "agent",
                "actor_id": str(message.author.get("userId") or ""),
                "actor_name": str(message.author.get("displayName") or ""),
                "message": str(message.content.get("text") or ""),
                "message_id": message.id,
                "timestamp": int(message.received.timestamp() * 1000),
                "original_message": {
                    "id": message.id,
                    "received": rest_time(message.received),
                    "author": message.author,
                    "content": message.content,
                },
            }
            for message in history
        ],
    }


def _number(value: object) -> int | None:
    digits = str(value or "")
    return int(digits) if digits.isdigit() else None
