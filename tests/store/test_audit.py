"""A change is written down once, and nobody edits, removes or adds a row unnoticed (I17, T13)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from escalade.domain.model import OrganisationId
from escalade.domain.organisation import Organisation
from escalade.store import audit, organisations
from escalade.store.database import Tx
from escalade.store.engines import make_engine, transaction
from tests.backstage import NOON

ACME, OTHER = OrganisationId("org_1"), OrganisationId("org_2")


@pytest.fixture
def tx(database_url: str) -> Iterator[Tx]:
    engine = make_engine(database_url)
    with transaction(engine) as tx:
        for id in (ACME, OTHER):
            organisations.create(tx, Organisation(id=id, name=id, widget_key=f"pk_{id}"), NOON)
        for n in range(5):
            audit.record(tx, ACME, "olga@example.com", "settings.changed", {"n": n}, NOON + n)
            audit.record(tx, OTHER, "command line", "operator.added", {"n": n}, NOON)
        yield tx
    engine.dispose()


def test_an_untouched_chain_holds(tx: Tx) -> None:
    assert audit.broken(tx, ACME) is None
    assert audit.broken(tx, OTHER) is None
    assert audit.head(tx, ACME).startswith("5:")
    assert audit.head(tx, ACME) != audit.head(tx, OTHER)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE audit SET detail = '{}' WHERE number = 3",
        "UPDATE audit SET who = 'someone@example.com' WHERE number = 3",
        "UPDATE audit SET at = at + 1 WHERE number = 5",
        "UPDATE audit SET what = 'other' WHERE number = 1",
        "DELETE FROM audit WHERE number = 3",
        "DELETE FROM audit WHERE number = 1",
        "DELETE FROM audit WHERE number = 5",
        "DELETE FROM audit",
        "UPDATE audit SET number = number + 10 WHERE number > 3",
        "INSERT INTO audit (organisation, number, at, who, what, detail, digest)"
        " SELECT organisation, 6, at, who, what, detail, digest FROM audit WHERE number = 5",
        "UPDATE audit SET number = NULL WHERE number = 5",
    ],
)
def test_every_touch_breaks_it(tx: Tx, change: str) -> None:
    tx.everywhere().run(change + (" AND" if "WHERE" in change else " WHERE") + " organisation = 'org_1'")
    assert audit.broken(tx, ACME) is not None
    assert audit.broken(tx, OTHER) is None


def test_rows_cannot_change_places_or_owners(tx: Tx) -> None:
    tx.everywhere().run("UPDATE audit SET number = 99 WHERE number = 2 AND organisation = 'org_1'")
    tx.everywhere().run("UPDATE audit SET number = 2 WHERE number = 3 AND organisation = 'org_1'")
    tx.everywhere().run("UPDATE audit SET number = 3 WHERE number = 99 AND organisation = 'org_1'")
    assert audit.broken(tx, ACME) == "row 2 was changed, or put in"


def test_what_was_there_before_the_chain_is_left_alone(tx: Tx) -> None:
    tx.everywhere().run(
        "INSERT INTO audit (organisation, at, who, what) VALUES ('org_1', 0, 'long ago', 'settings.changed')"
    )
    assert audit.broken(tx, ACME) is None
