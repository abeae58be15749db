"""What the courier writes down: that an attempt starts, and what came of it, each in one transaction.

What follows is decided in the transaction that settles the delivery, before the lane moves on: what comes next in it
relies on that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

import structlog

from escalade.channels.base import After, Channel, Sent
from escalade.domain.effects import Answer, ConfirmControl, OpenTicket, Post
from escalade.domain.errors import DeliveryError, Gone, Refused, Retryable, Unaccepted, Uncertain
from escalade.domain.events import Event, FilesRefused
from escalade.domain.model import DeliveryView, Ending, Handoff, HandoffId, HandoffState, Millis, Mode, SummaryBy
from escalade.services import history
from escalade.services.errand import Errand, follow_up, has_changed, refusal, seen_from
from escalade.services.intake import Intake
from escalade.services.patience import LOOK_AFTER_S, Patience
from escalade.services.ports import Ports
from escalade.store import attempts, conversations, deliveries, files, handoffs, lanes, links, messages
from escalade.store.database import Database, Tx

log = structlog.get_logger()
T = TypeVar("T")


class Ledger:
    """The courier's. `unsure_wait_s` is how long a request we gave up on may still arrive."""

    def __init__(
        self, database: Database, ports: Ports, intake: Intake, patience: Patience, unsure_wait_s: float
    ) -> None:
        self._database = database
        self._ports = ports
        self._intake = intake
        self._patience = patience
        self._unsure_wait_s = unsure_wait_s

    async def begin(self, task: Errand, *, kind: str, frozen: str | None) -> int | None:
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

    async def answered(self, task: Errand, attempt: int, event: Event) -> None:
        """Write down that the assistant has answered, and decide what it said."""
        delivery, conversation = task.delivery, task.conversation

        def written(tx: Tx) -> None:
            now = self._ports.now()
            self._intake.owe(tx, conversation, "assistant", delivery.key, event)
            history.outcome(tx, delivery, None)
            attempts.end(tx, attempt, verdict="delivered", status=None, detail=type(event).__name__, now=now)
            deliveries.finish(tx, delivery, "delivered", type(event).__name__, now)
            self._intake.work(tx, conversation.organisation, conversation.id, task.policy)

        await self._write(delivery.lane, written)

    async def ask_for_summary(self, task: Errand) -> bool:
        """Write down that a model is asked for the handoff's summary; not if what is wanted has changed."""
        return await self._write(task.delivery.lane, lambda tx: not has_changed(tx, task) and _sum_up(tx, task, ""))

    async def summed_up(self, task: Errand, text: str) -> None:
        """Write down the model's summary, unless the customer was erased meanwhile."""
        await self._write(task.delivery.lane, lambda tx: _sum_up(tx, task, text))

    async def delivered(self, task: Errand, attempt: int, sent: Sent, *, verdict: str, channel: Channel) -> None:
        """Write down that a delivery has arrived, as was answered or `found`, and decide what follows."""

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
            if sent.cursor is not None:
                handoffs.begin_at(tx, effect.handoff, sent.cursor)
            follow = follow_up(effect, sent.links)
            if follow is not None:
                self._intake.owe(tx, conversation, "courier", f"{delivery.key}.{type(follow).__name__}", follow)
            lost = [file.name for id in sent.lost if (file := files.load(tx, conversation.organisation, id))]
            if lost:
                refused = FilesRefused(handoff=effect.handoff, names=tuple(lost))
                self._intake.owe(tx, conversation, "courier", f"{delivery.key}.files", refused)
            attempts.end(tx, attempt, verdict=verdict, status=sent.status, detail=_kept(tx, task, sent.answer), now=now)
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

    async def failed(self, task: Errand, attempt: int, error: DeliveryError, channel: Channel) -> bool:
        """Write down a failed attempt and what it means for the lane."""
        delivery, effect, came = task.delivery, task.delivery.effect, error
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
            detail = _kept(tx, task, f"{error.detail}\n{error.answer}".strip())
            verdict = type(came).__name__.lower()  # that we give up says nothing of whether this attempt arrived
            attempts.end(tx, attempt, verdict=verdict, status=error.status, detail=detail, now=now)
            history.outcome(tx, delivery, came)
            match error:
                case Refused() if (until := self._may_arrive_until(tx, task)) > now:
                    deliveries.postpone(tx, delivery, "unsure", until, failed=True)
                    return False
                case Refused():
                    self._refuse(tx, task, error)
                case Uncertain():
                    attempts.give_up(tx, delivery, now)
                    deliveries.postpone(tx, delivery, "unsure", now + int(pause * 1000), failed=True)
                case _:
                    told = getattr(error, "after", None) is not None and not isinstance(error, Unaccepted)
                    deliveries.postpone(tx, delivery, "pending", now + int(pause * 1000), failed=True, told=told)
                    if isinstance(effect, OpenTicket) and not attempts.was_uncertain(tx, delivery.id):
                        self._set_ticket_attempted(tx, task, attempted=False)  # it certainly did not arrive
            return isinstance(error, Refused)

        return await self._write(task.delivery.lane, written)

    async def absent(self, task: Errand, attempt: int, waited: float, *, may_send: bool, why: str) -> None:
        """Write down that a look found nothing so many seconds after the attempt: send again once that is a no."""
        delivery, late = task.delivery, waited >= self._unsure_wait_s

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

    async def look_failed(self, task: Errand, attempt: int, error: DeliveryError, pause: float) -> None:
        """Write down that a look had no answer, and look again after a pause in seconds."""

        def written(tx: Tx) -> None:
            now = self._ports.now()
            detail = _kept(tx, task, error.detail)
            attempts.end(tx, attempt, verdict="retryable", status=error.status, detail=detail, now=now)
            deliveries.postpone(tx, task.delivery, "unsure", now + int(pause * 1000), failed=True)

        await self._write(task.delivery.lane, written)

    async def take_over(self, lane: lanes.Lane) -> None:
        """Call unsure what a sender before us left under way in a lane."""
        await self._write(lane, lambda tx: attempts.take_over(tx, lane, self._ports.now()))

    async def pass_over(self, delivery: deliveries.Delivery) -> None:
        """Let a lane move on past a head that is settled already."""
        now = self._ports.now
        await self._write(delivery.lane, lambda tx: deliveries.finish(tx, delivery, delivery.state, "", now()))

    async def let_go(self, task: Errand, *, covered: bool, why: str) -> None:
        """Settle a delivery without sending it."""
        await self._write(task.delivery.lane, lambda tx: self._let_go(tx, task, covered=covered, why=why))

    async def refused(self, task: Errand, error: Refused) -> None:
        """Write down that a delivery will not arrive."""
        await self._write(task.delivery.lane, lambda tx: self._refuse(tx, task, error))

    async def postpone(self, delivery: deliveries.Delivery, state: str, seconds: float, *, failed: bool) -> None:
        """Try the head of a lane again in some seconds."""
        due_at: Millis = self._ports.now() + int(seconds * 1000)
        await self._write(delivery.lane, lambda tx: deliveries.postpone(tx, delivery, state, due_at, failed=failed))

    async def _write(self, lane: lanes.Lane, work: Callable[[Tx], T]) -> T:
        """Write what concerns a lane, its conversation locked first, whatever the work touches then."""

        def owned(tx: Tx) -> T:
            conversations.lock(tx, lane.organisation, lane.conversation)
            return work(tx)

        return await self._database.write(owned)

    def _let_go(self, tx: Tx, task: Errand, *, covered: bool, why: str) -> None:
        """Settle a delivery without sending it; a customer whose words do not arrive is told."""
        delivery, conversation = task.delivery, task.conversation
        covered = covered or _has_arrived(tx, task)
        deliveries.finish(tx, delivery, "covered" if covered else "dropped", _kept(tx, task, why), self._ports.now())
        if not covered:
            history.dead(tx, delivery, "dropped")
        if not isinstance(delivery.effect, Post):
            return
        if covered:
            messages.mark(
                tx, conversation.organisation, conversation.id, delivery.effect.message, DeliveryView.DELIVERED
            )
            return
        self._decide_refusal(tx, task, "dropped", _why_over(conversation.handoff))

    def _set_ticket_attempted(self, tx: Tx, task: Errand, *, attempted: bool) -> None:
        conversation = seen_from(tx, task.delivery)
        assert conversation is not None
        handoff = conversation.handoff
        if handoff is not None and handoff.ticket_attempted is not attempted and handoff.mode is Mode.TICKET:
            handoffs.save(tx, conversation, replace(handoff, ticket_attempted=attempted))

    def _may_arrive_until(self, tx: Tx, task: Errand) -> Millis:
        """Say until when an earlier attempt at a ticket may arrive: a no to its repetition says nothing of it.

        Asked again after that, Zendesk knows the ticket by its idempotency key, or there is none.
        """
        doubt = attempts.last_doubt(tx, task.delivery.id) if isinstance(task.delivery.effect, OpenTicket) else None
        first = task.delivery.first_try_at
        if doubt is None or first is None:
            return 0
        if not first <= doubt <= self._ports.now():
            doubt = first  # it began before a restart, by a clock that has been set; every wait began anew then
        return doubt + int(self._unsure_wait_s * 1000)

    def _refuse(self, tx: Tx, task: Errand, error: Refused) -> None:
        """Settle a delivery that will not arrive, and decide what that means."""
        delivery, effect = task.delivery, task.delivery.effect
        if _has_arrived(tx, task):
            self._let_go(tx, task, covered=True, why=error.detail)
            return
        deliveries.finish(tx, delivery, "refused", _kept(tx, task, error.detail), self._ports.now())
        history.dead(tx, delivery, "refused")
        if isinstance(effect, Post):
            tx.ring("ask", effect.handoff)  # it may be over there without our having been told
        self._decide_refusal(tx, task, "refused", error)

    def _decide_refusal(self, tx: Tx, task: Errand, how: str, error: Refused) -> None:
        delivery, conversation = task.delivery, task.conversation
        event = refusal(delivery.effect, error, HandoffId(self._ports.new_id()))
        if event is not None and not _is_erased(tx, task):
            self._intake.owe(tx, conversation, "courier", f"{delivery.key}.{how}", event)
        self._intake.work(tx, conversation.organisation, conversation.id, task.policy)


def _is_erased(tx: Tx, task: Errand) -> bool:
    """Say whether the customer was erased while this was under way."""
    conversation = seen_from(tx, task.delivery)
    return conversation is None or conversation.customer.erased


def _kept(tx: Tx, task: Errand, answer: str) -> str:
    """Give what is kept of an answer, which may repeat what was sent: of a customer who was erased, nothing."""
    return "" if _is_erased(tx, task) else answer


def _sum_up(tx: Tx, task: Errand, text: str) -> bool:
    """Keep a model's summary with the handoff, or with an empty one that it was asked; say whether it is kept."""
    conversation = seen_from(tx, task.delivery)
    if conversation is None or conversation.handoff is None or conversation.customer.erased:
        return False
    handoffs.save(tx, conversation, replace(conversation.handoff, summary=text, summary_by=SummaryBy.MODEL))
    return True


def _why_over(handoff: Handoff | None) -> Refused:
    """Say why a message goes nowhere any more, in words for whoever wrote it."""
    if handoff is not None and handoff.ended is Ending.CLOSED:
        return Gone("the request was closed")
    if handoff is not None and handoff.state is HandoffState.FAILED:
        return Refused("your request could not be opened")
    return Refused("the chat ended")


def _has_arrived(tx: Tx, task: Errand) -> bool:
    """Say whether the message of a delivery is known to be at the desk, whatever its own attempts have come to."""
    effect = task.delivery.effect
    return isinstance(effect, Post) and links.has_arrived(tx, task.conversation, effect.message)
