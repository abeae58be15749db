"""Send what is owed, in order, at least once, and look before sending again.

A lane has one sender at a time. Its head is tried until it is delivered, refused, or no longer wanted; nothing behind
it moves before that. An attempt is written down before it starts, so whatever a crash cuts short is known to be unsure
and is treated like a timeout: where the receiver recognises a repetition it is repeated, where it does not we look for
our mark, and only after a late arrival has become impossible is it sent once more.

Before it sends, a courier owns the conversation (`owners.py`): where several processes serve one database, one of them
at a time. Losing what it owns it stops at once, and whoever comes next takes what was under way for unsure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol, TypeVar

import structlog

from escalade.channels.base import Account, After, Channel, ChannelName, LinkKind, Sent
from escalade.domain.effects import (
    Answer,
    ConfirmControl,
    Effect,
    LaneName,
    LiveStep,
    OpenTicket,
    Post,
    ReleaseControl,
    RemoveDouble,
)
from escalade.domain.errors import DeliveryError, Gone, Refused, Retryable, Unaccepted, Unavailable, Uncertain
from escalade.domain.events import Event, FilesRefused
from escalade.domain.model import (
    Conversation,
    ConversationId,
    DeliveryView,
    Ending,
    HandoffId,
    Message,
    Millis,
    Mode,
    OrganisationId,
)
from escalade.domain.standing import standing
from escalade.services import history
from escalade.services.accounts import Accounts
from escalade.services.bell import Bell
from escalade.services.doors import Doors
from escalade.services.errand import Errand, follow_up, has_changed, refusal, seen_from, take_up
from escalade.services.files import read as read_file_of
from escalade.services.intake import Intake, policy_of
from escalade.services.owners import Alone, Owners
from escalade.services.patience import LOOK_AFTER_S, Patience
from escalade.services.ports import Ports
from escalade.store import attempts, conversations, deliveries, doors, files, handoffs, lanes, links, messages, receipts
from escalade.store.database import Database, Tx
from escalade.store.doors import Door

log = structlog.get_logger()
T = TypeVar("T")

SWEEP_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class CourierPolicy:
    """How patient the courier is. `unsure_wait_s` is how long a request we gave up on may still arrive."""

    unsure_wait_s: float = 60.0
    most_lanes: int = 128  # to each destination
    most_lanes_each: int = 32  # of them for one organisation


class Replier(Protocol):
    """Who answers for the assistant."""

    async def reply(self, account: Account, conversation: Conversation, question: Message) -> Event:
        """Say what the assistant makes of a message: an answer, or that a person must."""
        ...


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
    ) -> None:
        self._database = database
        self._bell = bell
        self._ports = ports
        self._intake = intake
        self._accounts = accounts
        self._channels = channels
        self._replier = replier
        self._doors = doors
        self._policy = policy or CourierPolicy()
        self._patience = Patience(ports, self._policy.unsure_wait_s)
        self._owners: Owners = owners or Alone()
        self._owners.on_loss = self._stop_sending
        self._busy: dict[lanes.Lane, asyncio.Task[None]] = {}

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
                self._busy[lane] = asyncio.create_task(self._drain(lane), name=f"lane {lane}")
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
        self._stop_sending()
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _write(self, lane: lanes.Lane, work: Callable[[Tx], T]) -> T:
        """Write what concerns a lane, its conversation locked first, whatever the work touches then."""

        def owned(tx: Tx) -> T:
            conversations.lock(tx, lane.organisation, lane.conversation)
            return work(tx)

        return await self._database.write(owned)

    def _stop_sending(self) -> None:
        for task in self._busy.values():
            task.cancel()

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
        except asyncio.CancelledError:
            raise
        except Unavailable as error:
            log.warning("lane_waits_for_database", lane=str(lane), why=str(error))
            await self._ports.sleep(SWEEP_S)
        except Exception:
            log.exception("lane_stumbled", lane=str(lane))
            await self._ports.sleep(SWEEP_S)
        finally:
            self._busy.pop(lane, None)

    async def step(self, lane: lanes.Lane) -> bool:
        """Move the head of a lane once; say whether the next may be tried right away.

        1. Read the head and the state as it is now.
        2. Drop what is no longer wanted, settle what an earlier delivery covered.
        3. Unsure, and the receiver does not recognise a repetition: look.
        4. Otherwise write the attempt down, send, and write down what came of it.
        """
        task = await self._database.read(lambda tx: take_up(tx, lane, self._accounts, self._ports.now()))
        if task is None:
            return False
        delivery = task.delivery
        if delivery.state == "sending":
            # Nobody else sends for this lane and we have only just come: its sender died or lost what it owned.
            await self._write(lane, lambda tx: attempts.take_over(tx, lane, self._ports.now()))
            return True
        if delivery.state in {"withdrawn", "delivered", "refused", "dropped", "covered", "skipped", "resent"}:
            await self._write(lane, lambda tx: deliveries.finish(tx, delivery, delivery.state, "", self._ports.now()))
            return True
        unsure = delivery.state == "unsure"
        wanted = standing(delivery.effect, task.conversation)
        if not wanted.send and not (unsure and isinstance(delivery.effect, Post | OpenTicket)):
            await self._write(lane, lambda tx: self._let_go(tx, task, covered=wanted.covered, why=wanted.why))
            return True
        if isinstance(delivery.effect, Answer):
            return await self._ask_assistant(task)
        opened = (ChannelName.SUNSHINE, LinkKind.CONVERSATION) in task.links
        if isinstance(delivery.effect, ReleaseControl | RemoveDouble) and not opened:
            await self._write(lane, lambda tx: self._let_go(tx, task, covered=True, why="no chat was opened"))
            return True
        channel = self._channel_for(delivery.effect, task.conversation)
        if unsure and channel.after_uncertain(task.job) is After.LOOK:
            return await self._look(task, channel, may_send=wanted.send, why=wanted.why)
        return await self._send(task, channel)

    def _channel_for(self, effect: Effect, conversation: Conversation) -> Channel:
        """Choose the door: Sunshine while the handoff is live, the ticket otherwise."""
        live = conversation.handoff is not None and conversation.handoff.mode is Mode.LIVE
        if isinstance(effect, LiveStep | ReleaseControl | RemoveDouble) or (isinstance(effect, Post) and live):
            return self._channels[ChannelName.SUNSHINE]
        return self._channels[ChannelName.ZENDESK]

    def _let_go(self, tx: Tx, task: Errand, *, covered: bool, why: str) -> None:
        """Settle a delivery without sending it; a customer whose words do not arrive is told."""
        delivery, conversation = task.delivery, task.conversation
        covered = covered or _has_arrived(tx, task)
        deliveries.finish(tx, delivery, "covered" if covered else "dropped", why, self._ports.now())
        if not covered:
            history.dead(tx, delivery, "dropped")
        if not isinstance(delivery.effect, Post):
            return
        if covered:
            messages.mark(
                tx, conversation.organisation, conversation.id, delivery.effect.message, DeliveryView.DELIVERED
            )
            return
        handoff = conversation.handoff
        closed = handoff is not None and handoff.ended is Ending.CLOSED
        error = Gone("the request was closed") if closed else Refused("the chat ended")
        self._decide_refusal(tx, task, "dropped", error)

    async def _ask_assistant(self, task: Errand) -> bool:
        """Have the assistant answer; its words become an event that is decided like any other."""
        delivery, conversation = task.delivery, task.conversation
        question = task.job.message
        assert question is not None
        attempt = await self._begin(task, kind="send", frozen=None)
        if attempt is None:
            return True
        topic = conversations.topic(conversation.organisation, conversation.id)
        self._bell.typing(topic, "assistant", True)
        try:
            event = await self._replier.reply(task.account, conversation, question)
        finally:
            self._bell.typing(topic, "assistant", False)

        def written(tx: Tx) -> None:
            now = self._ports.now()
            self._intake.owe(tx, conversation, "assistant", delivery.key, event)
            history.outcome(tx, delivery, None)
            attempts.end(tx, attempt, verdict="delivered", status=None, detail=type(event).__name__, now=now)
            deliveries.finish(tx, delivery, "delivered", type(event).__name__, now)
            self._intake.work(tx, conversation.organisation, conversation.id, task.policy)

        await self._write(task.delivery.lane, written)
        return True

    async def _begin(self, task: Errand, *, kind: str, frozen: str | None) -> int | None:
        """Write down that an attempt starts, or nothing if what is wanted has changed since the head was read."""

        def written(tx: Tx) -> int | None:
            effect = task.delivery.effect
            if has_changed(tx, task):
                return None
            if kind == "send" and isinstance(effect, OpenTicket):
                # From here on a ticket may exist: no upgrade to live any more, and it is not forgotten.
                self._set_ticket_attempted(tx, task, attempted=True)
            if kind == "send":
                history.attempt(tx, task.delivery)
            return attempts.begin(tx, task.delivery, kind=kind, frozen=frozen, now=self._ports.now())

        return await self._write(task.delivery.lane, written)

    def _set_ticket_attempted(self, tx: Tx, task: Errand, *, attempted: bool) -> None:
        conversation = seen_from(tx, task.delivery)
        assert conversation is not None
        handoff = conversation.handoff
        if handoff is not None and handoff.ticket_attempted is not attempted and handoff.mode is Mode.TICKET:
            handoffs.save(tx, conversation, replace(handoff, ticket_attempted=attempted))

    async def _send(self, task: Errand, channel: Channel) -> bool:
        door = task.doors.get(channel.name)
        probe = await self._doors.probe(door)
        if probe is None and door is not None:
            return await self._wait_outside(task, door)
        probed = door if probe else None
        frozen = task.job.frozen
        try:
            if frozen is None:
                frozen = channel.freeze(task.account, task.job)
        except Exception as error:
            # Nothing was sent; a fault of ours that will be there again is an operator's to mend.
            log.exception("request_not_built", lane=str(task.delivery.lane))
            attempt = await self._begin(task, kind="send", frozen=None)
            if attempt is None:
                return True
            return await self._failed(task, attempt, Refused(f"{type(error).__name__}: {error}"), channel)
        read_file = partial(read_file_of, self._database, task.conversation.organisation)
        job = replace(task.job, frozen=frozen, read_file=read_file)
        attempt = await self._begin(task, kind="send", frozen=frozen)
        if attempt is None:
            return True
        try:
            sent = await channel.send(task.account, job)
        except DeliveryError as error:
            moves_on = await self._failed(task, attempt, error, channel)
            await self._doors.note(task.account.organisation, channel.name, error, probed)
            return moves_on
        except Exception as error:
            # A fault of ours after the attempt began: it may have arrived.
            log.exception("attempt_broke", lane=str(task.delivery.lane), effect=type(job.effect).__name__)
            return await self._failed(task, attempt, Uncertain(f"{type(error).__name__}: {error}"), channel)
        await self._delivered(task, attempt, sent, verdict="delivered", channel=channel)
        await self._doors.note(task.account.organisation, channel.name, None, probed)
        return True

    async def _wait_outside(self, task: Errand, door: Door) -> bool:
        """Wait at a shut door; where a customer has waited too long in a live handoff, go the other way."""
        if self._patience.is_over(task):
            refused = Refused(f"gave up: {door.why}")
            await self._write(task.delivery.lane, lambda tx: self._refuse(tx, task, refused))
            return True
        delivery = task.delivery
        state = "pending" if delivery.state == "pending" else "unsure"
        seconds = self._doors.opens_in(door)
        if isinstance(delivery.effect, LiveStep):
            seconds = min(seconds, LOOK_AFTER_S[-1])  # its patience may end before the door opens
        await self._postpone(delivery, state, seconds, failed=False)
        return False

    async def _look(self, task: Errand, channel: Channel, *, may_send: bool, why: str) -> bool:
        """Look for our mark. Found: delivered. Absent long enough: send again, or let go if no longer wanted."""
        delivery = task.delivery
        now = self._ports.now()
        waited = (now - (delivery.tried_at or now)) / 1000
        due_in = self._patience.next_look_in(delivery, waited)
        if due_in > 0:
            await self._postpone(delivery, "unsure", due_in, failed=False)
            return False
        door = task.doors.get(channel.name)
        probe = await self._doors.probe(door)
        if probe is None and door is not None:
            return await self._wait_outside(task, door)
        probed = door if probe else None
        attempt = await self._begin(task, kind="look", frozen=None)
        if attempt is None:
            return True
        try:
            found = await channel.find(task.account, task.job)
        except Refused:
            found = None  # a lasting no: there is nothing to be found in
        except DeliveryError as error:
            await self._doors.note(task.account.organisation, channel.name, error, probed)
            if self._patience.is_over(task):
                return await self._failed(task, attempt, error, channel)
            failed, pause = error, self._patience.pause(delivery, error, channel.name)
            await self._write(task.delivery.lane, lambda tx: self._look_failed(tx, task, attempt, failed, pause))
            return False
        await self._doors.note(task.account.organisation, channel.name, None, probed)
        if found is not None:
            await self._delivered(task, attempt, found, verdict="found", channel=channel)
            return True
        late = waited >= self._policy.unsure_wait_s

        def written(tx: Tx) -> None:
            at = self._ports.now()
            attempts.end(tx, attempt, verdict="absent", status=None, detail="", now=at)
            history.lookup(tx, delivery, found=False)
            if _has_arrived(tx, task):  # the list has shown it: whoever reads the list was faster, or saw more of it
                self._let_go(tx, task, covered=True, why="the list has shown it")
            elif late and may_send:
                deliveries.postpone(tx, delivery, "pending", at, failed=False)
            elif late:
                self._let_go(tx, task, covered=False, why=why)
            else:
                deliveries.postpone(tx, delivery, "unsure", at, failed=False)

        await self._write(task.delivery.lane, written)
        return True

    def _look_failed(self, tx: Tx, task: Errand, attempt: int, error: DeliveryError, pause: float) -> None:
        now = self._ports.now()
        attempts.end(tx, attempt, verdict="retryable", status=error.status, detail=error.detail, now=now)
        deliveries.postpone(tx, task.delivery, "unsure", now + int(pause * 1000), failed=True)

    async def _delivered(self, task: Errand, attempt: int, sent: Sent, *, verdict: str, channel: Channel) -> None:
        def written(tx: Tx) -> None:
            now = self._ports.now()
            delivery, conversation, effect = task.delivery, task.conversation, task.delivery.effect
            assert not isinstance(effect, Answer)
            for link in sent.links:
                links.tie(
                    tx,
                    conversation.organisation,
                    effect.handoff,
                    channel=link.channel,
                    kind=link.kind,
                    theirs=link.theirs,
                    ours=link.ours,
                )
            follow = follow_up(effect, sent.links)
            if follow is not None:
                self._intake.owe(tx, conversation, "courier", f"{delivery.key}.{type(follow).__name__}", follow)
            lost = [file.name for id in sent.lost if (file := files.load(tx, conversation.organisation, id))]
            if lost:
                refused = FilesRefused(handoff=effect.handoff, names=tuple(lost))
                self._intake.owe(tx, conversation, "courier", f"{delivery.key}.files", refused)
            attempts.end(tx, attempt, verdict=verdict, status=sent.status, detail=sent.answer, now=now)
            if verdict == "found":
                history.lookup(tx, delivery, found=True)
            else:
                history.outcome(tx, delivery, None)
            deliveries.finish(tx, delivery, "delivered", "", now)
            if isinstance(effect, Post):
                messages.mark(tx, conversation.organisation, conversation.id, effect.message, DeliveryView.DELIVERED)
                if lanes.is_idle(tx, delivery.lane):
                    handoffs.caught_up(tx, conversation, effect.handoff)
            if isinstance(effect, ConfirmControl | OpenTicket):
                tx.ring("look", effect.handoff)
            # Decided before the lane moves on: what comes next relies on it.
            self._intake.work(tx, conversation.organisation, conversation.id, task.policy)

        await self._write(task.delivery.lane, written)
        log.info(
            "delivered", lane=str(task.delivery.lane), effect=type(task.delivery.effect).__name__, via=channel.name
        )

    async def _failed(self, task: Errand, attempt: int, error: DeliveryError, channel: Channel) -> bool:
        """Write down a failed attempt and what it means for the lane."""
        delivery, effect = task.delivery, task.delivery.effect
        if isinstance(error, Retryable | Uncertain) and self._patience.is_over(task):
            error = Refused(f"gave up: {error.detail}", status=error.status, answer=error.answer)
        log.warning(
            "attempt_failed",
            lane=str(delivery.lane),
            effect=type(effect).__name__,
            verdict=type(error).__name__,
            status=error.status,
            why=error.detail[:200],
        )
        pause = self._patience.pause(delivery, error, channel.name)
        if isinstance(error, Uncertain) and channel.after_uncertain(task.job) is After.LOOK:
            pause = LOOK_AFTER_S[0]

        def written(tx: Tx) -> bool:
            now = self._ports.now()
            detail = f"{error.detail}\n{error.answer}".strip()
            verdict = type(error).__name__.lower()
            attempts.end(tx, attempt, verdict=verdict, status=error.status, detail=detail, now=now)
            history.outcome(tx, delivery, error)
            match error:
                case Refused() if (until := self._may_arrive_until(tx, task)) > now:
                    deliveries.postpone(tx, delivery, "unsure", until, failed=True)
                    return False
                case Refused():
                    self._refuse(tx, task, error)
                case Uncertain():
                    deliveries.postpone(tx, delivery, "unsure", now + int(pause * 1000), failed=True)
                case _:
                    told = getattr(error, "after", None) is not None and not isinstance(error, Unaccepted)
                    deliveries.postpone(tx, delivery, "pending", now + int(pause * 1000), failed=True, told=told)
                    if isinstance(effect, OpenTicket) and not attempts.was_uncertain(tx, delivery.id):
                        self._set_ticket_attempted(tx, task, attempted=False)  # it certainly did not arrive
            return isinstance(error, Refused)

        return await self._write(task.delivery.lane, written)

    def _may_arrive_until(self, tx: Tx, task: Errand) -> Millis:
        """Say until when an earlier attempt at a ticket may arrive: a no to its repetition says nothing of it.

        Asked again after that, Zendesk knows the ticket by its idempotency key, or there is none.
        """
        doubt = attempts.last_doubt(tx, task.delivery.id) if isinstance(task.delivery.effect, OpenTicket) else None
        return 0 if doubt is None else doubt + int(self._policy.unsure_wait_s * 1000)

    def _refuse(self, tx: Tx, task: Errand, error: Refused) -> None:
        """Settle a delivery that will not arrive, and decide what that means."""
        delivery, effect = task.delivery, task.delivery.effect
        if _has_arrived(tx, task):
            self._let_go(tx, task, covered=True, why=error.detail)
            return
        deliveries.finish(tx, delivery, "refused", error.detail, self._ports.now())
        history.dead(tx, delivery, "refused")
        if isinstance(effect, Post):
            tx.ring("ask", effect.handoff)  # it may be over there without our having been told
        self._decide_refusal(tx, task, "refused", error)

    def _decide_refusal(self, tx: Tx, task: Errand, how: str, error: Refused) -> None:
        delivery, conversation = task.delivery, task.conversation
        event = refusal(delivery.effect, error, HandoffId(self._ports.new_id()))
        if event is not None:
            self._intake.owe(tx, conversation, "courier", f"{delivery.key}.{how}", event)
        self._intake.work(tx, conversation.organisation, conversation.id, task.policy)

    async def _postpone(self, delivery: deliveries.Delivery, state: str, seconds: float, *, failed: bool) -> None:
        due_at: Millis = self._ports.now() + int(seconds * 1000)
        await self._write(delivery.lane, lambda tx: deliveries.postpone(tx, delivery, state, due_at, failed=failed))


def _has_arrived(tx: Tx, task: Errand) -> bool:
    """Say whether the message of a delivery is known to be at the desk, whatever its own attempts have come to."""
    effect = task.delivery.effect
    return isinstance(effect, Post) and links.has_arrived(tx, task.conversation, effect.message)
