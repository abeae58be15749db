"""A removed organisation leaves no row on either engine, and nobody else's are touched."""

from __future__ import annotations

import pytest
import sqlalchemy

from escalade.domain.model import ConversationId, FileId, FileState, OrganisationId
from escalade.domain.organisation import Organisation
from escalade.store import (
    attempts,
    audit,
    curves,
    deliveries,
    files,
    knowledge,
    lanes,
    operators,
    organisations,
    receipts,
    removal,
    vectors,
)
from escalade.store.database import Tx
from escalade.store.engines import commands
from escalade.store.files import File
from escalade.store.removal import AT_ONCE, IN_BATCHES, LATE_MS, OF_OPERATORS, Waiting
from tests.backstage import NOON
from tests.engines import indexed
from tests.store import test_erasure

OURS, THEIRS = OrganisationId("org_1"), OrganisationId("org_2")
HANGING = {"attempt", "knowledge_index"}


def rows(tx: Tx, organisation: OrganisationId) -> dict[str, int]:
    """Count the rows of an organisation in every table, hanging ones with what they hang off."""
    tx = tx.everywhere()
    tables = ["organisation", "operator", *AT_ONCE, *IN_BATCHES]
    found = {
        table: tx.value(
            f"SELECT count(*) FROM {table} WHERE {'id' if table == 'organisation' else 'organisation'} = :it",
            it=organisation,
        )
        for table in tables
    }
    return {table: count for table, count in found.items() if count}


def hanging(tx: Tx) -> dict[str, int]:
    attempts = tx.everywhere().value("SELECT count(*) FROM attempt")
    return {"attempt": attempts, "knowledge_index": indexed(tx)}


def furnish(tx: Tx, id: OrganisationId, monkeypatch: pytest.MonkeyPatch) -> Organisation:
    """Give an organisation one of everything."""
    monkeypatch.setattr(test_erasure, "ACME", id)
    found = Organisation(id=id, name=f"Company {id}", widget_key=f"pk_{id}")
    organisations.create(tx, found, NOON)
    organisations.add_token(tx, id, "api", f"ek_{id}", NOON)
    organisations.save_secret(tx, id, "live.secret", "sealed", "last", NOON)
    customer = test_erasure.NOOR
    test_erasure.talk(tx, customer, f"c-{id}")
    organisations.add_visitor(tx, id, customer, f"visitor-{id}", "https://shop.example", NOON)
    receipts.accept(tx, id, source="zendesk", key="k", kind="other", body="{}", now=NOON)
    person = operators.add(
        tx, operators.Operator(id=f"op_{id}", organisation=id, email="a@b.example", role="owner"), NOON
    )
    operators.add_link(tx, person.id, f"link-{id}", NOON)
    operators.open_session(tx, person.id, f"session-{id}", "csrf", NOON, NOON)
    source = knowledge.Source(
        id=f"s-{id}", organisation=id, kind="folder", location="/x", title="Shelf", created_at=NOON
    )
    knowledge.put_source(tx, source)
    passages = (("Return", "Send it back."),)
    entry = knowledge.Entry(id=f"d-{id}", source_id="x.md", title="Return", url=None, digest="d", passages=passages)
    knowledge.put_documents(tx, id, source.id, [entry], at=NOON)
    (passage,) = vectors.unread(tx, "a model", 9, id)
    meaning = vectors.Meaning(passage=passage.passage, headings=0, rows=b"x")
    vectors.put(tx, id, "a model", [meaning])
    curves.put(tx, id, "{}", NOON)
    file = File(
        id=FileId("f-1"), organisation=id, conversation=ConversationId(f"c-{id}"), message=None, name="x.txt",
        state=FileState.ARRIVING, media_type="text/plain", size=1,
    )  # fmt: skip
    files.add(tx, file, NOON)
    files.put(tx, id, file.id, 0, b"x")
    tx.run("INSERT INTO door (organisation, channel, state, until, since, why) VALUES (:organisation, 'zendesk',"
           " 'failing', 0, 0, '')", organisation=id)  # fmt: skip
    tx.run("INSERT INTO webhook (organisation, id) VALUES (:organisation, 'w-1')", organisation=id)
    head = deliveries.head(tx, lanes.due(tx, NOON)[-1])
    assert head is not None
    attempts.begin(tx, head, kind="send", frozen=None, now=NOON)
    audit.record(tx, id, "somebody", "something", {}, NOON)
    return found


def test_every_table_is_thought_of(database_url: str) -> None:
    with commands(database_url) as made:
        there = {name for name in sqlalchemy.inspect(made).get_table_names() if not name.startswith("knowledge_index_")}
    thought_of = {"organisation", "operator", *AT_ONCE, *IN_BATCHES, *OF_OPERATORS, *HANGING}
    assert there - {"alembic_version", "removal"} == thought_of


def test_one_organisation_goes_and_the_other_stays(tx: Tx, monkeypatch: pytest.MonkeyPatch) -> None:
    furnish(tx, THEIRS, monkeypatch)
    untouched, hung = rows(tx, THEIRS), hanging(tx)
    mine = furnish(tx, OURS, monkeypatch)
    assert set(rows(tx, OURS)) == {"organisation", "operator", *AT_ONCE, *IN_BATCHES}, "one of everything"
    left = removal.waiting(tx, OURS)
    assert left == Waiting(handoffs=1, tickets=(), deliveries=2, receipts=1)

    removal.take_away(tx, mine, left, "command line", NOON)
    still = set(rows(tx, OURS))
    assert not still & {"organisation", "operator", *AT_ONCE}, "no door opens and nothing moves"
    assert "message" in still, "the rest may take its time"
    while removal.sweep(tx, NOON):
        pass
    assert rows(tx, OURS) == {}
    assert rows(tx, THEIRS) == untouched
    assert hanging(tx) == hung
    [trace] = removal.removals(tx)
    assert (trace.organisation, trace.name, trace.removed_at, trace.who) == (OURS, mine.name, NOON, "command line")
    assert trace.given_up == left
    assert trace.audit_head.startswith("1:")


def test_what_comes_in_a_moment_later_is_swept_until_nothing_can_come(tx: Tx, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = furnish(tx, OURS, monkeypatch)
    removal.take_away(tx, mine, Waiting(), "command line", NOON)
    while removal.sweep(tx, NOON):
        pass
    receipts.accept(tx, OURS, source="zendesk", key="late", kind="other", body="{}", now=NOON)
    assert removal.sweep(tx, NOON + 1000) == 1
    assert removal.under_way(tx)
    assert removal.sweep(tx, NOON + LATE_MS + 1) == 0
    assert not removal.under_way(tx)
    assert rows(tx, OURS) == {}


def test_batches_are_small_and_go_on_where_they_were(tx: Tx, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = furnish(tx, OURS, monkeypatch)
    for n in range(7):
        receipts.accept(tx, OURS, source="zendesk", key=f"k-{n}", kind="other", body="{}", now=NOON)
    removal.take_away(tx, mine, Waiting(), "command line", NOON)
    before = rows(tx, OURS)["receipt"]
    removal.sweep(tx, NOON, most=3)
    assert rows(tx, OURS)["receipt"] == before - 3
    while removal.sweep(tx, NOON, most=3):
        pass
    assert rows(tx, OURS) == {}


def test_an_id_that_is_taken_again_begins_with_nothing_and_keeps_what_it_gets(
    tx: Tx, monkeypatch: pytest.MonkeyPatch
) -> None:
    removal.take_away(tx, furnish(tx, OURS, monkeypatch), Waiting(), "command line", NOON)
    removal.clear(tx, OURS, NOON)
    again = furnish(tx, OURS, monkeypatch)
    there = rows(tx, OURS)
    assert removal.sweep(tx, NOON + LATE_MS + 1) == 0
    assert rows(tx, OURS) == there
    removal.take_away(tx, again, Waiting(), "command line", NOON + 1)
    assert [trace.removed_at for trace in removal.removals(tx)] == [NOON + 1, NOON]
