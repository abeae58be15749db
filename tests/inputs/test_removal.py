"""An organisation is removed beside the running product, while customers wait and something is owed (T12)."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import Any

import psycopg
import pytest

from tests import engines
from tests.inputs.place import HOOK, Place
from tests.world import eventually

pytestmark = pytest.mark.processes
FAULTS = ("lane_stumbled", "attempt_broke", "look_failed", "upkeep_stumbled", "part_stopped", "request_broke")


def rows_of(place: Place, organisation: str) -> dict[str, int]:
    """Count what the database has of an organisation in any table but the one of the traces."""
    url = place.product.environment["ESCALADE_DATABASE_URL"]
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as file:
            tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            columns = {table: {row[1] for row in file.execute(f"PRAGMA table_info({table})")} for table in tables}
            return _counted(file, columns, organisation, "?")
    with closing(psycopg.connect(engines.postgres_server().owners(url))) as connection:
        columns = {}
        for table, column in connection.execute(
            "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
        ):
            columns.setdefault(table, set()).add(column)
        return _counted(connection, columns, organisation, "%s")


def _counted(connection: Any, columns: dict[str, set[str]], organisation: str, mark: str) -> dict[str, int]:
    found = {}
    for table in columns.keys() - {"removal"}:
        column = "organisation" if "organisation" in columns[table] else "id" if table == "organisation" else None
        if column is not None:
            query = f"SELECT count(*) FROM {table} WHERE {column} = {mark}"
            found[table] = connection.execute(query, (organisation,)).fetchone()[0]
    return {table: count for table, count in found.items() if count}


def test_t12_an_organisation_is_removed_while_customers_wait_and_something_is_owed(place: Place) -> None:
    keys = place.keys["D"] = json.loads(place.product.command("org", "create", "Departing", "--json").stdout)
    organisation = keys["organisation_id"]
    place.patch("D", {"zendesk": place._connection()})
    made = place.handed_over("D", "ticket")
    visitor = place.visitor("D")
    place.zendesk.fault(side="api", path="/api/v2/", action="answer", status=503)
    try:
        place.done("D", f"/conversations/{made['conversation']}/messages", {"id": "owed-for-ever", "text": "Hello?"})
        refused = place.product.command("org", "remove", organisation, "--yes", check=False)
        assert refused.returncode == 1
        assert "Departing is not finished: 1 open handoffs, 1 deliveries owed" in refused.stderr
        assert made["ticket"] in refused.stderr
        assert place.call("D", "GET", "/settings").status_code == 200, "nothing has happened"

        asked = place.product.command("org", "remove", organisation, "--force", check=False)
        assert asked.returncode == 1, "nobody answered yes"
        assert place.call("D", "GET", "/settings").status_code == 200, "nothing has happened"

        done = place.product.command("org", "remove", organisation, "--force", "--yes", "--json")
        given_up = {"handoffs": 1, "tickets": [made["ticket"]], "deliveries": 1, "receipts": 0}
        assert json.loads(done.stdout)["given_up"] == given_up
    finally:
        place.zendesk.heal()

    # Within a second, the time for which the store's word is believed, every door is shut.
    head = {"Authorization": f"Bearer {keys['webhook_token']}", "fv-organisation-id": organisation}
    ended = {"ticket_id": made["ticket"], "type": "fv:conversation_closed"}
    http = place.product.http
    eventually(lambda: http.post(HOOK, json=ended, headers=head).status_code == 401, "old webhooks are not let in", 8)
    eventually(lambda: place.call("D", "GET", "/settings").status_code == 401, "nor is the API's key", 8)
    asked_by = {"Authorization": f"Bearer {visitor['visitor']}"}
    assert http.get("/widget/v1/conversations", headers=asked_by).status_code == 401
    assert http.post("/widget/v1/sessions", json={"key": keys["widget_key"]}).status_code == 404

    eventually(lambda: rows_of(place, organisation) == {}, "no row is left, also of what came in meanwhile", 10)
    listed = json.loads(place.product.command("org", "list", "--json").stdout)
    assert organisation not in [one["organisation_id"] for one in listed["organisations"]]
    [trace] = [one for one in listed["removed"] if one["organisation_id"] == organisation]
    assert (trace["name"], trace["given_up"]) == ("Departing", given_up)
    assert trace["audit_head"].startswith("2:"), "created, connected, and nothing after"

    # Everybody else goes on as if nothing had happened.
    theirs = place.handed_over("A", "live")
    said = {message["id"]: message["delivery"] for message in place.page("A", theirs["conversation"])["messages"]}
    assert said[theirs["message"]] == "delivered"
    log = place.product.program.log()
    assert [fault for fault in FAULTS if f'"{fault}"' in log] == []
