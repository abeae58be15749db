"""Which past conversations would have gone to a person, why, and with what ticket, by settings that need not be saved.

The customer's messages are put to the assistant again, each after what was really said before it, by the same code that
answers them and decides. Nothing is written, nobody is called, and Zendesk is not asked: who was online then is not
known. A conversation is looked at up to its first handoff, for what was said after it was said to people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from escalade.channels.base import Account, Job, Preview
from escalade.domain.effects import OpenTicket
from escalade.domain.errors import Invalid
from escalade.domain.events import AssistantSaid, Event, HandoffAsked
from escalade.domain.model import (
    Control,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    DeliveryView,
    Handoff,
    HandoffId,
    Message,
    MessageId,
    Millis,
    OrganisationId,
    Reason,
    Role,
    Status,
)
from escalade.domain.organisation import Organisation
from escalade.domain.policy import Policy
from escalade.domain.switchboard.rules import decide
from escalade.services.accounts import Accounts
from escalade.services.errand import told
from escalade.services.ports import Ports
from escalade.services.replier import AssistantReplier
from escalade.services.wanted import wanted
from escalade.store import conversations, messages, past
from escalade.store.database import Database, Tx

MOST = 50  # conversations looked at in one go
MOST_QUESTIONS = 30  # of one conversation
PATIENCE_MS = 20_000  # after which the rest is left out

PreviewTicket = Callable[[Account, Job], Preview]


class Change(StrEnum):
    """Tell what would have been otherwise."""

    SAME = "same"
    NOW = "now"  # it went to no person and would have
    NO_LONGER = "no_longer"  # it went to a person and would have been answered
    OTHERWISE = "otherwise"  # it went to a person and would have too, at another message or for another reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """That a person was asked for, or would be: why, and at which message. `handoff` is missing where none can be."""

    reason: Reason
    evidence: str
    about: MessageId | None
    handoff: Handoff | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One conversation in hindsight."""

    conversation: Conversation
    change: Change
    happened: Escalation | None
    would: Escalation | None
    message: Message | None  # at which it would go to a person, or did; else the last question
    answer: str = ""  # what the assistant would say to it instead
    ticket: Preview | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What a look back came to; `left` conversations of the range were not looked at."""

    seen: tuple[Seen, ...]
    left: int

    def count(self, change: Change) -> int:
        """Say how many came out this way."""
        return sum(one.change is change for one in self.seen)


class Hindsight:
    """Judges the past, and changes nothing of it."""

    def __init__(
        self, database: Database, ports: Ports, accounts: Accounts, replier: AssistantReplier, preview: PreviewTicket
    ) -> None:
        self._database = database
        self._ports = ports
        self._accounts = accounts
        self._replier = replier
        self._preview = preview

    async def look(self, organisation: Organisation, since: Millis, before: Millis, most: int = MOST) -> Look:
        """Judge the newest conversations that began in a stretch of time, by the settings of this organisation.

        Where a bot of its own answers, it is refused: a bot may do something about what it is asked.
        """
        if organisation.settings.assistant.bot.url:
            raise Invalid("your own bot answers here, and it is not asked about the past", pointer="/assistant/bot/url")
        most = min(most, MOST)

        def read(tx: Tx) -> tuple[int, list[Conversation], Account]:
            total, ids = past.begun(tx, organisation.id, since, before, most)
            found = [conversations.load(tx, organisation.id, id) for id in ids]
            return total, [one for one in found if one is not None], self._accounts.account(tx, organisation)

        total, chosen, account = await self._database.read(read)
        seen: list[Seen] = []
        until = self._ports.now() + PATIENCE_MS
        for conversation in chosen:
            judged = await self._judge(account, conversation, until)
            if judged is None:
                break
            seen.append(judged)
        return Look(seen=tuple(seen), left=total - len(seen))

    async def preview(self, organisation: Organisation, *, of_a_customer: bool) -> tuple[Preview, bool]:
        """Preview the ticket of the last conversation, or of an example where there is none; say whether it is one."""

        def read(tx: Tx) -> tuple[Account, Conversation | None, Message | None]:
            account = self._accounts.account(tx, organisation)
            last = past.last_written_in(tx, organisation.id) if of_a_customer else None
            conversation = None if last is None else conversations.load(tx, organisation.id, last)
            message = None if last is None else messages.last_from_customer(tx, organisation.id, last)
            return account, conversation, message

        account, conversation, message = await self._database.read(read)
        if conversation is None or message is None:
            return self._preview(account, _example(organisation.id, self._ports.now())), True
        about = await wanted(self._database, replace(conversation, last_seq=message.seq))
        asked = replace(_asked(Reason.ASKED_FOR_PERSON, about=message.id), wanted=about)
        after = _handed_over(conversation, asked, message)
        return await self._database.read(lambda tx: self._previewed(tx, account, after, message)), False

    async def _judge(self, account: Account, conversation: Conversation, until: Millis) -> Seen | None:
        """Judge one conversation; nothing where time has run out, as it may where a language model answers."""
        organisation, id = conversation.organisation, conversation.id
        first, questions = await self._database.read(lambda tx: _past(tx, organisation, id))
        fresh = replace(conversation, control=Control.ASSISTANT, status=Status.OPEN, handoff=None, turns=0)
        event: Event | None = None
        message: Message | None = None
        for message in questions:
            if self._ports.now() > until:
                return None
            event = await self._replier.reply(account, replace(fresh, last_seq=message.seq), message)
            if isinstance(event, HandoffAsked):
                break
        answered = event.text if isinstance(event, AssistantSaid) else ""
        if first is not None and _was_asked_directly(first) and not isinstance(event, HandoffAsked):
            event = replace(
                _asked(first.reason, about=first.about),
                summary=first.summary,
                summary_by=first.summary_by,
                note=first.note,
                wanted=first.wanted,
            )
        happened = None if first is None else _escalation(first)
        if not isinstance(event, HandoffAsked):
            change = Change.SAME if first is None else Change.NO_LONGER
            return Seen(
                conversation=conversation,
                change=change,
                happened=happened,
                would=None,
                message=message,
                answer=answered,
            )
        return await self._handed_over(account, conversation, fresh, happened, event, message)

    async def _handed_over(
        self,
        account: Account,
        conversation: Conversation,
        fresh: Conversation,
        happened: Escalation | None,
        event: HandoffAsked,
        message: Message | None,
    ) -> Seen:
        at = 0 if message is None else message.seq
        decision = decide(replace(fresh, last_seq=at), event, Policy.of(account.settings), self._ports.now())
        after = decision.conversation
        would = Escalation(reason=event.reason, evidence=event.evidence, about=event.about, handoff=after.handoff)
        ticket = None
        if after.handoff is not None:
            ticket = await self._database.read(lambda tx: self._previewed(tx, account, after, message))
        return Seen(
            conversation=conversation,
            change=_change(happened, would),
            happened=happened,
            would=would,
            message=message,
            ticket=ticket,
        )

    def _previewed(self, tx: Tx, account: Account, conversation: Conversation, message: Message | None) -> Preview:
        assert conversation.handoff is not None
        effect = OpenTicket(handoff=conversation.handoff.id)
        job = Job(
            key="preview",
            effect=effect,
            conversation=conversation,
            links={},
            transcript=told(tx, conversation, effect, message),
            message=message,
            now=self._ports.now(),
        )
        return self._preview(account, job)


def _past(tx: Tx, organisation: OrganisationId, id: ConversationId) -> tuple[Handoff | None, Sequence[Message]]:
    """Give the first handoff, and the customer's messages that were the assistant's to answer."""
    first = past.first_handoff(tx, organisation, id)
    said = messages.of(tx, organisation, id)
    about = None if first is None else next((m.seq for m in said if m.id == first.about), first.asked_seq)
    mine = [m for m in said if m.role is Role.CUSTOMER and (about is None or m.seq <= about)]
    return first, mine[:MOST_QUESTIONS]


def _was_asked_directly(handoff: Handoff) -> bool:
    """Say whether somebody pressed a button or used the API: the assistant has evidence for what it decides."""
    return handoff.reason in (Reason.API, Reason.FOLLOW_UP) or not handoff.evidence


def _escalation(handoff: Handoff) -> Escalation:
    return Escalation(reason=handoff.reason, evidence=handoff.evidence, about=handoff.about, handoff=handoff)


def _change(happened: Escalation | None, would: Escalation) -> Change:
    if happened is None:
        return Change.NOW
    return Change.SAME if (happened.reason, happened.about) == (would.reason, would.about) else Change.OTHERWISE


def _asked(reason: Reason, about: MessageId | None) -> HandoffAsked:
    return HandoffAsked(id=HandoffId("preview"), reason=reason, about=about)


def _handed_over(conversation: Conversation, asked: HandoffAsked, message: Message) -> Conversation:
    """Give a conversation as it would stand had a person just been asked for, whatever the settings allow."""
    fresh = replace(conversation, control=Control.ASSISTANT, status=Status.OPEN, handoff=None, last_seq=message.seq)
    return decide(fresh, asked, Policy(), message.created_at).conversation


def _example(organisation: OrganisationId, now: Millis) -> Job:
    """Make up what a ticket is about, where nobody has written yet; it says of itself that it is an example."""
    message = Message(
        id=MessageId("example"),
        seq=1,
        role=Role.CUSTOMER,
        text="This is an example: here stands what the customer wrote.",
        name=None,
        avatar_url=None,
        citations=(),
        attachments=(),
        notice=None,
        delivery=DeliveryView.NONE,
        created_at=now,
    )
    conversation = Conversation(
        id=ConversationId("example"),
        organisation=organisation,
        customer=Customer(id=CustomerId("example"), name="Example Customer", email="customer@example.com"),
        status=Status.OPEN,
        control=Control.ASSISTANT,
        created_at=now,
        updated_at=now,
    )
    asked = replace(_asked(Reason.ASKED_FOR_PERSON, about=message.id), wanted=message.id)
    after = _handed_over(conversation, asked, message)
    effect = OpenTicket(handoff=HandoffId("preview"))
    return Job(
        key="preview", effect=effect, conversation=after, links={}, transcript=(message,), message=message, now=now
    )
