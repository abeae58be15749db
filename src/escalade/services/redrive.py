"""What a person does about a delivery that does not get through: send it again, or skip it.

Sending again keeps the promise of once: what may have arrived before is looked for first. Opening a refused ticket
again brings its handoff back. Skipping lets a lane go on, and means for the customer what a lasting no would mean.
"""

from __future__ import annotations

from dataclasses import dataclass

from escalade.domain.effects import OpenTicket, Post
from escalade.domain.errors import Conflict, NotFound, Refused
from escalade.domain.events import HandoffRetried
from escalade.domain.model import Conversation, DeliveryView, HandoffState, OrganisationId
from escalade.services import history
from escalade.services.errand import refusal, seen_from
from escalade.services.intake import Intake, policy_of
from escalade.services.ports import Ports
from escalade.store import audit, conversations, deliveries, messages, redrive
from escalade.store.database import Database, Tx

SKIPPED = "it was skipped by our team"
RESENDABLE = ("refused", "dropped", "skipped")
SKIPPABLE = ("refused", "dropped", "pending", "unsure")
WRONG_STATE = "wrong_state"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stuck:
    delivery: deliveries.Delivery
    conversation: Conversation  # seen from the delivery's own handoff


class Redrive:
    """The second chance, and the end of it."""

    def __init__(self, database: Database, ports: Ports, intake: Intake) -> None:
        self._database = database
        self._ports = ports
        self._intake = intake

    async def resend(self, organisation: OrganisationId, delivery: int, who: str) -> None:
        """Owe a delivery again that was refused, dropped or skipped; in any other state it is a conflict."""

        def written(tx: Tx) -> None:
            stuck = self._stuck(tx, organisation, delivery, RESENDABLE, "sent again")
            self._send_again(tx, stuck)
            audit.record(tx, organisation, who, "delivery.resent", {"delivery": delivery}, self._ports.wall())

        await self._database.write(written)

    async def skip(self, organisation: OrganisationId, delivery: int, who: str) -> None:
        """Give a delivery up for good; one that was still owed is told like a lasting no."""

        def written(tx: Tx) -> None:
            stuck = self._stuck(tx, organisation, delivery, SKIPPABLE, "skipped")
            self._skip(tx, stuck)
            audit.record(tx, organisation, who, "delivery.skipped", {"delivery": delivery}, self._ports.wall())

        await self._database.write(written)

    def _stuck(self, tx: Tx, organisation: OrganisationId, id: int, states: tuple[str, ...], act: str) -> _Stuck:
        delivery = deliveries.load(tx, organisation, id)
        if delivery is not None:
            conversations.lock(tx, organisation, delivery.lane.conversation)
            delivery = deliveries.load(tx, organisation, id)  # as it is now that nobody else decides about it
        conversation = None if delivery is None else seen_from(tx, delivery)
        if delivery is None or conversation is None:
            raise NotFound("no delivery of that number")
        if delivery.state == "sending":
            raise Conflict("it is sending; look again in a few seconds", code=WRONG_STATE)
        if delivery.state not in states:
            raise Conflict(f"it is {delivery.state}; only what is {' or '.join(states)} can be {act}", code=WRONG_STATE)
        return _Stuck(delivery=delivery, conversation=conversation)

    def _send_again(self, tx: Tx, stuck: _Stuck) -> None:
        before, conversation, now = stuck.delivery, stuck.conversation, self._ports.now()
        handoff = conversation.handoff
        if isinstance(before.effect, OpenTicket) and handoff is not None and handoff.state is HandoffState.FAILED:
            current = conversations.load(tx, conversation.organisation, conversation.id)
            assert current is not None
            event = HandoffRetried(handoff=handoff.id)
            applied = self._intake.apply(tx, current, event, policy_of(tx, conversation.organisation))
            if applied.decision.ignored:
                raise Conflict(f"not now: {applied.decision.ignored}")
            again = redrive.newest(tx, before.lane, OpenTicket.__name__)
        else:
            again = deliveries.put(tx, conversation.organisation, conversation.id, before.effect, now)
            if isinstance(before.effect, Post):
                message = before.effect.message
                messages.mark(tx, conversation.organisation, conversation.id, message, DeliveryView.PENDING)
        redrive.resent(tx, before, again)

    def _skip(self, tx: Tx, stuck: _Stuck) -> None:
        delivery, conversation, now = stuck.delivery, stuck.conversation, self._ports.now()
        owed = delivery.state in {"pending", "unsure"}
        redrive.skip(tx, delivery, now)
        if not owed:
            return  # whoever had to be told was told when it was refused
        history.dead(tx, delivery, "skipped")
        event = refusal(delivery.effect, Refused(SKIPPED))
        if event is not None:
            self._intake.owe(tx, conversation, "courier", f"{delivery.key}.skipped", event)
            policy = policy_of(tx, conversation.organisation)
            self._intake.work(tx, conversation.organisation, conversation.id, policy)
