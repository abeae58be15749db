"""The head of a lane with all that is needed to send it, and what came of it in the words of events."""

from __future__ import annotations

from dataclasses import dataclass, field

from escalade.channels.base import Account, ChannelName, Job, Link, LinkKind
from escalade.domain.effects import (
    Answer,
    ConfirmControl,
    Effect,
    LiveStep,
    MergeTicket,
    OpenTicket,
    Post,
    PostContext,
    ReleaseControl,
    RemoveDouble,
)
from escalade.domain.errors import Gone, Refused
from escalade.domain.events import Event, HandoffQueued, HandoffRefused, PostRefused, TicketOpened
from escalade.domain.model import Conversation, HandoffId, Message, Millis, TicketId
from escalade.domain.policy import Policy
from escalade.domain.standing import handoff_of, standing
from escalade.services.accounts import Accounts
from escalade.store import conversations, deliveries, doors, lanes, links, messages, organisations
from escalade.store.database import Tx
from escalade.store.doors import Door

LONGEST_TRANSCRIPT = 500  # messages; what was wanted is at the end


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """The head of a lane with all that is needed to send it, read in one snapshot."""

    delivery: deliveries.Delivery
    conversation: Conversation
    account: Account
    policy: Policy
    job: Job
    links: dict[tuple[ChannelName, LinkKind], str] = field(default_factory=dict)
    doors: dict[str, Door] = field(default_factory=dict)  # those that are shut


def take_up(tx: Tx, lane: lanes.Lane, accounts: Accounts, now: Millis) -> Errand | None:
    """Read the head of a lane in one snapshot, or nothing if the lane is idle."""
    delivery = deliveries.head(tx, lane)
    if delivery is None:
        return None
    effect = delivery.effect
    conversation = seen_from(tx, delivery)
    organisation = organisations.load(tx, lane.organisation)
    assert conversation is not None
    assert organisation is not None
    handoff = conversation.handoff
    about = effect.message if isinstance(effect, Answer | Post) else handoff.about if handoff else None
    message = None if about is None else messages.load(tx, lane.organisation, lane.conversation, about)
    known: dict[tuple[ChannelName, LinkKind], str] = {}
    if not isinstance(effect, Answer):
        known = {
            (ChannelName(channel), LinkKind(kind)): theirs
            for (channel, kind), theirs in links.of(tx, effect.handoff).items()
        }
    return Errand(
        delivery=delivery,
        conversation=conversation,
        account=accounts.account(tx, organisation),
        policy=Policy.of(organisation.settings),
        job=Job(
            key=delivery.key,
            effect=effect,
            conversation=conversation,
            links=known,
            transcript=told(tx, conversation, effect, message),
            message=message,
            frozen=delivery.frozen,
            attempts=delivery.tries,
            first_attempt_at=delivery.first_try_at,
            now=now,
        ),
        links=known,
        doors=doors.of(tx, lane.organisation),
    )


def told(tx: Tx, conversation: Conversation, effect: Effect, message: Message | None) -> tuple[Message, ...]:
    """Read what was said before, as far as a delivery tells of it: up to the message it is about."""
    if isinstance(effect, Post | ReleaseControl | ConfirmControl | RemoveDouble | MergeTicket):
        return ()
    latest = conversation.last_seq if message is None else message.seq
    after = max(0, latest - LONGEST_TRANSCRIPT)
    said = messages.of(tx, conversation.organisation, conversation.id, after=after)
    # The message that led here is posted by itself, so the context ends before it.
    end = None if message is None else message.seq - isinstance(effect, PostContext)
    return tuple(m for m in said if end is None or m.seq <= end)


def seen_from(tx: Tx, delivery: deliveries.Delivery) -> Conversation | None:
    """Load the conversation as the delivery sees it: with its own handoff, which may no longer be the current."""
    lane = delivery.lane
    return conversations.load(tx, lane.organisation, lane.conversation, handoff=handoff_of(delivery.effect))


def has_changed(tx: Tx, errand: Errand) -> bool:
    """Say whether what is wanted has changed since an errand was taken up."""
    delivery = errand.delivery
    current = deliveries.head(tx, delivery.lane)
    if current is None or (current.id, current.state) != (delivery.id, delivery.state):
        return True
    conversation = seen_from(tx, delivery)
    return (
        conversation is None
        or (delivery.state == "pending" and not standing(delivery.effect, conversation).send)
        or (conversation.handoff and conversation.handoff.mode)
        != (errand.conversation.handoff and errand.conversation.handoff.mode)
    )


def follow_up(effect: Effect, links: tuple[Link, ...]) -> Event | None:
    """Say what a delivered effect means for the handoff."""
    if isinstance(effect, ConfirmControl):
        return HandoffQueued(handoff=effect.handoff)
    if isinstance(effect, OpenTicket):
        ticket = next((link.theirs for link in links if link.kind is LinkKind.TICKET), None)
        return None if ticket is None else TicketOpened(handoff=effect.handoff, ticket_id=TicketId(ticket))
    return None


def refusal(effect: Effect, error: Refused, follow_up: HandoffId | None = None) -> Event | None:
    """Say what a lasting no means for the handoff; `follow_up` may go on where its place is gone."""
    if isinstance(effect, Post):
        goes_on = follow_up if isinstance(error, Gone) else None
        return PostRefused(handoff=effect.handoff, message=effect.message, why=error.detail, follow_up=goes_on)
    if isinstance(effect, LiveStep | OpenTicket):
        return HandoffRefused(handoff=effect.handoff, step=type(effect).__name__, why=error.detail)
    return None
