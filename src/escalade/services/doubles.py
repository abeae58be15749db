"""Notice a second ticket of one request, and have it merged into the one that people work on.

Where an answer was lost for longer than Zendesk recognises a repetition, and its list lagged, a request may have been
opened twice (docs/promises.md). Such a request is looked at a few times in the quarter of an hour after its ticket
became known.
What an agent wrote on the other ticket meanwhile is shown like any word of theirs, once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from escalade.channels.base import Account, ChannelName, Heard, LinkKind, Page
from escalade.domain.effects import MergeTicket
from escalade.domain.errors import DeliveryError, Unavailable
from escalade.domain.events import DeskSaid, TicketMoved
from escalade.domain.model import Conversation, HandoffId, TicketId
from escalade.domain.policy import Policy
from escalade.services.accounts import Accounts
from escalade.services.doors import Doors
from escalade.services.intake import Intake, desk_message_id, policy_of
from escalade.services.owners import Alone, Owners
from escalade.services.ports import Ports
from escalade.store import conversations, deliveries, doubles, links, organisations
from escalade.store.database import Database, Tx
from escalade.store.doubles import Doubtful

log = structlog.get_logger()

EVERY_S = 15.0
LOOKS_MS = (5_000, 60_000, 180_000, 480_000, 900_000)  # after it became known: lists lag by minutes
WATCHED_MS = 20 * 60_000

Links = Mapping[tuple[ChannelName, LinkKind], str]


class Ticket(Protocol):
    """What is asked of a ticket."""

    @property
    def id(self) -> str:
        """Its number."""

    @property
    def is_worked_on(self) -> bool:
        """Whether somebody has taken it up."""


class Tickets(Protocol):
    """Who can list the tickets of a request and what was said on them."""

    async def tickets_of(self, account: Account, handoff: HandoffId) -> Sequence[Ticket]:
        """List the tickets that carry a handoff, the oldest first."""
        ...

    async def heard_since(self, account: Account, links: Links, cursor: str | None) -> Page:
        """List what was said on a ticket."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    known: Ticket  # the one we know
    others: tuple[tuple[Ticket, tuple[Heard, ...]], ...]  # with what was said on them


class Doubles:
    """Looks at what was opened in doubt."""

    def __init__(
        self,
        database: Database,
        ports: Ports,
        intake: Intake,
        accounts: Accounts,
        tickets: Tickets,
        doors: Doors,
        owners: Owners | None = None,
    ) -> None:
        self._database = database
        self._ports = ports
        self._intake = intake
        self._accounts = accounts
        self._tickets = tickets
        self._doors = doors
        self._owners: Owners = owners or Alone()
        self._looks: dict[HandoffId, int] = {}  # how many of its looks a request has had

    async def run(self) -> None:
        """Make rounds until cancelled."""
        while True:
            try:
                if await self._owners.lead():
                    await self.round()
            except Unavailable as error:
                log.warning("doubles_wait_for_database", why=str(error))
            await self._ports.sleep(EVERY_S)

    async def round(self) -> None:
        """Look at each request that was opened in doubt lately."""
        now = self._ports.now()
        found = await self._database.read(lambda tx: doubles.doubtful(tx, now - WATCHED_MS))
        self._looks = {of.handoff: self._looks.get(of.handoff, 0) for of in found}
        for of in found:
            due = sum(now - of.opened_at >= mark for mark in LOOKS_MS)
            if self._looks[of.handoff] >= due:
                continue
            try:
                await self.look(of)
                self._looks[of.handoff] = due
            except DeliveryError as error:
                log.warning("tickets_unknown", handoff=of.handoff, why=error.detail)
            except Unavailable:
                raise
            except Exception:
                log.exception("doubles_stumbled", handoff=of.handoff)

    async def look(self, of: Doubtful) -> None:
        """List the tickets of a request; where there is more than one, see to it that one remains."""
        scene = await self._database.read(lambda tx: self._scene(tx, of))
        if scene is None:
            return
        conversation, account, links = scene
        assert conversation.handoff is not None
        asks = partial(self._tickets.tickets_of, account, of.handoff)
        tickets = await self._doors.call(of.organisation, ChannelName.ZENDESK, asks)
        known = next((ticket for ticket in tickets if ticket.id == conversation.handoff.ticket_id), None)
        if known is None or len(tickets) < 2:
            return
        others = []
        for other in tickets:
            if other is not known:
                there = {**links, (ChannelName.ZENDESK, LinkKind.TICKET): other.id}
                reads = partial(self._tickets.heard_since, account, there, None)
                page = await self._doors.call(of.organisation, ChannelName.ZENDESK, reads)
                others.append((other, page.heard))
        found = _Found(known=known, others=tuple(others))
        await self._database.write(lambda tx: self._see_to(tx, of, found))

    def _scene(self, tx: Tx, of: Doubtful) -> tuple[Conversation, Account, Links] | None:
        conversation = conversations.load(tx, of.organisation, of.conversation, handoff=of.handoff)
        organisation = organisations.load(tx, of.organisation)
        if conversation is None or conversation.handoff is None or organisation is None:
            return None
        known = {
            (ChannelName(channel), LinkKind(kind)): theirs
            for (channel, kind), theirs in links.of(tx, of.handoff).items()
        }
        return conversation, self._accounts.account(tx, organisation), known

    def _see_to(self, tx: Tx, of: Doubtful, found: _Found) -> None:
        """Show what was said on the others, go on in the one that is worked on, and owe the merging of the rest.

        A handoff goes on elsewhere only while nothing is under way to its ticket: in doubt, it would be said twice.
        """
        conversations.lock(tx, of.organisation, of.conversation)
        if conversations.load(tx, of.organisation, of.conversation) is None:
            return  # the customer was erased while Zendesk was asked
        policy = policy_of(tx, of.organisation)
        for _, heard in found.others:
            for message in heard:
                self._show(tx, of, message, policy)
        current = conversations.load(tx, of.organisation, of.conversation)
        handoff = None if current is None else current.open_handoff
        if current is None or handoff is None or handoff.id != of.handoff or handoff.ticket_id != found.known.id:
            return
        kept = found.known
        worked_on = next((other for other, _ in found.others if other.is_worked_on), None)
        if worked_on is not None and not kept.is_worked_on and self._is_idle(tx, of):
            kept = worked_on
            doubles.move(tx, of, TicketId(found.known.id), TicketId(kept.id))
            self._intake.apply(tx, current, TicketMoved(handoff=of.handoff, ticket_id=TicketId(kept.id)), policy)
            tx.ring("look", of.handoff)
        now = self._ports.now()
        for double in (found.known, *(other for other, _ in found.others)):
            if double is kept or doubles.is_being_merged(tx, of, double.id):
                continue
            merging = MergeTicket(handoff=of.handoff, theirs=double.id)
            deliveries.put(tx, of.organisation, of.conversation, merging, now)
            log.warning("second_ticket_found", handoff=of.handoff, kept=kept.id, merged=double.id)

    def _is_idle(self, tx: Tx, of: Doubtful) -> bool:
        return not deliveries.owed_messages(tx, of.organisation, of.conversation, of.handoff)

    def _show(self, tx: Tx, of: Doubtful, message: Heard, policy: Policy) -> None:
        if message.ours:
            return
        current = conversations.load(tx, of.organisation, of.conversation)
        assert current is not None
        said = DeskSaid(
            handoff=of.handoff,
            id=desk_message_id(ChannelName.ZENDESK, message.id),
            role=message.role,
            text=message.text,
            agent=message.agent,
            attachments=message.attachments,
        )
        self._intake.apply(tx, current, said, policy)
