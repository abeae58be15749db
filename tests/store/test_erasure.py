"""A customer's rows are given out and taken away on either engine, and nobody else's are touched."""

from __future__ import annotations

from escalade.domain.effects import Post, ReleaseControl
from escalade.domain.model import (
    Control,
    Conversation,
    ConversationId,
    Customer,
    CustomerId,
    Handoff,
    HandoffId,
    HandoffState,
    MessageId,
    Mode,
    OrganisationId,
    Reason,
    Role,
    Status,
    Utterance,
)
from escalade.domain.organisation import Organisation
from escalade.store import (
    audit,
    conversations,
    customers,
    deliveries,
    erasure,
    handoffs,
    links,
    messages,
    organisations,
)
from escalade.store.database import Tx
from escalade.store.kept import kept
from tests.backstage import NOON

ACME = OrganisationId("org_1")
NOOR, OTHER, STONE = CustomerId("noor"), CustomerId("ada"), CustomerId("erased-1")


def talk(tx: Tx, customer: CustomerId, id: str) -> Conversation:
    """Let a customer have a handed-over conversation with something owed in it."""
    person = Customer(id=customer, name=f"{customer} marigold", email=f"{customer}@example.com")
    customers.save(tx, ACME, person, NOON)
    handoff = Handoff(
        id=HandoffId(f"h-{id}"), mode=Mode.LIVE, state=HandoffState.QUEUED, reason=Reason.API, asked_at=NOON,
        note="a marigold note",
    )  # fmt: skip
    opened = Conversation(
        id=ConversationId(id), organisation=ACME, customer=person, status=Status.OPEN, control=Control.PENDING,
        created_at=NOON, updated_at=NOON, context={"order": "marigold"}, handoff=handoff,
    )  # fmt: skip
    conversations.create(tx, opened, request="digest")
    handoffs.save(tx, opened, handoff)
    said = Utterance(role=Role.CUSTOMER, text="My marigold", tracked=True)
    messages.append(tx, opened, said, MessageId("m-1"), NOON, said_at=NOON)
    links.tie(tx, ACME, handoff.id, channel="sunshine", kind="conversation", theirs=f"sun-{id}", ours=handoff.id)
    deliveries.put(tx, ACME, opened.id, Post(handoff=handoff.id, message=MessageId("m-1")), NOON)
    deliveries.put(tx, ACME, opened.id, ReleaseControl(handoff=handoff.id), NOON)
    return opened


def test_one_customer_goes_and_the_other_stays(tx: Tx) -> None:
    organisations.create(tx, Organisation(id=ACME, name="Acme", widget_key="pk"), NOON)
    mine, other = talk(tx, NOOR, "c-1"), talk(tx, OTHER, "c-2")
    untouched = kept(tx, ACME, other.id)
    assert [row["theirs"] if "theirs" in row else row["id"] for row in erasure.at_zendesk(tx, ACME, NOOR)] == [
        "sun-c-1"
    ]
    assert "marigold" in repr(kept(tx, ACME, mine.id))

    erasure.take_away(tx, ACME, NOOR, STONE, NOON)
    left = kept(tx, ACME, mine.id)
    assert "marigold" not in repr(left)
    assert [(row["effect"], row["state"]) for row in left["deliveries"]] == [
        ("Post", "withdrawn"),
        ("ReleaseControl", "pending"),
    ]
    assert customers.load(tx, ACME, NOOR) is None
    bare = conversations.load(tx, ACME, mine.id)
    assert bare is not None
    assert (bare.customer.id, bare.customer.erased, bare.context) == (STONE, True, {})
    assert erasure.under_way(tx)

    assert erasure.sweep(tx, NOON) == 0, "Zendesk has not been told yet"
    tx.everywhere().run("UPDATE lane SET head = tail, due_at = NULL WHERE conversation = 'c-1'")
    assert erasure.sweep(tx, NOON) == 1
    assert conversations.load(tx, ACME, mine.id) is None
    assert not erasure.under_way(tx)
    assert kept(tx, ACME, other.id) == untouched
    assert customers.load(tx, ACME, OTHER) is not None


def test_the_chain_holds_on_either_engine(tx: Tx) -> None:
    organisations.create(tx, Organisation(id=ACME, name="Acme", widget_key="pk"), NOON)
    for n in range(3):
        audit.record(tx, ACME, "olga@example.com", "customer.erased", {"n": n}, NOON)
    assert audit.broken(tx, ACME) is None
    assert audit.has(tx, ACME, "customer.erased", {"n": 1})
    assert not audit.has(tx, ACME, "customer.erased", {"n": 9})
    tx.everywhere().run("UPDATE audit SET who = 'x' WHERE number = 2")
    assert audit.broken(tx, ACME) == "row 2 was changed, or put in"
    assert organisations.sealing_keys(tx) == []
    assert organisations.sealed_after(tx, "", "", 10) == []
