"""The full-text index over passages, in each engine's own way: FTS5 on SQLite, lists of passages on PostgreSQL.

Both fold case and accents and stem as Porter did, keep no list of stop words, and put a title before a heading before
the text. Both rank by BM25; on PostgreSQL a row says in which passages a word stands and what it weighs in each, by the
usual length of a passage, and how rare a word is, is asked of its whole group. Every search names its organisation;
there are no triggers: whoever changes a passage changes the index in the same transaction.
"""

from __future__ import annotations

import math
import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from escalade.domain.model import OrganisationId
from escalade.store.database import Tx
from escalade.store.sql import Dialect

LEAST_RARITY = 0.05  # a word in most passages says little, but not nothing
SHELF = 256  # passages; what is taken out on PostgreSQL is looked for on its shelf
SCATTERED = 6  # rows of a word on a full shelf, on average, from which on they are gathered
USUAL = 120  # words of a passage; a word says more about a shorter one

# A row is of one word, one shelf and one `put`, so that two who import never wait for each other. The numbers are
# BM25's: the columns count as on SQLite, k1 is 1.2 and b 0.75.
PUT_WORDS = """
WITH given AS MATERIALIZED (
  SELECT passage, setweight(to_tsvector('escalade', title), 'A') || setweight(to_tsvector('escalade', heading), 'B')
    || setweight(to_tsvector('escalade', text), 'C') AS words
  FROM unnest(CAST(:passages AS BIGINT[]), CAST(:titles AS TEXT[]), CAST(:headings AS TEXT[]), CAST(:texts AS TEXT[]))
    AS given (passage, title, heading, text)
)
INSERT INTO knowledge_index (organisation, word, shelf, passages, weights)
SELECT :organisation, lexeme, passage / :size, array_agg(passage), array_agg(often / (often + 1.2 * length))
FROM (
  SELECT passage, lexeme,
    4 * cardinality(array_positions(weights, 'A')) + 2 * cardinality(array_positions(weights, 'B'))
      + cardinality(array_positions(weights, 'C')) AS often,
    0.25 + 0.75 * CAST(sum(cardinality(positions)) OVER (PARTITION BY passage) AS FLOAT) / :usual AS length
  FROM given, unnest(words)
) AS counted
GROUP BY lexeme, passage / :size
"""
# First the rows that go whole. One that another process empties meanwhile stays, empty, for the next who comes by.
REMOVE_ROWS = """
DELETE FROM knowledge_index WHERE organisation = :organisation AND shelf = :shelf
  AND passages <@ CAST(:passages AS BIGINT[])
"""
REMOVE_FROM_ROWS = """
UPDATE knowledge_index SET (passages, weights) = (
  SELECT coalesce(array_agg(passage), '{}'), coalesce(array_agg(weight), '{}')
  FROM unnest(passages, weights) AS kept (passage, weight) WHERE passage <> ALL(CAST(:passages AS BIGINT[]))
)
WHERE organisation = :organisation AND shelf = :shelf AND passages && CAST(:passages AS BIGINT[])
"""
LAST_SHELF = "SELECT max(shelf) FROM knowledge_index WHERE organisation = :organisation AND shelf <= :shelf"
IS_SCATTERED = """
SELECT count(*) >= :often * count(DISTINCT word)
FROM knowledge_index WHERE organisation = :organisation AND shelf = :shelf
"""
GATHER = """
WITH rows AS (
  DELETE FROM knowledge_index WHERE organisation = :organisation AND shelf = :shelf RETURNING word, passages, weights
)
INSERT INTO knowledge_index (organisation, word, shelf, passages, weights)
SELECT :organisation, word, :shelf, array_agg(passage ORDER BY passage), array_agg(weight ORDER BY passage)
FROM rows, unnest(passages, weights) AS held (passage, weight) GROUP BY word
"""
# Who takes out would not find again what is being gathered. Those who take out do not wait for each other, and who
# gathers waits for nobody: the rows are right as they are.
TAKING_OUT = "SELECT pg_advisory_xact_lock_shared(:space, hashtext(:organisation))"
GATHERING = "SELECT pg_try_advisory_xact_lock(:space, hashtext(:organisation))"
SPACE = 34  # of these locks' numbers, beside others'; decision 34
STEMS = """
SELECT DISTINCT n, lexeme FROM unnest(CAST(:words AS TEXT[]), CAST(:groups AS INTEGER[])) AS asked (word, n),
  unnest(to_tsvector('escalade', word))
"""
# What is compared with `=` may use an index under row-level security, and `@@` may not.
COUNT_WORDS = """
SELECT word, CAST(sum(cardinality(passages)) AS BIGINT) AS seen
FROM knowledge_index WHERE organisation = :organisation AND word = ANY(:words) GROUP BY word
"""
COUNT_PASSAGES = """
SELECT count(*) FROM (
  SELECT DISTINCT unnest(passages) FROM knowledge_index WHERE organisation = :organisation AND word = ANY(:words)
) AS found
"""
BEST_WORDS = """
SELECT passage FROM (
  SELECT unnest(passages) AS passage, unnest(weights) AS weight, rarity FROM (
    SELECT passages, weights, (CAST(:rarities AS FLOAT[]))[array_position(:words, word)] AS rarity
    FROM knowledge_index WHERE organisation = :organisation AND word = ANY(:words)
    OFFSET 0  -- or it would look for the rarity once for each passage
  ) AS lists
) AS found
GROUP BY passage ORDER BY CAST(sum(weight * rarity) AS REAL) DESC, passage LIMIT :limit
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """What a passage is found by."""

    passage: int
    title: str
    heading: str
    text: str


def put(tx: Tx, organisation: OrganisationId, texts: Sequence[Text]) -> None:
    """Let passages be found, of which none is in the index yet."""
    if tx.dialect is Dialect.SQLITE:
        for one in texts:
            tx.run(
                "INSERT INTO knowledge_index (rowid, organisation, title, heading, text)"
                " VALUES (:passage, :word, :title, :heading, :text)",
                passage=one.passage,
                word=_tenant_word(organisation),
                title=one.title,
                heading=one.heading,
                text=one.text,
            )
    elif texts:
        begun = max(one.passage for one in texts) // SHELF
        last = tx.value(LAST_SHELF, organisation=organisation, shelf=begun)
        tx.run(
            PUT_WORDS,
            organisation=organisation,
            size=SHELF,
            usual=USUAL,
            passages=[one.passage for one in texts],
            titles=[_folded(one.title) for one in texts],
            headings=[_folded(one.heading) for one in texts],
            texts=[_folded(one.text) for one in texts],
        )
        if last is not None and last < begun:
            _gather(tx, organisation, last)


def remove(tx: Tx, organisation: OrganisationId, passages: Sequence[int]) -> None:
    """Let passages be found no more."""
    if tx.dialect is Dialect.SQLITE:
        tx.many("DELETE FROM knowledge_index WHERE rowid = :passage", ({"passage": passage} for passage in passages))
        return
    tx.run(TAKING_OUT, space=SPACE, organisation=organisation)
    for shelf, its in groupby(sorted(passages), lambda passage: passage // SHELF):
        gone = list(its)
        for statement in (REMOVE_ROWS, REMOVE_FROM_ROWS):
            tx.run(statement, organisation=organisation, shelf=shelf, passages=gone)


def find(
    tx: Tx, organisation: OrganisationId, groups: Sequence[Sequence[str]], *, total: int, limit: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give the best passages in which any of the words stands, and how many passages each group is in.

    Any string is a harmless word: each is quoted, so nothing in it can be read as an operator.
    """
    asked = [tuple(filter(None, (_plain(word) for word in group))) for group in groups]
    if not total or not any(asked):
        return (), tuple(0 for _ in groups)
    if tx.dialect is Dialect.SQLITE:
        return _find_fts5(tx, organisation, asked, limit)
    return _find_words(tx, organisation, asked, total, limit)


def _gather(tx: Tx, organisation: OrganisationId, shelf: int) -> None:
    """Make one row of each word on a shelf that is full, where passages came in a few at a time."""
    scattered = tx.value(IS_SCATTERED, organisation=organisation, shelf=shelf, often=SCATTERED)
    if scattered and tx.value(GATHERING, space=SPACE, organisation=organisation):
        tx.run(GATHER, organisation=organisation, shelf=shelf)


def _find_fts5(
    tx: Tx, organisation: OrganisationId, asked: Sequence[tuple[str, ...]], limit: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    tenant = f'organisation : "{_tenant_word(organisation)}"'
    queries = [" OR ".join(f'"{word}"' for word in group) for group in asked]

    def within(query: str) -> str:
        return f"({tenant}) AND ({{title heading text}} : ({query}))"

    count = "SELECT count(*) FROM knowledge_index WHERE knowledge_index MATCH :query"
    frequencies = tuple(int(tx.value(count, query=within(query))) if query else 0 for query in queries)
    rows = tx.all(
        # the tenant's word finds, but does not count
        "SELECT rowid FROM knowledge_index WHERE knowledge_index MATCH :query"
        " ORDER BY bm25(knowledge_index, 0.0, 4.0, 2.0, 1.0), rowid LIMIT :limit",
        query=within(" OR ".join(filter(None, queries))),
        limit=limit,
    )
    return tuple(row["rowid"] for row in rows), frequencies


def _find_words(
    tx: Tx, organisation: OrganisationId, asked: Sequence[tuple[str, ...]], total: int, limit: int
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    groups = _words(tx, organisation, asked)
    frequencies = tuple(_frequency(tx, organisation, words) for words in groups)
    rarities: Counter[str] = Counter()
    for words, found in zip(groups, frequencies, strict=True):
        if found:
            rarity = max(LEAST_RARITY, math.log((total - found + 0.5) / (found + 0.5)))
            rarities.update(dict.fromkeys(words, rarity))
    if not rarities:
        return (), frequencies
    rows = tx.all(
        BEST_WORDS,
        organisation=organisation,
        words=list(rarities),
        rarities=list(rarities.values()),
        limit=limit,
    )
    return tuple(row["passage"] for row in rows), frequencies


def _words(tx: Tx, organisation: OrganisationId, asked: Sequence[tuple[str, ...]]) -> list[dict[str, int]]:
    """Give the words of each group that are in the index, as it has them, and how many passages each is in."""
    words = [(_folded(word), n) for n, group in enumerate(asked) for word in group]
    stems = tx.all(STEMS, organisation=organisation, words=[word for word, _ in words], groups=[n for _, n in words])
    rows = tx.all(COUNT_WORDS, organisation=organisation, words=[row["lexeme"] for row in stems])
    seen = {row["word"]: int(row["seen"]) for row in rows}
    groups: list[dict[str, int]] = [{} for _ in asked]
    for row in stems:
        if row["lexeme"] in seen:
            groups[row["n"]][row["lexeme"]] = seen[row["lexeme"]]
    return groups


def _frequency(tx: Tx, organisation: OrganisationId, words: Mapping[str, int]) -> int:
    """Say how many passages have any of some words."""
    if len(words) < 2:
        return sum(words.values())
    return int(tx.value(COUNT_PASSAGES, organisation=organisation, words=list(words)))


def _plain(word: str) -> str:
    """Leave out what the index cannot hold; nothing is left that either query language would read."""
    return "".join(sign for sign in word if sign.isalnum() or sign == " ").strip()


def _folded(text: str) -> str:
    """Fold case and accents and part words where FTS5 does, so that PostgreSQL's parser finds nothing but words."""
    bare = (sign for sign in unicodedata.normalize("NFKD", text) if not unicodedata.combining(sign))
    return "".join(sign if sign.isalnum() else " " for sign in bare).casefold()


def _tenant_word(organisation: OrganisationId) -> str:
    """Give a word no text contains and no stemmer shortens."""
    return f"tenant{organisation.encode().hex()}q"
