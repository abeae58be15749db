"""Send what is owed, in order, at least once, and look before sending again.

A lane has one sender at a time. Its head is tried until it is delivered, refused, or no longer wanted; nothing behind
it moves before that. An attempt is written down before it starts, so whatever a crash cuts short is known to be unsure
and is treated like a timeout: where the receiver recognises a repetition it is repeated, where it does not we look for
our mark, and only after a late arrival has become impossible is it sent once more.

Before it sends, a courier owns the conversation (`owners.py`): where several processes serve one database, one of them
at a time. Losing what it owns it stops at once, and whoever comes next takes what was under way for unsure.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import structlog

from escalade.assistant.summary import Summariser
from escalade.channels.base import After, Channel, ChannelName, LinkKind
from escalade.domain.effects import Answer, Effect, LaneName, LiveStep, OpenTicket, Post, ReleaseControl, RemoveDouble
from escalade.domain.errors import Unavailable
from escalade.domain.model import Conversation, ConversationId, Mode, OrganisationId
from escalade.domain.standing import standing
from escalade.services.accounts import Accounts
from escalade.services.bell import Bell
from escalade.services.busy import Busy
from escalade.services.doors import Doors
from escalade.services.errand import take_up
from escalade.services.intake import Intake, policy_of
from escalade.services.ledger import Ledger
from escalade.services.owners import Alone, Owners
from escalade.services.patience import Patience
from escalade.services.ports import Ports
from escalade.services.sender import Replier, Sender
from escalade.services.summaries import Summaries
from escalade.store import attempts, doors, handoffs, lanes, receipts
from escalade.store.database import Database, Tx

log = structlog.get_logger()

SWEEP_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierPolicy:
    """How patient the courier is. `unsure_wait_s` is how long a request we gave up on may still arrive."""

    unsure_wait_s: float = 60.0
    most_lanes: int = 128  # to each destination
    most_lanes_each: int = 32  # of them for one organisation


class Courier:
    """The sender of every lane."""

    def __init__(
        self,
        database: Database,
        bell: Bell,
        ports: Ports,
        intake: Intake,
        accounts: Accounts,
        channels: dict[ChannelName, Channel],
        replier: Replier,
        doors: Doors,
        policy: CourierPolicy | None = None,
        owners: Owners | None = None,
        summariser: Summariser | None = None,
    ) -> None:
        self._database = database
        self._bell = bell
        self._ports = ports
        self._intake = intake
        self._accounts = accounts
        self._channels = channels
        self._policy = policy or CourierPolicy()
        patience = Patience(ports, self._policy.unsure_wait_s)
        self._ledger = Ledger(database, ports, intake, patience, self._policy.unsure_wait_s)
        self._sender = Sender(database, bell, ports, replier, doors, patience, self._ledger)
        self._summaries = None if summariser is None else Summaries(summariser, self._ledger)
        self._owners: Owners = owners or Alone()
        self._busy: Busy[lanes.Lane] = Busy()
        self._owners.on_loss = self._busy.stop

    async def run(self) -> None:
        """Drain lanes as they fall due, until cancelled."""
        while not await self.recover():
            await self._ports.sleep(SWEEP_S)
        with self._bell.listen(("lane", LaneName.DESK.value), ("lane", LaneName.ASSISTANT.value)) as listener:
            while True:
                pause = await self._start_due_lanes()
                await listener.wait(pause)

    async def recover(self) -> bool:
        """Put in order what the last process left; say whether the store let us."""
        try:
            if await self._owners.join():
                await self._database.write(self._begin_anew)
            await self._owners.joined()
            await self._catch_up()
        except Unavailable as error:
            log.warning("recovery_waits_for_database", why=str(error))
            return False
        return True

    def _begin_anew(self, tx: Tx) -> None:
        now = self._ports.now()
        attempts.recover(tx, now)
        receipts.recover(tx, now)
        handoffs.recover(tx, now)
        doors.recover(tx, now, lanes.LONGEST_TOLD_MS)

    async def _catch_up(self) -> None:
        """Decide what a crash left undecided before any lane moves: later effects rely on what earlier ones led to."""
        for organisation, conversation in await self._database.read(receipts.conversations_waiting):
            try:
                await self._database.write(partial(self._decide, organisation=organisation, conversation=conversation))
            except Exception:
                log.exception("receipts_undecided", conversation=conversation)

    def _decide(self, tx: Tx, organisation: OrganisationId, conversation: ConversationId) -> None:
        self._intake.work(tx, organisation, conversation, policy_of(tx, organisation))

    async def _start_due_lanes(self) -> float:
        """Start a task for each due lane; say how long to wait before the next look."""
        now = self._ports.now()
        try:
            due, following = await self._database.read(lambda tx: (lanes.due(tx, now), lanes.next_due_at(tx)))
        except Unavailable as error:
            log.warning("lanes_unreadable", why=str(error))
            return SWEEP_S
        for lane in due:
            if lane not in self._busy and self._has_room(lane):
                self._busy.start(lane, self._drain(lane), f"lane {lane}")
        if following is None or following <= now:
            return SWEEP_S
        return min(SWEEP_S, (following - now) / 1000)

    def _has_room(self, lane: lanes.Lane) -> bool:
        """Keep one organisation's hanging Zendesk from taking every place, and the assistant's places apart."""
        same = [busy for busy in self._busy if busy.name is lane.name]
        own = sum(busy.organisation == lane.organisation for busy in same)
        return len(same) < self._policy.most_lanes and own < self._policy.most_lanes_each

    async def close(self) -> None:
        """Stop sending; what is cut short here is unsure at the next start."""
        await self._busy.close()

    async def _drain(self, lane: lanes.Lane) -> None:
        owned = f"{lane.organisation}/{lane.conversation}"
        try:
            if not await self._owners.claim(owned):
                return  # another process sends for it
            try:
                while await self.step(lane):
                    pass
            finally:
                await self._owners.release(owned)
        except Unavailable as error:
            log.warning("lane_waits_for_database", lane=str(lane), why=str(error))
            await self._ports.sleep(SWEEP_S)
        except Exception:
            log.exception("lane_stumbled", lane=str(lane))
            await self._ports.sleep(SWEEP_S)

    async def step(self, lane: lanes.Lane) -> bool:
        """Move the head of a lane once; say whether the next may be tried right away.

        1. Read the head and the state as it is now.
        2. Drop what is no longer wanted, settle what an earlier delivery covered.
        3. Unsure, and the receiver does not recognise a repetition: look.
        4. Before a note, and once a handoff: have a model sum it up, and read again.
        5. Otherwise write the attempt down, send, and write down what came of it.
        """
        task = await self._database.read(lambda tx: take_up(tx, lane, self._accounts, self._ports.now()))
        if task is None:
            return False
        delivery = task.delivery
        if delivery.state == "sending":
            # Nobody else sends for this lane and we have only just come: its sender died or lost what it owned.
            await self._ledger.take_over(lane)
            return True
        if delivery.state in {"withdrawn", "delivered", "refused", "dropped", "covered", "skipped", "resent"}:
            await self._ledger.pass_over(delivery)
            return True
        unsure = delivery.state == "unsure"
        wanted = standing(delivery.effect, task.conversation)
        if not wanted.send and not (unsure and isinstance(delivery.effect, Post | OpenTicket)):
            await self._ledger.let_go(task, covered=wanted.covered, why=wanted.why)
            return True
        if isinstance(delivery.effect, Answer):
            return await self._sender.ask_assistant(task)
        if self._summaries is not None and self._summaries.wants(task):
            await self._summaries.get(task)
            return True
        opened = (ChannelName.SUNSHINE, LinkKind.CONVERSATION) in task.links
        if isinstance(delivery.effect, ReleaseControl | RemoveDouble) and not opened:
            await self._ledger.let_go(task, covered=True, why="no chat was opened")
            return True
        channel = self._channel_for(delivery.effect, task.conversation)
        if unsure and channel.after_uncertain(task.job) is After.LOOK:
            return await self._sender.look(task, channel, may_send=wanted.send, why=wanted.why)
        return await self._sender.send(task, channel)

    def _channel_for(self, effect: Effect, conversation: Conversation) -> Channel:
        """Choose the door: Sunshine while the handoff is live, the ticket otherwise."""
        live = conversation.handoff is not None and conversation.handoff.mode is Mode.LIVE
        if isinstance(effect, LiveStep | ReleaseControl | RemoveDouble) or (isinstance(effect, Post) and live):
            return self._channels[ChannelName.SUNSHINE]
        return self._channels[ChannelName.ZENDESK]
