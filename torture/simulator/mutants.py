"""The protocol broken on purpose, one rule at a time: a simulator that does not notice is no proof of the others.

Each mutant is a known-bad patch of the product, applied at run time inside this process and taken back. It must be
convicted within a thousand seeds; the first seed that does is counted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from escalade.channels.base import Account, After, ArrivalKind, Job, Page, Sent
from escalade.channels.sunshine import calls as sunshine_calls
from escalade.channels.sunshine.channel import SunshineChannel
from escalade.channels.zendesk import wire as zendesk_wire
from escalade.channels.zendesk.channel import ZendeskChannel
from escalade.domain import standing as standing_module
from escalade.domain import switchboard
from escalade.domain.effects import Answer, OpenTicket, Post
from escalade.domain.errors import Conflict, DeliveryError, Refused, Retryable, Uncertain
from escalade.domain.events import DeskSaid
from escalade.domain.model import HandoffId, Role, Utterance
from escalade.services import courier as courier_module
from escalade.services import intake as intake_module
from escalade.services import reconcile as reconcile_module
from escalade.services.courier import Courier
from escalade.services.desk import Desk, Said
from escalade.services.intake import Intake
from escalade.services.reconcile import Reconcile
from escalade.store import conversations, mailbox
from escalade.store.database import Tx
from escalade.web import stream, widget
from torture.part import Outcome
from torture.simulator.database import SimulatedDatabase
from torture.simulator.profile import Fault, draw
from torture.simulator.schedules import kinds_of, verdict_of
from torture.simulator.world import simulate

SEEDS = 1_000


@contextmanager
def patched(place: Any, name: str, broken: Any) -> Iterator[None]:
    """Put something broken in the place of what is right, for a while."""
    right = place.__dict__[name]
    setattr(place, name, broken)
    try:
        yield
    finally:
        setattr(place, name, right)


Patches = list[tuple[Any, str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """One rule broken."""

    name: str
    patches: Callable[[], Patches]
    needs: frozenset[Fault]  # faults without which the broken rule makes no difference: they are on in every seed

    @contextmanager
    def loose(self) -> Iterator[None]:
        """Let it loose until the block ends."""
        with ExitStack() as stack:
            for place, name, broken in self.patches():
                stack.enter_context(patched(place, name, broken))
            yield

    def hunt(self, seeds: int = SEEDS, first: int = 0) -> tuple[int, frozenset[str]] | None:
        """Give the first seed that convicts it, and of what; nothing if it got away."""
        with self.loose():
            for seed in range(first, first + seeds):
                wrong = verdict_of(simulate(seed, draw(seed, always=self.needs)))
                if wrong:
                    return seed, kinds_of(wrong)
        return None


MUTANTS: list[Mutant] = []


def mutant(*needs: Fault) -> Callable[[Callable[[], Patches]], Callable[[], Patches]]:
    """Count a function as a mutant, named after itself."""

    def counted(patches: Callable[[], Patches]) -> Callable[[], Patches]:
        name = patches.__name__.replace("_", " ")
        MUTANTS.append(Mutant(name=name, patches=patches, needs=frozenset(needs)))
        return patches

    return counted


# towards the desk


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
    right = Courier.__init__

    def init(self: Courier, *parts: Any, **named: Any) -> None:
        right(self, *parts, **named)
        self._policy = replace(self._policy, unsure_wait_s=0.0)

    return [(Courier, "__init__", init)]


@mutant(Fault.CRASH)
def sends_before_writing_it_down() -> Patches:
    async def send(self: Courier, task: Any, channel: Any) -> bool:
        frozen = task.job.frozen or channel.freeze(task.account, task.job)
        came: Sent | DeliveryError
        try:
            came = await channel.send(task.account, replace(task.job, frozen=frozen))
        except DeliveryError as error:
            came = error
        attempt = await self._begin(task, kind="send", frozen=frozen)
        if attempt is None:
            return True
        if isinstance(came, DeliveryError):
            return await self._failed(task, attempt, came, channel)
        await self._delivered(task, attempt, came, verdict="delivered", channel=channel)
        return True

    return [(Courier, "_send", send)]


@mutant(Fault.RESET_BEFORE)
def marks_it_delivered_before_sending() -> Patches:
    right = Courier._send

    async def send(self: Courier, task: Any, channel: Any) -> bool:
        if not isinstance(task.delivery.effect, Post):
            return await right(self, task, channel)
        attempt = await self._begin(task, kind="send", frozen=None)
        if attempt is None:
            return True
        await self._delivered(task, attempt, Sent(links=(), status=201), verdict="delivered", channel=channel)
        with suppress(DeliveryError):
            await channel.send(task.account, task.job)
        return True

    return [(Courier, "_send", send)]


@mutant(Fault.RESET_AFTER)
def takes_doubt_for_a_no() -> Patches:
    right = Courier._failed

    async def failed(self: Courier, task: Any, attempt: int, error: DeliveryError, channel: Any) -> bool:
        if isinstance(error, Uncertain):
            error = Refused(error.detail)
        return await right(self, task, attempt, error, channel)

    return [(Courier, "_failed", failed)]


@mutant(Fault.ZOMBIE)
def takes_doubt_for_try_again() -> Patches:
    right = Courier._failed

    async def failed(self: Courier, task: Any, attempt: int, error: DeliveryError, channel: Any) -> bool:
        if isinstance(error, Uncertain):
            error = Retryable(error.detail)
        return await right(self, task, attempt, error, channel)

    return [(Courier, "_failed", failed)]


@mutant(Fault.CRASH)
def takes_what_was_under_way_for_new() -> Patches:
    right = mailbox.recover

    def recover(tx: Tx, now: int) -> int:
        tx.run("UPDATE delivery SET state = 'pending', tries = 0 WHERE state = 'sending'")
        return right(tx, now)

    return [(mailbox, "recover", recover)]


@mutant(Fault.RESET_BEFORE)
def puts_what_failed_at_the_end_of_the_lane() -> Patches:
    right = Courier._failed

    async def failed(self: Courier, task: Any, attempt: int, error: DeliveryError, channel: Any) -> bool:
        delivery = task.delivery
        if not isinstance(delivery.effect, Post) or isinstance(error, Refused):
            return await right(self, task, attempt, error, channel)

        def written(tx: Tx) -> None:
            now = self._ports.now()
            mailbox.finish(tx, delivery, "dropped", "later", now)
            mailbox.put(tx, delivery.lane.organisation, delivery.lane.conversation, delivery.effect, now)

        await self._database.write(written)
        return True

    return [(Courier, "_failed", failed)]


@mutant(Fault.RESET_AFTER)
def forgets_the_idempotency_key() -> Patches:
    right = ZendeskChannel._open_ticket

    async def open_ticket(self: ZendeskChannel, account: Account, job: Job) -> Sent:
        return await right(self, account, replace(job, key=f"{job.key}.{job.attempts}"))

    def after_uncertain(self: ZendeskChannel, job: Job) -> After:
        return After.REPEAT if isinstance(job.effect, OpenTicket) else After.LOOK

    return [(ZendeskChannel, "_open_ticket", open_ticket), (ZendeskChannel, "after_uncertain", after_uncertain)]


@mutant(Fault.NONSENSE, Fault.RESET_AFTER)
def takes_a_missing_list_for_an_empty_one() -> Patches:
    return [(sunshine_calls, "listed", sunshine_calls.objects), (sunshine_calls, "_messages", _any_messages)]


def _any_messages(page: sunshine_calls.Json) -> list[sunshine_calls.Json]:
    return sunshine_calls.objects(page, "messages")


@mutant(Fault.REFUSED)
def says_nothing_of_what_was_refused() -> Patches:
    return [(courier_module, "refusal", lambda _effect, _error: None)]


@mutant(Fault.CLOCK_STEPS)
def waits_by_the_wall_clock() -> Patches:
    right = Courier.__init__

    def init(self: Courier, *parts: Any, **named: Any) -> None:
        right(self, *parts, **named)
        self._ports = replace(self._ports, now=self._ports.wall)

    return [(Courier, "__init__", init)]


# from the desk


@mutant(Fault.WEBHOOK_DELAYED)
def believes_the_webhook_and_not_the_list() -> Patches:
    right = Intake._plain

    def plain(self: Intake, own: Any, arrival: Any) -> Any:
        if arrival.kind is ArrivalKind.MESSAGE_ADDED and arrival.actor_type == "agent" and arrival.text:
            return intake_module.said_by(own.id, arrival)
        return right(self, own, arrival)

    return [(Intake, "_plain", plain)]


@mutant(Fault.WEBHOOK_LOST)
def never_looks_by_itself() -> Patches:
    async def run(_self: Reconcile) -> None:
        await asyncio.Event().wait()

    return [(Reconcile, "run", run)]


@mutant(Fault.CRASH)
def moves_the_cursor_before_the_words_are_kept() -> Patches:
    right = Reconcile._write_down

    async def look(self: Reconcile, handoff: HandoffId, *, session: bool) -> float | None:
        scene = await self._database.read(lambda tx: self._scene(tx, handoff))
        channel = None if scene is None else self._list_of(scene)
        if scene is not None and channel is not None:
            try:
                page = await channel.heard_since(scene.account, scene.links, scene.cursor)
            except DeliveryError:
                return 1.0
            await self._database.write(lambda tx: conversations.looked(tx, handoff, page.cursor, self._ports.now()))
            again = await self._database.read(lambda tx: self._scene(tx, handoff))
            assert again is not None
            facts = await self._ask(again, session=session, reached=True)
            return await self._database.write(
                lambda tx: right(self, tx, again, channel, page, page.heard, facts, reached=True)
            )
        return None

    return [(Reconcile, "look", look)]


@mutant()
def says_again_what_is_known() -> Patches:
    right = Intake._message

    def message(self: Intake, tx: Tx, conversation: Any, id: Any) -> Any:
        return None if str(id).startswith(("sunshine:", "zendesk:")) else right(self, tx, conversation, id)

    return [(Intake, "_message", message)]


@mutant()
def reads_the_list_backwards() -> Patches:
    right_sunshine, right_zendesk = SunshineChannel.heard_since, ZendeskChannel.heard_since

    async def sunshine(self: SunshineChannel, *asked: Any) -> Page:
        page = await right_sunshine(self, *asked)
        return replace(page, heard=page.heard[::-1])

    async def zendesk(self: ZendeskChannel, *asked: Any) -> Page:
        page = await right_zendesk(self, *asked)
        return replace(page, heard=page.heard[::-1])

    return [(SunshineChannel, "heard_since", sunshine), (ZendeskChannel, "heard_since", zendesk)]


@mutant()
def shows_what_was_meant_for_colleagues() -> Patches:
    right = zendesk_wire.hear

    def hear(comment: Any, requesters: Any, people: Any) -> Any:
        if isinstance(comment, dict) and comment.get("public") is False:
            heard = right({**comment, "public": True}, requesters, people)
            return None if heard is None else replace(heard, ours=False, role=Role.AGENT)
        return right(comment, requesters, people)

    return [(zendesk_wire, "hear", hear)]


@mutant(Fault.NONSENSE)
def takes_a_user_it_cannot_read_for_nobody() -> Patches:
    right = ZendeskChannel.person

    async def person(self: ZendeskChannel, account: Account, id: str) -> Any:
        try:
            return await right(self, account, id)
        except Retryable as error:
            if "shows no user" not in error.detail:
                raise
            return None

    return [(ZendeskChannel, "person", person)]


@mutant(Fault.WEBHOOK_DELAYED)
def lets_an_old_end_end_a_new_session() -> Patches:
    right = reconcile_module.Reconcile._apply

    def apply(self: Reconcile, tx: Tx, scene: Any, event: Any, bell: Any = None) -> None:
        current = conversations.load(tx, scene.conversation.organisation, scene.conversation.id)
        if bell is not None and current is not None and current.handoff is not None:
            event = replace(event, handoff=current.handoff.id) if not isinstance(event, DeskSaid) else event
        right(self, tx, scene, event, bell)

    right_plain = Intake._act

    def act(self: Intake, tx: Tx, organisation: Any, place: Any, receipt: int, arrival: Any, policy: Any) -> Any:
        current = conversations.load(tx, organisation, place.conversation)
        if current is not None and current.handoff is not None:
            place = replace(place, handoff=current.handoff.id)
        return right_plain(self, tx, organisation, place, receipt, replace(arrival, sent_at=None), policy)

    return [(Reconcile, "_apply", apply), (Intake, "_act", act)]


# at the customer's end


@mutant(Fault.CRASH)
def acknowledges_before_the_commit() -> Patches:
    right = SimulatedDatabase.write

    async def write(self: SimulatedDatabase, work: Any) -> Any:
        connection = self._disk.connection
        connection.execute("BEGIN")
        try:
            result = work(Tx(connection))
        finally:
            connection.execute("ROLLBACK")
        self._process.start(right(self, work), "written later")
        return result

    return [(SimulatedDatabase, "write", write)]


@mutant(Fault.DB_SLOW)
def lets_the_assistant_talk_over_people() -> Patches:
    right = standing_module.standing

    def standing(effect: Any, conversation: Any) -> Any:
        return standing_module.SEND if isinstance(effect, Answer) else right(effect, conversation)

    def said(conversation: Any, event: Any) -> Any:
        words = Utterance(id=event.id, role=Role.ASSISTANT, text=event.text, name=event.name)
        return switchboard.Decision(conversation=conversation, says=(words,))

    def stale(_self: Intake, _tx: Tx, _conversation: Any, _event: Any) -> str:
        return ""

    return [
        (courier_module, "standing", standing),
        (switchboard, "_assistant_said", said),
        (Intake, "_stale", stale),
    ]


@mutant(Fault.STREAM_CUT)
def resumes_a_stream_a_little_too_late() -> Patches:
    right = stream.resume_from

    def resume_from(scope: Any, after: str | None) -> int:
        place = right(scope, after)
        return place + 1 if place else place

    return [(widget, "resume_from", resume_from)]


@mutant()
def takes_what_it_then_throws_away() -> Patches:
    right = Desk.say

    async def say(self: Desk, organisation: Any, conversation: Any, **said: Any) -> Any:
        try:
            return await right(self, organisation, conversation, **said)
        except Conflict:
            _, before = await self.messages(organisation, conversation)
            return Said(message=replace(before[-1], id=said["id"]), repeated=False)

    return [(Desk, "say", say)]


@mutant(Fault.DB_ANSWER_LOST, Fault.SUBMIT_ANSWER_LOST)
def keeps_a_repeated_message_again() -> Patches:
    right = Desk.say

    async def say(self: Desk, *where: Any, **said: Any) -> Any:
        said["id"] = f"{said['id']}-{self._ports.new_id()[:4]}"
        return await right(self, *where, **said)

    return [(Desk, "say", say)]


@dataclass(frozen=True, slots=True)
class Mutants:
    """Broken protocols, hunted."""

    name: str = "mutants"
    promise: str = "known-bad patches of the protocol: the simulator and the judge notice each of them"
    aims: Mapping[str, int] = field(default_factory=lambda: {"convicted": len(MUTANTS)})
    workers: int = 2

    def run(self, unit: int) -> Outcome:
        """Hunt one mutant."""
        if unit >= len(MUTANTS):
            return Outcome(unit=unit)
        found = MUTANTS[unit].hunt()
        if found is None:
            return Outcome(unit=unit, violations=(f"got away for {SEEDS} seeds: {MUTANTS[unit].name}",))
        return Outcome(unit=unit, counts={"convicted": 1, "seeds": found[0] + 1})

    def missing(self, counts: Mapping[str, int]) -> list[str]:
        """Nothing beside the aim."""
        return []


PART = Mutants()
__all__ = ["MUTANTS", "PART", "Mutant"]
