"""The index of words: on both engines it finds what stands there, counts it right, and forgets it whole."""

from __future__ import annotations

import random
import threading
from collections.abc import Sequence

import pytest

from escalade.domain.model import OrganisationId
from escalade.store import fulltext, knowledge
from escalade.store.database import Tx
from escalade.store.engines import commands, transaction
from escalade.store.fulltext import Text
from tests.backstage import NOON
from tests.engines import connected, indexed, on
from tests.world import eventually

OURS, THEIRS = OrganisationId("org_1"), OrganisationId("org_2")
WORDS = ("ferry", "ticket", "refund", "cabin", "dog", "harbour", "luggage", "meal", "bicycle", "fare")


def text(passage: int, said: str, title: str = "", heading: str = "") -> Text:
    return Text(passage=passage, title=title, heading=heading, text=said)


def find(
    tx: Tx, *groups: Sequence[str], organisation: OrganisationId = OURS, total: int = 1000, limit: int = 1000
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    return fulltext.find(tx, organisation, groups, total=total, limit=limit)


def test_whatever_comes_and_goes_the_words_that_are_there_are_found_and_counted(tx: Tx) -> None:
    dice, kept, passage = random.Random(1), dict[int, set[str]](), 0
    for _ in range(30):
        put = []
        for _ in range(dice.randrange(60)):
            passage += dice.randrange(1, 9)  # the numbers between are other organisations'
            kept[passage] = set(dice.choices(WORDS, k=4))
            put.append(text(passage, " ".join(kept[passage])))
        fulltext.put(tx, OURS, put)
        fulltext.put(tx, THEIRS, [text(one.passage + 10_000, one.text) for one in put])
        gone = dice.sample(sorted(kept), dice.randrange(len(kept) // 2 + 1))
        fulltext.remove(tx, OURS, gone)
        for one in gone:
            del kept[one]
        groups = [dice.sample(WORDS, dice.randrange(1, 4)) for _ in range(3)]
        found, frequencies = find(tx, *groups)
        assert frequencies == tuple(sum(bool(words & set(group)) for words in kept.values()) for group in groups)
        assert sorted(found) == [one for one, words in kept.items() if words & {*groups[0], *groups[1], *groups[2]}]
    assert passage > 5 * fulltext.SHELF
    fulltext.remove(tx, OURS, list(kept))
    assert find(tx, WORDS) == ((), (0,))
    assert find(tx, WORDS, organisation=THEIRS)[1] != (0,)


def test_a_title_comes_before_a_heading_before_the_text_and_a_rare_word_before_a_frequent_one(tx: Tx) -> None:
    fulltext.put(tx, OURS, [text(n, "the ferry sails") for n in range(10, 40)])
    fulltext.put(
        tx,
        OURS,
        [
            text(1, "a cabin for two people"),
            text(2, "for two people there", heading="Cabins"),
            text(3, "for two people there", title="Cabins"),
            text(4, "ferry ferry for two people"),
        ],
    )
    assert find(tx, ["cabin"])[0] == (3, 2, 1)
    found, frequencies = find(tx, ["ferries"], ["cabin"], total=34)
    assert (found[:3], frequencies) == ((3, 2, 1), (31, 3))
    assert find(tx, ["ferries"], ["cabin"], total=34, limit=2)[0] == (3, 2)


def test_case_accents_and_endings_are_the_same_word(tx: Tx) -> None:
    fulltext.put(tx, OURS, [text(1, "R\u00c9SERVATIONS in the CAF\u00c9"), text(2, "Stra\u00dfe 22")])
    assert find(tx, ["reservation"])[0] == (1,)
    assert find(tx, ["caf\u00e9s"])[0] == (1,)
    assert find(tx, ["22"], ["reserve"], ["nothing"])[1] == (1, 1, 0)


def test_of_two_documents_with_one_id_in_one_import_the_last_stays(tx: Tx) -> None:
    source = knowledge.Source(id="s", organisation=OURS, kind="folder", location="/x", title="X", created_at=NOON)
    knowledge.put_source(tx, source)

    def put(*bodies: str) -> None:
        entries = [
            knowledge.Entry(
                id=f"d-{body}", source_id="x.md", title="T", url=None, digest=body, passages=(("", body), ("", "more"))
            )
            for body in bodies
        ]
        knowledge.put_documents(tx, OURS, source.id, entries, at=NOON)

    for bodies in (("old", "new"), ("newer", "newest")):
        put(*bodies)
        found = knowledge.search(tx, OURS, [["old"], ["new"], ["newer"], ["newest"]], 9)
        assert [hit.text for hit in found.hits] == [bodies[-1]]
        assert (found.total, sum(found.frequencies), indexed(tx)) == (2, 1, 2)
    assert knowledge.remove_source(tx, OURS, source.id) == 1
    assert indexed(tx) == 0


@on("postgres")
def test_row_level_security_leaves_the_index_of_words_in_use(database_url: str) -> None:
    with connected(database_url) as tx:
        # As many words as make the way by the word the shortest, and PostgreSQL knows of them.
        fulltext.put(tx, OURS, [text(n, f"ferry{n} to harbour{n}") for n in range(2000)])
        knowledge.take_stock(tx)
        for statement in (fulltext.COUNT_WORDS, fulltext.COUNT_PASSAGES, fulltext.BEST_WORDS):
            plan = "\n".join(
                row["QUERY PLAN"]
                for row in tx.all(
                    "EXPLAIN " + statement, organisation=OURS, words=["ferry7", "dog"], rarities=[1.0, 1.0], limit=9
                )
            )
            assert "knowledge_index_word" in plan
            assert "word = ANY" in plan.partition("Index Cond: ")[2].partition("\n")[0], plan
            assert "current_setting" not in plan.partition("Filter: ")[0], "the policy holds"


@on("postgres")
def test_two_who_import_for_one_organisation_do_not_wait_for_each_other(database_url: str) -> None:
    with commands(database_url) as engine:
        with transaction(engine) as one, transaction(engine) as other:
            other.everywhere().run("SET LOCAL lock_timeout = '1ms'")
            fulltext.put(one, OURS, [text(1, "ferry"), text(3, "ferry")])
            fulltext.put(other, OURS, [text(2, "ferry"), text(4, "ferry")])
        with transaction(engine) as tx:
            assert find(tx, ["ferry"]) == ((1, 2, 3, 4), (4,))


@on("postgres")
@pytest.mark.parametrize("last", [(2,), (2, 3)])
def test_two_who_take_out_neighbours_at_once_both_do(database_url: str, last: tuple[int, ...]) -> None:
    def take_out() -> None:
        with commands(database_url) as engine, transaction(engine) as tx:
            fulltext.remove(tx, OURS, last)

    with connected(database_url) as tx, commands(database_url) as engine:
        fulltext.put(tx, OURS, [text(passage, "ferry") for passage in (1, 2, 3)])
        other = threading.Thread(target=take_out)
        with transaction(engine) as first:
            fulltext.remove(first, OURS, [1])
            other.start()
            waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            eventually(lambda: tx.everywhere().value(waiting), "the other waits for the row")
        other.join()
        left = tuple({1, 2, 3} - {1, *last})
        assert find(tx, ["ferry"]) == (left, (len(left),))
        fulltext.remove(tx, OURS, [*left, 4])
        assert tx.everywhere().value("SELECT count(*) FROM knowledge_index") == 0, "an empty row goes with the next"


@on("postgres")
def test_what_came_in_piece_by_piece_is_gathered_once_its_shelf_is_full(tx: Tx) -> None:
    dice = random.Random(2)
    texts = [text(n, " ".join(dice.choices(WORDS, k=4)), title=dice.choice(WORDS)) for n in range(fulltext.SHELF)]
    for one in texts:
        fulltext.put(tx, OURS, [one])
        fulltext.put(tx, THEIRS, [text(one.passage + 10 * fulltext.SHELF, one.text, one.title)])
    fulltext.remove(tx, OURS, [7])
    rows = "SELECT count(*) FROM knowledge_index WHERE organisation = :organisation AND shelf = 0"
    before = find(tx, WORDS[:2], WORDS[3:5])
    assert tx.value(rows, organisation=OURS) > fulltext.SCATTERED * len(WORDS)
    fulltext.put(tx, OURS, [text(fulltext.SHELF, "somewhere else")])
    assert tx.value(rows, organisation=OURS) == len(WORDS)
    assert find(tx, WORDS[:2], WORDS[3:5]) == before
    fulltext.remove(tx, OURS, range(fulltext.SHELF))
    assert tx.value(rows, organisation=OURS) == 0
    assert tx.value(rows.replace("= 0", ">= 10"), organisation=THEIRS) > fulltext.SHELF, "theirs stay as they are"


@on("postgres")
def test_what_is_taken_out_while_its_shelf_is_gathered_is_gone(database_url: str) -> None:
    def take_out() -> None:
        with commands(database_url) as engine, transaction(engine) as tx:
            fulltext.remove(tx, OURS, [5])

    with connected(database_url) as tx, commands(database_url) as engine:
        for passage in range(0, 20, 2):
            fulltext.put(tx, OURS, [text(passage, "ferry"), text(passage + 1, "ferry")])
        other = threading.Thread(target=take_out)
        with transaction(engine) as first:
            fulltext.put(first, OURS, [text(fulltext.SHELF, "cabin")])
            other.start()
            waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            eventually(lambda: tx.everywhere().value(waiting), "the other waits for the shelf")
        other.join()
        assert find(tx, ["ferry"])[1] == (19,)


@on("postgres")
def test_a_shelf_somebody_takes_out_of_is_left_as_it_is(database_url: str) -> None:
    with connected(database_url) as tx, commands(database_url) as engine:
        for passage in range(9):
            fulltext.put(tx, OURS, [text(passage, "ferry")])
        with transaction(engine) as first, transaction(engine) as other:
            other.everywhere().run("SET LOCAL lock_timeout = '1ms'")
            fulltext.remove(first, OURS, [5])
            fulltext.put(other, OURS, [text(fulltext.SHELF, "cabin")])
        assert find(tx, ["ferry"])[1] == (8,)
        assert find(tx, ["cabin"])[1] == (1,)


@on("postgres")
def test_after_much_has_come_in_the_database_knows_how_much(database_url: str) -> None:
    source = knowledge.Source(id="s", organisation=OURS, kind="folder", location="/x", title="X", created_at=NOON)
    entries = [
        knowledge.Entry(
            id=f"d-{n}", source_id=f"{n}.md", title="T", url=None, digest="", passages=(("", f"ferry number {n}"),)
        )
        for n in range(300)
    ]
    with commands(database_url) as engine:
        with transaction(engine) as tx:
            knowledge.put_source(tx, source)
            knowledge.put_documents(tx, OURS, source.id, entries, at=NOON)
        with transaction(engine) as tx:
            knowledge.take_stock(tx)
        with transaction(engine) as tx:
            for table in ("knowledge_document", "knowledge_passage", "knowledge_index"):
                known = tx.everywhere().value("SELECT reltuples FROM pg_class WHERE relname = :table", table=table)
                assert known >= 300, table
