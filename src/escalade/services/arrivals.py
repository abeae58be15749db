"""News from outside: kept once by its key, acted on at once where it can be, left as a bell for `reconcile` where not.

News of a ticket that nobody knows is parked for a while: our own answer, which names the ticket, may not be in yet.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import msgspec

from escalade.channels.base import Arrival, ArrivalKind, ChannelName, LinkKind
from escalade.domain.events import (
    AgentAssigned,
    DeskSaid,
    Event,
    SessionEnded,
    TicketOpened,
    TicketStatusChanged,
)
from escalade.domain.model import (
    Agent,
    AgentId,
    Conversation,
    Ending,
    Handoff,
    HandoffId,
    Millis,
    Mode,
    OrganisationId,
    Role,
    TicketId,
)
from escalade.domain.policy import Policy
from escalade.domain.switchboard.endings import GONE
from escalade.services.intake import Intake, desk_message_id
from escalade.services.ports import Ports
from escalade.store import (
    conversations,
    doors,
    handoffs,
    lanes,
    links,
    receipts,
)
from escalade.store.database import Tx
from escalade.store.links import Place

_kept = msgspec.json.Encoder()

HURRY_EVERY_MS = 1_000
PARK_MS = 60_000  # how long news of a ticket we do not know yet is kept: it may be ours before our own answer is in


class Status(StrEnum):
    """Tell a sender what became of its news."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The answer to a webhook, once durable."""

    status: Status
    reason: str = ""


class Arrivals:
    """Take news in, inside a transaction."""

    def __init__(self, ports: Ports, intake: Intake) -> None:
        self._ports = ports
        self._now = ports.now
        self._intake = intake
        self._hurried: dict[OrganisationId, Millis] = {}

    def arrive(
        self, tx: Tx, organisation: OrganisationId, source: str, arrival: Arrival, raw: str, policy: Policy
    ) -> Accepted:
        """Keep a webhook's news once and act on it.

        1. Find whose handoff it is about; learn the ticket's number on the way.
        2. Keep it, whoever it is about; of a strange ticket, such as that of a customer who was erased, no words.
        3. Decide at once what needs no look; ring for the rest.
        """
        now = self._now()
        place = self._place(tx, organisation, arrival)
        state, outcome = self._first_verdict(tx, organisation, arrival, place)
        is_strange = place is None and state != "waiting" and arrival.ticket_id is not None
        receipt = receipts.accept(
            tx,
            organisation,
            source=source,
            key=arrival.key,
            kind=arrival.kind.value,
            body=_without_words(arrival) if is_strange else _kept.encode({"arrival": arrival, "raw": raw}).decode(),
            now=now,
            conversation=None if place is None else place.conversation,
            handoff=None if place is None else place.handoff,
            state=state,
            outcome=outcome,
        )
        if receipt is None:
            return Accepted(status=Status.DUPLICATE)
        if place is None:
            other = arrival.kind is ArrivalKind.OTHER
            return Accepted(status=Status.IGNORED, reason="unknown_event" if other else "unknown_ticket")
        if arrival.kind is ArrivalKind.OTHER:
            accepted = Accepted(status=Status.IGNORED, reason="unknown_event")
        elif state == "ignored":
            accepted = Accepted(status=Status.ACCEPTED)
        else:
            accepted = self._act(tx, organisation, place, receipt, arrival, policy)
        self._hurry(tx, organisation, now)
        return accepted

    def _first_verdict(
        self, tx: Tx, organisation: OrganisationId, arrival: Arrival, place: Place | None
    ) -> tuple[str, str]:
        """Say what can be said before anything is decided: most news is an echo and is finished with its receipt."""
        if arrival.kind is ArrivalKind.OTHER:
            return "ignored", "no meaning for us"
        if place is None:
            # Our own answer, which names the ticket, may not be in yet.
            parks = arrival.ticket_id is not None and handoffs.waits_for_ticket(tx, organisation)
            return ("waiting", "") if parks else ("ignored", "unknown_ticket")
        if _is_echo(arrival) and arrival.ticket_id in {None, place.ticket_id}:
            return "ignored", "echo"
        return "waiting", ""

    def _place(self, tx: Tx, organisation: OrganisationId, arrival: Arrival) -> Place | None:
        """Find whose handoff news is about."""
        for channel, kind, theirs in (
            (ChannelName.SUNSHINE, LinkKind.CONVERSATION, arrival.conversation_id),
            (ChannelName.ZENDESK, LinkKind.TICKET, arrival.ticket_id),
            # The older shape has no conversation id, but the echo of a message of ours names the ticket all the same.
            (ChannelName.SUNSHINE, LinkKind.MESSAGE, arrival.message_id),
        ):
            if theirs is not None:
                found = links.place_of(tx, organisation, channel=channel, kind=kind, theirs=theirs)
                if found is not None:
                    return found
        return None

    def _hurry(self, tx: Tx, organisation: OrganisationId, now: Millis) -> None:
        """Clear the back-off towards a Zendesk that has just spoken to us; once a second is soon enough."""
        if now - self._hurried.get(organisation, 0) >= HURRY_EVERY_MS:
            self._hurried[organisation] = now
            doors.knock(tx, organisation, now)
            lanes.hurry(tx, organisation, now)

    def _act(
        self,
        tx: Tx,
        organisation: OrganisationId,
        place: Place,
        receipt: int,
        arrival: Arrival,
        policy: Policy,
    ) -> Accepted:
        now, handoff_id = self._now(), place.handoff
        conversation = conversations.load(tx, organisation, place.conversation)
        own = handoffs.load(tx, organisation, handoff_id)
        assert conversation is not None
        assert own is not None
        if own.mode is Mode.TICKET and place.via == ChannelName.SUNSHINE:
            receipts.settle(tx, receipt, "of a chat that was given up", now, ignored=True)
            return Accepted(status=Status.ACCEPTED)
        if arrival.ticket_id not in {None, place.ticket_id} and self._is_its_own(tx, organisation, place, arrival):
            conversation = self.learn_ticket(tx, conversation, handoff_id, arrival.ticket_id, policy)
        if (
            arrival.kind is ArrivalKind.SESSION_END
            and arrival.sent_at is not None
            # By the sender's clock, which counts whole seconds: when the handoff was asked for, counted back from now.
            and arrival.sent_at < self._ports.wall() - (now - own.asked_at) - 1000
        ):
            receipts.settle(tx, receipt, "stale", now, ignored=True)
            return Accepted(status=Status.IGNORED, reason="stale")
        event = self._plain(own, arrival)
        if event is not None:
            decision = self._intake.apply(tx, conversation, event, policy).decision
            receipts.settle(tx, receipt, decision.ignored or "applied", now, ignored=bool(decision.ignored))
        elif _is_echo(arrival):
            receipts.settle(tx, receipt, "echo", now, ignored=True)
        else:
            tx.ring("look", handoff_id)
        return Accepted(status=Status.ACCEPTED)

    def _is_its_own(self, tx: Tx, organisation: OrganisationId, place: Place, arrival: Arrival) -> bool:
        """Say whether the ticket that news names is that of the handoff it was found to be about.

        Where a customer has one chat for good, it outlives its tickets, and late news of an earlier one comes with the
        chat's id. There, a ticket is this handoff's only for a message of this handoff that is on it.
        """
        known = links.handoff_at(
            tx, organisation, channel=ChannelName.ZENDESK, kind=LinkKind.TICKET, theirs=arrival.ticket_id or ""
        )
        if known == place.handoff or (known is None and not self._serves_several(tx, organisation, arrival)):
            return True
        said = links.handoff_at(
            tx, organisation, channel=ChannelName.SUNSHINE, kind=LinkKind.MESSAGE, theirs=arrival.message_id or ""
        )
        return said == place.handoff

    @staticmethod
    def _serves_several(tx: Tx, organisation: OrganisationId, arrival: Arrival) -> bool:
        chat = arrival.conversation_id
        return chat is not None and links.serves_several(
            tx, organisation, channel=ChannelName.SUNSHINE, kind=LinkKind.CONVERSATION, theirs=chat
        )

    def act_again(self, tx: Tx, receipt: receipts.Receipt, arrival: Arrival, policy: Policy) -> None:
        """Act once more on news that is kept and whose conversation is known."""
        place = self._place(tx, receipt.organisation, arrival)
        if place is not None:
            self._act(tx, receipt.organisation, place, receipt.id, arrival, policy)

    def learn_ticket(
        self, tx: Tx, conversation: Conversation, handoff: HandoffId, ticket_id: str, policy: Policy
    ) -> Conversation:
        """Tie a ticket to a handoff; news parked for it finds its conversation now."""
        known = links.handoff_at(
            tx,
            conversation.organisation,
            channel=ChannelName.ZENDESK,
            kind=LinkKind.TICKET,
            theirs=ticket_id,
        )
        if known == handoff:
            return conversation
        links.tie(
            tx,
            conversation.organisation,
            handoff,
            channel=ChannelName.ZENDESK,
            kind=LinkKind.TICKET,
            theirs=ticket_id,
            ours=handoff,
        )
        opened = TicketOpened(handoff=handoff, ticket_id=TicketId(ticket_id))
        after = self._intake.apply(tx, conversation, opened, policy).decision.conversation
        self._unpark_for(tx, conversation, policy)
        return conversations.load(tx, after.organisation, after.id) or after

    def _plain(self, own: Handoff, arrival: Arrival) -> Event | None:
        """Read the event out of news that needs no look at Zendesk's own record."""
        handoff, live = own.id, own.mode is Mode.LIVE
        match arrival.kind:
            case ArrivalKind.STATUS_CHANGED if (arrival.status or "").lower() in GONE:
                return None  # the agent's last words come before the end
            case ArrivalKind.STATUS_CHANGED:
                return TicketStatusChanged(handoff=handoff, status=(arrival.status or "").lower())
            case ArrivalKind.ASSIGNMENT_CHANGED if arrival.agent_id is None:
                return AgentAssigned(handoff=handoff, agent=None)
            case ArrivalKind.MESSAGE_ADDED if arrival.actor_type == "agent" and not live and arrival.text:
                return said_by(handoff, arrival)  # a ticket has no live list to read it back from
            case ArrivalKind.SESSION_END if not live:
                return SessionEnded(handoff=handoff, ending=Ending.BY_AGENT)
            case _:
                return None

    def _unpark_for(self, tx: Tx, conversation: Conversation, policy: Policy) -> None:
        """Act on parked news that is about this conversation, now that a link was learnt."""
        for receipt in receipts.parked(tx, conversation.organisation):
            place = self._place(tx, conversation.organisation, arrival_of(receipt))
            if place is not None and place.conversation == conversation.id:
                self.unpark(tx, receipt, policy)

    def unpark(self, tx: Tx, receipt: receipts.Receipt, policy: Policy) -> None:
        """Try again whose the parked news is; give up on what waited too long."""
        now, arrival = self._now(), arrival_of(receipt)
        place = self._place(tx, receipt.organisation, arrival)
        if place is not None:
            conversations.lock(tx, receipt.organisation, place.conversation)
            if receipts.still_waits(tx, receipt.id):
                receipts.assign(tx, receipt.id, place.conversation, place.handoff)
                self._act(tx, receipt.organisation, place, receipt.id, arrival, policy)
        elif receipt.received_at < now - PARK_MS:
            receipts.settle(tx, receipt.id, "unknown_ticket", now, ignored=True)
            receipts.keep_only(tx, receipt.id, _without_words(arrival))


def _without_words(arrival: Arrival) -> str:
    """Give what is kept of news of a strange ticket: which it was, and the ticket's number."""
    return _kept.encode({"arrival": replace(arrival, text="", agent_name=None), "raw": ""}).decode()


def _is_echo(arrival: Arrival) -> bool:
    """Say whether this is the customer's own message coming back."""
    return arrival.kind is ArrivalKind.MESSAGE_ADDED and arrival.actor_type in {"end_user", "user"}


def arrival_of(receipt: receipts.Receipt) -> Arrival:
    """Read back the news a receipt keeps."""
    return msgspec.convert(msgspec.json.decode(receipt.body)["arrival"], Arrival)


def said_by(handoff: HandoffId, arrival: Arrival) -> DeskSaid:
    """Take what was said from the webhook's own text."""
    agent = Agent(
        id=None if arrival.agent_id is None else AgentId(arrival.agent_id), name=arrival.agent_name or "An agent"
    )
    return DeskSaid(
        handoff=handoff,
        id=desk_message_id(ChannelName.SUNSHINE, arrival.message_id or arrival.key),
        role=Role.AGENT if arrival.actor_type == "agent" else Role.SYSTEM,
        text=arrival.text,
        agent=agent if arrival.actor_type == "agent" else None,
    )
