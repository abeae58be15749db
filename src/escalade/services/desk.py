"""The front desk: what customers, developers and operators ask for, each a use case of a few lines."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from escalade.channels.base import Account
from escalade.domain.errors import Conflict, Invalid, NotFound
from escalade.domain.events import (
    AssistantSaid,
    Closed,
    CustomerIdentified,
    CustomerSaid,
    Event,
    HandoffAsked,
    Released,
)
from escalade.domain.files import MOST as MOST_FILES
from escalade.domain.model import (
    Attachment,
    Control,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Feedback,
    FileId,
    Handoff,
    HandoffId,
    Message,
    MessageId,
    OrganisationId,
    Reason,
    Role,
    Status,
    Utterance,
    Wish,
)
from escalade.domain.transcript import says_something
from escalade.services.accounts import Accounts
from escalade.services.intake import Applied, Intake, policy_of
from escalade.services.ports import Ports
from escalade.services.replier import Staffed
from escalade.services.wanted import wanted
from escalade.store import conversations, customers, feedback, files, messages, organisations
from escalade.store.database import Database, Tx
from escalade.store.messages import Marked

LONGEST_TEXT = 4_000  # code points
ID = re.compile(r"[A-Za-z0-9_.:~-]{1,128}\Z")
EMAIL = re.compile(r"[^@\s<>\"',;:()\\]+@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}\Z")
CONTEXT_BYTES = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A message that was taken."""

    message: Message
    repeated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """What a reader sees next: the state, what was said, and how the last messages, files and answers stand."""

    conversation: Conversation
    messages: list[Message]
    deliveries: dict[MessageId, Marked]
    files: dict[FileId, Attachment]
    feedback: dict[MessageId, Feedback | None]


class Desk:
    """Use cases around a conversation."""

    def __init__(self, database: Database, ports: Ports, intake: Intake, accounts: Accounts, staffed: Staffed) -> None:
        self._database = database
        self._ports = ports
        self._intake = intake
        self._accounts = accounts
        self._staffed = staffed

    async def open_conversation(
        self,
        organisation: OrganisationId,
        *,
        id: str | None = None,
        customer: Mapping[str, Any] | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Conversation:
        """Open a conversation; the same id with the same content gives the same one."""
        chosen = ConversationId(check_id(id, "/id") if id is not None else self._ports.new_id())
        asked = _customer(customer or {})
        context = dict(context or {})
        if len(msgspec.json.encode(context)) > CONTEXT_BYTES:
            raise Invalid(f"at most {CONTEXT_BYTES} bytes of context", pointer="/context")
        request = hashlib.sha256(msgspec.json.encode([customer or {}, context], order="deterministic")).hexdigest()

        def written(tx: Tx) -> Conversation:
            before = conversations.request_of(tx, organisation, chosen)
            if before is not None:
                if before != request:
                    raise Conflict("this id was used for another conversation", pointer="/id")
                return _found(conversations.load(tx, organisation, chosen))
            now = self._ports.now()
            person = self._person(tx, organisation, asked)
            conversation = Conversation(
                id=chosen,
                organisation=organisation,
                customer=person,
                status=Status.OPEN,
                control=Control.ASSISTANT,
                created_at=now,
                updated_at=now,
                context=context,
            )
            conversations.create(tx, conversation, request=request)
            return conversation

        return await self._database.write(written)

    def _person(self, tx: Tx, organisation: OrganisationId, asked: dict[str, Any]) -> Customer:
        """Find or add the customer; what is newly said of them is kept."""
        id = CustomerId(asked["id"] or self._ports.new_id())
        known = customers.load(tx, organisation, id)
        person = Customer(
            id=id,
            external_id=asked["id"] or (known.external_id if known else None),
            name=asked["name"] or (known.name if known else None),
            email=asked["email"] or (known.email if known else None),
            locale=asked["locale"] or (known.locale if known else None),
            verified=known.verified if known else False,
        )
        if person != known:
            customers.save(tx, organisation, person, self._ports.now())
        return person

    async def say(
        self,
        organisation: OrganisationId,
        conversation: ConversationId,
        *,
        role: Role,
        text: str,
        id: str | None = None,
        attachments: tuple[FileId, ...] = (),
        customer: CustomerId | None = None,
    ) -> Said:
        """Take a message; when this returns it is durable, and repeating it changes nothing.

        Its files were uploaded before. Where there are any, the text may be empty.
        """
        if text or not attachments:
            check_text(text)
        check_attachments(attachments, role)
        chosen = MessageId(check_id(id, "/id") if id is not None else self._ports.new_id())

        def written(tx: Tx) -> Said:
            current = self._load(tx, organisation, conversation, customer)
            stored = messages.load(tx, organisation, conversation, chosen)
            carried = files.claim(tx, organisation, conversation, chosen, attachments)
            said = Utterance(id=chosen, role=role, text=text, attachments=carried)
            if stored is not None:
                messages.require_same(said, stored)
                return Said(message=stored, repeated=True)
            if current.status is Status.CLOSED:
                raise Conflict("this conversation is closed", code="session_closed")
            event: Event = CustomerSaid(message=said)
            if role is Role.ASSISTANT:
                event = AssistantSaid(id=chosen, text=text)
            applied = self._apply(tx, current, event)
            if not applied.messages:
                raise Conflict(f"not now: {applied.decision.ignored}", code="out_of_turn")
            if role is Role.CUSTOMER:
                # Effects may have changed what became of it since it was appended.
                message = messages.load(tx, organisation, conversation, chosen)
                assert message is not None
                return Said(message=message, repeated=False)
            return Said(message=applied.messages[0], repeated=False)

        return await self._database.write(written)

    async def rate(
        self,
        organisation: OrganisationId,
        conversation: ConversationId,
        message: MessageId,
        found: Feedback | None,
        customer: CustomerId | None = None,
    ) -> None:
        """Keep what the customer found of an answer; nothing takes it back. It is no message and moves nothing."""

        def written(tx: Tx) -> None:
            self._load(tx, organisation, conversation, customer)
            answer = messages.load(tx, organisation, conversation, message)
            if answer is None:
                raise NotFound("no such message")
            if answer.role is not Role.ASSISTANT:
                raise Invalid("only an answer of the assistant takes feedback", code="not_an_answer")
            if answer.feedback is not found:
                feedback.give(tx, organisation, conversation, message, found, self._ports.now())

        await self._database.write(written)

    async def escalate(
        self,
        organisation: OrganisationId,
        conversation: ConversationId,
        *,
        reason: Reason = Reason.API,
        wish: Wish = Wish.AUTO,
        summary: str = "",
        note: str = "",
        customer: CustomerId | None = None,
    ) -> Handoff:
        """Ask for a person; while a handoff is under way, asking again gives the same one."""
        account = await self._database.read(lambda tx: self._account(tx, organisation, conversation, customer))
        staffed = await self._staffed(account) if wish is Wish.AUTO else None
        asking = await self._database.read(lambda tx: self._load(tx, organisation, conversation, customer))
        event = HandoffAsked(
            id=HandoffId(self._ports.new_id()),
            reason=reason,
            wish=wish,
            staffed=staffed,
            summary=summary,
            note=note,
            wanted=await wanted(self._database, asking),
        )

        def written(tx: Tx) -> Handoff:
            current = self._load(tx, organisation, conversation, customer)
            if current.status is Status.CLOSED:
                raise Conflict("this conversation is closed", code="session_closed")
            after = self._apply(tx, current, event).decision.conversation
            if after.open_handoff is None:
                raise Conflict("no Zendesk account is connected; connect one in the settings", code="not_connected")
            return after.open_handoff

        return await self._database.write(written)

    async def release(
        self, organisation: OrganisationId, conversation: ConversationId, customer: CustomerId | None = None
    ) -> Conversation:
        """Go back to the assistant."""
        return await self._do(organisation, conversation, Released(), customer)

    async def close(
        self, organisation: OrganisationId, conversation: ConversationId, customer: CustomerId | None = None
    ) -> Conversation:
        """End the conversation for good."""
        return await self._do(organisation, conversation, Closed(), customer)

    async def identify(
        self,
        organisation: OrganisationId,
        conversation: ConversationId,
        *,
        name: str | None,
        email: str | None,
        customer: CustomerId | None = None,
    ) -> Conversation:
        """Take a name and an address; an address is not proof, so it merges nobody."""
        details = _customer({"name": name, "email": email}, "")
        event = CustomerIdentified(name=details["name"], email=details["email"])
        return await self._do(organisation, conversation, event, customer)

    async def load(
        self, organisation: OrganisationId, conversation: ConversationId, customer: CustomerId | None = None
    ) -> Conversation:
        """Give a conversation, or say that there is none."""
        return await self._database.read(lambda tx: self._load(tx, organisation, conversation, customer))

    async def messages(
        self,
        organisation: OrganisationId,
        conversation: ConversationId,
        *,
        after: int = 0,
        customer: CustomerId | None = None,
    ) -> tuple[Conversation, list[Message]]:
        """Give a conversation and what was said after a place."""

        def read(tx: Tx) -> tuple[Conversation, list[Message]]:
            current = self._load(tx, organisation, conversation, customer)
            return current, messages.of(tx, organisation, conversation, after=after)

        return await self._database.read(read)

    async def follow(
        self,
        organisation: OrganisationId,
        conversation: ConversationId,
        *,
        after: int,
        unsettled: int | None = None,
        customer: CustomerId | None = None,
    ) -> Following:
        """Give what a stream shows next; from `unsettled` on, it may show as under way what is not any more."""

        def read(tx: Tx) -> Following:
            return Following(
                conversation=self._load(tx, organisation, conversation, customer),
                messages=messages.of(tx, organisation, conversation, after=after),
                deliveries=messages.deliveries(tx, organisation, conversation, since=unsettled),
                files=files.from_agents(tx, organisation, conversation),
                feedback=feedback.of(tx, organisation, conversation),
            )

        return await self._database.read(read)

    async def recent(self, organisation: OrganisationId, customer: CustomerId) -> list[Conversation]:
        """List a customer's conversations, newest first."""
        return await self._database.read(lambda tx: conversations.recent(tx, organisation, customer=customer, limit=20))

    # within

    def _account(
        self, tx: Tx, organisation: OrganisationId, conversation: ConversationId, customer: CustomerId | None
    ) -> Account:
        self._load(tx, organisation, conversation, customer)
        found = organisations.load(tx, organisation)
        assert found is not None
        return self._accounts.account(tx, found)

    async def _do(
        self,
        organisation: OrganisationId,
        conversation: ConversationId,
        event: Event,
        customer: CustomerId | None,
    ) -> Conversation:
        def written(tx: Tx) -> Conversation:
            current = self._load(tx, organisation, conversation, customer)
            return self._apply(tx, current, event).decision.conversation

        return await self._database.write(written)

    def _apply(self, tx: Tx, conversation: Conversation, event: Event) -> Applied:
        return self._intake.apply(tx, conversation, event, policy_of(tx, conversation.organisation))

    def _load(
        self,
        tx: Tx,
        organisation: OrganisationId,
        conversation: ConversationId,
        customer: CustomerId | None,
    ) -> Conversation:
        """Give a conversation; another customer's is answered like one that does not exist."""
        found = _found(conversations.load(tx, organisation, conversation))
        if customer is not None and found.customer.id != customer:
            raise NotFound("no such conversation")
        return found


def _found(conversation: Conversation | None) -> Conversation:
    if conversation is None:
        raise NotFound("no such conversation")
    return conversation


def check_id(id: str, pointer: str) -> str:
    """Accept an id a caller made: up to 128 letters, digits and - _ . : ~."""
    if not ID.match(id):
        raise Invalid("1 to 128 letters, digits or - _ . : ~", pointer=pointer)
    return id


def check_text(text: str) -> None:
    """Accept what says something and is not too long."""
    if len(text) > LONGEST_TEXT:
        raise Invalid(f"at most {LONGEST_TEXT} characters", pointer="/text", code="too-long")
    if not says_something(text):
        raise Invalid("the message is empty", pointer="/text", code="empty")


def check_attachments(ids: tuple[FileId, ...], role: Role) -> None:
    """Accept a few different files, from a customer."""
    if ids and role is not Role.CUSTOMER:
        raise Invalid("only a customer's message carries files", pointer="/attachments")
    if len(ids) > MOST_FILES:
        raise Invalid(f"at most {MOST_FILES} files in one message", pointer="/attachments", code="too_many_files")
    if len(set(ids)) < len(ids):
        raise Invalid("the same file twice", pointer="/attachments")


def _customer(given: Mapping[str, Any], at: str = "/customer") -> dict[str, Any]:
    """Check what is said of a customer; nothing of it is proof."""
    found: dict[str, Any] = {}
    for key, longest in (("id", 128), ("name", 128), ("email", 254), ("locale", 35)):
        value = given.get(key)
        if value is not None:
            value = " ".join(value.split()) if key == "name" else value.strip()
            if len(value) > longest or any(unicodedata.category(char) == "Cc" for char in value):
                raise Invalid(f"at most {longest} characters, none of them control characters", pointer=f"{at}/{key}")
        found[key] = value or None
    if found["id"] is not None:
        check_id(found["id"], f"{at}/id")
    if found["email"] is not None and not EMAIL.match(found["email"]):
        raise Invalid("an address such as name@example.com", pointer=f"{at}/email", code="email")
    return found
