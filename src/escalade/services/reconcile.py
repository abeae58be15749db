"""Look at Zendesk's own record and bring ours up to it.

A webhook only rings: what was said, and in which order, is read from the provider's list. So a webhook that comes
twice, late, out of order or never changes nothing but the moment. Where the list cannot be reached nothing is shown
before it can: a webhook cannot say whether something came before it, and what was shown is never put in another order.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

import structlog

from escalade.channels.base import ArrivalKind, Channel, ChannelName, Heard, LinkKind, Page
from escalade.domain.errors import DeliveryError, Refused
from escalade.domain.events import DeskSaid, Event, TicketStatusChanged
from escalade.domain.model import HandoffId, Millis
from escalade.domain.transcript import LIVE_LIMIT
from escalade.services import echoes, inquiry
from escalade.services.accounts import Accounts
from escalade.services.arrivals import Arrivals, arrival_of, said_by
from escalade.services.backoff import doubling
from escalade.services.doors import Doors
from escalade.services.inquiry import AgentDirectory, Facts, Inquiry, SessionReader
from escalade.services.intake import Intake, desk_message_id
from escalade.services.ports import Ports
from escalade.services.scene import Scene, scene_of
from escalade.store import conversations, handoffs, links, messages, receipts
from escalade.store.database import Database, Tx

log = structlog.get_logger()

RETRY_MS = 1_000
GIVE_UP_MS = 60_000
MOST_MISSES = 10
LONGEST_PAUSE_S = 30.0


class Reconcile:
    """Looks at one handoff at a time."""

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
    ) -> None:
        self._database = database
        self._ports = ports
        self._intake = intake
        self._arrivals = arrivals
        self._accounts = accounts
        self._channels = channels
        self._doors = doors
        self._inquiry = Inquiry(ports, directory, sessions, doors)
        self._misses: dict[HandoffId, int] = {}

    async def look(self, handoff: HandoffId, *, session: bool) -> float | None:
        """Look once; say after how many seconds to look again, or nothing if all is told.

        1. Read what we know.
        2. Ask: the list, the names of agents, whether the session goes on.
        3. Write it down in one transaction, messages before endings.
        """
        scene = await self._database.read(lambda tx: scene_of(tx, handoff, self._accounts))
        if scene is None:
            return None
        channel = None if scene.list_at is None else self._channels[scene.list_at]
        page: Page | None = None
        heard: tuple[Heard, ...] = ()
        reached, pause = True, None
        asked_at = self._ports.now()
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
        facts = await self._inquiry.ask(scene, session=session, reached=reached)
        again_in = await self._database.write(
            lambda tx: self._write_down(tx, scene, channel, page, heard, facts, asked_at, reached=reached)
        )
        return again_in if reached else pause

    def forget(self, but: Collection[HandoffId]) -> None:
        """Forget every handoff that is not read any more."""
        self._inquiry.forget(but)
        for handoff in self._misses.keys() - set(but):
            del self._misses[handoff]

    def _pause(self, scene: Scene, error: DeliveryError) -> float | None:
        """Say when to look again after a failure: as told, or doubling; a handoff that is over is left in the end."""
        misses = self._misses[scene.handoff.id] = self._misses.get(scene.handoff.id, 0) + 1
        if misses > MOST_MISSES and not scene.handoff.is_open:
            self._misses.pop(scene.handoff.id, None)
            return None
        after = getattr(error, "after", None)
        return float(after) if after is not None else doubling(1.0, misses - 1, LONGEST_PAUSE_S)

    def _write_down(
        self,
        tx: Tx,
        scene: Scene,
        channel: Channel | None,
        page: Page | None,
        heard: tuple[Heard, ...],
        facts: Facts,
        asked_at: Millis,
        *,
        reached: bool,
    ) -> float | None:
        now = self._ports.now()
        organisation, handoff = scene.conversation.organisation, scene.handoff
        conversations.lock(tx, organisation, scene.conversation.id)
        now_is = conversations.load(tx, organisation, scene.conversation.id)
        if now_is is None:
            return None  # the customer was erased while Zendesk was asked
        if facts.ticket is not None:
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
                again |= self._answer_bell(tx, scene, bell, ids, asked_at, reached=reached)
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

    def _close(self, tx: Tx, scene: Scene, bell: receipts.Receipt, *, reached: bool) -> bool:
        """End a handoff whose ticket is gone, after its last words; say whether to look again first."""
        if not reached:
            return True
        status = (arrival_of(bell).status or "").lower()
        self._apply(tx, scene, TicketStatusChanged(handoff=scene.handoff.id, status=status), bell)
        return False

    def _answer_bell(
        self, tx: Tx, scene: Scene, bell: receipts.Receipt, ids: set[str], asked_at: Millis, *, reached: bool
    ) -> bool:
        """Settle a message's bell once the message is in the transcript; say whether to look again.

        The list is as old as the question: an answer that took long says nothing of what came meanwhile.
        """
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
        if not reached or asked_at - bell.received_at < inquiry.PATIENCE_MS:
            return True  # only the list can say whether something came before it
        if arrival.actor_type == "agent" and 0 < len(arrival.text) <= LIVE_LIMIT:  # no chat takes more
            self._apply(tx, scene, said_by(scene.handoff.id, arrival))
            receipts.settle(tx, bell.id, "shown from the webhook's own text: the list did not have it", now)
        else:
            receipts.settle(tx, bell.id, "not in the list", now, ignored=True)
        return False

    def _apply(self, tx: Tx, scene: Scene, event: Event, bell: receipts.Receipt | None = None) -> None:
        if bell is not None and not receipts.still_waits(tx, bell.id):
            return  # another look was faster
        current = conversations.load(tx, scene.conversation.organisation, scene.conversation.id)
        assert current is not None
        decision = self._intake.apply(tx, current, event, scene.policy).decision
        if bell is not None:
            receipts.settle(
                tx, bell.id, decision.ignored or "applied", self._ports.now(), ignored=bool(decision.ignored)
            )
