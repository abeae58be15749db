"""Feed a receipt again, or say what it would do: the same code, in a transaction that is then taken back."""

from __future__ import annotations

from collections.abc import Callable

from typing_extensions import TypedDict

from escalade.domain.errors import Invalid, NotFound
from escalade.domain.events import BY_NAME
from escalade.domain.model import Control, HandoffState, Millis, OrganisationId
from escalade.services.arrivals import Arrivals, arrival_of
from escalade.services.intake import Intake, policy_of
from escalade.store import audit, conversations, messages, overview, receipts
from escalade.store.database import Database, Tx


class ControlBeside(TypedDict):
    """Who may answer, before and after."""

    before: Control
    after: Control


class HandoffBeside(TypedDict):
    """How far the handoff was, before and after."""

    before: HandoffState | None
    after: HandoffState | None


class Outcome(TypedDict):
    """What became of a receipt that was decided anew."""

    receipt: int
    outcome: str
    control: ControlBeside
    handoff: HandoffBeside
    messages: list[str]
    deliveries: list[str]


class Replayed(Outcome):
    """What became of a receipt, or in a dry run would."""

    dry_run: bool


class _Rehearsed(Exception):  # it carries a result, not a failure
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


class Replay:
    """Replays receipts."""

    def __init__(self, database: Database, intake: Intake, arrivals: Arrivals, wall: Callable[[], Millis]) -> None:
        self._database = database
        self._wall = wall
        self._intake = intake
        self._arrivals = arrivals

    async def replay(self, organisation: OrganisationId, receipt: int, *, dry_run: bool) -> Replayed:
        """Decide a receipt anew on the state of now; with `dry_run` nothing of it stays."""

        def work(tx: Tx) -> Outcome:
            outcome = self._again(tx, organisation, receipt)
            if dry_run:
                raise _Rehearsed(outcome)  # the savepoint goes back to where it was
            audit.record(tx, organisation, "api", "receipt.replayed", {"receipt": receipt}, self._wall())
            return outcome

        try:
            outcome = await self._database.write(work)
        except _Rehearsed as rehearsed:
            outcome = rehearsed.outcome
        return {**outcome, "dry_run": dry_run}

    def _again(self, tx: Tx, organisation: OrganisationId, id: int) -> Outcome:
        receipt = receipts.load(tx, organisation, id)
        if receipt is None:
            raise NotFound("no such receipt")
        if receipt.conversation is None:
            raise Invalid("it belongs to no conversation we know")
        before = conversations.load(tx, organisation, receipt.conversation)
        assert before is not None
        owed = overview.last_delivery(tx, organisation, receipt.conversation)
        policy = policy_of(tx, organisation)
        receipts.reopen(tx, id)
        if receipt.kind in BY_NAME:
            self._intake.work(tx, organisation, receipt.conversation, policy)
        else:
            self._arrivals.act_again(tx, receipt, arrival_of(receipt), policy)
        settled = receipts.load(tx, organisation, id)
        after = conversations.load(tx, organisation, receipt.conversation)
        assert settled is not None
        assert after is not None
        said = messages.of(tx, organisation, receipt.conversation, after=before.last_seq)
        return {
            "receipt": id,
            "outcome": settled.outcome or "Zendesk's own list is read",
            "control": {"before": before.control, "after": after.control},
            "handoff": {
                "before": before.handoff.state if before.handoff else None,
                "after": after.handoff.state if after.handoff else None,
            },
            "messages": [message.text for message in said],
            "deliveries": overview.effects_after(tx, organisation, receipt.conversation, owed),
        }
