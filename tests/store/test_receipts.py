"""What came in is kept once, waits in order, and is nobody else's to read."""

from __future__ import annotations

from escalade.domain.model import ConversationId, HandoffId, OrganisationId
from escalade.store import receipts
from escalade.store.database import Tx
from tests.backstage import NOON

ORGANISATION, OTHER = OrganisationId("org_1"), OrganisationId("org_2")
CONVERSATION = ConversationId("c-1")
HANDOFF = HandoffId("hof_1")


def accept(
    tx: Tx, key: str, *, organisation: OrganisationId = ORGANISATION, now: int = NOON, **more: str
) -> int | None:
    facts: dict[str, object] = {"source": "zendesk", "kind": "message_added", "body": "{}", **more}
    return receipts.accept(tx, organisation, key=key, now=now, **facts)  # type: ignore[arg-type]


def test_a_receipt_is_kept_once_by_organisation_source_and_key(tx: Tx) -> None:
    assert accept(tx, "e-1") is not None
    assert accept(tx, "e-1", body='{"other": 1}') is None
    assert accept(tx, "e-1", source="sunshine") is not None
    assert accept(tx, "e-1", organisation=OTHER) is not None
    assert len(receipts.recent(tx, ORGANISATION)) == 2
    assert [one.body for one in receipts.recent(tx, ORGANISATION) if one.source == "zendesk"] == ["{}"]


def test_receipts_wait_in_the_order_they_came_until_they_are_settled(tx: Tx) -> None:
    ids = [accept(tx, f"e-{n}", conversation=CONVERSATION) for n in range(3)]
    accept(tx, "elsewhere", conversation="c-2")
    assert [one.key for one in receipts.waiting(tx, ORGANISATION, CONVERSATION)] == ["e-0", "e-1", "e-2"]
    assert ids[1] is not None
    receipts.settle(tx, ids[1], "applied", NOON + 1)
    receipts.settle(tx, ids[1], "something else", NOON + 2, ignored=True)
    assert [one.key for one in receipts.waiting(tx, ORGANISATION, CONVERSATION)] == ["e-0", "e-2"]
    settled = receipts.load(tx, ORGANISATION, ids[1])
    assert settled is not None
    assert (settled.state, settled.outcome, settled.settled_at) == ("settled", "applied", NOON + 1)
    assert set(receipts.conversations_waiting(tx)) == {(ORGANISATION, "c-1"), (ORGANISATION, "c-2")}


def test_parked_news_finds_its_conversation_later(tx: Tx) -> None:
    id = accept(tx, "e-1")
    accept(tx, "e-2", organisation=OTHER)
    accept(tx, "e-3", state="ignored", outcome="unknown_ticket")
    assert [one.key for one in receipts.parked(tx)] == ["e-1", "e-2"]
    assert [one.key for one in receipts.parked(tx, ORGANISATION)] == ["e-1"]
    assert id is not None
    receipts.assign(tx, id, CONVERSATION, HANDOFF)
    assert receipts.parked(tx, ORGANISATION) == []
    (waiting,) = receipts.waiting(tx, ORGANISATION, CONVERSATION)
    assert (waiting.key, waiting.handoff) == ("e-1", HANDOFF)


def test_nobody_reads_the_receipts_of_another_organisation(tx: Tx) -> None:
    id = accept(tx, "e-1", conversation=CONVERSATION)
    assert id is not None
    assert receipts.load(tx, OTHER, id) is None
    assert receipts.recent(tx, OTHER) == []
    assert receipts.waiting(tx, OTHER, CONVERSATION) == []
