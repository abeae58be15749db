"""The way in: a fact about a conversation is decided and everything it causes is owed, in one transaction.

`apply` decides at once. `owe` keeps a fact that is to be decided next, and `work` decides what is kept, in order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace

import msgspec

from escalade.channels.base import ChannelName
from escalade.domain import policy as words
from escalade.domain.effects import Post
from escalade.domain.events import (
    BY_NAME,
    AssistantSaid,
    CustomerSaid,
    DeskSaid,
    Event,
    HandoffAsked,
    HandoffRetried,
    PostRefused,
    TicketOpened,
)
from escalade.domain.files import safe_name
from escalade.domain.model import (
    Control,
    Conversation,
    ConversationId,
    DeliveryView,
    FileId,
    FileState,
    Message,
    MessageId,
    Millis,
    OrganisationId,
    Role,
)
from escalade.domain.policy import Policy
from escalade.domain.switchboard.decision import Decision
from escalade.domain.switchboard.follow_ups import may_follow_up
from escalade.domain.switchboard.rules import decide
from escalade.services.ports import Ports
from escalade.store import (
    conversations,
    deliveries,
    files,
    handoffs,
    links,
    messages,
    organisations,
    receipts,
)
from escalade.store.database import Tx

UNANSWERED = 50  # messages looked back for questions nobody has answered


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What an event led to."""

    decision: Decision
    messages: tuple[Message, ...]


class Intake:
    """Decide events inside a transaction."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports
        self._now = ports.now

    def apply(self, tx: Tx, conversation: Conversation, event: Event, policy: Policy) -> Applied:
        """Decide an event and write down everything that follows from it.

        1. What is already in the transcript is not said again.
        2. Decide.
        3. Save the new state, append what is said, owe the effects.
        """
        now = self._now()
        if isinstance(event, CustomerSaid | AssistantSaid | DeskSaid):
            id = event.message.id if isinstance(event, CustomerSaid) else event.id
            stored = None if id is None else self._message(tx, conversation, id)
            if stored is not None and isinstance(event, AssistantSaid) and stored.role is not Role.ASSISTANT:
                event = replace(event, id=None)  # the customer happened on the answer's id: it gets another
            elif stored is not None and isinstance(event, DeskSaid) and self._brings_files(stored, event):
                # It was shown from the webhook's own text, which tells of no files: they follow it.
                following = replace(event, id=files_message_id(event.id), text="", follows=True)
                return self.apply(tx, conversation, following, policy)
            elif stored is not None:
                return Applied(decision=Decision(conversation=conversation, ignored="known"), messages=(stored,))
        if isinstance(event, PostRefused):
            if links.has_arrived(tx, conversation, event.message):  # with an earlier handoff
                delivered = DeliveryView.DELIVERED
                messages.mark(tx, conversation.organisation, conversation.id, event.message, delivered)
                ignored = "it reached the desk before"
                return Applied(decision=Decision(conversation=conversation, ignored=ignored), messages=())
            if may_follow_up(conversation, event, policy):
                event = replace(event, waiting=self._going_along(tx, conversation, event))
            else:
                event = self._explain(tx, conversation, event)
        stale = self._stale(tx, conversation, event)
        if stale:
            return Applied(decision=Decision(conversation=conversation, ignored=stale), messages=())
        if isinstance(event, HandoffAsked):
            event = self._complete(tx, conversation, event)
        sent: list[files.File] = []
        if isinstance(event, DeskSaid):
            sent = self._sent_along(conversation, event, now)
            event = replace(event, attachments=tuple(file.shown() for file in sent))
        if isinstance(event, HandoffRetried):
            event = replace(event, waiting=self._undelivered(tx, conversation))
        if isinstance(event, DeskSaid) and event.role is Role.AGENT:
            event = replace(event, waiting=self._unanswered(tx, conversation))
        decision = decide(conversation, event, policy, now)
        if decision.ignored:
            return Applied(decision=decision, messages=())
        after = decision.conversation
        conversations.save(tx, conversation, after, now)
        self._expect(tx, sent, now)
        if decision.leaves is not None:
            handoffs.save(tx, after, decision.leaves)
        before = conversation.open_handoff
        if before is not None and (after.open_handoff is None or after.open_handoff.id != before.id):
            tx.ring("look", before.id)  # whatever was said just before the end is read once more
        said = tuple(
            messages.append(
                tx, after, utterance, utterance.id or MessageId(self._ports.new_id()), now, said_at=self._ports.wall()
            )
            for utterance in decision.says
        )
        if decision.withdraws and conversation.handoff is not None:
            deliveries.withdraw(
                tx, after.organisation, after.id, conversation.handoff.id, "another way was chosen", now
            )
        for effect in decision.effects:
            deliveries.put(tx, after.organisation, after.id, effect, now)
            if isinstance(effect, Post):
                messages.mark(tx, after.organisation, after.id, effect.message, DeliveryView.PENDING)
        last_seq = said[-1].seq if said else after.last_seq
        return Applied(decision=replace(decision, conversation=replace(after, last_seq=last_seq)), messages=said)

    @staticmethod
    def _brings_files(stored: Message, event: DeskSaid) -> bool:
        return bool(event.attachments) and not stored.attachments and not event.follows

    def _sent_along(self, conversation: Conversation, event: DeskSaid, now: Millis) -> list[files.File]:
        """Give the files of a message of theirs, each under an id of ours."""
        return [
            files.File(
                id=FileId(self._ports.new_id()),
                organisation=conversation.organisation,
                conversation=conversation.id,
                message=event.id,
                channel=channel_of(event.id),
                url=sent.url,
                name=safe_name(sent.name),
                media_type=sent.media_type,
                size=sent.size,
                state=FileState.FLAGGED if sent.state is FileState.FLAGGED else FileState.AWAITED,
                asked_at=now,
            )
            for sent in event.attachments
        ]

    @staticmethod
    def _expect(tx: Tx, sent: Sequence[files.File], now: Millis) -> None:
        """Have an agent's files fetched: the message is shown at once, each file when it is here."""
        for file in sent:
            files.add(tx, file, now, due_at=None if file.state is FileState.FLAGGED else now)
            tx.ring("file", "due")

    def _message(self, tx: Tx, conversation: Conversation, id: MessageId) -> Message | None:
        return messages.load(tx, conversation.organisation, conversation.id, id)

    def _explain(self, tx: Tx, conversation: Conversation, event: PostRefused) -> PostRefused:
        """Mark the message and put the customer's own words into the notice."""
        messages.mark(tx, conversation.organisation, conversation.id, event.message, DeliveryView.FAILED)
        stored = self._message(tx, conversation, event.message)
        text = "" if stored is None else stored.text if len(stored.text) <= 60 else stored.text[:59] + "…"
        return replace(event, why=words.NOT_DELIVERED.format(text=text, why=event.why))

    def _stale(self, tx: Tx, conversation: Conversation, event: Event) -> str:
        """Say why an event comes too late, or nothing if it does not."""
        match event:
            case HandoffAsked(id=id) if handoffs.load(tx, conversation.organisation, id) is not None:
                return "this handoff was asked for before"
            case HandoffAsked(answers=answers) | AssistantSaid(answers=answers) if answers is not None:
                question = self._message(tx, conversation, answers)
                moved = conversation.handoff
                if question is not None and moved is not None and moved.asked_seq >= question.seq:
                    return "a person was asked for since this question"
            case TicketOpened(handoff=id, ticket_id=ticket_id):
                current = conversation.handoff is not None and conversation.handoff.id == id
                older = None if current else handoffs.load(tx, conversation.organisation, id)
                if older is not None and older.ticket_id is None:
                    handoffs.save(tx, conversation, replace(older, ticket_id=ticket_id))
        return ""

    def _unanswered(self, tx: Tx, conversation: Conversation) -> tuple[MessageId, ...]:
        """List what the customer has asked since a quiet end: if the agent comes back, it is the agent's to answer."""
        handoff = conversation.handoff
        if handoff is None or handoff.ended_at is None or conversation.control is not Control.ASSISTANT:
            return ()
        asked: list[MessageId] = []
        after = max(0, conversation.last_seq - UNANSWERED)
        for message in messages.of(tx, conversation.organisation, conversation.id, after=after):
            if message.role is Role.ASSISTANT:
                asked.clear()
            elif message.role is Role.CUSTOMER and message.seq > handoff.ended_seq:
                asked.append(message.id)
        return tuple(asked)

    def _going_along(self, tx: Tx, conversation: Conversation, event: PostRefused) -> tuple[MessageId, ...]:
        """List what goes with a message into the handoff that goes on: what was owed behind it, and what came after.

        Of that whatever nobody has answered, and the customer's last words in any case, as whenever a person is asked.
        """
        organisation, id = conversation.organisation, conversation.id
        owed = deliveries.owed_messages(tx, organisation, id, event.handoff)
        last = messages.last_from_customer(tx, organisation, id)
        untold = (last.id,) if last is not None and last.delivery is DeliveryView.NONE else ()
        found = dict.fromkeys((*owed, *self._unanswered(tx, conversation), *untold))
        return tuple(id for id in found if id != event.message)

    def _undelivered(self, tx: Tx, conversation: Conversation) -> tuple[MessageId, ...]:
        """List the customer's words since the last handoff was asked for that did not reach the desk."""
        handoff = conversation.handoff
        about = None if handoff is None or handoff.about is None else self._message(tx, conversation, handoff.about)
        after = about.seq if about is not None else 0 if handoff is None else handoff.asked_seq
        later = messages.of(tx, conversation.organisation, conversation.id, after=after)
        return tuple(m.id for m in later if m.role is Role.CUSTOMER and m.delivery is DeliveryView.FAILED)

    def _complete(self, tx: Tx, conversation: Conversation, event: HandoffAsked) -> HandoffAsked:
        """Say which message led here, and which of the customer's words the desk has yet to hear after it.

        A customer may write on while the assistant still thinks: those words belong to the people, in order.
        """
        organisation, id = conversation.organisation, conversation.id
        if (current := conversation.open_handoff) is not None:
            return replace(event, waiting=tuple(deliveries.owed_messages(tx, organisation, id, current.id)))
        if event.about is None:
            last = messages.last_from_customer(tx, organisation, id)
            return event if last is None else replace(event, about=last.id)
        about = self._message(tx, conversation, event.about)
        if about is None:
            return event
        later = messages.of(tx, organisation, id, after=about.seq)
        return replace(event, waiting=tuple(m.id for m in later if m.role is Role.CUSTOMER))

    # our own follow-ups, kept as receipts so that a crash cannot lose them

    def owe(self, tx: Tx, conversation: Conversation, source: str, key: str, event: Event) -> None:
        """Keep an event that is to be decided next; keeping it twice is the same as once."""
        handoff = getattr(event, "handoff", None)
        receipts.accept(
            tx,
            conversation.organisation,
            source=source,
            key=key,
            kind=type(event).__name__,
            body=msgspec.json.encode(asdict(event)).decode(),
            now=self._now(),
            conversation=conversation.id,
            handoff=handoff,
        )

    def work(self, tx: Tx, organisation: OrganisationId, conversation: ConversationId, policy: Policy) -> int:
        """Decide what waits for a conversation in the order it came; bells wait for `reconcile`."""
        done = 0
        conversations.lock(tx, organisation, conversation)
        for receipt in receipts.waiting(tx, organisation, conversation):
            kind = BY_NAME.get(receipt.kind)
            if kind is None:
                continue
            event = msgspec.json.decode(receipt.body, type=kind)
            current = conversations.load(tx, organisation, conversation)
            assert current is not None
            decision = self.apply(tx, current, event, policy).decision
            receipts.settle(tx, receipt.id, decision.ignored or "applied", self._now(), ignored=bool(decision.ignored))
            done += 1
        return done


def policy_of(tx: Tx, organisation: OrganisationId) -> Policy:
    """Give an organisation's policy as it stands."""
    found = organisations.load(tx, organisation)
    return Policy(zendesk_connected=False) if found is None else Policy.of(found.settings)


def desk_message_id(channel: ChannelName, theirs: str) -> MessageId:
    """Name a message of theirs in our transcript; the same whichever way it came."""
    return MessageId(f"{channel.value}:{theirs}")


def files_message_id(message: MessageId) -> MessageId:
    """Name the files of a message of theirs that was shown before anybody knew of them."""
    return MessageId(f"{message}:files")


def channel_of(message: MessageId) -> ChannelName:
    """Say through which channel a message of theirs came."""
    return ChannelName(message.partition(":")[0])
