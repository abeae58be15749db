"""Look at Zendesk's own record and bring ours up to it.

A webhook only rings: what was said, and in which order, is read from the provider's list. So a webhook that comes
twice, late, out of order or never changes nothing but the moment. Where the list cannot be reached nothing is shown
before it can: a webhook cannot say whether something came before it, and what was shown is never put in another order.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Protocol

import structlog

from escalade.channels.base import (
    Account,
    Arrival,
    ArrivalKind,
    Channel,
    ChannelName,
    Heard,
    LinkKind,
    Page,
    Session,
)
from escalade.domain.errors import DeliveryError, Refused, Unavailable
from escalade.domain.events import AgentAssigned, DeskSaid, Event, SessionEnded, TicketStatusChanged
from escalade.domain.model import (
    OPEN_STATES,
    Agent,
    AgentId,
    Conversation,
    ConversationId,
    Ending,
    Handoff,
    HandoffId,
    HandoffState,
    Millis,
    Mode,
    OrganisationId,
)
from escalade.domain.organisation import OnInactive
from escalade.domain.policy import Policy
from escalade.domain.switchboard.endings import GONE
from escalade.domain.transcript import LIVE_LIMIT
from escalade.services import echoes
from escalade.services.accounts import Accounts
from escalade.services.arrivals import Arrivals, arrival_of, said_by
from escalade.services.doors import Doors
from escalade.services.intake import Intake, desk_message_id
from escalade.services.numbers import Numbers
from escalade.services.owners import Alone, Owners
from escalade.services.ports import Ports
from escalade.store import conversations, handoffs, links, messages, organisations, receipts
from escalade.store.database import Database, Row, Tx

log = structlog.get_logger()

PATIENCE_MS = 3_000  # how long a bell waits for the list before its own words are believed
LIVE_EVERY_MS = 5_000
TICKET_EVERY_MS = 15_000
QUIET_EVERY_MS = 60_000
QUIET_AFTER_MS = 10 * 60_000
ASLEEP_EVERY_MS = 10 * 60_000
ASLEEP_AFTER_MS = 24 * 3600_000
RETRY_MS = 1_000
GIVE_UP_MS = 60_000
MOST_MISSES = 10
LONGEST_PAUSE_S = 30.0
SWEEP_S = 1.0


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
class _Scene:
    """What a look starts from."""

    conversation: Conversation
    handoff: Handoff
    account: Account
    policy: Policy
    links: dict[tuple[ChannelName, LinkKind], str]
    cursor: str | None
    bells: tuple[receipts.Receipt, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """What was found out: an event for a bell by its key, and what a look by itself saw of the session."""

    ticket: str | None  # its number, where it was not known
    by_bell: dict[str, Event]
    session: Event | None
    asked: bool  # whether Zendesk could say how the session stands


class Reconcile:
    """Looks, one at a time for each handoff."""

    def __init__(
        self,
        database: Database,
        ports: Ports,
        intake: Intake,
        arrivals: Arrivals,
        accounts: Accounts,
        channels: dict[ChannelName, Channel],
        directory: AgentDirectory,
        sessions: SessionReader,
        doors: Doors,
        owners: Owners | None = None,
    ) -> None:
        self._database = database
        self._ports = ports
        self._intake = intake
        self._arrivals = arrivals
        self._accounts = accounts
        self._channels = channels
        self._directory = directory
        self._sessions = sessions
        self._doors = doors
        self._numbers = Numbers(ports, directory, doors)
        self._owners: Owners = owners or Alone()
        self._under_way: dict[HandoffId, asyncio.Task[None]] = {}
        self._again: dict[HandoffId, bool] = {}
        self._rung: dict[HandoffId, asyncio.Event] = {}
        self._looked_at: dict[HandoffId, int] = {}
        self._unread: set[OrganisationId] = set()  # whose lists are to be read, whenever they were read last
        self._misses: dict[HandoffId, int] = {}

    def ring(self, rings: Iterable[tuple[str, str]]) -> None:
        """Start a look for every handoff that was rung for; where several processes serve, the leader looks."""
        if not self._owners.leads:
            return
        for topic, what in rings:
            if topic in {"look", "ask"}:
                self.look_soon(HandoffId(what), session=topic == "ask")
            elif topic == "door":
                self._unread.add(OrganisationId(what))

    def look_soon(self, handoff: HandoffId, *, session: bool = False) -> None:
        """Look now, or once more after the look that is under way."""
        if handoff in self._under_way:
            self._again[handoff] = self._again.get(handoff, False) or session
            self._rung[handoff].set()
            return
        self._rung[handoff] = asyncio.Event()
        self._under_way[handoff] = asyncio.create_task(self._look(handoff, session), name=f"look {handoff}")

    async def run(self) -> None:
        """Look at every open handoff by itself: often while people talk, seldom while it is quiet."""
        blind = True  # after a time without news of ours or theirs, every list is read
        while True:
            now = self._ports.now()
            unread, self._unread = self._unread, set()
            try:
                leads = await self._owners.lead()
                rows = await self._database.read(partial(handoffs.to_read, now=now)) if leads else []
            except Unavailable as error:
                log.warning("handoffs_unreadable", why=str(error))
                blind = True
                await self._ports.sleep(SWEEP_S)
                continue
            for row in rows:
                handoff = HandoffId(row["id"])
                last = self._looked_at.get(handoff, 0)
                if blind or row["organisation"] in unread or now - last >= self._every(row, now):
                    self.look_soon(handoff, session=True)
            blind = not leads
            self._forget({HandoffId(row["id"]) for row in rows})
            await self._ports.sleep(SWEEP_S)

    def _forget(self, but: set[HandoffId]) -> None:
        """Forget what is not read any more."""
        self._numbers.forget(but)
        for known in (self._looked_at, self._misses):
            for handoff in known.keys() - but - self._under_way.keys():
                del known[handoff]

    def _every(self, row: Row, now: int) -> int:
        """Say how often to look without being rung for: often while people talk, seldom while it is quiet."""
        state, quiet = HandoffState(row["state"]), now - row["updated_at"]
        if state is HandoffState.REQUESTED or state not in OPEN_STATES:
            return QUIET_EVERY_MS
        if quiet < QUIET_AFTER_MS:
            return TICKET_EVERY_MS if state is HandoffState.ASYNCHRONOUS else LIVE_EVERY_MS
        return QUIET_EVERY_MS if quiet < ASLEEP_AFTER_MS else ASLEEP_EVERY_MS

    async def close(self) -> None:
        """Stop the looks that are under way; whatever they had not written is looked at again."""
        for task in self._under_way.values():
            task.cancel()
        await asyncio.gather(*self._under_way.values(), return_exceptions=True)

    async def _look(self, handoff: HandoffId, session: bool) -> None:
        try:
            while True:
                self._looked_at[handoff] = self._ports.now()
                self._rung[handoff].clear()
                again_in: float | None
                try:
                    again_in = await self.look(handoff, session=session)
                except Unavailable as error:
                    # The next round may be minutes away, and nobody need ring again.
                    log.warning("look_waits_for_database", handoff=handoff, why=str(error))
                    again_in = SWEEP_S
                if again_in is None and handoff not in self._again:
                    return
                # A ring ends the wait: they have spoken, or their door has opened.
                await self._rung_or_after(handoff, again_in or 0.0)
                session = self._again.pop(handoff, session)
        except asyncio.CancelledError:
            raise
        except Exception:
            log.exception("look_failed", handoff=handoff)
        finally:
            self._under_way.pop(handoff, None)
            self._rung.pop(handoff, None)
            if self._again.pop(handoff, None) is not None:
                self.look_soon(handoff)

    async def _rung_or_after(self, handoff: HandoffId, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._rung[handoff].wait()

    async def look(self, handoff: HandoffId, *, session: bool) -> float | None:
        """Look once; say after how many seconds to look again, or nothing if all is told.

        1. Read what we know.
        2. Ask: the list, the names of agents, whether the session goes on.
        3. Write it down in one transaction, messages before endings.
        """
        scene = await self._database.read(lambda tx: self._scene(tx, handoff))
        if scene is None:
            return None
        channel = self._list_of(scene)
        page: Page | None = None
        heard: tuple[Heard, ...] = ()
        reached, pause = True, None
        if channel is not None:
            try:
                page = await self._doors.call(
                    scene.account.organisation,
                    channel.name,
                    partial(channel.heard_since, scene.account, scene.links, scene.cursor),
                )
                heard = page.heard
            except DeliveryError as error:
                # A lasting no is an answer: what is gone has nothing more to say, and is asked how it stands.
                reached = session = isinstance(error, Refused)
                pause = self._pause(scene, error)
                log.warning("list_unreachable", handoff=handoff, why=error.detail)
        if reached:
            self._misses.pop(handoff, None)
        facts = await self._ask(scene, session=session, reached=reached)
        again_in = await self._database.write(
            lambda tx: self._write_down(tx, scene, channel, page, heard, facts, reached=reached)
        )
        return again_in if reached else pause

    def _pause(self, scene: _Scene, error: DeliveryError) -> float | None:
        """Say when to look again after a failure: as told, or doubling; a handoff that is over is left in the end."""
        misses = self._misses[scene.handoff.id] = self._misses.get(scene.handoff.id, 0) + 1
        if misses > MOST_MISSES and not scene.handoff.is_open:
            self._misses.pop(scene.handoff.id, None)
            return None
        after = getattr(error, "after", None)
        return float(after) if after is not None else min(LONGEST_PAUSE_S, 2.0 ** (misses - 1))

    def _scene(self, tx: Tx, handoff: HandoffId) -> _Scene | None:
        row = tx.everywhere().one("SELECT organisation, conversation, cursor FROM handoff WHERE id = :id", id=handoff)
        if row is None:
            return None
        organisation = organisations.load(tx, OrganisationId(row["organisation"]))
        conversation = conversations.load(
            tx, OrganisationId(row["organisation"]), ConversationId(row["conversation"]), handoff=handoff
        )
        if conversation is None or organisation is None or conversation.handoff is None:
            return None
        known = {
            (ChannelName(channel), LinkKind(kind)): theirs for (channel, kind), theirs in links.of(tx, handoff).items()
        }
        return _Scene(
            conversation=conversation,
            handoff=conversation.handoff,
            account=self._accounts.account(tx, organisation),
            policy=Policy.of(organisation.settings),
            links=known,
            cursor=row["cursor"],
            bells=tuple(
                receipt
                for receipt in receipts.waiting(tx, conversation.organisation, conversation.id)
                if receipt.kind in _BELLS and receipt.handoff == handoff
            ),
        )

    def _list_of(self, scene: _Scene) -> Channel | None:
        """Choose whose list is the truth for this handoff."""
        if scene.handoff.mode is Mode.LIVE:
            if (ChannelName.SUNSHINE, LinkKind.CONVERSATION) in scene.links and scene.account.sunshine:
                return self._channels[ChannelName.SUNSHINE]
            return None
        if (ChannelName.ZENDESK, LinkKind.TICKET) in scene.links and scene.account.zendesk:
            return self._channels[ChannelName.ZENDESK]
        return None

    async def _ask(self, scene: _Scene, *, session: bool, reached: bool) -> _Facts:
        """Ask Zendesk what the bells alone do not say: an agent's name, and which end it was."""
        by_bell: dict[str, Event] = {}
        found: Event | None = None
        ticket: str | None = None
        if session and reached:
            conversation = scene.links.get((ChannelName.SUNSHINE, LinkKind.CONVERSATION))
            ticket = await self._numbers.seek(scene.account, scene.handoff, conversation)
        state: Session | None = None
        live = scene.handoff.mode is Mode.LIVE and self._list_of(scene) is not None
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
        return _Facts(ticket=ticket, by_bell=by_bell, session=found, asked=state is not None or not talking)

    async def _gone(self, scene: _Scene, ticket_id: str) -> Event | None:
        """See whether a ticket is closed or deleted where no webhook has said so."""
        try:
            asks = partial(self._directory.ticket_status, scene.account, ticket_id)
            status = await self._doors.call(scene.account.organisation, ChannelName.ZENDESK, asks)
        except DeliveryError as error:
            log.warning("ticket_status_unknown", handoff=scene.handoff.id, why=error.detail)
            return None
        return TicketStatusChanged(handoff=scene.handoff.id, status=status) if status in GONE else None

    def _ending(self, scene: _Scene, bell: receipts.Receipt, state: Session | None) -> Ending | None:
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

    async def _agent(self, scene: _Scene, arrival: Arrival) -> Agent:
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

    def _write_down(
        self,
        tx: Tx,
        scene: _Scene,
        channel: Channel | None,
        page: Page | None,
        heard: tuple[Heard, ...],
        facts: _Facts,
        *,
        reached: bool,
    ) -> float | None:
        now = self._ports.now()
        organisation, handoff = scene.conversation.organisation, scene.handoff
        conversations.lock(tx, organisation, scene.conversation.id)
        if facts.ticket is not None:
            now_is = conversations.load(tx, organisation, scene.conversation.id)
            assert now_is is not None
            self._arrivals.learn_ticket(tx, now_is, handoff.id, facts.ticket, scene.policy)
        ids = set()
        for bell in scene.bells:
            if bell.kind == ArrivalKind.ASSIGNMENT_CHANGED:
                self._apply(tx, scene, facts.by_bell[bell.key], bell)
        for message in heard:
            ids.add(message.id)
            if message.mark is not None and channel is not None:
                echoes.recognise(tx, scene.conversation, handoff, channel.name, message, now)
            if message.ours or channel is None:
                continue
            said = DeskSaid(
                handoff=handoff.id,
                id=desk_message_id(channel.name, message.id),
                role=message.role,
                text=message.text,
                agent=message.agent,
                attachments=message.attachments,
            )
            self._apply(tx, scene, said)
        again = False
        for bell in scene.bells:
            if bell.kind in {ArrivalKind.MESSAGE_ADDED, ArrivalKind.COMMENT_ADDED}:
                again |= self._answer_bell(tx, scene, bell, ids, reached=reached)
        for bell in scene.bells:
            if bell.kind in {ArrivalKind.SESSION_END, ArrivalKind.CONTROL_LEFT}:
                event = facts.by_bell.get(bell.key)
                if event is not None:
                    self._apply(tx, scene, event, bell)
                elif facts.asked or (reached and now - bell.received_at > GIVE_UP_MS):
                    receipts.settle(tx, bell.id, "the session goes on", now, ignored=True)
                else:
                    again = True
        for bell in scene.bells:
            if bell.kind == ArrivalKind.STATUS_CHANGED:  # a closed ticket: its last words have just been read
                again |= self._close(tx, scene, bell, reached=reached)
        if facts.session is not None:
            self._apply(tx, scene, facts.session)
        if reached:  # also where the answer was a lasting no: what is gone need not be asked for ever
            handoffs.looked(tx, handoff.id, None if page is None else page.cursor, now)
        self._intake.work(tx, organisation, scene.conversation.id, scene.policy)
        return RETRY_MS / 1000 if again or not reached else None

    def _close(self, tx: Tx, scene: _Scene, bell: receipts.Receipt, *, reached: bool) -> bool:
        """End a handoff whose ticket is gone, after its last words; say whether to look again first."""
        if not reached:
            return True
        status = (arrival_of(bell).status or "").lower()
        self._apply(tx, scene, TicketStatusChanged(handoff=scene.handoff.id, status=status), bell)
        return False

    def _answer_bell(self, tx: Tx, scene: _Scene, bell: receipts.Receipt, ids: set[str], *, reached: bool) -> bool:
        """Settle a message's bell once the message is in the transcript; say whether to look again."""
        now = self._ports.now()
        arrival = arrival_of(bell)
        if arrival.message_id is None or bell.kind == ArrivalKind.COMMENT_ADDED:
            if reached:
                receipts.settle(tx, bell.id, "read from the list", now)
            return not reached
        shown = messages.load(
            tx,
            scene.conversation.organisation,
            scene.conversation.id,
            desk_message_id(ChannelName.SUNSHINE, arrival.message_id),
        )
        ours = links.handoff_at(
            tx,
            scene.conversation.organisation,
            channel=ChannelName.SUNSHINE,
            kind=LinkKind.MESSAGE,
            theirs=arrival.message_id,
        )
        if shown is not None or ours is not None or arrival.message_id in ids:
            receipts.settle(tx, bell.id, "read from the list", now)
            return False
        if not reached or now - bell.received_at < PATIENCE_MS:
            return True  # only the list can say whether something came before it
        if arrival.actor_type == "agent" and 0 < len(arrival.text) <= LIVE_LIMIT:  # no chat takes more
            self._apply(tx, scene, said_by(scene.handoff.id, arrival))
            receipts.settle(tx, bell.id, "shown from the webhook's own text: the list did not have it", now)
        else:
            receipts.settle(tx, bell.id, "not in the list", now, ignored=True)
        return False

    def _apply(self, tx: Tx, scene: _Scene, event: Event, bell: receipts.Receipt | None = None) -> None:
        if bell is not None and not receipts.still_waits(tx, bell.id):
            return  # another look was faster
        current = conversations.load(tx, scene.conversation.organisation, scene.conversation.id)
        assert current is not None
        decision = self._intake.apply(tx, current, event, scene.policy).decision
        if bell is not None:
            receipts.settle(
                tx, bell.id, decision.ignored or "applied", self._ports.now(), ignored=bool(decision.ignored)
            )


_BELLS = frozenset(kind.value for kind in ArrivalKind)
