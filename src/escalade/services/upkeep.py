"""What time alone brings about: nobody answered, news nobody claimed, files nobody sent, what a crash left open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import structlog

from escalade.domain.errors import Unavailable
from escalade.domain.events import NobodyAnswered, PostDelayed
from escalade.domain.model import ConversationId, Handoff, HandoffId, HandoffState, Mode, OrganisationId
from escalade.services.arrivals import Arrivals
from escalade.services.customers import Customers
from escalade.services.intake import Intake, policy_of
from escalade.services.owners import Alone, Owners
from escalade.services.ports import Ports
from escalade.store import conversations, deliveries, files, handoffs, receipts, removal
from escalade.store.database import Database, Row, Tx

log = structlog.get_logger()

EVERY_S = 1.0
SILENCE_MS = 15_000  # how long a message in a live chat may be on its way without a word about it
UNSENT_MS = 24 * 3600_000  # how long a file may wait for the message that carries it
WAITING = frozenset({HandoffState.REQUESTED.value, HandoffState.QUEUED.value, HandoffState.WITH_AGENT.value})


class Upkeep:
    """A slow round through what may have fallen behind."""

    def __init__(
        self,
        database: Database,
        ports: Ports,
        intake: Intake,
        arrivals: Arrivals,
        customers: Customers,
        owners: Owners | None = None,
    ) -> None:
        self._database = database
        self._ports = ports
        self._intake = intake
        self._arrivals = arrivals
        self._customers = customers
        self._owners: Owners = owners or Alone()

    async def run(self) -> None:
        """Make rounds until cancelled."""
        while True:
            try:
                if await self._owners.lead():
                    await self.round()
            except Unavailable as error:
                log.warning("upkeep_waits_for_database", why=str(error))
            await self._ports.sleep(EVERY_S)

    async def round(self) -> None:
        """Find what is due and decide it; write only where something is."""
        open_handoffs, parked, waiting, forgotten, held_up = await self._database.read(
            lambda tx: (
                handoffs.to_read(tx, self._ports.now()),
                receipts.parked(tx),
                receipts.conversations_waiting(tx),
                files.forgotten(tx, self._ports.now() - UNSENT_MS),
                deliveries.held_up(tx, self._ports.now() - SILENCE_MS),
            )
        )
        for organisation, conversation, handoff in held_up:
            await self._try(partial(self._tell_of_delay, organisation=organisation, id=conversation, handoff=handoff))
        for row in open_handoffs:
            if row["state"] in WAITING:
                await self._try(partial(self._tell_if_nobody_answered, row=row))
        for receipt in parked:
            await self._try(partial(self._unpark, receipt=receipt))
        for organisation, conversation in waiting:
            await self._try(partial(self._decide, organisation=organisation, conversation=conversation))
        for organisation, file in forgotten:
            await self._try(partial(files.forget, organisation=organisation, id=file))
        await self._customers.sweep()
        if await self._database.read(removal.under_way):
            await self._database.write(partial(removal.sweep, now=self._ports.wall()))

    async def _try(self, work: Callable[[Tx], None]) -> None:
        """Do one thing of the round; one that cannot be done takes nothing else with it."""
        try:
            await self._database.write(work)
        except Unavailable:
            raise
        except Exception:
            log.exception("upkeep_stumbled")

    def _unpark(self, tx: Tx, receipt: receipts.Receipt) -> None:
        self._arrivals.unpark(tx, receipt, policy_of(tx, receipt.organisation))

    def _decide(self, tx: Tx, organisation: OrganisationId, conversation: ConversationId) -> None:
        """Decide what waits, and ring for what waits for a look."""
        self._intake.work(tx, organisation, conversation, policy_of(tx, organisation))
        for receipt in receipts.waiting(tx, organisation, conversation):
            if receipt.handoff is not None:
                tx.ring("look", receipt.handoff)

    def _tell_of_delay(self, tx: Tx, organisation: OrganisationId, id: ConversationId, handoff: HandoffId) -> None:
        conversation = conversations.load(tx, organisation, id)
        current = None if conversation is None else conversation.open_handoff
        if conversation is not None and current is not None and current.id == handoff and not current.delay_told:
            self._intake.apply(tx, conversation, PostDelayed(handoff=handoff), policy_of(tx, organisation))

    def _tell_if_nobody_answered(self, tx: Tx, row: Row) -> None:
        conversation = conversations.load(tx, OrganisationId(row["organisation"]), ConversationId(row["conversation"]))
        if conversation is None or conversation.handoff is None or conversation.handoff.id != row["id"]:
            return
        policy = policy_of(tx, conversation.organisation)
        if self._too_long(conversation.handoff, policy.answer_within_s):
            event = NobodyAnswered(handoff=HandoffId(row["id"]))
            self._intake.apply(tx, conversation, event, policy)

    def _too_long(self, handoff: Handoff, answer_within_s: int) -> bool:
        """Say whether the customer has waited for a first word longer than was promised."""
        if handoff.state is HandoffState.REQUESTED:
            return not handoff.delay_told and self._ports.now() - handoff.asked_at >= answer_within_s * 1000
        if handoff.mode is not Mode.LIVE or handoff.answered or handoff.queued_at is None:
            return False
        return self._ports.now() - handoff.queued_at >= answer_within_s * 1000
