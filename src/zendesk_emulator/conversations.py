"""Messaging: users, conversations, messages, and what each does to the ticket behind it.

A message always reaches, in this order: the conversation, Sunshine webhooks, the ticket, and Zendesk's own webhooks.
https://developer.zendesk.com/documentation/conversations/
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from zendesk_emulator.account import SYSTEM, Account, Actor
from zendesk_emulator.errors import SunRefused
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.messaging import Conversation, Message, SunUser
from zendesk_emulator.records.people import User
from zendesk_emulator.records.tickets import Session, Ticket
from zendesk_emulator.switchboard import Switchboard
from zendesk_emulator.tickets import Tickets

TEXT_LIMIT = 4096
METADATA_LIMIT = 4096


class Conversations:
    """The rules of messaging."""

    def __init__(self, account: Account, tickets: Tickets, switchboard: Switchboard) -> None:
        self._account = account
        self._tickets = tickets
        self._switchboard = switchboard

    # Users

    def create_user(self, fields: Json) -> SunUser:
        """Create a messaging user; an `externalId` that is taken is a conflict."""
        external_id = fields.get("externalId")
        if external_id is not None:
            if not isinstance(external_id, str) or not 1 <= len(external_id) <= 1024:
                raise SunRefused(400, "bad_request", "externalId must be 1 to 1024 characters")
            if self._by_external_id(external_id):
                raise SunRefused(409, "conflict", "User already exists")
        now = self._account.now()
        user = SunUser(id=self._account.ids.hex24(now), created_at=now, external_id=external_id)
        self.change_user(user, fields)
        self._account.records.sun_users[user.id] = user
        return user

    def change_user(self, user: SunUser, fields: Json) -> None:
        """Change profile, metadata and retention; nothing else can change."""
        if "metadata" in fields:
            user.metadata = {**user.metadata, **check_metadata(fields["metadata"])}
        if "profile" in fields:
            user.profile = {**user.profile, **dict(fields["profile"] or {})}
        if "toBeRetained" in fields:
            user.to_be_retained = bool(fields["toBeRetained"])

    def delete_user(self, user: SunUser) -> None:
        """Forget a user with all conversations."""
        records = self._account.records
        del records.sun_users[user.id]
        for conversation in [found for found in records.conversations.values() if found.user_id == user.id]:
            del records.conversations[conversation.id]
            self._account.emit("sunshine.conversation:remove", conversation=conversation)
        self._account.emit("sunshine.user:remove", facts={"user": user})

    def user(self, user_id: str) -> SunUser:
        """Find a messaging user by id or external id."""
        found = self._account.records.sun_users.get(user_id) or self._by_external_id(user_id)
        if found is None:
            raise SunRefused(404, "user_not_found", "User not found")
        return found

    def _by_external_id(self, external_id: str) -> SunUser | None:
        users = self._account.records.sun_users.values()
        return next((user for user in users if user.external_id == external_id), None)

    # Conversations

    def create(self, fields: Json) -> Conversation:
        """Create a conversation; it starts under the account's default responder."""
        account = self._account
        if fields.get("type") not in ("personal", "sdkGroup"):
            raise SunRefused(400, "bad_request", "type must be one of personal, sdkGroup")
        participants = fields.get("participants") or []
        if fields["type"] == "personal" and len(participants) != 1:
            raise SunRefused(400, "bad_request", "A personal conversation has exactly one participant")
        participant = participants[0]
        user = self.user(str(participant.get("userId") or participant.get("userExternalId") or ""))
        earlier = [known for known in account.records.conversations.values() if known.user_id == user.id]
        if earlier and not account.settings.multi_conversations:
            # The code of this refusal is not documented.
            raise SunRefused(400, "bad_request", "User already has a conversation and multi-conversations is off")
        now = account.now()
        conversation = Conversation(
            id=account.ids.hex24(now),
            type=fields["type"],
            user_id=user.id,
            created_at=now,
            updated_at=now,
            is_default=not earlier,
            active=account.records.default_seat,
        )
        self.change(conversation, fields, told=False)
        account.records.conversations[conversation.id] = conversation
        account.emit("sunshine.conversation:create", conversation=conversation)
        return conversation

    def change(self, conversation: Conversation, fields: Json, *, told: bool = True) -> None:
        """Change names and metadata; given metadata keys are added, others stay (a guess)."""
        if "metadata" in fields:
            conversation.metadata = {**conversation.metadata, **check_metadata(fields["metadata"])}
        for key, name in (("displayName", "display_name"), ("description", "description"), ("iconUrl", "icon_url")):
            if key in fields:
                setattr(conversation, name, fields[key])
        conversation.updated_at = self._account.now()
        if told:
            self._account.bell.ring()

    def delete(self, conversation: Conversation) -> None:
        """Delete a conversation; a user's default one stays."""
        if conversation.is_default:
            raise SunRefused(400, "bad_request", "The default conversation cannot be deleted")
        del self._account.records.conversations[conversation.id]
        self._account.emit("sunshine.conversation:remove", conversation=conversation)

    def fill(self, conversation: Conversation) -> None:
        """Have it hold as many messages as it may: it takes no more."""
        conversation.is_full = True
        self._account.emit("conversation.full", conversation=conversation)

    def get(self, conversation_id: str) -> Conversation:
        """Find a conversation, or refuse with 404."""
        found = self._account.records.conversations.get(conversation_id)
        if found is None:
            raise SunRefused(404, "conversation_not_found", "Conversation not found")
        return found

    # Messages

    def post(self, conversation: Conversation, fields: Json) -> Message:
        """Post what an API caller sends; user messages go to whoever has control."""
        account = self._account
        author, content = fields.get("author"), fields.get("content")
        if not isinstance(author, dict) or author.get("type") not in ("user", "business"):
            raise SunRefused(400, "bad_request", "author.type must be one of user, business")
        check_content(content)
        subtypes = author.get("subtypes") or []
        if any(subtype not in ("AI", "activity") for subtype in subtypes):
            raise SunRefused(400, "bad_request", "author.subtypes may hold AI or activity")
        metadata = check_metadata(fields.get("metadata") or {})
        if author["type"] == "user":
            user = self.user(str(author.get("userId") or author.get("userExternalId") or ""))
            if user.id != conversation.user_id:
                raise SunRefused(404, "user_not_found", "User is not part of the conversation")
            written: Json = {"type": "user", "userId": user.id, "displayName": user_name(user)}
        else:
            written = {key: author[key] for key in ("type", "displayName", "avatarUrl", "subtypes") if author.get(key)}
        if len(conversation.messages) >= account.settings.messages_per_conversation and not conversation.is_full:
            self.fill(conversation)
        if conversation.is_full:
            raise SunRefused(423, "locked", "Conversation has too many messages")
        shown = self._with_file(conversation, dict(content or {}))
        message = self.add(conversation, written, shown, metadata, {"type": "api:conversations"})
        if author["type"] == "user":
            self._user_wrote(conversation, message)
        else:
            # How our own business messages look to Zendesk's webhooks is not documented: `system` is a guess.
            name = str(written.get("displayName") or "")
            self._message_added(conversation, message, Actor(type="system", id="api:conversations", name=name))
        return message

    def _with_file(self, conversation: Conversation, content: Json) -> Json:
        """Say what a file of ours is; one that was uploaded for another conversation is refused, as users report."""
        _, ours, key = str(content.get("mediaUrl") or "").partition("/sc/attachments/v2/")
        if not ours:
            return content
        file = self._account.records.sun_attachments.get(unquote(key))
        if file is None or file.conversation_id not in {None, conversation.id}:
            raise SunRefused(400, "bad_request", "content.mediaUrl is not a file of this conversation")
        return {**content, "mediaType": file.content_type, "mediaSize": len(file.data)}

    def add(
        self,
        conversation: Conversation,
        author: Json,
        content: Json,
        metadata: Json,
        source: Json,
        *,
        activity: Json | None = None,
    ) -> Message:
        """Append a message and tell Sunshine webhooks."""
        account = self._account
        now = account.now()
        message = Message(
            id=account.ids.hex24(now),
            received=now,
            author=author,
            content=content,
            source=source,
            metadata=metadata,
            activity=activity,
        )
        conversation.messages.append(message)
        conversation.updated_at = now
        account.emit("sunshine.conversation:message", conversation=conversation, facts={"message": message})
        return message

    def say_as_agent(self, conversation: Conversation, agent: User, content: Json) -> Message:
        """Post an agent's live reply, marked as Agent Workspace marks it."""
        now = self._account.now()
        message = self.add(
            conversation,
            {"type": "business", "displayName": agent.shown_name, "subtypes": ["agent"]},
            content,
            {
                "__zendesk_msg.agent.id": str(agent.id),
                "__zendesk_msg.client_message_id": self._account.ids.hex24(now),
            },
            {"type": "zd:agentWorkspace"},
        )
        self._message_added(conversation, message, Actor(type="agent", id=str(agent.id), name=agent.shown_name))
        return message

    def say_as_trigger(self, conversation: Conversation, body: str, name: str = "Automated Response") -> Message:
        """Post what a messaging trigger would: it looks like a business message but nobody wrote it."""
        message = self.add(
            conversation,
            {"type": "business", "displayName": name},
            {"type": "text", "text": body},
            {"__zendesk_msg.agent.id": "__trigger"},
            {"type": "zd:agentWorkspace"},
        )
        self._message_added(conversation, message, Actor(type="trigger", id="-1", name=name))
        return message

    def say_as_system(self, conversation: Conversation, body: str, metadata: Json | None = None) -> Message:
        """Post a system message, such as a satisfaction survey."""
        message = self.add(
            conversation,
            {"type": "business", "displayName": self._account.subdomain},
            {"type": "text", "text": body},
            metadata or {},
            {"type": "zd:agentWorkspace"},
        )
        self._message_added(conversation, message, Actor(type="system", id="zd:agentWorkspace", name="System"))
        return message

    def activity(self, conversation: Conversation, fields: Json) -> None:
        """Take a typing or read signal; a user may only have read."""
        author, kind = fields.get("author") or {}, fields.get("type")
        if kind not in ("conversation:read", "typing:start", "typing:stop"):
            raise SunRefused(400, "bad_request", "type must be one of conversation:read, typing:start, typing:stop")
        if author.get("type") == "user":
            if kind != "conversation:read":
                raise SunRefused(400, "bad_request", "A user may only send conversation:read")
            conversation.user_last_read = self._account.now()
        elif kind == "conversation:read":
            conversation.business_last_read = self._account.now()
        trigger = "conversation:read" if kind == "conversation:read" else "conversation:typing"
        self._account.emit(
            f"sunshine.{trigger}", conversation=conversation, facts={"author": author, "activity": {"type": kind}}
        )

    # What a message does

    def _user_wrote(self, conversation: Conversation, message: Message) -> None:
        """Route a customer's message: to the ticket, to the bot, or to the default responder."""
        account = self._account
        if conversation.active is None:
            self._switchboard.assign_default(conversation)
        seat = account.records.seats.get(conversation.active or "")
        user = self.user(conversation.user_id)
        if seat is None:
            return
        if seat.integration_type == "zd:agentWorkspace":
            ticket = account.records.tickets.get(conversation.ticket_id or 0)
            if ticket is not None:
                self._wake(ticket, user)
            self._message_added(conversation, message, Actor(type="end_user", id=user.id, name=user_name(user)))
            return
        conversation.bot_ticket = True
        if seat.integration_type == "zd:answerBot":
            self._bot_answers(conversation)

    def _wake(self, ticket: Ticket, user: SunUser) -> None:
        """Let a customer's message bring a resting ticket and session back."""
        ticket.unread += 1
        support = self._account.records.users.get(user.support_user_id or 0)
        name = support.shown_name if support else user_name(user)
        actor = Actor(type="end_user", id=str(ticket.requester_id), name=name)
        if ticket.status in ("solved", "pending", "hold"):
            self._tickets.set(ticket, actor, status="open", via=ticket.via)
        if ticket.session is Session.INACTIVE:
            self._tickets.set_session(ticket, Session.ACTIVE, actor)

    def _bot_answers(self, conversation: Conversation) -> None:
        """Let Zendesk's own bot talk over us, as it would when control was never taken."""
        name = self._account.settings.bot_name
        self.add(
            conversation,
            {"type": "business", "displayName": name, "subtypes": ["bot"]},
            {"type": "text", "text": "I am the help desk's own bot. (Nobody has taken control of this conversation.)"},
            {},
            {"type": "zd:answerBot"},
        )

    def _message_added(self, conversation: Conversation, message: Message, actor: Actor) -> None:
        """Tell Zendesk's webhooks about a message on a messaging ticket, whoever wrote it."""
        account = self._account
        ticket = account.records.tickets.get(conversation.ticket_id or 0)
        if ticket is None or not self._switchboard.is_with_agents(conversation):
            return
        ticket.last_message_at = message.received
        account.emit(
            "messaging_ticket.message_added",
            ticket=ticket,
            conversation=conversation,
            actor=actor,
            facts={"message": message},
        )
        self._watch_idle(ticket)

    def _watch_idle(self, ticket: Ticket) -> None:
        minutes = self._account.settings.inactive_after_minutes
        if minutes is not None:
            self._account.ports.spawn(self._idle_later(ticket, minutes * 60))

    async def _idle_later(self, ticket: Ticket, seconds: float) -> None:
        """Let the session rest when nobody has written for a while."""
        seen = ticket.last_message_at
        await self._account.ports.sleep(seconds)
        if ticket.last_message_at == seen and ticket.session is Session.ACTIVE:
            self._tickets.set_session(ticket, Session.INACTIVE, SYSTEM)


def user_name(user: SunUser) -> str:
    """Give the name a messaging user goes by."""
    names = [str(user.profile.get(key) or "") for key in ("givenName", "surname")]
    return " ".join(name for name in names if name) or f"Web User {user.id}"


def text_of(content: Json) -> str:
    """Give the text of a message; files and forms have little or none."""
    return str(content.get("text") or content.get("altText") or "")


def check_metadata(metadata: Any) -> Json:
    """Refuse metadata that is not flat or is over 4 KB."""
    if not isinstance(metadata, dict):
        raise SunRefused(400, "bad_request", "metadata must be an object")
    for key, value in metadata.items():
        if not isinstance(value, (str, int, float, bool)):
            raise SunRefused(400, "bad_request", f"metadata.{key} must be a string, a number or a boolean")
    size = sum(len(str(key).encode()) + len(str(value).encode()) for key, value in metadata.items())
    if size > METADATA_LIMIT:
        raise SunRefused(400, "bad_request", "metadata must be at most 4 KB")
    return metadata


def check_content(content: Any) -> None:
    """Refuse content the message schema would refuse."""
    kinds = ("text", "image", "file", "carousel", "list", "form", "location", "template")
    if not isinstance(content, dict) or content.get("type") not in kinds:
        raise SunRefused(400, "bad_request", f"content.type must be one of {', '.join(kinds)}")
    if content["type"] == "text":
        written = [content.get(key) for key in ("text", "htmlText", "markdownText") if content.get(key)]
        if not written and not content.get("actions"):
            raise SunRefused(400, "bad_request", "content.text is required")
        if any(len(str(part)) > TEXT_LIMIT for part in written):
            raise SunRefused(400, "bad_request", f"content.text must be at most {TEXT_LIMIT} characters")
    if content["type"] in ("image", "file") and not content.get("mediaUrl"):
        raise SunRefused(400, "bad_request", "content.mediaUrl is required")
