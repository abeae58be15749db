"""What Zendesk is asked beside its list: whether a session goes on, a ticket is gone, what an agent is called."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from escalade.channels.base import Account, Arrival, ArrivalKind, ChannelName, LinkKind, Session
from escalade.domain.errors import DeliveryError
from escalade.domain.events import AgentAssigned, Event, SessionEnded, TicketStatusChanged
from escalade.domain.model import Agent, AgentId, Ending, HandoffId, HandoffState, Millis, Mode
from escalade.domain.organisation import OnInactive
from escalade.domain.switchboard.endings import GONE
from escalade.services.arrivals import arrival_of
from escalade.services.doors import Doors
from escalade.services.numbers import Numbers
from escalade.services.ports import Ports
from escalade.services.scene import Scene
from escalade.store import receipts

log = structlog.get_logger()

PATIENCE_MS = 3_000  # how long a bell waits for the list before its own words are believed


class AgentDirectory(Protocol):
    """Whom and what a Zendesk account can name."""

    async def ticket_of(self, account: Account, conversation: str, since: Millis) -> str | None:
        """Find the ticket of a live conversation."""
        ...

    async def ticket_status(self, account: Account, ticket_id: str) -> str:
        """Give a ticket's status; one that is gone is `deleted`."""
        ...

    async def agent(self, account: Account, agent_id: str) -> Agent | None:
        """Give an agent's name and picture."""
        ...


class SessionReader(Protocol):
    """Who can say whether a live session goes on."""

    async def session(self, account: Account, links: dict[tuple[ChannelName, LinkKind], str]) -> Session:
        """Ask whether agents still have control."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What was found out: an event for a bell by its key, and what a look by itself saw of the session."""

    ticket: str | None  # its number, where it was not known
    by_bell: dict[str, Event]
    session: Event | None
    asked: bool  # whether Zendesk could say how the session stands


class Inquiry:
    """Asks, and gives what was found out."""

    def __init__(self, ports: Ports, directory: AgentDirectory, sessions: SessionReader, doors: Doors) -> None:
        self._ports = ports
        self._directory = directory
        self._sessions = sessions
        self._doors = doors
        self._numbers = Numbers(ports, directory, doors)

    async def ask(self, scene: Scene, *, session: bool, reached: bool) -> Facts:
        """Ask Zendesk what the bells alone do not say: an agent's name, and which end it was."""
        by_bell: dict[str, Event] = {}
        found: Event | None = None
        ticket: str | None = None
        if session and reached:
            conversation = scene.links.get((ChannelName.SUNSHINE, LinkKind.CONVERSATION))
            ticket = await self._numbers.seek(scene.account, scene.handoff, conversation)
        state: Session | None = None
        live = scene.handoff.mode is Mode.LIVE and scene.list_at is not None
        ends = [b for b in scene.bells if b.kind in {ArrivalKind.SESSION_END, ArrivalKind.CONTROL_LEFT}]
        talking = scene.handoff.state in {
            HandoffState.QUEUED,
            HandoffState.WITH_AGENT,
            HandoffState.ASYNCHRONOUS,
        }
        if live and reached and talking and (session or ends):
            try:
                asks = partial(self._sessions.session, scene.account, scene.links)
                state = await self._doors.call(scene.account.organisation, ChannelName.SUNSHINE, asks)
            except DeliveryError as error:
                log.warning("session_unknown", handoff=scene.handoff.id, why=error.detail)
        for bell in ends:
            ending = self._ending(scene, bell, state) if reached else None
            if ending is not None:
                by_bell[bell.key] = SessionEnded(handoff=scene.handoff.id, ending=ending)
        if state is Session.ENDED and not ends:
            found = SessionEnded(handoff=scene.handoff.id, ending=Ending.BY_AGENT)
        ticket_id = scene.handoff.ticket_id
        if scene.handoff.mode is Mode.TICKET and session and ticket_id and talking and scene.account.zendesk:
            found = await self._gone(scene, ticket_id)
        if state is Session.CLOSED and not ends:
            found = SessionEnded(handoff=scene.handoff.id, ending=Ending.CLOSED)
        for bell in scene.bells:
            if bell.kind == ArrivalKind.ASSIGNMENT_CHANGED:
                by_bell[bell.key] = AgentAssigned(
                    handoff=scene.handoff.id, agent=await self._agent(scene, arrival_of(bell))
                )
        return Facts(ticket=ticket, by_bell=by_bell, session=found, asked=state is not None or not talking)

    async def _gone(self, scene: Scene, ticket_id: str) -> Event | None:
        """See whether a ticket is closed or deleted where no webhook has said so."""
        try:
            asks = partial(self._directory.ticket_status, scene.account, ticket_id)
            status = await self._doors.call(scene.account.organisation, ChannelName.ZENDESK, asks)
        except DeliveryError as error:
            log.warning("ticket_status_unknown", handoff=scene.handoff.id, why=error.detail)
            return None
        return TicketStatusChanged(handoff=scene.handoff.id, status=status) if status in GONE else None

    def _ending(self, scene: Scene, bell: receipts.Receipt, state: Session | None) -> Ending | None:
        """Say which end a session came to, or nothing where it has not ended or cannot be told yet."""
        if scene.handoff.state is HandoffState.REQUESTED:
            return None  # control moves while we hand over, and no session is there to end
        if state is Session.CLOSED:
            return Ending.CLOSED
        if state is Session.ENDED:
            return Ending.BY_AGENT
        closes = scene.policy.on_session_inactive is OnInactive.CLOSE and bell.kind == ArrivalKind.SESSION_END
        if state is Session.ACTIVE:
            return Ending.INACTIVE if closes else None
        if closes and self._ports.now() - bell.received_at >= PATIENCE_MS:
            return Ending.UNKNOWN
        return None

    async def _agent(self, scene: Scene, arrival: Arrival) -> Agent:
        assert arrival.agent_id is not None
        agent_id = AgentId(arrival.agent_id)
        if scene.account.zendesk is not None:
            try:
                async with asyncio.timeout(PATIENCE_MS / 1000):
                    asks = partial(self._directory.agent, scene.account, agent_id)
                    found = await self._doors.call(scene.account.organisation, ChannelName.ZENDESK, asks)
            except (DeliveryError, TimeoutError) as error:
                log.warning("agent_unknown", handoff=scene.handoff.id, why=str(error))
            else:
                if found is not None:
                    return found
        return Agent(id=agent_id, name=arrival.agent_name or "An agent")

    def forget(self, but: Collection[HandoffId]) -> None:
        """Forget every handoff that is not read any more."""
        self._numbers.forget(but)
