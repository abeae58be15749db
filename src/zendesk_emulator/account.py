"""One Zendesk account in memory: its records, its clock, its ids, and who gets told when something happens.

The account knows no rules. `tickets`, `conversations` and `desk` change it and call `emit`; webhooks, triggers and
pages listen. Everything is gone when the process ends, or on `reset()`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from zendesk_emulator.ids import Ids
from zendesk_emulator.ports import Ports
from zendesk_emulator.records.answers import KeptAnswer
from zendesk_emulator.records.apps import App
from zendesk_emulator.records.articles import Article
from zendesk_emulator.records.credentials import ApiToken, AuthorizationCode, ConversationsKey, OAuthClient, OAuthToken
from zendesk_emulator.records.json import Json
from zendesk_emulator.records.messaging import Conversation, Integration, SunAttachment, SunUser, SwitchboardIntegration
from zendesk_emulator.records.people import Group, User
from zendesk_emulator.records.settings import Settings
from zendesk_emulator.records.tickets import Attachment, Ticket, Upload
from zendesk_emulator.records.triggers import Trigger, TriggerCategory
from zendesk_emulator.records.webhooks import Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who did it, in the words of the messaging events: end_user, agent, trigger or system."""

    type: str
    id: str
    name: str

    @property
    def support_id(self) -> int:
        """Give the Support user id, or -1 for the system."""
        return int(self.id) if self.type in ("agent", "end_user") and self.id.isdigit() else -1


SYSTEM = Actor(type="system", id="-1", name="System")


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something that changed the account, told to every listener at once and in order.

    `kind` is one of: a Zendesk event name (`ticket.status_changed`, `messaging_ticket.message_added`, ...), a Sunshine
    webhook trigger prefixed with `sunshine.`, `ticket.saved` (once per update, for triggers), or a desk matter such as
    `agent.availability`, `webhook.attempted`, `request`.
    """

    kind: str
    at: datetime
    ticket: Ticket | None = None
    conversation: Conversation | None = None
    actor: Actor = SYSTEM
    facts: Mapping[str, Any] = field(default_factory=dict)


Listener = Callable[[Happened], None]


class Bell:
    """Rings when anything happens, so that pages and tests can wait instead of polling."""

    def __init__(self) -> None:
        self.rings = 0
        self._waiting: dict[asyncio.Event, None] = {}  # in order, so that a simulation repeats

    def ring(self) -> None:
        """Wake everyone who waits."""
        self.rings += 1
        for event in self._waiting:
            event.set()

    async def next(self, seen: int, timeout: float) -> int:  # noqa: ASYNC109
        """Wait for a ring after `seen`, at most `timeout` seconds, and say how many there have been."""
        if self.rings == seen:
            event = asyncio.Event()
            self._waiting[event] = None
            try:
                async with asyncio.timeout(timeout):
                    await event.wait()
            except TimeoutError:
                pass
            finally:
                del self._waiting[event]
        return self.rings


@dataclass(slots=True, kw_only=True)
class Records:
    """All records of the account."""

    settings: Settings = field(default_factory=Settings)
    users: dict[int, User] = field(default_factory=dict)
    groups: dict[int, Group] = field(default_factory=dict)
    tickets: dict[int, Ticket] = field(default_factory=dict)
    uploads: dict[str, Upload] = field(default_factory=dict)
    attachments: dict[int, Attachment] = field(default_factory=dict)
    webhooks: dict[str, Webhook] = field(default_factory=dict)
    categories: dict[str, TriggerCategory] = field(default_factory=dict)
    triggers: dict[int, Trigger] = field(default_factory=dict)
    oauth_clients: dict[int, OAuthClient] = field(default_factory=dict)
    oauth_tokens: dict[str, OAuthToken] = field(default_factory=dict)  # by access token
    authorization_codes: dict[str, AuthorizationCode] = field(default_factory=dict)
    api_tokens: dict[int, ApiToken] = field(default_factory=dict)
    conversations_keys: dict[str, ConversationsKey] = field(default_factory=dict)
    sun_users: dict[str, SunUser] = field(default_factory=dict)
    conversations: dict[str, Conversation] = field(default_factory=dict)
    integrations: dict[str, Integration] = field(default_factory=dict)
    seats: dict[str, SwitchboardIntegration] = field(default_factory=dict)
    sun_attachments: dict[str, SunAttachment] = field(default_factory=dict)
    articles: dict[int, Article] = field(default_factory=dict)
    apps: dict[int, App] = field(default_factory=dict)  # by installation
    ticket_fields: dict[int, Json] = field(default_factory=dict)
    schedules: dict[int, Json] = field(default_factory=dict)
    holidays: dict[int, list[Json]] = field(default_factory=dict)
    kept_answers: dict[str, KeptAnswer] = field(default_factory=dict)  # by Idempotency-Key
    default_seat: str = ""
    brand_id: int = 0
    form_id: int = 0


class Account:
    """One account: records, clock, ids and listeners."""

    def __init__(self, ports: Ports, *, base_url: str = "http://127.0.0.1:8701", subdomain: str = "acme") -> None:
        self.ports = ports
        self.base_url = base_url.rstrip("/")
        self.subdomain = subdomain
        self.ids = Ids(ports.dice)
        self.id = 18_500_000 + ports.dice.randrange(10_000)
        self.app_id = self.ids.hex24(ports.now())
        self.switchboard_id = self.ids.hex24(ports.now())
        self.records = Records()
        self.bell = Bell()
        self._advanced = timedelta()
        self._listeners: list[Listener] = []

    # Time

    def now(self) -> datetime:
        """Give the account's time: the outside clock plus whatever was skipped by `advance`."""
        return self.ports.now() + self._advanced

    def advance(self, seconds: float) -> None:
        """Skip time, so that tokens expire and keys are forgotten without waiting."""
        self._advanced += timedelta(seconds=seconds)
        self.bell.ring()

    def rewind(self) -> None:
        """Take back every `advance`."""
        self._advanced = timedelta()

    # Being told

    def listen(self, listener: Listener) -> None:
        """Call this for everything that happens from now on."""
        self._listeners.append(listener)

    def emit(
        self,
        kind: str,
        *,
        ticket: Ticket | None = None,
        conversation: Conversation | None = None,
        actor: Actor = SYSTEM,
        facts: Mapping[str, Any] | None = None,
    ) -> None:
        """Tell every listener what has just happened."""
        happened = Happened(
            kind=kind, at=self.now(), ticket=ticket, conversation=conversation, actor=actor, facts=facts or {}
        )
        for listener in self._listeners:
            listener(happened)
        self.bell.ring()

    # Looking up

    @property
    def settings(self) -> Settings:
        """Give the switches of the account."""
        return self.records.settings

    def user_by_email(self, email: str) -> User | None:
        """Find a Support user by address, whatever its casing."""
        wanted = email.strip().lower()
        return next((user for user in self.records.users.values() if (user.email or "").lower() == wanted), None)

    def user_by_external_id(self, external_id: str) -> User | None:
        """Find a Support user by your id for them."""
        wanted = external_id.lower()
        return next((user for user in self.records.users.values() if (user.external_id or "").lower() == wanted), None)

    def agents(self) -> list[User]:
        """List agents and administrators."""
        return [user for user in self.records.users.values() if user.is_staff and user.active]

    def groups_of(self, user_id: int) -> list[Group]:
        """List the groups a user belongs to."""
        return [group for group in self.records.groups.values() if user_id in group.members]

    def seat_of_type(self, integration_type: str) -> SwitchboardIntegration:
        """Find a built-in seat of the switchboard, such as `zd:agentWorkspace`."""
        return next(seat for seat in self.records.seats.values() if seat.integration_type == integration_type)

    def conversation_of(self, ticket: Ticket) -> Conversation | None:
        """Find the conversation behind a messaging ticket."""
        return self.records.conversations.get(ticket.conversation_id or "")

    def sessions_of(self, agent_id: int) -> list[Ticket]:
        """List the messaging tickets that take up an agent's capacity."""
        return [
            ticket
            for ticket in self.records.tickets.values()
            if ticket.assignee_id == agent_id
            and ticket.session == "active"
            and ticket.status != "solved"
            and not ticket.is_over
        ]

    # Making records that need nothing else

    def add_user(
        self,
        *,
        name: str,
        email: str | None = None,
        role: str = "end-user",
        external_id: str | None = None,
        messaging: str = "offline",
    ) -> User:
        """Create a Support user."""
        now = self.now()
        user = User(
            id=self.ids.integer(),
            name=name,
            email=email,
            role=role,
            external_id=external_id,
            messaging=messaging,
            created_at=now,
            updated_at=now,
        )
        if email:
            user.identities.append({"id": self.ids.integer(), "type": "email", "value": email, "primary": True})
        self.records.users[user.id] = user
        return user

    def add_group(self, name: str, members: list[User], *, default: bool = False) -> Group:
        """Create a group with these agents in it."""
        group = Group(
            id=self.ids.integer(),
            name=name,
            created_at=self.now(),
            default=default,
            members=[member.id for member in members],
        )
        self.records.groups[group.id] = group
        return group

    def add_api_token(self, description: str = "API token") -> ApiToken:
        """Create a legacy API token; used with any agent's address."""
        token = ApiToken(id=self.ids.integer(), token=self.ids.secret(), description=description, created_at=self.now())
        self.records.api_tokens[token.id] = token
        return token

    def add_oauth_client(
        self,
        *,
        identifier: str,
        name: str,
        user: User,
        scopes: list[str] | None = None,
        redirect_uris: list[str] | None = None,
        kind: str = "confidential",
        expires_in: int = 1800,
    ) -> OAuthClient:
        """Create an OAuth client that acts as this user."""
        client = OAuthClient(
            id=self.ids.integer(),
            identifier=identifier,
            name=name,
            secret=self.ids.secret(64),
            user_id=user.id,
            created_at=self.now(),
            kind=kind,
            scopes=scopes or [],
            redirect_uris=redirect_uris or [],
            expires_in=expires_in,
        )
        self.records.oauth_clients[client.id] = client
        return client

    def add_conversations_key(self, display_name: str = "Conversations API key") -> ConversationsKey:
        """Create a Conversations API key of app scope."""
        now = self.now()
        key = ConversationsKey(
            id=f"app_{self.ids.hex24(now)}",
            secret=self.ids.secret(86),
            display_name=display_name,
            created_at=now,
        )
        self.records.conversations_keys[key.id] = key
        return key

    def add_category(self, name: str) -> TriggerCategory:
        """Create a trigger category."""
        category = TriggerCategory(
            id=str(self.ids.integer()), name=name, position=len(self.records.categories), created_at=self.now()
        )
        self.records.categories[category.id] = category
        return category
