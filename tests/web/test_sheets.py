"""Lists as CSV: read by a spreadsheet they say what the lists say, and no cell of theirs runs."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from escalade.domain.model import ConversationId, CustomerId, Role
from escalade.store import exports, operators
from escalade.store.database import Tx
from escalade.web.sheets import MARK, cell
from tests.backstage import NOON, ORGANISATION
from tests.web.counter import Answer, Counter, counter

WIDE = "＝1"  # Excel takes it, too
RUNS = (
    '=HYPERLINK("https://evil.example","x")',
    "+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    "=cmd|' /C'!A0",
    WIDE,
)
HARMLESS = ("a=b", "1+1", " =1", "Grüße, 世界", 'say "hello", then\r\nleave', "'quoted'", "")


@pytest.fixture
async def front(database_url: str, tmp_path: Path) -> AsyncIterator[Counter]:
    async with counter(tmp_path, url=database_url) as found:
        yield found


def rows(answer: Answer) -> list[dict[str, str]]:
    """Read an answer as a spreadsheet would."""
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    text = answer.body.decode().removeprefix(MARK)
    assert text.count("\n") == text.count("\r\n") + text.replace("\r\n", "").count("\n")
    return list(csv.DictReader(io.StringIO(text, newline="")))


async def console(front: Counter, path: str) -> Answer:
    def signed_in(tx: Tx) -> None:
        person = operators.Operator(id="op-1", organisation=ORGANISATION, email="olga@example.com", role="owner")
        operators.add(tx, person, NOON)
        operators.open_session(tx, "op-1", "session", "csrf", NOON, NOON + 10**12)

    await front.write(signed_in)
    return await front.send("GET", path, [("cookie", "__Host-escalade=session")])


@pytest.mark.parametrize("value", RUNS)
def test_what_begins_like_a_formula_is_text(value: str) -> None:
    assert cell(value) == "'" + value


@pytest.mark.parametrize("value", HARMLESS)
def test_everything_else_is_as_it_was(value: str) -> None:
    assert cell(value) == value


async def test_p10_no_cell_begins_like_a_formula(front: Counter) -> None:
    desk = front.product.desk
    texts = [*RUNS, *HARMLESS[:-1]]
    for n, text in enumerate(texts):
        customer = {"id": f"customer-{n}", "name": " ".join(text.split()) or "Nobody"}
        await desk.open_conversation(ORGANISATION, id=f"c-{n}", customer=customer)
        await desk.say(ORGANISATION, ConversationId(f"c-{n}"), role=Role.CUSTOMER, text=text)
    await front.write(
        lambda tx: tx.run(
            "UPDATE delivery SET why = '=1+1', state = 'refused' WHERE organisation = :organisation"
            " AND conversation = 'c-0'",
            organisation=ORGANISATION,
        )
    )
    for answer in (
        await front.api("GET", "/conversations.csv"),
        await front.api("GET", "/deliveries.csv"),
        await console(front, "/console/conversations.csv"),
    ):
        found = rows(answer)
        assert len(found) == len(texts)
        assert not [value for row in found for value in row.values() if value.startswith(tuple("=+-@\t\r\n"))]
    by_id = {row["id"]: row for row in rows(await front.api("GET", "/conversations.csv"))}
    for n, text in enumerate(texts):
        kept = (await front.messages(f"c-{n}"))[0].text
        assert by_id[f"c-{n}"]["last_words"] == ("'" + kept if kept.startswith(RUNS_BEGIN) else kept), text
    [refused] = rows(await front.api("GET", "/deliveries.csv?state=refused"))
    assert (refused["conversation"], refused["why"], refused["effect"]) == ("c-0", "'=1+1", "Answer")


RUNS_BEGIN = tuple("=+-@\t\r\n＝")


async def test_a_list_longer_than_a_page_comes_whole_and_each_row_once(
    front: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "A_PAGE", 3)
    await front.handed_over("handed-over", ticket="4711")
    for n in range(7):
        await front.product.desk.open_conversation(ORGANISATION, id=f"c-{n}")
        await front.product.desk.say(ORGANISATION, ConversationId(f"c-{n}"), role=Role.CUSTOMER, text="Hello")
    head = {"authorization": "Bearer wt_1", "fv-organisation-id": "org_1"}
    for n in range(7):
        body = {"type": f"nothing.we.know.{n}", "id": f"event-{n}"}
        await front.call("POST", "/ai-agent/escalation/webhooks/zendesk/all", body, head)
    conversations = rows(await front.api("GET", "/conversations.csv"))
    assert sorted(row["id"] for row in conversations) == [
        "c-0",
        "c-1",
        "c-2",
        "c-3",
        "c-4",
        "c-5",
        "c-6",
        "handed-over",
    ]
    [handed_over] = [row for row in conversations if row["id"] == "handed-over"]
    assert (handed_over["ticket_id"], handed_over["handoff"], handed_over["mode"]) == ("4711", "asynchronous", "ticket")
    listed = (await front.api("GET", "/deliveries?limit=500")).json["deliveries"]
    assert [int(row["id"]) for row in rows(await front.api("GET", "/deliveries.csv"))] == [one["id"] for one in listed]
    listed = (await front.api("GET", "/receipts?limit=500")).json["receipts"]
    assert len(listed) >= 7
    assert [int(row["id"]) for row in rows(await front.api("GET", "/receipts.csv"))] == [one["id"] for one in listed]


async def test_the_consoles_button_gives_the_list_that_is_shown(front: Counter) -> None:
    for n, name in enumerate(("Ada", "Noor")):
        customer = {"id": str(CustomerId(name)), "name": name}
        await front.product.desk.open_conversation(ORGANISATION, id=f"c-{n}", customer=customer)
    page = (await console(front, "/console/conversations?text=noor&status=open")).body.decode()
    assert 'href="/console/conversations.csv?status=open&amp;text=noor" download' in page
    found = await front.send(
        "GET", "/console/conversations.csv?status=open&text=noor", [("cookie", "__Host-escalade=session")]
    )
    assert [row["name"] for row in rows(found)] == ["Noor"]
    assert found.body.decode().startswith(MARK), "Excel takes UTF-8 without it for something else"
    assert 'filename="conversations.csv"' in found.headers["content-disposition"]
