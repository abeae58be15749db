"""Rules of the way to the desk, broken."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from escalade.channels.base import Account, After, Job, Sent
from escalade.channels.sunshine import calls as sunshine_calls
from escalade.channels.sunshine.channel import SunshineChannel
from escalade.channels.zendesk.channel import ZendeskChannel
from escalade.domain.effects import OpenTicket, Post
from escalade.domain.errors import DeliveryError, Refused, Retryable, Uncertain
from escalade.services import ledger as ledger_module
from escalade.services.courier import Courier
from escalade.services.ledger import Ledger
from escalade.services.sender import Sender
from escalade.store import attempts, deliveries
from escalade.store.database import Tx
from torture.simulator.mutants.mutant import Patches, mutant
from torture.simulator.profile import Fault

__all__: list[str] = []  # what is here is counted, and not imported


@mutant(Fault.TIMEOUT_AFTER)
def sends_again_without_a_look() -> Patches:
    right = SunshineChannel._post

    async def post(self: SunshineChannel, app: Any, job: Job) -> Sent:
        return await right(self, app, replace(job, attempts=0))

    return [
        (SunshineChannel, "after_uncertain", lambda _self, _job: After.REPEAT),
        (SunshineChannel, "_post", post),
    ]


@mutant(Fault.ZOMBIE)
def looks_without_waiting() -> Patches:
    right = Ledger.__init__

    def init(self: Ledger, *parts: Any, **named: Any) -> None:
        right(self, *parts, **named)
        self._unsure_wait_s = 0.0

    return [(Ledger, "__init__", init)]


@mutant(Fault.CRASH)
def sends_before_writing_it_down() -> Patches:
    async def send(self: Sender, task: Any, channel: Any) -> bool:
        frozen = task.job.frozen or channel.freeze(task.account, task.job)
        came: Sent | DeliveryError
        try:
            came = await channel.send(task.account, replace(task.job, frozen=frozen))
        except DeliveryError as error:
            came = error
        attempt = await self._ledger.begin(task, kind="send", frozen=frozen)
        if attempt is None:
            return True
        if isinstance(came, DeliveryError):
            return await self._ledger.failed(task, attempt, came, channel)
        await self._ledger.delivered(task, attempt, came, verdict="delivered", channel=channel)
        return True

    return [(Sender, "send", send)]


@mutant(Fault.RESET_BEFORE)
def marks_it_delivered_before_sending() -> Patches:
    right = Sender.send

    async def send(self: Sender, task: Any, channel: Any) -> bool:
        if not isinstance(task.delivery.effect, Post):
            return await right(self, task, channel)
        attempt = await self._ledger.begin(task, kind="send", frozen=None)
        if attempt is None:
            return True
        await self._ledger.delivered(task, attempt, Sent(links=(), status=201), verdict="delivered", channel=channel)
        with suppress(DeliveryError):
            await channel.send(task.account, task.job)
        return True

    return [(Sender, "send", send)]


@mutant(Fault.RESET_AFTER)
def takes_doubt_for_a_no() -> Patches:
    right = Ledger.failed

    async def failed(self: Ledger, task: Any, attempt: int, error: DeliveryError, channel: Any) -> bool:
        if isinstance(error, Uncertain):
            error = Refused(error.detail)
        return await right(self, task, attempt, error, channel)

    return [(Ledger, "failed", failed)]


@mutant(Fault.ZOMBIE)
def takes_doubt_for_try_again() -> Patches:
    right = Ledger.failed

    async def failed(self: Ledger, task: Any, attempt: int, error: DeliveryError, channel: Any) -> bool:
        if isinstance(error, Uncertain):
            error = Retryable(error.detail)
        return await right(self, task, attempt, error, channel)

    return [(Ledger, "failed", failed)]


@mutant(Fault.CRASH)
def takes_what_was_under_way_for_new() -> Patches:
    right = attempts.recover

    def recover(tx: Tx, now: int) -> int:
        tx.run("UPDATE delivery SET state = 'pending', tries = 0 WHERE state = 'sending'")
        return right(tx, now)

    return [(attempts, "recover", recover)]


@mutant(Fault.CRASH, workers=2)
def takes_what_a_dead_process_had_under_way_for_new() -> Patches:
    right = attempts.take_over

    def take_over(tx: Tx, lane: Any, now: int) -> None:
        right(tx, lane, now)
        found = deliveries.head(tx, lane)
        if found is not None:
            tx.run("UPDATE delivery SET state = 'pending', tries = 0 WHERE id = :id", id=found.id)

    return [(attempts, "take_over", take_over)]


@mutant(Fault.RESET_BEFORE)
def puts_what_failed_at_the_end_of_the_lane() -> Patches:
    right = Ledger.failed

    async def failed(self: Ledger, task: Any, attempt: int, error: DeliveryError, channel: Any) -> bool:
        delivery = task.delivery
        if not isinstance(delivery.effect, Post) or isinstance(error, Refused):
            return await right(self, task, attempt, error, channel)

        def written(tx: Tx) -> None:
            now = self._ports.now()
            deliveries.finish(tx, delivery, "dropped", "later", now)
            deliveries.put(tx, delivery.lane.organisation, delivery.lane.conversation, delivery.effect, now)

        await self._database.write(written)
        return True

    return [(Ledger, "failed", failed)]


@mutant(Fault.ZOMBIE)
def forgets_the_idempotency_key() -> Patches:
    right = ZendeskChannel._open_ticket

    async def open_ticket(self: ZendeskChannel, account: Account, job: Job) -> Sent:
        return await right(self, account, replace(job, key=f"{job.key}.{job.attempts}"))

    def after_uncertain(self: ZendeskChannel, job: Job) -> After:
        return After.REPEAT if isinstance(job.effect, OpenTicket) else After.LOOK

    return [(ZendeskChannel, "_open_ticket", open_ticket), (ZendeskChannel, "after_uncertain", after_uncertain)]


@mutant(Fault.MASKED, Fault.RESET_AFTER)
def takes_a_missing_list_for_an_empty_one() -> Patches:
    return [(sunshine_calls, "listed", sunshine_calls.objects), (sunshine_calls, "_messages", _any_messages)]


def _any_messages(page: sunshine_calls.Json) -> list[sunshine_calls.Json]:
    return sunshine_calls.objects(page, "messages")


@mutant(Fault.REFUSED)
def says_nothing_of_what_was_refused() -> Patches:
    return [(ledger_module, "refusal", lambda _effect, _error, _follow_up: None)]


@mutant(Fault.DB_SLOW, hesitant=True, live=True)
def sends_what_is_no_longer_wanted() -> Patches:
    return [(ledger_module, "has_changed", lambda _tx, _task: False)]


@mutant(Fault.CLOCK_STEPS)
def waits_by_the_wall_clock() -> Patches:
    def of(room: Any) -> tuple[Any, str, Any]:
        right = room.__init__

        def init(self: Any, *parts: Any, **named: Any) -> None:
            right(self, *parts, **named)
            self._ports = replace(self._ports, now=self._ports.wall)

        return room, "__init__", init

    return [of(room) for room in (Courier, Sender, Ledger)]
